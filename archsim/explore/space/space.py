"""A design space: the file, checked against the architecture, and its points by number."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from archsim import __version__
from archsim.config.regular_files import open_regular
from archsim.errors import ArchError
from archsim.explore.space.design import Design, Reason, design_key
from archsim.explore.space.expression import Expression, ExpressionError, Scalar
from archsim.explore.space.fields import Data, config_of, get_field, normalized, set_field
from archsim.explore.space.objectives import Objective
from archsim.explore.space.parameters import SCHEDULE, Choice, Parameter
from archsim.explore.space.space_config import Aggregate, SpaceConfig
from archsim.families.machine_config import MachineConfig
from archsim.formats import NumberFormat
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.technology import load_prices
from archsim.workload import Workload
from archsim.workload.named_files import named_files


@dataclass(frozen=True, slots=True)
class WeightedWorkload:
    """A workload with its weight, and the words by which `archsim run` is told of it."""

    workload: Workload
    reference: str
    weight: float


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

    @property
    def size(self) -> int:
        """How many points the whole grid has."""
        return math.prod(self.sizes)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each parameter has."""
        return tuple(len(parameter.choices) for parameter in self.parameters)

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
        found: list[Choice] = []
        for parameter in reversed(self.parameters):
            number, place = divmod(number, len(parameter.choices))
            found.append(parameter.choices[place])
        return tuple(reversed(found))

    def number(self, places: tuple[int, ...]) -> int:
        """The number of the point at these places, one place for each parameter."""
        found = 0
        for size, place in zip(self.sizes, places, strict=True):
            found = found * size + place
        return found

    def design(self, number: int) -> Design:
        """The design of point `number`, resolved."""
        data: Data = json.loads(self._base_json)
        inputs: dict[str, Scalar] = {}
        schedule = self.schedule
        for parameter, choice in zip(self.parameters, self.choices(number), strict=True):
            inputs[parameter.path] = choice.label
            if parameter.path == SCHEDULE:
                schedule = str(choice.value)
            else:
                set_field(data, parameter.path, choice.value)
        try:
            config = config_of(data)
            if self.derived:
                config = self._derive(data, config, schedule, inputs)
        except (ArchError, ExpressionError) as error:
            kind = "architecture" if isinstance(error, ArchError) else "expression"
            text = json.dumps(data, sort_keys=True)
            key = design_key(text, schedule, self.workloads_digest, "")
            return Design(number, inputs, schedule, None, "", key, Reason(kind, "; ".join(str(error).splitlines())))
        text = config.model_dump_json()
        key = design_key(text, schedule, self.workloads_digest, _technology_digest(config))
        return Design(number, inputs, schedule, config, text, key)

    def _derive(self, data: Data, config: MachineConfig, schedule: str, inputs: dict[str, Scalar]) -> MachineConfig:
        """Set the derived fields, one after the other; each sees those before it."""
        given = dict(inputs)

        def lookup(name: str) -> Scalar:
            return given[name] if name in given else field_value(config, schedule, name)

        for path, expression in self.derived:
            value = expression.value(lookup)
            if isinstance(value, float) and value.is_integer():
                value = int(value)
            given[path] = inputs[path] = value
            set_field(data, path, value)
        return config_of(data)

    @cached_property
    def _base_json(self) -> str:
        return json.dumps(normalized(self.base))

    @cached_property
    def workloads_digest(self) -> str:
        """The digest of the workloads: their settings and files, and whether numbers are computed."""
        parts: list[Any] = [self.with_arithmetic]
        for use in self.workloads:
            data, names = use.workload.config.model_dump(mode="json"), sorted(named_files(use.workload.config))
            files = {name: _file_digest(use.workload.folder / name) for name in names}
            parts.append([use.workload.name, data, files if self.with_arithmetic else {}])
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """The digest that ties a journal to this space: all that chooses and resolves points, but not the budget."""
        settings = self.config.model_dump(mode="json", exclude={"summary", "objectives", "constraints", "budget"})
        choices = [[parameter.path, [c.value for c in parameter.choices]] for parameter in self.parameters]
        text = json.dumps([__version__, settings, self._base_json, choices, self.workloads_digest], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def field_value(config: MachineConfig, schedule: str, name: str) -> Scalar:
    """The value that an expression sees for a field; ExpressionError if it is no plain value."""
    try:
        value = schedule if name == SCHEDULE else get_field(config, name)
    except KeyError:
        raise ExpressionError(f"this design has no {name}") from None
    if isinstance(value, NumberFormat | MethodDefinition):
        return value.name
    if not isinstance(value, bool | int | float | str):
        raise ExpressionError(f"{name} is {'empty' if value is None else 'a section'}, not a value")
    return value


def _file_digest(path: Path) -> str:
    try:
        with open_regular(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "missing"  # the evaluation says what is wrong with it


def _technology_digest(config: MachineConfig) -> str:
    """The digest of the numbers in the machine's technology; "" if there is none (evaluation will say so)."""
    try:
        return "" if config.costing is None else load_prices(config.costing.technology).digest
    except ArchError:
        return ""
