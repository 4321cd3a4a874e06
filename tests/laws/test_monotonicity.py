"""A better machine is never slower.

For a fixed program every start is a maximum of sums of service times, so no service time that shrinks, and no queue
that grows, can delay anything. Improved one at a time, on random machines, for every schedule, in float32 and in int8,
where a fused tile is two accumulations and a converter follows:

    clock_mhz                         cycles stay the same, time shrinks
    dram.bandwidth_bytes_per_cycle    up
    dram.latency_cycles               down
    dram.burst_bytes                  to a divisor of itself, or to 1 byte
    weight_sram.banks, .port_bits     to a multiple of itself
    weight_sram.read_latency_cycles   down
    bias_buffer                       there, instead of none
    input_buffer.port_bits            to a multiple of itself
    state_buffer.port_bits            to a multiple of itself
    state_buffer.banks                by_kind, instead of one
    mac_array.multiplier_latency_cycles, .adder_latency_cycles, .converter_latency_cycles    down
    activation.lanes to a multiple of itself, .latency_cycles down
    elementwise.lanes to a multiple of itself, .cell_latency_cycles and .hidden_latency_cycles down
    sequencer.issue_cycles and .token_latency_cycles down, .queue_depth up
    the capacities of the memories    cycles stay the same, once everything fits
    activation.method, .address_format, .table, .piecewise_linear    cycles stay the same, with a latency of one's own

A little wider is another matter than twice as wide. Values are taken in steps of so many lanes or columns, and pass
ports in words; where the last step or word is not full, a wider one may shift what goes together with what, and an op
may take a cycle or a chunk more (test_port_widths.py, which also has what is measured of that). Where every operand
passes in a word, no step waits for any, and then it is never slower either:

    mac_array.columns                 up within one depth of the adder tree (a deeper tree has a longer latency)
    activation.lanes, elementwise.lanes    up

What there is of each unit, and where x, bias and gates go, stands in test_unit_options.py:

    mac_array.x_columns, activation.units, activation.adds_bias, elementwise.units, state_buffer.gate_slots

Which weights are kept, in test_sparsity.py:

    mac_array.sparsity

What delta networks need changes nothing for others: tests/families/gemv/test_delta_chunks.py.

    delta_encoder

A kind of DRAM and single ports make service times depend on when an op starts: test_dynamic_machines.py.

    dram.kind, weight_sram.ports, input_buffer.ports, state_buffer.ports

Prices stand in tests/metrics, and cost no cycles:

    technology, dram_type

The others change the program itself (the tiles, how far x parts run ahead, how far x is prefetched), so that nothing
follows; the test only demands that the changed design is still right:

    mac_array.rows, accumulators.entries, input_buffer.prefetch_steps, weight_sram.stream_slots
"""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.families.gemv.config import GemvConfig
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.program.verifier import find_hazards
from tests.rings import examples
from tests.strategies import (
    AMPLE,
    RESIDENT,
    SCHEDULE_NAMES,
    Case,
    cases,
    compare,
    fewest_entries,
    one_layer_lstms,
    program_text,
    tensors,
    with_banks_that_can_be,
)

