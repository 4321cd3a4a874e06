"""What a program makes units and memories do: counts, from which energy follows by multiplication alone.

They depend on the program and on number formats, not on time. Ops are counted once a phase and taken as often as they
are executed, so that counting costs no more for long sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archsim.arch.datapath import Units
from archsim.components.base import Unit
from archsim.components.operators import Tally
from archsim.program.ir import Op, Program


@dataclass(frozen=True, slots=True)
class Access:
    """A way of using a memory: "read" or "write", and a kind of data."""

    memory: str
    direction: str
    data: str


@dataclass(frozen=True, slots=True)
class Actions:
    """All that a run does.

    `operators`: unit -> how often each operator switches. `accesses`: for each way of using a memory, how many operands
    of how many bits; an operand's bits are rounded up to whole accesses of the memory.
    """

    operators: Mapping[str, Tally]
    accesses: Mapping[Access, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class UnitActions:
    """What the ops of one unit do; as Actions has it."""

    operators: Tally
    accesses: Mapping[Access, Mapping[int, int]]


def count_unit(ops: Iterable[tuple[Op, int]], unit: Unit[Any]) -> UnitActions:
    """The actions of a unit's ops, each executed so many times: they follow from its configuration and formats."""
    operators: Tally = Counter()
    accesses: dict[Access, Counter[int]] = {}
    for op, times in ops:
        for operator, count in unit.tally(op).items():
            operators[operator] += count * times
        for access, bits in _operands(op, unit):
            accesses.setdefault(access, Counter())[bits] += times
    return UnitActions(operators, accesses)


def joined_actions(counted: Mapping[str, UnitActions]) -> Actions:
    """The actions of all units together."""
    accesses: dict[Access, Counter[int]] = {}
    for unit in counted.values():
        for access, sizes in unit.accesses.items():
            accesses.setdefault(access, Counter()).update(sizes)
    return Actions({name: unit.operators for name, unit in counted.items()}, accesses)


def count_actions(program: Program, units: Units) -> Actions:
    """The actions of a whole run."""
    of_units = ops_of_units(program, units)
    return joined_actions({name: count_unit(of_units[name], unit) for name, unit in units.items()})


def ops_of_units(program: Program, names: Iterable[str]) -> Mapping[str, tuple[tuple[Op, int], ...]]:
    """For each unit an op of each shape, and how often it is executed."""
    distinct = [of_phase for phase in program.phases for of_phase in phase.distinct]
    return {name: tuple((op, times) for op, times in distinct if op.unit == name) for name in names}


def _operands(op: Op, unit: Unit[Any]) -> list[tuple[Access, int]]:
    """Each operand with the bits that it moves."""
    return [
        (Access(region.buffer.memory, direction, region.buffer.kind.value), unit.moved_bits(region))
        for direction, regions in (("read", op.reads + op.updates), ("write", op.writes))
        for region in regions
    ]
