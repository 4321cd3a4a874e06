"""The Koios benchmark `lstm` (Verilog-to-Routing): its published cycles, exactly, from its structure.

Published (the RTL's own control, and its simulation at the register level; all counted from the cycle in which the
first weight row of a step is addressed):

    8    the bias memory is addressed
    9    the old cell value is presented to the f * c multiplier
    12   the first new cell value is stored
    17   the first h is stored
    81   a step: 64 rows, one a cycle, and 17; 10 steps are 810

An op that starts at S works from cycle S on, and what is done at D was written in cycle D - 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.cells.activation import Activate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.trace import Window
from archsim.workload import load_workload
from tests.rings import exhaustive, few

STEPS = 10


@dataclass(frozen=True)
class Published:
    """What the page gives, in cycles but for the multipliers and the entries of a table."""

    bias_addressed: int = 8
    cell_presented: int = 9
    cell_stored: int = 12
    h_stored: int = 17
    rows_a_cycle: int = 1
    step: float = 81
    ten_steps: int = 810
    multipliers: int = 656
    table_entries: int = 64


@cache
def run(*overrides: str, steps: int = STEPS, layer: str = "lstm:100,64") -> Simulation:
    arch = load_arch("koios_lstm", [parse_override(text) for text in overrides])
    return simulate(arch, load_workload(f"{layer},t={steps}"), timing_only=True, window=Window(0, steps))


def times(simulation: Simulation, label: str, repetition: int = 0) -> tuple[int, int, int]:
    """Start, free and done of an op, from the cycle in which the first row of the first step is addressed."""
    (number, phase), *_ = [(n, p) for n, p in enumerate(simulation.program.phases) if p.name == "body"]
    found = {(phase.ops[r.op].label, r.repetition): r for r in simulation.trace.records if r.phase == number}
    begin, r = found["mac[0]", 0].start, found[label, repetition]
    return r.start - begin, r.free - begin, r.done - begin


def measured(simulation: Simulation) -> Published:
    """What the simulation gives for each of the published figures."""
    config = simulation.arch.config
    assert isinstance(config, GemvConfig)
    hidden = simulation.workload.spec.cells[0].hidden_size
    h_stored = [times(simulation, f"hidden[{row}]")[2] - 1 for row in range(hidden)]
    steps = {b - a for a, b in pairwise(h_stored)}
    return Published(
        bias_addressed=times(simulation, "sigmoid_f[0]")[0],
        cell_presented=times(simulation, "cell[0]")[0],
        cell_stored=times(simulation, "cell[0]")[2] - 1,
        h_stored=h_stored[0],
        rows_a_cycle=1 if steps == {1} else 0,
        step=simulation.stats.cycles_per_step,
        ten_steps=times(simulation, f"hidden[{hidden - 1}]", STEPS - 1)[2],
        multipliers=config.mac_array.rows * config.mac_array.columns,
        table_entries=config.activation.table.entries,
    )


def test_published_cycles_come_out_exactly() -> None:
    assert measured(run()) == Published()


def test_every_step_takes_81_cycles_and_begins_when_the_last_h_is_stored() -> None:
    """No step overlaps the next: a row needs the whole h. Row 0 at 81 t, the last h stored in cycle 81 t + 80."""
    simulation = run()
    for step in range(STEPS):
        assert times(simulation, "mac[0]", step)[0] == 81 * step
        assert times(simulation, "hidden[63]", step)[2] - 1 == 81 * step + 80


@exhaustive
def test_rows_follow_each_other_one_a_cycle_through_every_stage() -> None:
    simulation = run()
    for row in range(64):
        assert times(simulation, f"mac[{row}]") == (row, row + 1, row + 8)
        for gate in ("sigmoid_i", "sigmoid_f", "sigmoid_o", "tanh_g"):
            assert times(simulation, f"{gate}[{row}]") == (row + 8, row + 9, row + 9)
        assert times(simulation, f"cell[{row}]") == (row + 9, row + 10, row + 13)
        assert times(simulation, f"tanh_c[{row}]") == (row + 13, row + 14, row + 14)
        assert times(simulation, f"hidden[{row}]") == (row + 14, row + 15, row + 18)


CHANGES = {
    "mac_array.rows": ("+1", "a fifth row of multipliers has no gate: 820 multipliers instead of 656"),
    "mac_array.columns": ("+1", "one multiplier more for each row: 660"),
    "mac_array.x_columns": ("+1", "63 columns are left for 64 elements of h: two chunks a row"),
    "mac_array.multiplier_latency_cycles": ("+1", "everything behind the multipliers is a cycle later"),
    "mac_array.adder_latency_cycles": ("+1", "7 levels of 100 inputs, 1 that joins x and h: 8 cycles"),
    "weight_sram.read_latency_cycles": ("+1", "everything behind the weights is a cycle later"),
    "activation.latency_cycles": ("+1", "gates and tanh(c) are a cycle later each"),
    "activation.units": ("-1", "o and tanh(c) share a table: not one row a cycle"),
    "elementwise.units": ("-1", "f * c + i * g and o * tanh(c) share multipliers: not one row a cycle"),
    "elementwise.cell_latency_cycles": ("+1", "c is stored in cycle 13"),
    "elementwise.hidden_latency_cycles": ("+1", "h is stored in cycle 18"),
    "sequencer.issue_cycles": ("+1", "8 ops a row: a row every 8 cycles"),
    "sequencer.token_latency_cycles": (
        "+1",
        "the stages of a row pass it on by registers of their own, without tokens",
    ),
}
"""Each structural parameter that one more (or fewer) of must change the count, and why it does."""

ONE_LESS = {
    "weight_sram.port_bits": "a row's 164 weights of 16 bits no longer pass in a cycle",
    "weight_sram.banks": "three gates' rows a cycle instead of four",
    "input_buffer.port_bits": "100 numbers of 16 bits no longer pass in a cycle",
    "state_buffer.port_bits": "64 numbers of 16 bits no longer pass in a cycle",
    "state_buffer.gate_slots": "o of row 6 is not used before row 13's comes",
    "accumulators.entries": "row 8 waits until the activation unit has read row 0, which it does in cycle 8",
}
"""Widths and depths that just suffice: one more is never slower (docs/microarchitecture/rules.md, "Monotonicity"), one
less is."""

NO_CYCLE = (
    "clock_mhz",
    "weight_sram.capacity_bytes",
    "input_buffer.capacity_bytes",
    "state_buffer.capacity_bytes",
    "activation.lanes",  # one row a cycle has one value for each table
    "elementwise.lanes",  # and one for each multiplier
    "input_buffer.prefetch_steps",  # x is there in time
    "weight_sram.stream_slots",  # all weights stay
    "sequencer.queue_depth",  # nothing queues
    "dram.bandwidth_bytes_per_cycle",  # the outside, never waited for
    "dram.latency_cycles",
    "dram.burst_bytes",
)
"""Parameters of which one more changes no cycle: what they bound is never reached."""


def changed(path: str, by: int) -> str:
    value: Any = load_arch("koios_lstm").config
    for name in path.split("."):
        value = getattr(value, name)
    return f"{path}={value + by}"


@pytest.mark.parametrize(("path", "change"), few([(path, int(how)) for path, (how, _) in CHANGES.items()], 2))
def test_another_structure_gives_other_figures(path: str, change: int) -> None:
    assert measured(run(changed(path, change))) != Published()


@exhaustive
@pytest.mark.parametrize("path", ONE_LESS)
def test_what_just_suffices_is_too_little_by_one(path: str) -> None:
    assert measured(run(changed(path, -1))) != Published()
    assert measured(run(changed(path, +1))) == Published()


@pytest.mark.parametrize("paths", [NO_CYCLE, *(pytest.param((path,), marks=exhaustive) for path in NO_CYCLE)])
def test_what_changes_no_cycle(paths: tuple[str, ...]) -> None:
    """All together and, in the exhaustive ring, each alone."""
    assert measured(run(*(changed(path, +1) for path in paths))) == Published()


@pytest.mark.parametrize("setting", few(["activation.adds_bias=false", "activation.table.entries=128"], 1))
def test_other_settings_that_are_no_numbers(setting: str) -> None:
    """With the bias in the accumulators the activation would no longer be its read; a table has 64 entries."""
    if setting.startswith("activation.adds_bias"):
        program = run(setting).program
        activates = [op for op in program.phases[1].ops if op.unit.startswith("activation")]
        tiles = [op for op in program.phases[1].ops if op.unit == "mac_array"]
        assert all(isinstance(op, Activate) and op.bias is None for op in activates)
        assert all(isinstance(op, MacTile) and op.bias is not None for op in tiles)
    else:
        assert measured(run(setting)) != Published()


def test_every_parameter_is_in_one_of_the_lists() -> None:
    """So that a parameter that is added later is looked at."""
    config = load_arch("koios_lstm").config.model_dump(exclude={"formats", "summary"})
    numbers = set()
    for section, value in config.items():
        fields = {f"{section}.{name}": v for name, v in value.items()} if isinstance(value, dict) else {section: value}
        numbers |= {path for path, v in fields.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    formats = {"mac_array.converter_latency_cycles"}  # one format for all: there is no converter
    whole = {"dram.efficiency"}  # all of the bandwidth: there is no more, and of DRAM's nothing is published
    assert numbers == {*CHANGES, *ONE_LESS, *NO_CYCLE} | formats | whole


@pytest.mark.parametrize(
    ("layer", "step"),
    few(
        [
            ("lstm:100,65", 65 * 2 + 17),  # 65 elements of h take two chunks: a row every two cycles
            ("lstm:101,64", 64 * 2 + 17),  # so do 101 of x
            ("lstm:99,63", 80),
            ("lstm:1,1", 18),  # one row: 17 and its own
        ],
        2,
    ),
)
def test_other_layers_on_it(layer: str, step: int) -> None:
    assert run(layer=layer).stats.cycles_per_step == step


@pytest.mark.parametrize("seed", few(range(3), 1))
def test_its_numbers_are_right_in_every_bit(seed: int) -> None:
    workload = load_workload(f"lstm:100,64,t=4,seed={seed}")
    simulation = simulate(load_arch("koios_lstm"), workload)
    assert simulation.validation.passed
    assert [check.differing_numbers for check in simulation.validation.checks] == [0, 0, 0]
