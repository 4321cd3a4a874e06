"""Prepares MAC tiles that do more than one product: blocks of steps, and tiles that begin with given sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats.number import Array
from archsim.hardware.numerics import Kernel


def block_kernel(steps: Sequence[Kernel]) -> Kernel:
    """The kernel of a tile of several time steps, from those of each.

    Operands are (weights, vectors..., bias).
    """
    count = len(steps)

    def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
        weights, vectors, bias = operands[0], operands[1 : 1 + count], operands[1 + count :]
        made = zip(steps, vectors, strict=True)
        return tuple(sums for step, x in made for sums in step.effect((weights, x, *bias)))

    return Kernel(effect)


def onto_kernel(continued: Kernel) -> Kernel:
    """The kernel of a tile that begins with its last operand, from the kernel that continues sums."""
    retire = continued.retire
    if retire is None:
        raise SimulatorBug("a tile that begins with sums needs the kernel of one that continues them")

    def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
        (part,), onto = continued.effect(operands[:-1]), operands[-1]
        before, multiplied = onto[: -len(part)], onto[-len(part) :]
        return (np.concatenate([before, retire(multiplied, part)]),)

    return Kernel(effect)
