"""What a program makes units and memories do: counts, from which energy follows by multiplication alone.

They depend on the program and on number formats, not on time. Ops are counted once a phase and taken as often as they
are executed, so that counting costs no more for long sequences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from archsim.arch.datapath import Units
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


def count_actions(program: Program, units: Units) -> Actions:
    """The actions of a whole run."""
    operators: dict[str, Tally] = {name: Counter() for name in units}
    accesses: dict[Access, Counter[int]] = {}
    for phase in program.phases:
        for op, times in phase.distinct:
            of_unit = operators[op.unit]
            for operator, count in units[op.unit].tally(op).items():
                of_unit[operator] += count * times
            for access, bits in _operands(op, units):
                accesses.setdefault(access, Counter())[bits] += times
    return Actions(operators, accesses)


def _operands(op: Op, units: Units) -> list[tuple[Access, int]]:
    """Each operand with the bits that it moves."""
    unit = units[op.unit]
    return [
        (Access(region.buffer.memory, direction, region.buffer.kind.value), unit.moved_bits(region))
        for direction, regions in (("read", op.reads + op.updates), ("write", op.writes))
        for region in regions
    ]
