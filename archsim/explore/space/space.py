"""A design space: the file, checked against the architecture, and its points by number."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archsim import __version__
from archsim.api.batch import Designs
from archsim.api.batch.columns import Picked, classes
from archsim.config import Override
from archsim.explore.space.design import Design, design_key
from archsim.explore.space.expression import Expression
from archsim.explore.space.fields import normalized, technology_digest
from archsim.explore.space.grid import Grid
from archsim.explore.space.objectives import Objective
from archsim.explore.space.parameters import Choice, Parameter
from archsim.explore.space.point_table import PointTable
from archsim.explore.space.resolver import Resolutions, Resolver
from archsim.explore.space.space_config import Aggregate, SpaceConfig
from archsim.explore.space.workload_variants import Variant, WorkloadVariants
from archsim.families.machine_config import MachineConfig
from archsim.workload import Workload


@dataclass(frozen=True, slots=True)
class WeightedWorkload:
    """A workload with its weight, and the words by which `archsim run` is told of it."""

    workload: Workload
    reference: str
    weight: float


@dataclass(frozen=True, slots=True)
class ResolvedDesigns:
    """Designs of some points: all of them, those of valid machines as a table, and point number -> row in that.

    Points that have no workloads have no row.
    """

    designs: list[Design]
    table: Designs
    rows: Mapping[int, int]


@dataclass(frozen=True)
class Space:
    """A design space, as `Space.load` makes it of a space file.

    `arch_reference` is how `archsim run` is told of the architecture, `fixed` the fields that the space sets in all
    points, `base` the architecture's data with them.
    """

    name: str
    source: str
    config: SpaceConfig
    arch_name: str
    arch_reference: str
    fixed: Mapping[str, Any]
    base: MachineConfig
    workloads: tuple[WeightedWorkload, ...]
    schedule: str
    parameters: tuple[Parameter, ...]
    derived: tuple[tuple[str, Expression], ...]
    constraints: tuple[Expression, ...]
    objectives: tuple[Objective, ...]

    @staticmethod
    def load(reference: str | Path) -> Space:
        """Load the space of a preset's name or a file's path; SpaceError has all faults and their lines."""
        from archsim.explore.space.space_file import load_space

        return load_space(str(reference))

    def with_budget(self, budget: int | None = None, seed: int | None = None) -> Space:
        """A copy of the space with another budget or seed; None leaves what it has."""
        changes = {name: value for name, value in (("budget", budget), ("seed", seed)) if value is not None}
        return dataclasses.replace(self, config=self.config.model_copy(update=changes))

    @cached_property
    def grid(self) -> Grid:
        """The machine and schedule of each point."""
        return Grid(json.dumps(normalized(self.base)), self.schedule, self.parameters, self.derived)

    @property
    def size(self) -> int:
        """How many points the whole grid has."""
        return self.grid.size

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each parameter has."""
        return self.grid.sizes

    @property
    def aggregate(self) -> Aggregate:
        """How several workloads become one number."""
        return self.config.aggregate

    @property
    def with_arithmetic(self) -> bool:
        """Whether some expression asks for the accuracy, so that points are computed, not only timed."""
        asked = [*self.constraints, *(objective.expression for objective in self.objectives)]
        return any(name.split(".")[0] == "accuracy" for e in asked for name in e.names | e.totals)

    def choices(self, number: int) -> tuple[Choice, ...]:
        """The values of all parameters at point `number`: the last parameter varies fastest."""
        return self.grid.choices(number)

    def number(self, places: tuple[int, ...]) -> int:
        """The number of the point at these places, one place for each parameter."""
        return self.grid.number(places)

    def design(self, number: int) -> Design:
        """The design of point `number`, resolved."""
        found = self.grid.resolve(number)
        config, schedule = found.config, found.schedule
        digest = self._variants.digest(self.grid.overrides(number))
        if config is None:
            key = design_key(json.dumps(found.data, sort_keys=True), schedule, digest, "")
            return Design(number, found.inputs, schedule, key, found.reason)
        key = design_key(config.model_dump_json(), schedule, digest, technology_digest(config))
        return Design(number, found.inputs, schedule, key, self.variant(number).reason, make_config=lambda: config)

    def designs(self, numbers: Sequence[int]) -> list[Design]:
        """The designs of some points, as `design` gives them: what they have in common is resolved once."""
        return self.resolve(numbers).designs

    def resolve(self, numbers: Sequence[int]) -> ResolvedDesigns:
        """The designs of some points, those of valid machines also as a table."""
        table = self.table(numbers)
        valid = table.all_designs()
        designs = dict(zip(table.places.tolist(), valid, strict=True))
        everything = [designs[place] if place in designs else self.design(n) for place, n in enumerate(numbers)]
        rows = {design.number: row for row, design in enumerate(valid) if design.reason is None}
        return ResolvedDesigns(everything, table.designs, rows)

    def table(self, numbers: Sequence[int]) -> PointTable:
        """The points of some numbers, as far as they have a valid machine, as a table."""
        found = self.resolver.resolve(numbers)
        overrides = self._overrides(numbers, found)
        digests = Picked([self._variants.digest(each) for each in overrides.values], overrides.codes)
        variants = Picked([self._variants.of(each) for each in overrides.values], overrides.codes)
        keys = self.resolver.digests(found, digests)
        return PointTable(
            [numbers[p] for p in found.places.tolist()], found.places, found.designs, found.labels, keys, variants
        )

    def _overrides(self, numbers: Sequence[int], found: Resolutions) -> Picked[tuple[Override, ...]]:
        """The values of the workloads' fields at points with a valid machine."""
        varied = [found.labels[parameter.path].codes for parameter in self.parameters if parameter.of_workloads]
        first, codes = classes(varied, len(found.places))
        return Picked([self.grid.overrides(numbers[place]) for place in found.places[first].tolist()], codes)

    def variant(self, number: int) -> Variant:
        """The workloads of point `number`, with the values that it has for their fields."""
        return self._variants.of(self.grid.overrides(number))

    @cached_property
    def _variants(self) -> WorkloadVariants:
        return WorkloadVariants([use.reference for use in self.workloads], self.with_arithmetic)

    @cached_property
    def resolver(self) -> Resolver:
        """Resolves many points at once."""
        return Resolver(self.grid)

    @cached_property
    def workloads_digest(self) -> str:
        """The digest of the workloads as files: their settings and files, and whether numbers are computed."""
        return self._variants.digest(())

    @cached_property
    def fingerprint(self) -> str:
        """The digest that ties a journal to this space: all that chooses and resolves points, but not the budget."""
        settings = self.config.model_dump(mode="json", exclude={"summary", "objectives", "constraints", "budget"})
        choices = [[parameter.path, [c.value for c in parameter.choices]] for parameter in self.parameters]
        text = json.dumps([__version__, settings, self.grid.base_json, choices, self.workloads_digest], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()
