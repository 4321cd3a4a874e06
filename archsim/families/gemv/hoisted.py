"""Defines the order `hoisted`: W_ih x of a block of steps as one GEMM, which reads W_ih once a block.

What stays in each step is W_hh h_{t-1}, which begins with the sums that the GEMM has left in the state buffer. A block
of all steps is a phase of its own before them. Otherwise the GEMM of a block stands among the steps of the block before
it, a share of its tiles behind each step, where the array would wait for h; the first block's is a phase of its own.
The numbers are those of `split`: W_ih x goes into the sums' format before W_hh h is added.
"""

from __future__ import annotations

from collections.abc import Sequence

from archsim.families.gemv.blocks import Blocks
from archsim.families.gemv.cell import GemvCell
from archsim.families.gemv.matrices.streaming import with_loads
from archsim.families.gemv.order import Compute, StepPhases
from archsim.families.gemv.retiming import Retiming
from archsim.program.builder import build_phase
from archsim.program.ir import Op, Phase, PhaseKind


def hoisted(cell: GemvCell) -> list[Op]:
    """The ops of one time step that are left when W_ih x is there."""
    ops: list[Op] = []
    for group, following in zip(cell.groups, cell.after_macs(), strict=True):
        ops += cell.onto_tiles(group)
        ops += following
    return ops


def _first_inputs(cell: GemvCell) -> list[Op]:
    """The loads of x for the first block."""
    return _inputs(cell, 0, repeat=1)


def _phases(cells: Sequence[GemvCell], compute: Compute, suffix: str) -> list[Phase]:
    """The phases of a layer: the GEMM of the first block, and the steps with the GEMMs of all others."""
    blocks = _blocks(cells[0])
    if blocks.whole:
        gemm = [op for cell in cells for op in _gemm(cell, 0, repeat=1)]
        steps = [op for cell in cells for op in _step(cell, compute)]
        return [
            build_phase(f"body{suffix}, W_ih x", PhaseKind.BODY, gemm, 1, blocks.steps, blocks.steps),
            build_phase(f"body{suffix}", PhaseKind.BODY, steps, blocks.steps),
        ]
    first = [op for cell in cells for op in _inputs(cell, 1, repeat=1)]
    first += [op for cell in cells for op in _gemm(cell, 0, repeat=1)]
    return [
        build_phase(f"body{suffix}, W_ih x of the first block", PhaseKind.BODY, first, 1, 0),
        build_phase(
            f"body{suffix}", PhaseKind.BODY, _unrolled(cells, compute), blocks.count, blocks.steps, blocks.size
        ),
    ]


def _unrolled(cells: Sequence[GemvCell], compute: Compute) -> list[Op]:
    """The body of several steps.

    In repetition r stand the steps of block r, the GEMM of block r + 1, and the loads of x of block r + 2.
    """
    blocks = _blocks(cells[0])
    steps = [_step(cell, compute) for cell in cells]
    gemms = [_gemm(cell, 1, repeat=blocks.count) for cell in cells]
    loads = [_inputs(cell, 2, repeat=blocks.count) for cell in cells]
    body: list[Op] = []
    for number in range(blocks.size):
        place = Retiming(blocks.steps, blocks.count, blocks.size, number - blocks.missing)
        body += [op for of_cell in loads for op in _share(of_cell, number, blocks.size)]
        for of_cell in steps:
            body += place.applied_to(of_cell, f"+{number}")
        body += [op for of_cell in gemms for op in _share(of_cell, number, blocks.size)]
    return body


def _step(cell: GemvCell, compute: Compute) -> list[Op]:
    """The ops of one time step, with the store of its output."""
    return [*with_loads(cell, compute(cell)), *cell.transfers.store_output()]


def _gemm(cell: GemvCell, ahead: int, repeat: int) -> list[Op]:
    """The tiles that make W_ih x of the block `ahead` of the repetition's."""
    blocks = _blocks(cell)
    first = blocks.missing if repeat == 1 else 0
    ops = with_loads(cell, list(cell.block_tiles(first)))
    return list(Retiming(blocks.count, repeat, 1, ahead).applied_to(ops))


def _inputs(cell: GemvCell, ahead: int, repeat: int) -> list[Op]:
    """The loads of x of the block `ahead` of the repetition's."""
    blocks = _blocks(cell)
    load, ops = cell.transfers.load_input(), list[Op]()
    for number in range(blocks.size):
        place = Retiming(blocks.steps, repeat, blocks.size, ahead * blocks.size + number - blocks.missing)
        ops += place.applied_to(load, f"+{number}")
    return ops


def _share(ops: Sequence[Op], number: int, count: int) -> Sequence[Op]:
    """The ops of share `number` of `count`, all about as large."""
    return ops[len(ops) * number // count : len(ops) * (number + 1) // count]


def _blocks(cell: GemvCell) -> Blocks:
    blocks = cell.blocks
    assert blocks is not None
    return blocks


IN_BLOCKS = StepPhases(_first_inputs, _phases, in_blocks=True)
