"""Hoisted schedules: cycles, traffic and room, derived by hand.

LSTM(4, 4) over T = 4 steps in float32 on 4 rows of 4 columns, as in test_streaming_by_hand: a group is the four gates
of one hidden unit, so W_ih and W_hh have 4 tiles of one chunk each. The array's depth is 1 (read) + 1 (multiplier) + 2
(tree of 4) + 1 (accumulator) = 5; each activation and element-wise op takes a cycle and is visible one later, as every
operand has a bank of its own. A token takes a cycle: what is visible in a cycle is known in the next.

A step of which W_ih x is there already, from the start of mac_h[0] in cycle 0:

    mac_h        0, 1, 2, 3                      known 7, 8, 9, 10
    activation   7 ifo[0], 8 g[0], 9 ifo[1], 10 g[1], 11 ifo[2], 12 g[2], 14 tanh_c[0], 15 ifo[3], 16 g[3],
                 17 tanh_c[1], 18 tanh_c[2], 22 tanh_c[3]
    element-wise 11 cell[0] (g[0] known), 13 cell[1], 15 cell[2], 17 hidden[0], 19 cell[3], 20 hidden[1], 21 hidden[2]
    cell[3]      19, when g[3] is known          known 22
    tanh_c[3]    22                              known 25
    hidden[3]    25                              visible 27, known 28: the next step begins in cycle 28

and a store of h, 16 bytes at 4 bytes a cycle, 4 cycles, follows the last step. A phase begins with a token of a cycle.
"""

from __future__ import annotations

import pytest

from archsim.families.gemv.config import GemvConfig
from archsim.metrics import Stats
from tests.engines.events.test_streaming_by_hand import MACHINE
from tests.strategies import Case, workload

STEP = 28


def case(hoist_steps: int, schedule: str = "hoisted", capacity_bytes: int = 4096, port_bits: int = 512) -> Case:
    sram = {"capacity_bytes": capacity_bytes, "banks": 4, "port_bits": 512, "read_latency_cycles": 1}
    state = {"capacity_bytes": 1024, "banks": "by_kind", "port_bits": port_bits, "hoist_steps": hoist_steps}
    sequencer = {"issue_cycles": 0, "token_latency_cycles": 1, "queue_depth": 8}
    sections = {"weight_sram": sram, "state_buffer": state, "sequencer": sequencer}
    return Case(GemvConfig.model_validate(MACHINE | sections), workload(4, 4, 4, 1), schedule)


def stats(hoist_steps: int, schedule: str = "hoisted", capacity_bytes: int = 4096) -> Stats:
    return case(hoist_steps, schedule, capacity_bytes).simulate(timing_only=True).stats


def test_all_steps_at_once() -> None:
    """The GEMM: a token, 4 tiles of 4 vectors, 4 cycles each, and the depth. Then a token, 4 steps and the store."""
    found = stats(4)
    assert found.body_cycles == 1 + 16 + 5 + 1 + 4 * STEP + 4
    assert found.cycles_per_step == (1 + 16 + 5) / 4 + STEP
    assert found.bounds["recurrence"] == STEP


def test_blocks_of_two() -> None:
    """The first block's GEMM: 4 tiles of 2 vectors, 8 + 5 (beside it x of the second block, 2 * 4 cycles of DRAM).

    That of the second block, 2 tiles behind each step of the first, passes while the array would wait for h.
    """
    found = stats(2)
    assert found.body_cycles == 1 + 8 + 5 + 1 + 4 * STEP + 4
    assert found.cycles_per_step == STEP
    assert found.bounds["recurrence"] == STEP


def test_the_block_that_is_not_full_is_the_first() -> None:
    """4 steps in blocks of 3: the first holds one of them. Its GEMM: 4 tiles of 1 vector, 4 + 5; x of the second block
    takes 3 * 4 cycles of DRAM beside it, and the steps begin when both are done. Of the second block's GEMM, 4 tiles of
    3 cycles, one stands behind the first place of a repetition, one behind the second and two behind the third. The
    first block has a step at the third place alone, which so begins after two tiles."""
    assert stats(3).body_cycles == 1 + 12 + 1 + 2 * 3 + 4 * STEP + 4


@pytest.mark.parametrize(
    ("port_bits", "service"), [(512, (4, 4, 5, 4)), (128, (4, 4, 5, 4)), (64, (4, 8, 9, 8)), (32, (4, 16, 17, 16))]
)
def test_sums_leave_a_vector_a_cycle(port_bits: int, service: tuple[int, int, int, int]) -> None:
    """gemm_x: 4 vectors of one chunk, 4 cycles, and 4 sums of 32 bits of each, 128 bits. Where these are a word, each
    vector's leave as it is done, and nothing waits. Two words a vector take 8 cycles of the port, four 16: the array
    takes its next tile after so many, and of the last vectors' words 4, or 12, wait behind the pipeline of 5."""
    found = case(4, port_bits=port_bits)
    tile = next(op for phase in found.program.phases for op in phase.ops if op.label == "gemm_x[0]")
    cycles = found.units["mac_array"].cycles(tile)
    assert (cycles.compute_cycles, cycles.port_cycles, cycles.depth_cycles, cycles.write_cycles) == service


@pytest.mark.parametrize(("hoist_steps", "blocks"), [(1, 4), (2, 2), (3, 2), (4, 1), (4096, 1)])
def test_w_ih_is_read_once_a_block(hoist_steps: int, blocks: int) -> None:
    """Each matrix has 16 x 4 weights of 4 bytes: 256. 16 sums of 4 bytes a step wait in the state buffer: 64 bytes in
    2 k slots, or in 4 if all steps are one block; each is written once, and read once."""
    found = stats(hoist_steps)
    reads = found.traffic_bytes["weight_sram"]["read"]
    assert (reads["W_ih"], reads["W_hh"]) == (blocks * 256, 4 * 256)
    slots = 4 if blocks == 1 else 2 * hoist_steps
    assert found.stored_bytes["state_buffer"]["input_sums"] == slots * 64
    assert found.stored_bytes["input_buffer"]["x"] == slots * 16
    assert found.traffic_bytes["state_buffer"]["read"]["partial_sum"] == 4 * 64
    assert found.traffic_bytes["state_buffer"]["write"]["partial_sum"] == 4 * 64


@pytest.mark.parametrize(("hoist_steps", "blocks"), [(1, 4), (2, 2), (4, 1)])
def test_streamed_w_ih_comes_once_a_block(hoist_steps: int, blocks: int) -> None:
    """64 bytes of biases, W_hh whole (256) and two slots of W_ih (128): 448. W_ih comes once a block, W_hh once."""
    found = stats(hoist_steps, "hoisted_streamed", 448)
    assert found.stored_bytes["weight_sram"] == {"W_hh": 256, "bias": 64, "stream.W_ih": 128}
    reads = found.traffic_bytes["dram"]["read"]
    assert (reads["W_ih"], reads["W_hh"]) == (blocks * 256, 256)
