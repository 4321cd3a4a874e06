"""Keeps the parts of a program's figures that designs share: each unit's work, and what passes memories."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast

from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import Unit, Units
from archsim.metrics.op_facts import NO_OPS, CountedOps
from archsim.metrics.precomputed import BurstFigures
from archsim.metrics.roofline import Ceilings, Passing
from archsim.metrics.traffic import DRAM, dram_burst_traffic
from archsim.metrics.unit_facts import SharedFacts, UnitFacts, unit_ops
from archsim.program.ir import Op
from archsim.program.outline import ProgramOutline
from archsim.program.shapes import Shapes

KEPT = 512
"""Burst figures that are kept of one program."""

Part = TypeVar("Part")


class FigureCache:
    """Keeps the parts of one program's figures on many machines; what units do in `facts`, which programs share.

    A test compares all figures with those made afresh (tests/engines/recurrence).
    """

    def __init__(self, program: ProgramOutline, shapes: Shapes, times: Sequence[int], facts: SharedFacts) -> None:
        self._program = program
        ops = unit_ops(shapes, times)
        self._ops: Mapping[str, CountedOps] = {name: facts.counted(of_unit) for name, of_unit in ops.items()}
        self.at_dram = tuple(name for name, of_unit in ops.items() if any(_touches_dram(op) for op, _ in of_unit))
        """The units that move something from or to DRAM."""
        self._facts = facts
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def facts(self, units: Units) -> dict[str, UnitFacts]:
        """What each unit of a machine does."""
        return {name: self._facts.get(name, unit, self._ops.get(name, NO_OPS)) for name, unit in units.items()}

    def unit_facts(self, name: str, unit: Unit[Any]) -> UnitFacts:
        """What the unit of that name does."""
        return self._facts.get(name, unit, self._ops.get(name, NO_OPS))

    def content(self, name: str) -> int:
        """A number that programs share which make equal units of that name do the same."""
        return self._ops.get(name, NO_OPS).content

    def burst_figures(self, config: MachineConfig, units: Units) -> BurstFigures:
        """The burst figures of a machine.

        Bursts follow from the units that move them (DRAM, mostly no other), ceilings from multipliers and clock.
        """
        name, clock_mhz = config.multipliers.unit, config.clock_mhz
        burst_bytes, passing = self.moved(name, units)
        bursts, ports = self._bursts(units), tuple(units[name].ports.items())
        ceilings = self._part(
            ("ceilings", bursts, units[name].identity, config.multipliers, ports, clock_mhz),
            lambda: Ceilings.of(passing, config, units),
        )
        return BurstFigures(burst_bytes, ceilings)

    def moved(self, multipliers: str, units: Units) -> tuple[Mapping[str, int], Passing]:
        """The bytes that DRAM moves in each direction, whole bursts, and what passes ports of a machine.

        `multipliers`: the name of the unit that has them.
        """
        bursts = self._bursts(units)
        return (
            self._part(("bursts", bursts), lambda: dram_burst_traffic(self._program, units)),
            self._part(
                ("passing", bursts, units[multipliers].identity),
                lambda: Passing.from_program(self._program, multipliers, units),
            ),
        )

    def _bursts(self, units: Units) -> Hashable:
        """What the bursts of a machine follow from."""
        return tuple(units[name].identity for name in self.at_dram)

    def _part(self, key: Hashable, make: Callable[[], Part]) -> Part:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return cast("Part", found)


def _touches_dram(op: Op) -> bool:
    return any(region.buffer.memory == DRAM for region in (*op.reads, *op.writes))