UP = ("dram.bandwidth_bytes_per_cycle", "sequencer.queue_depth")
SHARES = ("dram.efficiency",)
"""At most 1."""
MULTIPLES = (
    "weight_sram.banks",
    "weight_sram.port_bits",
    "input_buffer.port_bits",
    "state_buffer.port_bits",
    "activation.lanes",
    "elementwise.lanes",
)
"""Up to a multiple: what a step or a word takes then are whole steps or words of before."""
COLUMNS = ("mac_array.columns",)
"""No multiple has a tree as deep."""
MEMORIES = ("bias_buffer", "state_buffer.banks")
"""Memories and ports more."""
DOWN = (
    "dram.latency_cycles",
    "dram.burst_bytes",
    "weight_sram.read_latency_cycles",
    "mac_array.multiplier_latency_cycles",
    "mac_array.adder_latency_cycles",
    "mac_array.converter_latency_cycles",
    "activation.latency_cycles",
    "elementwise.cell_latency_cycles",
    "elementwise.hidden_latency_cycles",
    "sequencer.issue_cycles",
    "sequencer.token_latency_cycles",
)
SAME_CYCLES = (
    "clock_mhz",
    "weight_sram.capacity_bytes",
    "bias_buffer.capacity_bytes",
    "input_buffer.capacity_bytes",
    "state_buffer.capacity_bytes",
)
PORTS = ("weight_sram.port_bits", "input_buffer.port_bits", "state_buffer.port_bits")
WIDE = 1 << 20
"""Bits a cycle through which every operand of a small machine passes in a word."""
OTHER_NUMBERS = {
    "activation.method": "table",
    "activation.address_format": "q3.9",
    "activation.table": {"entries": 16, "interpolation": "linear"},
    "activation.piecewise_linear": {"segments": 4},
}
"""What the activation unit computes: how many stages that takes, the configuration says on its own."""
UNIT_OPTIONS = (
    "mac_array.x_columns",
    "activation.units",
    "activation.adds_bias",
    "elementwise.units",
    "state_buffer.gate_slots",
)
"""tests/laws/test_unit_options.py has these."""
SPARSITY = ("mac_array.sparsity",)
"""tests/laws/test_sparsity.py has it."""
DELTAS = ("delta_encoder",)
"""tests/families/gemv/test_delta_chunks.py has it."""
OTHER_MACHINE = ("dram.kind", "weight_sram.ports", "input_buffer.ports", "state_buffer.ports")
"""tests/laws/test_dynamic_machines.py has these."""
PRICES = (
    "technology",
    "dram_type",
    *(f"energy_model.{name}" for name in ("device", "temperature_k", "voltage_v", "gating", "dram_idle")),
    *(f"energy_model.{part}" for part in ("wires", "clock", "control", "layout", "phy")),
)
"""What energy and area cost: tests/metrics has these, and no cycles come of them."""
OTHER_PROGRAM = (
    "mac_array.rows",
    "accumulators.ahead_groups",
    "accumulators.entries",
    "input_buffer.prefetch_steps",
    "weight_sram.stream_slots",
    "weight_sram.stream_layout",
    "state_buffer.hoist_steps",
)


def fields(config: GemvConfig) -> set[str]:
    """Every field of the family's machines but the formats."""
    document = config.model_dump(exclude={"family", "formats", "summary"})
    return {
        f"{section}.{name}" if isinstance(value, dict) else section
        for section, value in document.items()
        for name in (value if isinstance(value, dict) else [""])
    }


def value_of(config: GemvConfig, path: str) -> Any:
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    return value.name if isinstance(value, MethodDefinition) else value


@st.composite
def better(draw: st.DrawFn, config: GemvConfig, path: str) -> Any:
    """A better value of a field, or the same if it is the best."""
    value = value_of(config, path)
    if path in COLUMNS:
        return draw(st.integers(value, 1 << (value - 1).bit_length()))
    if path in MULTIPLES:
        return value * draw(st.sampled_from([2, 3, 8]))
    if path in SHARES:
        return draw(st.sampled_from([value, (value + 1) / 2, 1.0]))
    if path == "dram.burst_bytes":
        return draw(st.sampled_from([n for n in range(1, value + 1) if value % n == 0]))
    if path in UP:
        return value * draw(st.sampled_from([2, 3, 8])) if draw(st.booleans()) else value + 1
    return draw(st.integers(0, value))


def cycles(case: Case) -> tuple[int, list[tuple[int, int, int]]]:
    trace, _ = case.execute()
    return trace.total_cycles, [(r.start, r.free, r.done) for r in trace.records]


@settings(max_examples=examples(5))
@given(cases())
def test_the_list_is_complete(case: Case) -> None:
    """With and without the memory that need not be there."""
    given = [case.with_fields({"bias_buffer": buffer}) for buffer in (None, {"capacity_bytes": AMPLE})]
    classed = (UP, SHARES, MULTIPLES, COLUMNS, MEMORIES, DOWN, SAME_CYCLES, OTHER_NUMBERS, OTHER_MACHINE)
    others = (UNIT_OPTIONS, SPARSITY, DELTAS, PRICES, OTHER_PROGRAM)
    assert sorted(set().union(*(fields(of.config) for of in given))) == sorted(chain(*classed, *others))


@pytest.mark.parametrize("path", UP + SHARES + MULTIPLES + DOWN)
@settings(max_examples=examples(16))
@given(data=st.data())
def test_better_is_never_slower(path: str, data: st.DataObject) -> None:
    """Not in total, and not for a single op: nothing starts, frees its unit or completes later."""
    case = data.draw(cases())
    if path == "mac_array.converter_latency_cycles" or data.draw(st.booleans()):
        case = case.with_fields({"formats": "tflite_int8"})
    improved = case.with_fields({path: data.draw(better(case.config, path))})
    assert program_text(improved.program) == program_text(case.program)
    assert_never_slower(improved, case)


def assert_never_slower(improved: Case, case: Case) -> None:
    """Neither the run nor a single op."""
    total, records = cycles(case)
    new_total, new_records = cycles(improved)
    assert new_total <= total
    for old, new in zip(records, new_records, strict=True):
        assert all(after <= before for before, after in zip(old, new, strict=True))


