"""What designs of one program move and switch, kept by the units' configurations that it follows from."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import cached_property
from typing import Any, TypeVar, cast

from archsim.arch import MachineConfig
from archsim.arch.datapath import Units
from archsim.components.base import Unit
from archsim.metrics.actions import Actions, UnitActions, count_unit, joined_actions, ops_of_units
from archsim.metrics.known import Moves
from archsim.metrics.roofline import Passing
from archsim.metrics.traffic import DRAM, dram_burst_traffic
from archsim.program.ir import Op, Program

KEPT = 512
"""Parts that are kept of one program."""

Part = TypeVar("Part")


class KnownMoves:
    """The moves of one program on many machines.

    What a unit's ops do follows from its configuration and its formats alone (tests/fast compares all figures with
    those of a fresh count), and of what passes memories DRAM's unit alone says more than the program does.
    """

    def __init__(self, program: Program, names: tuple[str, ...]) -> None:
        self._program = program
        self._names = names
        self._kept: OrderedDict[Hashable, object] = OrderedDict()

    def of(self, config: MachineConfig, units: Units) -> Moves:
        """Those on a machine; as Moves.of counts them."""
        dram = units.get(DRAM)
        bursts: Hashable = None if dram is None else (type(dram), dram.config)
        multipliers = config.multipliers.unit
        return Moves(
            None if config.costing is None else self._actions(units),
            self._part(("bursts", bursts), lambda: dram_burst_traffic(self._program, units)),
            self._part(("passing", multipliers, bursts), lambda: Passing.of(self._program, units, multipliers)),
        )

    def _actions(self, units: Units) -> Actions:
        return joined_actions({name: self._of_unit(name, unit) for name, unit in units.items()})

    def _of_unit(self, name: str, unit: Unit[Any]) -> UnitActions:
        return self._part((name, type(unit), unit.config, unit.formats), lambda: count_unit(self._ops[name], unit))

    @cached_property
    def _ops(self) -> Mapping[str, tuple[tuple[Op, int], ...]]:
        return ops_of_units(self._program, self._names)

    def _part(self, key: Hashable, make: Callable[[], Part]) -> Part:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = make()
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return cast("Part", found)
