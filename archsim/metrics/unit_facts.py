"""Works out what a program makes one unit do: how long its ops take, what they switch and move, and its cost.

All of it follows from the program and from the unit's identity, so that it can be kept for other machines with such a
unit.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import fsum
from types import MappingProxyType
from typing import Any

from archsim.hardware.operators import Tally
from archsim.hardware.unit import Unit, Units, Work
from archsim.metrics.actions import Access, UnitActions, count_actions, count_unit
from archsim.metrics.op_facts import ByWidths, CountedOps, KnownOps, UnitWidths
from archsim.program.ir import Op, Program
from archsim.program.shapes import Shapes
from archsim.technology import Prices
from archsim.technology.prices import PJ_PER_UJ
from archsim.technology.spread import Range

KEPT = 64
"""Technologies, and widths of memories, for which a unit's costs are kept."""


MOST_FACTS = 4096
"""Units whose facts are kept."""


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """The costs of a unit in a technology.

    Its area, the energy of what it switches by kind of operator, and what of that lies beyond the technology's tables.
    `area` and `energy` are sums with their low and high.
    """

    area: Range
    energy: Range
    operators_uj: Mapping[str, float]
    beyond: tuple[str, ...]

    @property
    def area_mm2(self) -> float:
        """The area in mm2."""
        return self.area.value


