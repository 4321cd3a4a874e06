"""Cycles and bytes of single operators of ethos_u55_128, of sizes that fill neither blocks nor bricks nor bursts.

The rules are in docs/ethosu.md: blocks of 128 outputs in micro-blocks of 8 outputs and 32 inputs, bursts of 32 bytes,
8 bytes a cycle, 32 cycles of latency to read and to write.
"""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.ethosu.config import EthosuConfig
from archsim.families.ethosu.costs import Cost, Costs
from archsim.families.ethosu.operators import Operator
from archsim.families.ethosu.transfers import Vector
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.workload import load_workload


def config(*overrides: str) -> EthosuConfig:
    found = load_arch("ethos_u55_128", [parse_override(text) for text in overrides]).config
    assert isinstance(found, EthosuConfig)
    return found


def costs_of(workload: str, *overrides: str) -> dict[str, Cost]:
    machine = config(*overrides)
    program = find_schedule(None, "ethosu").build(load_workload(workload).spec, machine)
    ops = [op for phase in program.phases for op in phase.ops]
    return {op.label: op.cost(Costs(machine)) for op in ops if isinstance(op, Operator)}


PLAIN, BRICKS = False, True


@pytest.mark.parametrize(
    ("size", "bits", "bricks", "block", "burst", "read", "written"),
    [
        # In bricks 16 numbers of two positions lie side by side: of 16 bits 64 bytes, more than a burst of 32.
        (100, 16, BRICKS, 128, 32, 200, 200),
        # Of a burst of 128 bytes that is half; a block as long as a brick's bytes (32) is all of it: 32 x 2 x 2.
        (100, 16, BRICKS, 64, 128, 400, 400),
        (100, 16, BRICKS, 32, 128, 200, 200),
        # Plain, read a block at a time: 8 numbers of 8 bits are a quarter of a burst, 24 three quarters, 128 all.
        (20, 8, PLAIN, 8, 32, 80, 80),
        (20, 8, PLAIN, 24, 32, 26, 40),
        (160, 8, PLAIN, 128, 32, 160, 320),
        # A vector that is one block has both positions side by side: 2 x 8 numbers are half a burst, 2 x 16 all of it.
        # It is written so up to 16 numbers; beyond that 16 at a time.
        (8, 8, PLAIN, 8, 32, 16, 16),
        (16, 8, PLAIN, 16, 32, 16, 16),
        (24, 8, PLAIN, 24, 32, 24, 48),
        # Of 16 bits 16 numbers are a burst, which is what a write has at a time.
        (24, 16, PLAIN, 24, 32, 48, 48),
        (24, 16, PLAIN, 8, 32, 96, 96),
        # No write is wider than 512 bits, of a burst of 128 bytes a half.
        (160, 64, PLAIN, 128, 128, 1_280, 2_560),
    ],
)
def test_bytes_that_move_a_vector(
    size: int, bits: int, bricks: bool, block: int, burst: int, read: int, written: int
) -> None:
    vector = Vector(size, bits, bricks)
    assert vector.moved(size, block, burst, read=True) == read
    assert vector.moved(size, block, burst, read=False) == written


def test_vectors_in_bricks_are_padded() -> None:
    assert [Vector(size, 16, BRICKS).padded for size in (1, 16, 17)] == [16, 16, 32]
    assert [Vector(size, 16, PLAIN).padded for size in (1, 16, 17)] == [1, 16, 17]


def test_operators_of_a_ragged_size() -> None:
    """I = 20, H = 40, of W x: 5 micro-blocks x 32 = 160; biases 40 x 10 x 64 / 256 = 100, more than (100 + 160) / 4.

    20 inputs of a block of 24: 20 x 32 / 24 = 26 bytes, 3 cycles; 80 bytes out are 10. 64 + 3 + 10 + 100 = 177 is
    longer than the work: 177 + 160. SRAM: 26 bytes, and 48 sums of 16 bits: 122 bytes, 15 cycles. Flash: 400 bytes in
    front; 800 weights of 1,280 places, 480 + 3.1 of them zeros, far more than 6 x (3.1 + 2.8 x 1.8).
    """
    found = costs_of("lstm:20,40")["W x of i"]
    assert (found.engine_cycles, found.sram_cycles) == (337, 15)


