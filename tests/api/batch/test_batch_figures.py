"""A batch says of each design what it says by itself, and the machine: every figure, to the last bit, in its order."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from archsim.api.batch import BatchEvaluator, Designs, times
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.explore.run.evaluation import stats_outputs
from archsim.families.load import Arch, load_arch
from archsim.families.machine_config import MachineConfig
from archsim.workload import load_workload
from tests.api.batch.agreement import check
from tests.rings import FAST_EXAMPLES, every_value, few, law
from tests.strategies import Case, cases, sparse, unit_options

OTHER: dict[str, tuple[object, ...]] = {
    "mac_array.columns": (1, 2, 3, 4, 8, 9),
    "mac_array.adder_latency_cycles": (0, 1, 5),
    "mac_array.x_columns": (None, 1, 2),
    "mac_array.sparsity": (None, {"kept": 1, "of": 2}, {"kept": 2, "of": 5}),
    "activation.lanes": (1, 2, 3, 8),
    "activation.latency_cycles": (0, 1, 9),
    "activation.units": (1, 2),
    "activation.method": ("exact", "hard", "piecewise_linear"),
    "elementwise.lanes": (1, 2, 5),
    "elementwise.units": (1, 2),
    "weight_sram.port_bits": (8, 32, 40),
    "weight_sram.banks": (1, 4),
    "weight_sram.capacity_bytes": (10, 300, 1 << 20, 1 << 26),
    "weight_sram.ports": ("1RW",),
    "input_buffer.port_bits": (16, 64),
    "input_buffer.capacity_bytes": (1, 1 << 20),
    "state_buffer.port_bits": (16, 33, 128),
    "state_buffer.banks": ("one", "by_kind"),
    "state_buffer.capacity_bytes": (10, 1 << 20),
    "accumulators.entries": (1, 64, 1 << 10),
    "bias_buffer": (None, {"capacity_bytes": 1 << 20}, {"capacity_bytes": 8}),
    "dram.bandwidth_bytes_per_cycle": (0.5, 3, 8.25),
    "dram.efficiency": (0.3, 0.95, 1.0),
    "dram.latency_cycles": (0, 7, 100),
    "sequencer.issue_cycles": (0, 1, 3),
    "sequencer.queue_depth": (1, 2, 8),
    "sequencer.token_latency_cycles": (0, 1, 2),
    "clock_mhz": (1.0, 333.3, 800.0),
    "technology": ("node_45nm", "node_7nm"),
    "dram_type": ("lpddr4", "hbm2"),
    "formats": ("float32", "tflite_int8", "q4.12", "bfloat16"),
    "dram": ({"kind": "ddr", "device": "lpddr4_3200", "channels": 1, "controller_latency_cycles": 4},),
}
"""Values of fields that designs of a batch differ in."""

RARE = ("weight_sram.ports", "dram", "weight_sram.capacity_bytes", "input_buffer.capacity_bytes")
"""What mostly means that there are no figures, or no batch."""

ALONE = "dram"
"""What more draws have than by chance: the machine times such a design by itself, whatever else it has."""

PATHS = (*(path for path in OTHER if path not in RARE), *OTHER, *(path for path in OTHER if path not in RARE))


@st.composite
def variants(draw: st.DrawFn, case: Case, most: int) -> list[MachineConfig]:
    """Machines that differ from a case's in a few fields, as far as they are valid."""
    axes = draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=5, unique=True))
    if draw(st.integers(0, 5)) == 5:
        axes = list(dict.fromkeys([*axes, ALONE]))
    found: list[MachineConfig] = [case.config]
    for _ in range(draw(st.integers(1, most))):
        changes = {path: draw(st.sampled_from(OTHER[path])) for path in axes if draw(st.integers(0, 3))}
        try:
            found.append(case.with_fields(changes).config)
        except ValidationError:
            continue
    return found