@pytest.mark.parametrize("path", [*COLUMNS, "activation.lanes", "elementwise.lanes"])
@settings(max_examples=examples(16))
@given(data=st.data())
def test_a_little_more_is_never_slower_where_an_operand_is_a_word(path: str, data: st.DataObject) -> None:
    """No step waits for a word that comes behind another of the same operand."""
    case = data.draw(cases()).with_fields(dict.fromkeys(PORTS, WIDE))
    if data.draw(st.booleans()):
        case = case.with_fields({"formats": "tflite_int8"})
    wider = data.draw(better(case.config, path)) if path in COLUMNS else value_of(case.config, path) + 1
    improved = case.with_fields({path: wider})
    assert program_text(improved.program) == program_text(case.program)
    assert_never_slower(improved, case)


@settings(max_examples=examples(25))
@given(cases())
def test_a_bias_buffer_is_never_slower(case: Case) -> None:
    """Peephole weights no longer share the ports of the weight SRAM; a streamed schedule has more room for tiles."""
    without = case.with_fields({"bias_buffer": None, "weight_sram.capacity_bytes": AMPLE})
    with_one = without.with_fields({"bias_buffer": {"capacity_bytes": AMPLE}})
    assert_never_slower(with_one, without)


@settings(max_examples=examples(25))
@given(cases())
def test_banks_by_kind_are_never_slower(case: Case) -> None:
    """What is read or written side by side had to take turns."""
    one = case.with_fields({"state_buffer.banks": "one"})
    by_kind = with_banks_that_can_be(case.with_fields({"state_buffer.banks": "by_kind"}))
    assert program_text(by_kind.program) == program_text(one.program)
    assert_never_slower(by_kind, one)


@pytest.mark.parametrize("path", SAME_CYCLES)
@settings(max_examples=examples(10))
@given(data=st.data())
def test_what_costs_no_cycles(path: str, data: st.DataObject) -> None:
    """Capacities once everything fits: a weight SRAM that weights are streamed through is another matter."""
    case = data.draw(cases(schedules=RESIDENT if path == "weight_sram.capacity_bytes" else SCHEDULE_NAMES))
    if path.startswith("bias_buffer"):
        case = case.with_fields({"bias_buffer": {"capacity_bytes": AMPLE}})
    other = case.with_fields({path: value_of(case.config, path) * 3})
    assert program_text(other.program) == program_text(case.program)
    assert cycles(other) == cycles(case)
    if path == "clock_mhz":
        assert other.simulate(timing_only=True).stats.latency_us < case.simulate(timing_only=True).stats.latency_us


@pytest.mark.parametrize("path", OTHER_NUMBERS)
@settings(max_examples=examples(5))
@given(drawn=cases(one_layer_lstms()))
def test_what_changes_numbers_alone(path: str, drawn: Case) -> None:
    """In a q format, which tables and lines can address; of a network whose functions they stand for."""
    case = drawn.with_fields({"formats": "q4.12"})
    method = {"activation.method": "piecewise_linear" if path.endswith("linear") else "table"}
    before, after = ({**method, path: value} for value in (value_of(case.config, path), OTHER_NUMBERS[path]))
    assert cycles(case.with_fields(after)) == cycles(case.with_fields(before)) == cycles(case)


@pytest.mark.parametrize("path", OTHER_PROGRAM)
@settings(max_examples=examples(25))
@given(data=st.data())
def test_what_changes_the_program_keeps_it_right(path: str, data: st.DataObject) -> None:
    case = data.draw(cases())
    more = data.draw(st.integers(1, 20))
    value: Any = "model" if path.endswith("layout") else (value_of(case.config, path) or 0) + more
    changes = {path: value, "input_buffer.capacity_bytes": 1 << 30, "state_buffer.capacity_bytes": 1 << 30}
    if path == "weight_sram.stream_slots":
        changes["weight_sram.capacity_bytes"] = case.config.weight_sram.capacity_bytes * 30
    if path == "accumulators.ahead_groups":
        changes["accumulators.entries"] = 1 << 20  # so many groups are asked for, whether they fit or not
    if path == "mac_array.rows":
        changes["accumulators.entries"] = case.config.accumulators.entries + fewest_entries(
            case.schedule, case.spec, value
        )
    other = case.with_fields(changes)
    assert find_hazards(other.program) == ()
    numbers = tensors(case.spec, 4)
    assert compare(other.execute(numbers)[1], numbers, case.spec).passed  # type: ignore[arg-type]
