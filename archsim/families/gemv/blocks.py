"""Chooses how many steps a hoisted schedule multiplies at once, and what it keeps for them.

W_ih x of a whole block is made by one GEMM and kept in the state buffer until its steps come. A block of all T steps
comes before the first of them. A shorter one is made beside the steps of the block before it, in a body that completes
k steps a repetition; the first block is the one that is not full, so that all others are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from archsim.config.read_tracking import read_only_as
from archsim.families.gemv.config import GemvConfig
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Buffer

LONGEST_OWN_CHOICE = 8
"""Most steps of a block that nobody asked for, unless all fit: a step's share of W_ih is an eighth then, and
the program grows with the block."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """The `steps` time steps of a run, cut into blocks of `size`."""

    steps: int
    size: int

    @property
    def whole(self) -> bool:
        """Whether one block holds all steps."""
        return self.size >= self.steps

    @property
    def count(self) -> int:
        """How many blocks the run has."""
        return ceil_div(self.steps, self.size)

    @property
    def missing(self) -> int:
        """How many steps the first block has less than the others; they would be its first ones."""
        return self.count * self.size - self.steps

    @property
    def input_sum_slots(self) -> int:
        """How many steps' W_ih x is kept: those of the block in use and of the one that is made."""
        return self.steps if self.whole else 2 * self.size

    @property
    def x_slots(self) -> int:
        """How many steps of x the input buffer holds: the block that is multiplied, and the next, being loaded."""
        return self.steps if self.whole else 2 * self.size


def choose_blocks(arch: GemvConfig, steps: int, at_one: Sequence[tuple[tuple[Buffer, ...], Buffer, Buffer]]) -> Blocks:
    """Choose blocks of `state_buffer.hoist_steps`; if left out, all steps if they fit, else as many as do.

    `at_one`: for each cell the buffers of the state buffer, x, and the sums W_ih x, as they are with blocks of a step.
    If not even those fit, they are what is returned: the check of capacities has the message.
    """
    asked = arch.state_buffer.hoist_steps
    if asked is not None:
        return Blocks(steps, min(asked, steps))
    options = [Blocks(steps, size) for size in (steps, *range(min(LONGEST_OWN_CHOICE, steps - 1), 0, -1))]
    rest = sum(b.size_bytes for state, _, sums in at_one for b in state if b is not sums)
    in_state = _needs(options, [sums for *_, sums in at_one], lambda blocks: blocks.input_sum_slots, rest)
    in_input = _needs(options, [x for _, x, _ in at_one], lambda blocks: blocks.x_slots, 0)
    fit = read_only_as(arch.state_buffer, "capacity_bytes", partial(_fits, tuple(in_state)))
    loads = read_only_as(arch.input_buffer, "capacity_bytes", partial(_fits, tuple(in_input)))
    return next((found for found, *both in zip(options, fit, loads, strict=True) if all(both)), options[-1])


def _fits(needs: tuple[int, ...], have: int) -> tuple[bool, ...]:
    """Which of some needs there is room for."""
    return tuple(need <= have for need in needs)


def _needs(options: Sequence[Blocks], of: Sequence[Buffer], slots: Callable[[Blocks], int], rest: int) -> list[int]:
    """The bytes that a memory needs for each option: buffers with as many slots as it says, and the rest."""
    sizes = [buffer.bits_of(buffer.entries) for buffer in of]
    return [rest + sum(ceil_div(slots(blocks) * bits, 8) for bits in sizes) for blocks in options]
