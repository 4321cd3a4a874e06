"""What is counted: work, traffic, cycles and their buckets, against closed forms, on random machines."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.errors import CapacityError
from archsim.families.cells.streams import prefixes
from archsim.families.gemv.bounds import GEMV_BOUNDS
from archsim.metrics import declared
from archsim.metrics.stacks import BUCKETS
from archsim.metrics.stats import Stats
from archsim.program.ir import PhaseKind
from archsim.workload import CellKind
from tests.laws.closed_forms import cut_of, flat, mac_ops, matrix_elements, traffic
from tests.rings import examples
from tests.strategies import ON_CHIP, Case, cases, fewest_entries, is_wavefront, needed_bytes, one_layer_lstms


@given(cases())
def test_macs_and_ops(case: Case) -> None:
    """G H (I + P) + P H multiply-accumulates a cell, step and sequence, and no op more or less than the program has."""
    spec = case.spec
    run = case.simulate(timing_only=True)
    gates = {"lstm": 4, "gru": 3, "rnn": 1}
    step = 0
    for cell in spec.cells:
        outputs = cell.proj_size or cell.hidden_size
        step += gates[cell.kind] * cell.hidden_size * (cell.input_size + outputs) + cell.proj_size * cell.hidden_size
    want = step * spec.steps * spec.batch
    assert run.stats.macs == run.program.macs == spec.macs == want
    executed = sum(unit.ops for unit in run.trace.units.values())
    assert executed == run.stats.program_ops == run.program.op_instances
    trace, _ = case.execute()
    assert len(trace.records) == executed
    assert len({(r.phase, r.repetition, r.op) for r in trace.records}) == executed


@given(cases())
def test_every_cycle_of_every_unit_is_in_one_bucket(case: Case) -> None:
    run = case.simulate(timing_only=True)
    stats = run.stats
    assert stats.unit_cycle_stacks.keys() == case.units.keys()
    for stack in stats.unit_cycle_stacks.values():
        assert stack.keys() == BUCKETS.keys()
        assert all(isinstance(cycles, int) and cycles >= 0 for cycles in stack.values())
        assert sum(stack.values()) == stats.latency_cycles
    assert stats.cycle_stack == stats.unit_cycle_stacks["mac_array"]


@given(cases())
def test_timelines_hold_the_occupied_cycles(case: Case) -> None:
    run = case.simulate(timing_only=True)
    for name, unit in run.trace.units.items():
        busy = sum(sum(timelines[name].busy) for timelines in run.trace.timelines)
        assert busy == unit.compute_cycles + unit.port_cycles


@given(cases())
def test_no_bound_is_broken(case: Case) -> None:
    """T steps take at least T times each bound; a bound that is no whole number was rounded once."""
    stats = case.simulate(timing_only=True).stats
    assert stats.bounds.keys() == GEMV_BOUNDS.keys()
    for name, bound in stats.bounds.items():
        exact = Fraction(bound) if isinstance(bound, int) else Fraction(bound) * (1 - Fraction(1, 2**52))
        assert stats.body_cycles >= case.spec.steps * exact, name
    assert stats.bounds[stats.binding_bound] == max(stats.bounds.values())


@given(cases())
def test_rates_follow_from_the_counts(case: Case) -> None:
    stats, config = case.simulate(timing_only=True).stats, case.config
    phases = stats.prologue_cycles + stats.body_cycles + stats.handover_cycles + stats.epilogue_cycles
    assert stats.latency_cycles == phases
    macs_per_cycle = config.mac_array.rows * config.mac_array.columns
    pairs = (
        (stats.latency_us, stats.latency_cycles / config.clock_mhz),
        (stats.body_us, stats.body_cycles / config.clock_mhz),
        (stats.mac_utilization, stats.macs / (macs_per_cycle * stats.latency_cycles)),
        (stats.throughput_gops, 2 * stats.macs / stats.latency_us / 1000),
        (stats.peak_throughput_gops, 2 * macs_per_cycle * config.clock_mhz / 1000),
        (stats.throughput_gops / stats.peak_throughput_gops, stats.mac_utilization),
        (stats.steady_state_throughput_gops / stats.peak_throughput_gops, stats.steady_state_mac_utilization),
        (
            stats.steady_state_mac_utilization,
            stats.macs / case.spec.steps / (macs_per_cycle * stats.cycles_per_step),
        ),
    )
    for got, want in pairs:
        assert math.isclose(got, want, rel_tol=1e-12)
    assert 0 < stats.mac_utilization <= 1
    assert 0 < stats.cycles_per_step <= stats.body_cycles
    assert declared(Stats).keys() == set(Stats.__dataclass_fields__)


@given(cases(one_layer_lstms()))
def test_traffic_of_an_lstm_is_conserved(case: Case) -> None:
    """What stays is loaded once, the rest each time; all is read as often as the schedule must, and stored once;
    4 bytes an element."""
    traffic = case.simulate(timing_only=True).stats.traffic_bytes
    spec, cut = case.spec, cut_of(case)
    (cell,), (pinned,) = spec.cells, cut.pinned
    i, h, t, b = cell.input_size, cell.hidden_size, spec.steps, spec.batch
    weights = {"W_ih": 4 * 4 * h * i, "W_hh": 4 * 4 * h * h, "bias": 4 * 4 * h}
    passes = {"W_ih": cut.passes, "W_hh": t, "bias": cut.passes}
    stay = {"W_ih": 4 * pinned["W_ih"], "W_hh": 4 * pinned["W_hh"], "bias": weights["bias"]}
    loaded = {kind: stay[kind] + passes[kind] * (size - stay[kind]) for kind, size in weights.items()}
    x, state = 4 * i * t * b, 4 * h * b

    assert traffic["dram"]["read"] == {**loaded, "x": x, "h": state, "c": state}
    assert traffic["dram"]["write"] == {"output": t * state, "h": state, "c": state}
    read = {kind: passes[kind] * size for kind, size in weights.items()}
    for memory in ("weight_sram", "bias_buffer"):
        held = [kind for kind in weights if memory == (cut.biases if kind == "bias" else "weight_sram")]
        assert traffic.get(memory, {}).get("write", {}) == {kind: loaded[kind] for kind in held}
        assert traffic.get(memory, {}).get("read", {}) == {kind: read[kind] for kind in held}
    assert traffic["input_buffer"]["write"] == {"x": x}

    rows = case.config.mac_array.rows
    if "gate_major" in case.schedule:
        groups = 4 * [min(rows, h - u) for u in range(0, h, rows)]
    else:
        groups = [4 * min(max(1, rows // 4), h - u) for u in range(0, h, max(1, rows // 4))]
    count = sum(-(-n // cut.tile_rows) for n in groups)
    assert traffic["input_buffer"]["read"] == {"x": count * x}
    early = 0
    while case.schedule.startswith("ahead") and sum(groups[:early]) < cut.rows_ahead[cell]:
        early += 1
    tiles_ahead = sum(-(-n // cut.tile_rows) for n in groups[:early])
    rows_ahead = cut.rows_ahead.get(cell, 0)
    bodies = case.program.of_kind(PhaseKind.BODY)
    mac = [op.instances(body.repeat) for body in bodies for op in body.ops if op.unit == "mac_array"]
    apart = {"fused": 0, "split": t * count, "ahead": t * tiles_ahead, "hoisted": cut.passes * count}
    assert sum(mac) == count * t + apart[case.schedule.partition("_")[0]]

    # Written: h_0 and each h_t; c_0 and each c_t; four gates and tanh(c) of each step. Hoisted, the sums made ahead.
    sums = 4 * t * state
    ahead = {"partial_sum": sums} if "hoisted" in case.schedule else {}
    assert traffic["state_buffer"]["write"] == {
        "h": (t + 1) * state,
        "c": (t + 1) * state,
        "gate": 5 * t * state,
        **ahead,
    }
    # Read: h by each tile, to store the output, and as h_n; c by the cell update, by tanh and as c_n; each gate once.
    assert traffic["state_buffer"]["read"] == {
        "h": (count * t + t + 1) * state,
        "c": (2 * t + 1) * state,
        "gate": 5 * t * state,
        **ahead,
    }
    rows_split = 4 * h if case.schedule.startswith("split") else rows_ahead
    moved = {"partial_sum": sums + 4 * t * b * rows_split}
    assert traffic["accumulators"]["write"] == moved
    assert traffic["accumulators"]["read"] == moved


@given(cases())
def test_traffic_of_any_network_follows_from_its_equations(case: Case) -> None:
    """Whether weights stay or come each step, in steps or in blocks of them: of each matrix DRAM reads what stays once
    and the rest each time that it is multiplied, and the array reads all of it each such time."""
    assert flat(case.simulate(timing_only=True).stats.traffic_bytes) == traffic(case.spec, cut_of(case))
    mac = [
        op.instances(body.repeat)
        for body in case.program.of_kind(PhaseKind.BODY)
        for op in body.ops
        if op.unit == "mac_array"
    ]
    assert sum(mac) == mac_ops(case.spec, cut_of(case))


@given(cases())
def test_traffic_of_the_ops_in_the_trace(case: Case) -> None:
    """The bytes, counted again from the ops that the machine says it executed."""
    run = case.simulate(timing_only=True)
    trace, _ = case.execute()
    moved: dict[tuple[str, str, str], int] = {}
    for record in trace.records:
        op = case.program.phases[record.phase].ops[record.op]
        for direction, regions in (("read", op.reads + op.updates), ("write", op.writes)):
            for region in regions:
                key = (region.buffer.memory, direction, region.buffer.kind.value)
                bits = 1 if region.buffer.kind.value == "valid" else 32
                moved[key] = moved.get(key, 0) + bits * region.entries * region.buffer.width
    assert {key: -(-bits // 8) for key, bits in moved.items()} == flat(run.stats.traffic_bytes)


@settings(max_examples=examples(40))
@given(cases(), st.sampled_from([1, 2]))
def test_capacity_is_exact(case: Case, block: int) -> None:
    """What is needed is enough, and one byte (or accumulator entry) less is refused with the gap.

    Of layers one after the other that is what all need together (h and c; of a streamed schedule weights and biases,
    too), and the most that one needs besides.
    Of weights a resident schedule needs all; a streamed one of each matrix slots of a row, or all of it if that is
    less. Biases and peephole weights stay, in the bias buffer if there is one.
    """
    case = case.with_fields({"state_buffer.hoist_steps": block})
    needed = least_bytes(case)
    if "streamed" in case.schedule:
        needed["weight_sram"] = streamed_bytes(case)
    assert all(needed[memory] == 0 for memory in set(ON_CHIP) - set(case.memories))
    for memory in case.memories:
        path = f"{memory}.capacity_bytes"
        # A bias buffer of a network without biases needs nothing; the least that may be declared is a byte.
        assert case.with_fields({path: max(1, needed[memory])}).program.op_instances
        if needed[memory] > 1:
            with pytest.raises(CapacityError) as caught:
                _ = case.with_fields({path: needed[memory] - 1}).program
            assert (caught.value.memory, caught.value.gap) == (memory, 1)
    entries = fewest_entries(case.schedule, case.spec, case.config.mac_array.rows)
    assert case.with_fields({"accumulators.entries": entries}).program.op_instances
    if entries > 1:
        with pytest.raises(CapacityError) as caught:
            _ = case.with_fields({"accumulators.entries": entries - 1}).program
        assert (caught.value.memory, caught.value.gap) == ("accumulators", 1)


MERGING = ("directions", "merged")
"""Buffers of the phase behind a layer in which its directions are merged."""


def least_bytes(case: Case) -> dict[str, int]:
    """Fewest bytes of each memory on the chip, from the sizes of the buffers; 4 an element."""
    if is_wavefront(case.schedule, case.spec):
        return needed_bytes(case.program)
    kept = {"h", "c", *(("bias", "peephole") if "streamed" in case.schedule else ())}
    found = dict.fromkeys(ON_CHIP, 0)
    layers = [prefixes(case.spec, number) for number in range(len(case.spec.layers))]
    for memory in ON_CHIP:
        own = dict.fromkeys(product(range(len(layers)), (False, True)), 0)  # True: what merges the layer's directions
        for buffer in case.program.buffers:
            if buffer.memory == memory:
                assert buffer.slots is not None
                size = 4 * buffer.slots * buffer.entries * buffer.width
                name = buffer.name.rpartition(".")[2]
                layer = next(number for number, known in enumerate(layers) if buffer.name.startswith(tuple(known)))
                found[memory] += size if name in kept else 0
                own[layer, name in MERGING] += 0 if name in kept else size
        found[memory] += max(own.values())
    return found


def streamed_bytes(case: Case) -> int:
    """Fewest bytes of the weight SRAM, from the network and the slots alone; 4 an element."""
    elements, slots = 0, case.config.weight_sram.stream_slots
    for cell in case.spec.cells:
        apart = cell.kind is CellKind.GRU and cell.linear_before_reset
        if case.config.bias_buffer is None:
            elements += (cell.kind.gates + apart) * cell.hidden_size * cell.bias + 3 * cell.hidden_size * cell.peepholes
        widths = (cell.input_size, cell.output_size, cell.hidden_size)
        for size, width in zip(matrix_elements(cell).values(), widths, strict=True):
            elements += min(size, slots * width)
    return 4 * elements


@given(cases())
def test_the_accumulators_hold_all_that_runs_at_a_time(case: Case) -> None:
    """Buffers of one phase lie side by side in the accumulators; those of layers after each other may overlap."""
    for phase in case.program.phases:
        used = {r.buffer.name: r.buffer for op in phase.ops for r in op.writes if r.buffer.memory == "accumulators"}
        entries = sum(b.slots * b.entries * b.width for b in used.values())  # type: ignore[misc, operator]
        assert entries <= case.config.accumulators.entries
