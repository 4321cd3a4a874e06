"""Bytes are conserved: what leaves one memory enters others, in any network, schedule and phase."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import pytest
from hypothesis import given

from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import PhaseKind
from archsim.workload.network import MergeMode, NetworkSpec
from tests.present import present
from tests.strategies import Case, cases

MATRICES = ("W_ih", "W_hh", "W_hr")
WEIGHTS = (*MATRICES, "bias", "peephole")


def total(kinds: Mapping[str, int]) -> int:
    return sum(kinds.values())


@given(cases())
def test_what_leaves_dram_enters_the_chip_and_back(case: Case) -> None:
    """DRAM read = weight SRAM + input buffer + state buffer (h_0, c_0); DRAM written = output of each step + h_n, c_n
    of the state buffer; 4 bytes an element, from the network alone."""
    traffic, spec = case.simulate(timing_only=True).stats.traffic_bytes, case.spec
    dram, inputs = traffic["dram"], traffic["input_buffer"]
    # Biases and peephole weights lie in a buffer of their own, or in the weight SRAM.
    written = Counter(traffic["weight_sram"]["write"]) + Counter(traffic.get("bias_buffer", {}).get("write", {}))
    for kind in WEIGHTS:
        assert dram["read"].get(kind, 0) == written[kind]
    states = 4 * spec.batch * sum(cell.output_size for cell in spec.cells)
    cells = 4 * spec.batch * sum(cell.hidden_size for cell in spec.cells if cell.kind == "lstm")
    assert dram["read"]["h"] == dram["write"]["h"] == states
    assert dram["read"].get("c", 0) == dram["write"].get("c", 0) == cells
    # Directions that become one output come back as they were stored; so does what a further layer has as its x.
    apart = directions_apart(spec)
    assert dram["read"]["x"] + dram["read"].get("output", 0) == total(inputs["write"]) + apart
    assert total(dram["read"]) == total(written) + total(inputs["write"]) + states + cells + apart
    # What is written is read from the state buffer.
    state = traffic["state_buffer"]["read"]
    assert dram["write"]["output"] <= state["h"] + state.get("output", 0)
    between = dram["write"]["output"] - apart - 4 * spec.steps * spec.batch * spec.output_size
    assert between >= 0
    back = dram["read"].get("output", 0) - apart
    if between:
        directions = {len(layer) for layer in spec.layers[1:]}
        assert min(directions) * between <= back <= max(directions) * between
    else:
        assert back == 0


def directions_apart(spec: NetworkSpec) -> int:
    """Bytes of both directions of all steps, over the layers in which the two become one output; 4 an element."""
    merged = [layer for number, layer in enumerate(spec.layers) if spec.merge_mode(number) is not MergeMode.CONCAT]
    return 4 * spec.steps * spec.batch * sum(2 * forward.output_size for forward, _ in merged)


@given(cases())
def test_every_transfer_moves_as_much_in_as_out(case: Case) -> None:
    moved: Counter[tuple[bool, str]] = Counter()
    for phase in case.program.phases:
        for op in phase.ops:
            if not isinstance(op, Transfer):
                continue
            times = op.instances(phase.repeat)
            for direction, regions in (("read", op.reads), ("write", op.writes)):
                for region in regions:
                    moved[region.buffer.memory == "dram", direction] += times * region.bits
    assert moved[True, "read"] == moved[False, "write"]
    assert moved[True, "write"] == moved[False, "read"]
    traffic = case.simulate(timing_only=True).stats.traffic_bytes["dram"]
    assert 8 * total(traffic["read"]) == moved[True, "read"]
    assert 8 * total(traffic["write"]) == moved[True, "write"]


@given(cases())
def test_phases_sum_to_the_run(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    assert list(stats.phase_traffic_bytes) == list(dict.fromkeys(phase.kind for phase in case.program.phases))
    for memory, directions in stats.traffic_bytes.items():
        for direction, kinds in directions.items():
            found: Counter[str] = Counter()
            for traffic in stats.phase_traffic_bytes.values():
                found.update(traffic[memory][direction])
            if memory != "sequencer":  # its bits are rounded up to bytes in each phase
                assert found == kinds


def passes(case: Case, kind: str) -> int:
    """How often the run multiplies with a matrix: each time step, or with W_ih once for each block of them."""
    steps, asked = case.spec.steps, case.config.state_buffer.hoist_steps
    if kind != "W_ih" or "hoisted" not in case.schedule:
        return steps
    return -(-steps // (steps if asked is None else asked))


def held(case: Case) -> tuple[Counter[str], Counter[str]]:
    """Bytes of weight SRAM and bias buffer by kind: those that stay, and those of slots to stream through."""
    stay: Counter[str] = Counter()
    slots: Counter[str] = Counter()
    for buffer in case.program.buffers:
        if buffer.memory in ("weight_sram", "bias_buffer"):
            (slots if "stream." in buffer.name else stay)[buffer.kind] += buffer.size_bytes
    return stay, slots


@given(cases())
def test_where_each_kind_passes_dram(case: Case) -> None:
    """What stays, what fills the slots first, and initial states in the prologue; streamed weights and outputs in the
    time steps; final states in the epilogue."""
    phases = case.simulate(timing_only=True).stats.phase_traffic_bytes
    prologue, body, epilogue = (
        phases[kind]["dram"] for kind in (PhaseKind.PROLOGUE, PhaseKind.BODY, PhaseKind.EPILOGUE)
    )
    assert set(prologue["read"]) <= {*WEIGHTS, "h", "c", "x", "output"}
    assert not prologue["write"]
    assert not epilogue["read"]
    assert set(epilogue["write"]) <= {"h", "c"}
    assert set(body["write"]) == {"output"}
    stay, slots = held(case)
    assert set(body["read"]) <= {"x", "output", *slots}
    for kind in WEIGHTS:
        first = prologue["read"].get(kind, 0)
        assert stay[kind] <= first <= stay[kind] + slots[kind]
        assert (first > stay[kind]) == (slots[kind] > 0)
        if PhaseKind.HANDOVER in phases:
            assert kind not in phases[PhaseKind.HANDOVER]["dram"]["read"]


@given(cases())
def test_each_weight_passes_dram_once_or_each_time(case: Case) -> None:
    """DRAM reads of a matrix = what stays, once + the rest each time that it is multiplied; the compulsory bytes are
    the lower bound, met if nothing is streamed or all is multiplied but once, and only then."""
    stats = case.simulate(timing_only=True).stats
    read, least = stats.traffic_bytes["dram"]["read"], stats.compulsory_dram_bytes["read"]
    stay, slots = held(case)
    for kind in WEIGHTS:
        times = passes(case, kind)
        assert read.get(kind, 0) == stay[kind] + times * (least.get(kind, 0) - stay[kind])
        assert (read.get(kind, 0) == least.get(kind, 0)) == (slots[kind] == 0 or times == 1)
        if kind in MATRICES:  # the array has all of it each time, wherever it comes from
            assert stats.traffic_bytes["weight_sram"]["read"].get(kind, 0) == times * least.get(kind, 0)


@given(cases())
def test_dram_moves_no_less_than_it_must(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    dram, least, spec = stats.traffic_bytes["dram"], stats.compulsory_dram_bytes, case.spec
    for direction, kinds in least.items():
        for kind, amount in kinds.items():
            assert dram[direction].get(kind, 0) >= amount, (direction, kind)
    ratio = present(stats.dram_traffic_ratio)
    assert ratio == pytest.approx(
        (total(dram["read"]) + total(dram["write"])) / (total(least["read"]) + total(least["write"]))
    )
    # From the network alone.
    forward, *backward = spec.layers[-1]  # side by side, or one where the two are merged
    last = forward.output_size * (1 + len(backward) * (spec.merge_mode(len(spec.layers) - 1) is MergeMode.CONCAT))
    assert least["read"]["x"] == 4 * spec.steps * spec.batch * spec.input_size
    assert least["write"]["output"] == 4 * spec.steps * spec.batch * last
    again = any(passes(case, kind) > 1 for kind in held(case)[1])
    handed_over = len(spec.layers) > 1 and not case.schedule.endswith("wavefront")
    twice_x = len(spec.layers[0]) > 1  # each direction loads x for itself
    assert (ratio > 1) == (again or handed_over or twice_x or directions_apart(spec) > 0)
    assert ratio >= 1


@given(cases())
def test_bursts_move_the_data_and_what_rounds_it_up(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    assert isinstance(case.config.dram, SimpleDramConfig)
    dram, burst = stats.traffic_bytes["dram"], case.config.dram.burst_bytes
    for direction, moved in stats.dram_burst_bytes.items():
        assert moved % burst == 0
        assert moved >= total(dram[direction])
    exact = case.with_fields({"dram.burst_bytes": 1}).simulate(timing_only=True).stats
    assert exact.dram_burst_bytes == {direction: total(kinds) for direction, kinds in dram.items()}
