"""Resolves many points of a grid at once: sections, derived fields and checks once for all points that share them.

A section of the machine follows from the parameters that are set in it, and from derived fields, which follow from what
their expressions name. What checks of the whole machine read is observed. Points whose machine is not valid are left
out: `Grid.resolve` says of each what is wrong.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import ValidationError

from archsim import __version__
from archsim.api.batch import Designs
from archsim.api.batch.columns import Codes, Picked, classes
from archsim.api.batch.designs import Missing, distinct
from archsim.api.batch.observer import Observer
from archsim.errors import ArchsimError
from archsim.explore.space.expression import Expression, ExpressionError, Scalar
from archsim.explore.space.fields import model_of, plain_value, set_field, technology_digest
from archsim.explore.space.grid import Grid, derived_value
from archsim.explore.space.joined_digests import digests_of
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.section_models import SectionModels
from archsim.families.machine_config import MachineConfig
from archsim.families.schedules import AskedSchedule

INVALID = Missing
"""Stands for a value that a point cannot have."""


@dataclass(frozen=True, slots=True, eq=False)
class Resolutions:
    """The points of a grid that have a valid machine.

    `places`: which of those asked for they are; `designs`: their machines and schedules; `labels`: what tables show, by
    path.
    """

    places: Codes
    designs: Designs
    labels: dict[str, Picked[Scalar]]


class Resolver:
    """Resolves points of one grid, and keeps sections that are valid."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._base: dict[str, Any] = json.loads(grid.base_json)
        paths = [*(p.path for p in grid.parameters if p.of_machine), *(path for path, _ in grid.derived)]
        self._names = tuple(dict.fromkeys([*self._base, *(path.split(".")[0] for path in paths)]))
        self._models = SectionModels(model_of(dict.fromkeys(self._names) | self._base))
        self._usable = self._models.checks is not None and "family" not in {path.split(".")[0] for path in paths}
        self._kept: dict[tuple[str, str], object] = {}
        self._texts: dict[tuple[str, object], str] = {}
        self._holds: Observer[bool] = Observer(self._models.holds)
        self._technology: Observer[str] = Observer(technology_digest)

    def resolve(self, numbers: Sequence[int]) -> Resolutions:
        """The machines of points, as far as they are valid."""
        digits = self._digits(numbers)
        places = np.arange(len(numbers) if self._usable else 0)
        set_here = {p.path: Picked(p.choices, codes) for p, codes in zip(self._grid.parameters, digits, strict=True)}
        labels: dict[str, Picked[Scalar]] = {
            path: Picked([choice.label for choice in picked.values], picked.codes) for path, picked in set_here.items()
        }
        values: dict[str, Picked[Any]] = {
            path: Picked([choice.value for choice in picked.values], picked.codes) for path, picked in set_here.items()
        }
        schedule = values.pop(SCHEDULE, Picked((self._grid.schedule,), np.zeros(len(numbers), np.intp)))
        for parameter in self._grid.parameters:
            if parameter.of_workloads:
                del values[parameter.path]
        if not self._grid.derived:
            places, designs = self._machines(values, schedule, places)
            return Resolutions(places, designs, {path: label.at(places) for path, label in labels.items()})
        before: Designs | None = None
        if not self._grid.derives_from_parameters:
            places, before = self._machines(values, schedule, places)
        given = {path: label.at(places) for path, label in labels.items()}
        values = {path: value.at(places) for path, value in values.items()}
        good = np.ones(len(places), np.bool_)
        for path, expression in self._grid.derived:
            found = self._derived(expression, given, before, len(places))
            good &= np.array([value is not INVALID for value in found.values], np.bool_)[found.codes]
            given[path] = values[path] = found
        kept = np.flatnonzero(good)
        values = {path: value.at(kept) for path, value in values.items()}
        within, designs = self._machines(values, schedule.at(places).at(kept), np.arange(len(kept)))
        labels = {path: label.at(kept).at(within) for path, label in given.items()}
        return Resolutions(places[kept][within], designs, labels)

    def digests(self, found: Resolutions, workloads: Picked[str]) -> list[bytes]:
        """The keys of points, as `design_key` makes them, as bytes; `workloads`: the digest of each one's workloads."""
        if not len(found.places):
            return []
        begin = f"[{json.dumps(__version__)}, {json.dumps('{')[:-1]}"
        pieces: list[Picked[str]] = [Picked((begin,), np.zeros(len(found.places), np.intp))]
        for number, name in enumerate(self._models.model.model_fields):
            section = found.designs.field(name)
            comma = "," if number else ""
            texts = [json.dumps(comma + self._text(name, value))[1:-1] for value in section.values]
            pieces.append(Picked(texts, section.codes))
        schedules, technology = found.designs.schedules, self._technology.column(found.designs)
        ends = [f"{json.dumps('}')[1:]}, {json.dumps(str(s))}, " for s in schedules.values]
        pieces.append(Picked(ends, schedules.codes))
        pieces.append(Picked([f"{json.dumps(digest)}, " for digest in workloads.values], workloads.codes))
        pieces.append(Picked([f"{json.dumps(digest)}]" for digest in technology.values], technology.codes))
        return digests_of(pieces)

    def _machines(self, values: dict[str, Picked[Any]], schedules: Picked[Any], places: Codes) -> tuple[Codes, Designs]:
        """The machines with these values in place of the base's, and which of `places` are valid."""
        sections: dict[str, Picked[Any]] = {}
        for name in self._models.model.model_fields:
            inside = {path: value for path, value in values.items() if path.split(".")[0] == name}
            sections[name] = self._section(name, inside, len(schedules.codes))
        good = np.zeros(len(schedules.codes), np.bool_)
        good[places] = True
        for section in sections.values():
            good &= np.array([value is not INVALID for value in section.values], np.bool_)[section.codes]
        kept = np.flatnonzero(good)
        designs = self._designs(sections, schedules, kept)
        holds = self._holds.column(designs)
        passed = np.array([*holds.values, False], np.bool_)[holds.codes]
        if passed.all():
            return kept, designs
        kept = kept[passed]
        return kept, self._designs(sections, schedules, kept)

    def _designs(self, sections: dict[str, Picked[Any]], schedules: Picked[AskedSchedule], kept: Codes) -> Designs:
        mine = {name: section.at(kept) for name, section in sections.items()}
        model, names = self._models.model, set(mine)

        def config(place: int) -> MachineConfig:
            fields = {name: section.of(place) for name, section in mine.items()}
            return model.model_construct(_fields_set=names, **fields)

        kinds: Picked[type[MachineConfig]] = Picked((model,), np.zeros(len(kept), np.intp))
        return Designs(mine, schedules.at(kept), kinds, config)

    def _section(self, name: str, values: dict[str, Picked[Any]], count: int) -> Picked[Any]:
        """A section with these values in place of the base's: for each point, or INVALID."""
        first, codes = classes([value.codes for value in values.values()], count)
        found: list[object] = []
        for point in first.tolist():
            data = {name: copy.deepcopy(self._base[name])} if name in self._base else {}
            try:
                for path, value in values.items():
                    set_field(data, path, value.of(point))
            except ArchsimError:
                found.append(INVALID)
                continue
            found.append(self._value(name, data))
        same = distinct(found)
        return Picked(same.values, same.codes[codes])

    def _value(self, name: str, data: dict[str, Any]) -> object:
        if name not in data:  # left out: the model has a default
            field = self._models.model.model_fields[name]
            return INVALID if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
        key = name, json.dumps(data)
        if key not in self._kept:
            try:
                self._kept[key] = self._models.value(name, data[name])
            except (ValidationError, ArchsimError):
                self._kept[key] = INVALID
        return self._kept[key]

    def _text(self, name: str, value: object) -> str:
        key = name, value
        if key not in self._texts:
            self._texts[key] = self._models.text(name, value)
        return self._texts[key]

    def _derived(
        self, expression: Expression, given: dict[str, Picked[Scalar]], designs: Designs | None, count: int
    ) -> Picked[Any]:
        """The values of a derived field for each of `count` points, or INVALID; without `designs` all is given."""
        named: dict[str, Picked[Any]] = {}
        for name in sorted(expression.names):
            if name in given:
                named[name] = given[name]
            else:
                assert designs is not None
                named[name] = designs.schedules if name == SCHEDULE else designs.field(name)
        first, codes = classes([value.codes for value in named.values()], count)
        found = []
        for point in first.tolist():

            def lookup(name: str, point: int = point) -> Scalar:
                value = named[name].of(point)
                return value if name in given else plain_value(value, name)

            try:
                found.append(derived_value(expression.value(lookup)))
            except ExpressionError:
                found.append(INVALID)
        same = distinct(found)
        return Picked(same.values, same.codes[codes])

    def _digits(self, numbers: Sequence[int]) -> list[Codes]:
        """The place of each parameter's value at each point."""
        left = np.array(numbers, object) if self._grid.size >= 1 << 62 else np.array(numbers, np.int64)
        found = []
        for size in reversed(self._grid.sizes):
            left, digit = np.divmod(left, size)
            found.append(digit.astype(np.intp))
        return found[::-1]
