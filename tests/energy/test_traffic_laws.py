"""Bytes are conserved: what leaves one memory enters others, in any network, schedule and phase."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from strategies import RESIDENT, Case, cases

from archsim.components.dram import Transfer
from archsim.program.ir import PhaseKind

WEIGHTS = ("W_ih", "W_hh", "W_hr", "bias", "peephole")


def total(kinds: dict[str, int]) -> int:
    return sum(kinds.values())


@given(cases())
def test_what_leaves_dram_enters_the_chip_and_back(case: Case) -> None:
    """DRAM read = weight SRAM + input buffer + state buffer (h_0, c_0); DRAM written = output of each step + h_n, c_n
    of the state buffer; 4 bytes an element, from the network alone."""
    traffic, spec = case.simulate(timing_only=True).stats.traffic_bytes, case.spec
    dram, weights, inputs = (traffic[memory] for memory in ("dram", "weight_sram", "input_buffer"))
    for kind in WEIGHTS:
        assert dram["read"].get(kind) == weights["write"].get(kind)
    states = 4 * spec.batch * sum(cell.output_size for cell in spec.cells)
    cells = 4 * spec.batch * sum(cell.hidden_size for cell in spec.cells if cell.kind == "lstm")
    assert dram["read"]["h"] == dram["write"]["h"] == states
    assert dram["read"].get("c", 0) == dram["write"].get("c", 0) == cells
    assert dram["read"]["x"] + dram["read"].get("output", 0) == total(inputs["write"])
    assert total(dram["read"]) == total(weights["write"]) + total(inputs["write"]) + states + cells
    # What is written is read from the state buffer; what of it comes back as a further layer's x was written before.
    assert dram["write"]["output"] <= traffic["state_buffer"]["read"]["h"]
    last = sum(cell.output_size for cell in spec.layers[-1])
    between = dram["write"]["output"] - 4 * spec.steps * spec.batch * last
    assert between >= 0
    if between:
        directions = {len(layer) for layer in spec.layers[1:]}
        assert min(directions) * between <= dram["read"]["output"] <= max(directions) * between
    else:
        assert "output" not in dram["read"]


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


@given(cases(schedules=RESIDENT))
def test_where_each_kind_passes_dram(case: Case) -> None:
    """Weights and initial states in the prologue alone, outputs in the time steps, final states in the epilogue."""
    phases = case.simulate(timing_only=True).stats.phase_traffic_bytes
    prologue, body, epilogue = (
        phases[kind]["dram"] for kind in (PhaseKind.PROLOGUE, PhaseKind.BODY, PhaseKind.EPILOGUE)
    )
    assert set(prologue["read"]) <= {*WEIGHTS, "h", "c", "x", "output"}
    assert not prologue["write"]
    assert not epilogue["read"]
    assert set(epilogue["write"]) <= {"h", "c"}
    assert set(body["read"]) <= {"x", "output"}
    assert set(body["write"]) == {"output"}


@given(cases())
def test_dram_moves_no_less_than_it_must(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    dram, least, spec = stats.traffic_bytes["dram"], stats.compulsory_dram_bytes, case.spec
    for direction, kinds in least.items():
        for kind, amount in kinds.items():
            assert dram[direction].get(kind, 0) >= amount, (direction, kind)
    assert stats.dram_traffic_ratio == pytest.approx(
        (total(dram["read"]) + total(dram["write"])) / (total(least["read"]) + total(least["write"]))
    )
    assert stats.dram_traffic_ratio >= 1
    # From the network alone.
    last = sum(cell.output_size for cell in spec.layers[-1])
    assert least["read"]["x"] == 4 * spec.steps * spec.batch * spec.input_size
    assert least["write"]["output"] == 4 * spec.steps * spec.batch * last
    if stats.phase_traffic_bytes[PhaseKind.BODY]["dram"]["read"].keys() & set(WEIGHTS):
        assert "streamed" in case.schedule
    elif len(spec.cells) == 1 or (case.schedule.endswith("wavefront") and len(spec.layers) > 1):
        assert stats.dram_traffic_ratio == 1, "weights stay, x is read once, layers hand over on the chip"
    elif len(spec.layers) > 1:
        assert stats.dram_traffic_ratio > 1, "layers hand over through DRAM"


@given(cases())
def test_bursts_move_the_data_and_what_rounds_it_up(case: Case) -> None:
    stats = case.simulate(timing_only=True).stats
    dram, burst = stats.traffic_bytes["dram"], case.config.dram.burst_bytes
    for direction, moved in stats.dram_burst_bytes.items():
        assert moved % burst == 0
        assert moved >= total(dram[direction])
    exact = case.with_fields({"dram.burst_bytes": 1}).simulate(timing_only=True).stats
    assert exact.dram_burst_bytes == {direction: total(kinds) for direction, kinds in dram.items()}