class UnitActivity:
    """What one unit does, however long it takes: its ops (one of each shape), each so many times, and what they cost.

    `asked` are the widths of ports that it follows from, mostly none.
    """

    def __init__(self, unit: Unit[Any], ops: CountedOps, known: KnownOps) -> None:
        self.unit, noted = unit.with_noted_ports()
        self.costs = lru_cache(KEPT)(self._costs)
        """prices -> UnitCosts."""
        self.access_counts = lru_cache(KEPT)(self._access_counts)
        """((memory, bits of an access), ...) -> how often the run accesses each memory in each way."""
        self._ops = ops.ops
        found = known.actions(unit, ops)
        times = [times for _, times in ops.ops]
        self.useful_cycles = _useful_cycles([actions.work for actions in found], times)
        """The whole cycles' worth of useful items: floor(items / items a cycle)."""
        modelled = self.unit.has_energy_model
        done = ((actions.operators, actions.operands, count) for actions, count in zip(found, times, strict=True))
        self._actions = count_actions(done) if modelled else None
        self._inventory = self.unit.inventory() if modelled else None
        asked = dict(noted.asked)
        for actions in found:
            asked |= actions.asked
        self.asked: Mapping[str, int | None] = MappingProxyType(asked)
        """Memory -> width of the unit's ports into it in bits a cycle."""

    @property
    def actions(self) -> UnitActions:
        """The actions of the ops: what they switch and move; SimulatorBug of a unit without a model of energy."""
        return count_unit(self._ops, self.unit) if self._actions is None else self._actions

    @cached_property
    def entries(self) -> tuple[tuple[str, ...], tuple[Access, ...]] | None:
        """What the unit's figures have entries for: kinds of operators, and ways of using memories.

        None of a unit without a model of energy.
        """
        if self._actions is None:
            return None
        kinds = dict.fromkeys(operator.kind.value for operator in self._actions.operators)
        return tuple(kinds), tuple(self._actions.accesses)

    def _costs(self, prices: Prices) -> UnitCosts:
        inventory = self.unit.inventory() if self._inventory is None else self._inventory
        switched = self.actions.operators
        area = _area(inventory, prices)
        widths: dict[tuple[str, str], list[str]] = {}
        for operator in dict.fromkeys([*inventory, *switched]):
            note = prices.operator(operator).extrapolated
            if note:
                widths.setdefault((operator.name, note), []).append(operator.width)
        beyond = tuple(f"{what} of {', '.join(of)} bits: {note}" for (what, note), of in widths.items())
        energies = _operators(switched, prices)
        return UnitCosts(area, _energy(switched, prices, energies), energies, beyond)

    def _access_counts(self, access_bits: tuple[tuple[str, int], ...]) -> Mapping[Access, int]:
        width = dict(access_bits)
        return {
            access: sum(-(-bits // width[access.memory]) * times for bits, times in sizes.items())
            for access, sizes in self.actions.accesses.items()
        }


class UnitFacts:
    """What one unit does, and how long its ops take: one of each shape.

    All that asks the unit for the width of a port is worked out at once: `asked` are those widths, and units of the
    same identity whose ports are as wide share the facts, however wide their other ports are.
    """

    def __init__(self, unit: Unit[Any], ops: CountedOps, known: KnownOps, activity: UnitActivity) -> None:
        self.unit, self.activity = unit, activity
        found = known.services(unit, ops)
        self.services = tuple(said.service for said in found)
        """The service time of each op."""
        self.times = tuple(
            (s.compute_cycles, s.occupancy_cycles, s.depth_cycles, s.first_word_cycles, s.write_cycles)
            for s in self.services
        )
        """Of each op the cycles of its compute, occupancy, depth, first word and write."""
        asked = dict(activity.asked)
        for said in found:
            asked |= said.asked
        self.asked: Mapping[str, int | None] = MappingProxyType(asked)
        """Memory -> width of the unit's ports into it in bits a cycle."""


class SharedFacts:
    """The facts of units, kept for other machines that have such a unit, and for other programs."""

    def __init__(self) -> None:
        self._ops = KnownOps()
        self._facts: dict[Hashable, ByWidths[UnitFacts]] = {}
        self._activities: dict[Hashable, ByWidths[UnitActivity]] = {}
        self._count = 0

    def counted(self, ops: Sequence[tuple[Op, int]]) -> CountedOps:
        """The ops of a unit, and how often each is executed, as `get` takes them."""
        return self._ops.counted(ops)

    def get(self, name: str, unit: Unit[Any], ops: CountedOps) -> UnitFacts:
        """The facts of a unit of that name that executes some ops."""
        key, widths = (name, unit.identity, ops.content), UnitWidths(unit)
        known = self._facts.get(key)
        facts = None if known is None else known.get(widths)
        if facts is not None:
            return facts
        if self._count >= MOST_FACTS:
            self._facts.clear()
            self._activities.clear()
            self._count = 0
        activities = self._activities.setdefault(key, ByWidths())
        activity = activities.get(widths)  # the same for all widths of ports that it does not follow from
        if activity is None:
            activity = UnitActivity(unit, ops, self._ops)
            activities.put(activity)
        facts = UnitFacts(unit, ops, self._ops, activity)
        self._facts.setdefault(key, ByWidths()).put(facts)
        self._count += 1
        return facts


def facts_of(program: Program, units: Units) -> dict[str, UnitFacts]:
    """The facts of every unit of a machine that executes a program."""
    shapes, shared = Shapes.from_program(program), SharedFacts()
    ops = unit_ops(shapes, shapes.times(program))
    return {name: shared.get(name, unit, shared.counted(ops.get(name, ()))) for name, unit in units.items()}


def unit_ops(shapes: Shapes, times: Sequence[int]) -> dict[str, list[tuple[Op, int]]]:
    """The ops of each unit, one of each shape, and how often it is executed, in the order of the shapes."""
    found: dict[str, list[tuple[Op, int]]] = {}
    for op, count in zip(shapes.ops, times, strict=True):
        found.setdefault(op.unit, []).append((op, count))
    return found


def _useful_cycles(works: Sequence[Work], times: Sequence[int]) -> int:
    if not works:
        return 0
    items = sum(work.items * count for work, count in zip(works, times, strict=True))
    return int(Fraction(items) / works[-1].items_per_cycle)


def _area(tally: Tally, prices: Prices) -> Range:
    """The area in mm2 of all operators."""
    value = low = high = 0.0
    for operator, count in tally.items():
        price = prices.operator(operator)
        area_mm2 = price.area_mm2 * count
        value += area_mm2
        low += area_mm2 * price.area_spread.low
        high += area_mm2 * price.area_spread.high
    return Range(value, low, high)


def _energy(tally: Tally, prices: Prices, by_kind: Mapping[str, float]) -> Range:
    """The energy in uJ of all operators; `by_kind`: the values, which are summed."""
    low = high = 0.0
    for operator, count in tally.items():
        price = prices.operator(operator)
        energy_uj = price.energy_pj * count / PJ_PER_UJ
        low += energy_uj * price.energy_spread.low
        high += energy_uj * price.energy_spread.high
    value = fsum(by_kind.values())  # added in another order: where a spread is 1, ends could be off by a rounding
    return Range(value, min(low, value), max(high, value))


def _operators(tally: Tally, prices: Prices) -> dict[str, float]:
    """The energy in uJ by kind of operator."""
    found: dict[str, float] = {}
    for operator, count in tally.items():
        energy_uj = prices.operator(operator).energy_pj * count / PJ_PER_UJ
        found[operator.kind.value] = found.get(operator.kind.value, 0.0) + energy_uj
    return found