MOST = 5 if settings().max_examples == FAST_EXAMPLES else 24
DRAWN = st.one_of(cases(), cases().flatmap(unit_options).flatmap(sparse)).flatmap(
    lambda case: st.tuples(st.just(case), variants(case, MOST))
)
PARTS, FAST_PARTS, DESIGNS = 18, 1, 300
"""The law's parts, how many of them the fast ring has, too, and how many designs each compares at least outside of it.

A run of CI has all parts but perhaps the fast ring's: 17 x 300 are 5,100 designs.
"""
ROUND, ROUNDS = 10, 60
"""Batches that are drawn at once, and how many such rounds may pass until all kinds of designs have been met."""


@law
@pytest.mark.parametrize("part", few(range(PARTS), FAST_PARTS))
def test_a_batch_is_what_its_designs_are(part: int) -> None:
    """Machines of any options, formats and technologies, any network and schedule; infeasible ones among them."""
    if settings().max_examples == FAST_EXAMPLES:
        seen = compared(part * ROUNDS)
        assert seen["evaluated"] > seen["left"]
        return
    seen = Counter()
    rounds = 0
    while seen.total() < DESIGNS or not seen["refused"] or not seen["left"]:
        assert rounds < ROUNDS, f"never met: {seen}"
        seen += compared(part * ROUNDS + rounds)
        rounds += 1
    assert seen["evaluated"] > seen["left"]


def compared(drawing: int) -> Counter[str]:
    """How many designs of each kind were compared in the batches that a seed draws."""
    seen: Counter[str] = Counter()

    @seed(drawing)
    @settings(max_examples=ROUND if settings().max_examples > FAST_EXAMPLES else FAST_EXAMPLES, derandomize=False)
    @given(DRAWN, st.integers(1, 40))
    def compare(drawn: tuple[Case, list[MachineConfig]], steps: int) -> None:
        case, configs = drawn
        case = case.with_steps(steps)
        check(configs, case.workload, case.schedule, seen)

    compare()
    return seen


PUBLISHED = [
    ("npu_s10nx", "gru:64,64,t=9"),
    ("koios_lstm", "lstm:64,64,t=20"),
    ("tpu_v1", "lstm:40,64,t=9"),
]


@every_value
@pytest.mark.parametrize(("arch", "workload"), PUBLISHED)
def test_other_families(arch: str, workload: str) -> None:
    """FIFOs between units, instructions that are issued as one; families without prices."""
    loaded, work = load_arch(arch), load_workload(workload)
    clocks, depths = (123.5, 400.0), (1, 3, 8)
    configs = [
        loaded.config.model_copy(
            update={
                "clock_mhz": clock,
                "sequencer": loaded.config.sequencer.model_copy(update={"queue_depth": depth}),
            }
        )
        for clock in clocks
        for depth in depths
    ]
    evaluator = Evaluator()
    found = BatchEvaluator(evaluator.programs).evaluate(Designs.from_configs(configs, [None] * len(configs)), work.spec)
    (figures,) = found.figures
    assert figures.designs.tolist() == list(range(len(configs)))
    rows = zip(*(column.values() for column in figures.columns.values()), strict=True)
    for config, row in zip(configs, rows, strict=True):
        stats = evaluator.evaluate(Arch("drawn", config), work, None, "fast").stats
        assert list(zip(figures.columns, row, strict=True)) == list(stats_outputs(stats).items())


@pytest.mark.parametrize("field", ["sequencer.issue_cycles", "sequencer.token_latency_cycles"])
def test_issuing_and_tokens_count_in_how_long_a_run_may_be(field: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run whose ops wait 1,000 cycles each to be issued, or for tokens, does not go in a batch of shorter ones."""
    config = load_arch("tiny_2x2", [parse_override(f"{field}=1000")]).config
    work = load_workload("lstm:3,2,t=4")
    cycles = Evaluator().evaluate(Arch("slow", config), work, None, "fast").stats.latency_cycles
    assert cycles > 16 * 1000, "the four steps are chains of more than four ops each"
    monkeypatch.setattr(times, "LONGEST_RUN", 16 * cycles)  # 16: the least factor of a run's cycles
    found = BatchEvaluator(Evaluator().programs).evaluate(Designs.from_configs([config], [None]), work.spec)
    assert [why for _, why in found.left] == ["runs may be too long for 64-bit integers"]
