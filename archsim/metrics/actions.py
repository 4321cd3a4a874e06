"""Counts what a program makes units and memories do, from which energy follows by multiplication alone.

They depend on the program and on number formats, not on time. Ops are counted once a phase and taken as often as they
are executed, so that counting costs no more for long sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.hardware.operators import Operator, Tally
from archsim.hardware.unit import Unit
from archsim.program.ir import Op, Region


@dataclass(frozen=True, slots=True)
class Access:
    """A way of using a memory: "read" or "write", a kind of data, and the bank for it ("" where there is but one)."""

    memory: str
    direction: str
    data: str
    bank: str = ""


@dataclass(frozen=True, slots=True)
class UnitActions:
    """What the ops of one unit do.

    `operators`: how often each switches. `accesses`: for each way of using a memory, how many operands of how many
    bits; an operand's bits are rounded up to whole accesses of the memory.
    """

    operators: Tally
    accesses: Mapping[Access, Mapping[int, int]]


Operands = Iterable[tuple[Access, int]]
"""The operands of an op, each with the bits that it moves."""


def count_unit(ops: Iterable[tuple[Op, int]], unit: Unit[Any]) -> UnitActions:
    """Count the actions of a unit's ops, each executed so many times.

    They follow from the unit's configuration and formats.
    """
    return count_actions((unit.tally(op).items(), operands(op, unit), times) for op, times in ops)


def count_actions(ops: Iterable[tuple[Iterable[tuple[Operator, int]], Operands, int]]) -> UnitActions:
    """Add up the actions of ops: the operators that each switches, its operands, and how often it is executed."""
    operators: Tally = Counter()
    accesses: dict[Access, Counter[int]] = {}
    for switched, moved, times in ops:
        for operator, count in switched:
            operators[operator] += count * times
        for access, bits in moved:
            accesses.setdefault(access, Counter())[bits] += times
    return UnitActions(operators, accesses)


def operands(op: Op, unit: Unit[Any]) -> list[tuple[Access, int]]:
    """Each operand of an op, or each bank's part of it, with the bits that it moves."""
    return [
        (_access(region, direction, unit), int(unit.moved_bits(part) * op.moved_share(part)))
        for direction, regions in (("read", op.reads + op.updates), ("write", op.writes))
        for region in regions
        for part in unit.parts(op, region)
    ]


def _access(region: Region, direction: str, unit: Unit[Any]) -> Access:
    memory, *bank = unit.bank(region)
    return Access(memory, direction, region.buffer.kind.value, *bank)
