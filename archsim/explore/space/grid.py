"""The grid of a space: machine, schedule and workloads' fields of each point number, also as text for workers."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from archsim.config import Override
from archsim.errors import ArchError
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Expression, ExpressionError, Scalar, parse_expression
from archsim.explore.space.fields import Data, config_of, field_value, set_field
from archsim.explore.space.parameters import SCHEDULE, Choice, Parameter
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import usable_family


@dataclass(frozen=True, slots=True)
class Resolved:
    """A point of the grid. `config` is None, and `reason` says why, if the machine is not valid: `data` is not then."""

    inputs: dict[str, Scalar]
    schedule: str
    config: MachineConfig | None
    data: Data
    reason: Reason | None = None


@dataclass(frozen=True)
class Grid:
    """All points of a space, numbered with the last parameter varying fastest.

    `base_json`: the data of the machine that parameters and derived fields change; `schedule`: where none is varied.
    """

    base_json: str
    schedule: str
    parameters: tuple[Parameter, ...]
    derived: tuple[tuple[str, Expression], ...]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """How many values each parameter has."""
        return tuple(len(parameter.choices) for parameter in self.parameters)

    @property
    def size(self) -> int:
        """How many points there are."""
        return math.prod(self.sizes)

    @cached_property
    def varies_workloads(self) -> bool:
        """Whether workloads are not the same in all points."""
        return any(parameter.of_workloads for parameter in self.parameters)

    @cached_property
    def derives_from_parameters(self) -> bool:
        """Whether derived fields follow from parameters alone, so that no machine without them need be valid."""
        known = {parameter.path for parameter in self.parameters}
        for path, expression in self.derived:
            if not expression.names <= known:
                return False
            known.add(path)
        return True

    def overrides(self, number: int) -> tuple[Override, ...]:
        """The values of the workloads' fields at a point."""
        if not self.varies_workloads:
            return ()
        chosen = zip(self.parameters, self.choices(number), strict=True)
        return tuple(Override(p.path, json.dumps(choice.value)) for p, choice in chosen if p.of_workloads)

    def choices(self, number: int) -> tuple[Choice, ...]:
        """The values of all parameters at a point."""
        found: list[Choice] = []
        for parameter in reversed(self.parameters):
            number, place = divmod(number, len(parameter.choices))
            found.append(parameter.choices[place])
        return tuple(reversed(found))

    def number(self, places: Sequence[int]) -> int:
        """The number of the point at these places, one place for each parameter."""
        found = 0
        for size, place in zip(self.sizes, places, strict=True):
            found = found * size + place
        return found

    def resolve(self, number: int) -> Resolved:
        """The machine and schedule of a point."""
        data: Data = json.loads(self.base_json)
        inputs: dict[str, Scalar] = {}
        schedule = self.schedule
        chosen = tuple(zip(self.parameters, self.choices(number), strict=True))
        for parameter, choice in chosen:
            inputs[parameter.path] = choice.label
            if parameter.path == SCHEDULE:
                schedule = str(choice.value)
        try:
            for parameter, choice in chosen:
                if parameter.of_machine:
                    set_field(data, parameter.path, choice.value)
            config = self._derive(data, schedule, inputs) if self.derived else config_of(data)
        except (ArchError, ExpressionError) as error:
            return Resolved(inputs, schedule, None, data, _reason(error))
        return Resolved(inputs, schedule, config, data)

    def _derive(self, data: Data, schedule: str, inputs: dict[str, Scalar]) -> MachineConfig:
        """Set the derived fields, one after the other; each sees those before it."""
        given = dict(inputs)
        config = None if self.derives_from_parameters else config_of(data)

        def lookup(name: str) -> Scalar:
            if name in given:
                return given[name]
            assert config is not None  # else every name is given
            return field_value(config, schedule, name)

        for path, expression in self.derived:
            given[path] = inputs[path] = derived_value(expression.value(lookup))
            set_field(data, path, given[path])
        return config_of(data)

    def to_json(self) -> str:
        """The grid as one line of JSON."""
        parameters = [
            [p.path, [[choice.label, choice.value] for choice in p.choices], p.of_workloads] for p in self.parameters
        ]
        derived = [[path, expression.text] for path, expression in self.derived]
        return json.dumps([self.base_json, self.schedule, parameters, derived])

    @staticmethod
    def from_json(text: str) -> Grid:
        """Reads what `to_json` wrote; ValueError, among others, for anything else, also within the machine's data."""
        base_json, schedule, parameters, derived = json.loads(text)
        base = json.loads(base_json)
        if not isinstance(base, dict) or usable_family(str(base.get("family"))) is None:
            raise ValueError("a machine's data are fields with values, its family among them")
        return Grid(
            base_json,
            schedule,
            tuple(Parameter(path, tuple(Choice(*pair) for pair in choices), of) for path, choices, of in parameters),
            tuple((path, parse_expression(expression)) for path, expression in derived),
        )


def _reason(error: ArchError | ExpressionError) -> Reason:
    """Why a point has no machine: fields and what is wrong, without the place, as its data stand in no file."""
    if isinstance(error, ArchError):
        return Reason("architecture", "; ".join(str(replace(fault, where="")) for fault in error.faults))
    return Reason("expression", "; ".join(str(error).splitlines()))


def derived_value(value: Scalar) -> Any:  # noqa: ANN401 - what stands in the data
    """The value of a derived field, as it stands in the architecture: whole numbers as such."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
