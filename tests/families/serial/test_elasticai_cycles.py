"""ElasticAI.creator's LSTM cell: the cycles of its VHDL, from its structure.

By hand, a step of H hidden units with a scalar input, counted from where the step before was done:

    3              reset, its release, and the enable of the sums
    2 (1 + H) H    an operand of [x, h] is fetched in one cycle and multiplied in the next; H units in turn
    7              of the last unit: 4 for the gates, 1 each for c, tanh(c) and h. Those of the others are hidden beside
                   the next unit's sums, since 2 (1 + H) >= 7 from H = 3 on
    2 H            the copy of each unit's h and c
    2              idle, then done

H = 20: 3 + 840 + 7 + 40 + 2 = 892. H = 100: 3 + 20,200 + 7 + 200 + 2 = 20,412.
"""

from __future__ import annotations

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.errors import ArchError, ScheduleError
from archsim.families.load import load_arch
from archsim.trace import Window
from archsim.workload import load_workload

PUBLISHED = {
    # H, steps: cycles of a step, done of the last step (GHDL with the generated VHDL)
    (20, 6): (892, 5_352),
    (20, 28): (892, 24_976),
    (100, 2): (20_412, 40_824),
}


def run(workload: str, *overrides: str) -> Simulation:
    arch = load_arch("elasticai_lstm", [parse_override(text) for text in overrides])
    return simulate(arch, load_workload(workload), timing_only=True, window=Window(0, 100))


@pytest.mark.parametrize(("size", "steps"), PUBLISHED)
def test_cycles_as_the_vhdl_takes_them(size: int, steps: int) -> None:
    stats = run(f"lstm:1,{size},t={steps}").stats
    assert (stats.cycles_per_step, stats.latency_cycles) == PUBLISHED[size, steps]
    assert stats.body_cycles == stats.latency_cycles


@pytest.mark.parametrize("size", [3, 5, 13, 37])
def test_any_size_by_the_formula(size: int) -> None:
    step = 2 * (1 + size) * size + 7 + 2 * size + 5
    assert run(f"lstm:1,{size},t=3").stats.latency_cycles == 3 * step


def test_when_each_op_starts_and_ends() -> None:
    """H = 3: sums of unit u in 3 + 8 u .. 11 + 8 u, its update in the 7 cycles behind them, the copies at 34."""
    simulation = run("lstm:1,3,t=2")
    ops = simulation.program.phases[0].ops
    found = {(ops[r.op].label, r.repetition): (r.start, r.done) for r in simulation.trace.records}
    for step in (0, 1):
        first = 42 * step
        assert found["start", step] == (first, first + 3)
        for unit in range(3):
            assert found[f"sums[{unit}]", step] == (first + 3 + 8 * unit, first + 11 + 8 * unit)
            assert found[f"update[{unit}]", step] == (first + 11 + 8 * unit, first + 18 + 8 * unit)
        assert found["copy h, c", step] == (first + 34, first + 40)
        assert found["finish", step] == (first + 40, first + 42)


def test_with_fewer_units_than_hide_the_update_the_sums_wait_for_it() -> None:
    """H = 1: nothing to hide beside. H = 2: 6 cycles of sums; the second unit's update waits a cycle for the first's.

    The VHDL has no such sizes: H a power of two does not elaborate.
    """
    assert run("lstm:1,1").stats.latency_cycles == 3 + 4 + 7 + 2 + 2
    assert run("lstm:1,2").stats.latency_cycles == 3 + 6 + 7 + 7 + 4 + 2


STRUCTURE = {
    "dot_product.operand_cycles": "a cycle more for each of 6 x 5 operands",
    "elementwise.gate_cycles": "the last unit's update is a cycle longer",
    "elementwise.cell_cycles": "so it is here",
    "elementwise.tanh_cycles": "and here",
    "elementwise.hidden_cycles": "and here",
    "elementwise.copy_cycles": "5 copies are a cycle longer each",
    "controller.start_cycles": "a step begins a cycle later",
    "controller.finish_cycles": "and ends a cycle later",
    "sequencer.issue_cycles": "ops would wait for their issue",
    "sequencer.token_latency_cycles": "and for tokens, which the VHDL does not have",
}


@pytest.mark.parametrize("path", STRUCTURE)
@pytest.mark.parametrize("by", [1, -1])
def test_one_more_or_less_is_another_machine(path: str, by: int) -> None:
    section, name = path.split(".")
    value = getattr(getattr(load_arch("elasticai_lstm").config, section), name) + by
    if value >= 0 and not (value == 0 and section != "sequencer"):
        assert run("lstm:1,5,t=2").stats.latency_cycles == 164
        assert run("lstm:1,5,t=2", f"{path}={value}").stats.latency_cycles != 164


@pytest.mark.parametrize(
    ("workload", "what"),
    [
        ("lstm:2,20", "more than one input"),
        ("gru:1,20", "cells other than an LSTM"),
        ("lstm:1,20,layers=2", "more than one layer"),
        ("lstm:1,20,b=2", "a batch"),
        ("lstm:1,20,proj=3", "a projection"),
    ],
)
def test_what_the_cell_has_no_hardware_for_is_refused_in_one_line(workload: str, what: str) -> None:
    with pytest.raises(ScheduleError, match=f"^--schedule unit_by_unit: .*{what}") as caught:
        run(workload)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("formats.gate=q4.12", "one width for all data"),
        ("formats.accumulator=q4.12", "twice the bits of q4.4, q8.8"),
        ("formats=float32", "hard_cut: it needs its argument in a q format"),
    ],
)
def test_one_width_for_all_data(override: str, what: str) -> None:
    with pytest.raises(ArchError, match=what):
        load_arch("elasticai_lstm", [parse_override(override)])


def test_its_own_method_can_be_named_and_others_can_take_its_place() -> None:
    """Saved machines name it."""
    plain = load_arch("elasticai_lstm").config
    assert load_arch("elasticai_lstm", [parse_override("elementwise.method=hard_cut")]).config == plain
    assert load_arch("elasticai_lstm", [parse_override("elementwise.method=table")]).config != plain


def test_bounds_by_hand() -> None:
    """H = 20 and a scalar input: 20 units x 21 operands x 2 cycles each; with one cycle for each half as many."""
    work = load_workload("lstm:1,20,t=6")
    for cycles, bound in ((2, 840), (1, 420)):
        arch = load_arch("elasticai_lstm", [parse_override(f"dot_product.operand_cycles={cycles}")])
        assert simulate(arch, work, timing_only=True).stats.bounds["compute"] == bound