def test_operators_of_a_single_micro_block() -> None:
    """H = 8, whose work takes 2 cycles more.

    W x: 32 + 2; biases 20; 3 in, 16 bytes out are 2: 64 + 3 + 2 + 20 = 89, and 34. SRAM 26 + 2 x 16 = 58 bytes.
    clamp: 16 x 16 / 8 + 2 = 34; 64 + 2 + 2 + (4 + 34) / 4 = 77, and 34. SRAM 2 x 32 bytes.
    tanh(c): c comes in half bursts, 4 cycles: 2 more; it moves 8 numbers, and as many bytes.
    copy of h: 16 + 2 = 18; each burst is half used: 64 + 2 + 2 + (4 + 18) / 4 = 73, and 18. SRAM 2 x 16 bytes.
    copy of c: 32 + 2; 64 + 4 + 4 + 9, since 8 numbers of 16 bits are half a burst: 81, and 34. SRAM 2 x 32 bytes.
    i: 1.5 x 16 numbers; SRAM 3 x 32 bytes. i * g: 0.75 x 16; as much. f * c: both are read as c lies, 8 numbers:
    32 bytes of c, for half bursts, 16 of f, 32 out. h: 0.75 x 8; 2 x 32 bytes in, 16 out.
    """
    costs = costs_of("lstm:20,8")
    found = {label: (cost.engine_cycles, cost.sram_cycles) for label, cost in costs.items()}
    assert found["W x of i"] == (123, 7)
    assert found["clamp i"] == (111, 8)
    assert found["tanh(c)"] == (113, 8)
    assert found["copy h"] == (91, 4)
    assert found["copy c_0"] == (115, 8)
    assert found["i"] == (24, 12)
    assert found["i * g"] == (12, 12)
    assert found["f * c"] == (12, 10)
    assert found["h"] == (6, 10)


def test_a_block_and_a_little_more() -> None:
    """H = 130: 17 micro-blocks are 136 / 128 blocks.

    clamp: 512 a block; 64 + 32 + 32 + (64 + 512) / 4 = 272: 544 + 272. SRAM: 2 x 144 numbers of 16 bits.
    copy of h: 256; 16 in, 32 out, since writes are half bursts: e = 16, (64 + 256 + 16) / 4 = 84; 64 + 16 + 32 + 84 =
    196: 272 + 196. SRAM: 130 + 260 bytes.
    """
    costs = costs_of("lstm:20,130")
    assert costs["clamp i"] == Cost(816, 72)
    assert costs["copy h"] == Cost(468, 48)


def test_inputs_are_read_again_for_each_block_of_outputs() -> None:
    """I = 40, H = 160: two blocks. W x: 16 x 32 x 2 passes = 1,024; 64 + 4 + 32 + (320 + 1,024 + 28) / 4 = 443.

    1.25 blocks: 1,280 + 443. SRAM: 2 x 40 bytes in, 160 sums of 2 bytes out: 400.
    """
    found = costs_of("lstm:40,160")["W x of i"]
    assert (found.engine_cycles, found.sram_cycles) == (1_723, 50)


def test_the_output_unit_behind_a_long_block() -> None:
    """I = 20, H = 160, of W x: 512 a block; behind 128 outputs 320 cycles of biases, more than (320 + 512 + 28) / 4.

    3 in, 32 out: 64 + 3 + 32 + 320 = 419. 1.25 blocks: 640 + 419.
    With 3 cycles a sum instead of 2.5 for its bias 384: 483.
    """
    assert costs_of("lstm:20,160")["W x of i"].engine_cycles == 640 + 419
    assert costs_of("lstm:20,160", "engine.product_cycles=3")["W x of i"].engine_cycles == 640 + 483


def test_bounds_and_figures_of_the_description() -> None:
    """I = 70, H = 20: 4 gates x 3 micro-blocks x (3 + 1) blocks of inputs x 32 cycles.

    A micro-block has 2 positions of 8 outputs x 8 inputs. SRAM of 256 KiB with one port of 8 bytes (inferred).
    """
    machine = config()
    assert machine.compute_cycles_per_step(load_workload("lstm:70,20,t=3").spec) == 4 * 3 * (3 + 1) * 32
    assert machine.multipliers.macs_per_cycle == 128
    assert machine.inputs_per_chunk == 32
    assert machine.storages() == {
        "sram": Sram(1, 256 * 1024, 64, False),
        "flash": OffChip("lpddr4"),
        "sequencer": Registers(0),
    }
