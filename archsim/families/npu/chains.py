"""Defines a chain: what one instruction of a machine of the family npu makes of a vector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from archsim.families.npu.vector_steps import Step
from archsim.program.ir import Buffer, Region

At = Callable[[Buffer], Region]
"""The chain's part of a register vector: the rows that it works on at a time."""

Steps = Callable[[At], tuple[Step, ...]]
"""The steps of a multi-function unit for a part of the vector."""


@dataclass(frozen=True, slots=True)
class Product:
    """The product of rows [first_row, first_row + H) of a matrix with a vector of registers.

    `sums`, `start` and `bias` as in MatVec; `bias_row`: where the rows' biases begin.
    """

    matrix: Buffer
    first_row: int
    vector: Buffer
    sums: Buffer
    start: bool
    bias: Buffer | None = None
    bias_row: int = 0


@dataclass(frozen=True, slots=True)
class Register:
    """A vector of the external register file."""

    vector: Buffer


@dataclass(frozen=True, slots=True)
class Constant:
    """A vector of 1, encoded as `like`."""

    like: Buffer


def nothing(at: At) -> tuple[Step, ...]:
    """The steps of a unit that words pass as they are."""
    return ()


@dataclass(frozen=True, slots=True)
class Chain:
    """One vector through all units: source, what each multi-function unit does, and where it is written.

    `targets`: register vectors; `output`: it goes to the host too, as h_t or as c_n.
    """

    label: str
    source: Product | Register | Constant
    targets: tuple[Buffer, ...]
    mfu0: Steps = nothing
    mfu1: Steps = nothing
    output: Buffer | None = None
