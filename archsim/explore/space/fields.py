"""Handles fields of an architecture by their paths: look up, set, and normalize what a user wrote."""

from __future__ import annotations

import copy
import json
from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from archsim.config import Document, Override, validate
from archsim.config.slots import Slot, inner_slot, slot_of
from archsim.errors import ArchError, Fault
from archsim.explore.space.expression import ExpressionError, Scalar
from archsim.explore.space.parameters import SCHEDULE
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import family_named
from archsim.formats import NumberFormat
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.technology import load_prices

Data = dict[str, Any]


Model = type[MachineConfig]
"""The model of a family of machines."""


def model_of(data: Data) -> Model:
    """The model that normalized data is validated with."""
    model: Model = family_named(data["family"]).config.model_for(data.keys())
    return model


@cache
def known_path(model: Model, path: str) -> bool:
    """Whether machines of a family have a field of that path."""
    return _reaches(slot_of(model), path.split("."))


def _reaches(slot: Slot, parts: list[str]) -> bool:
    """Whether a path leads somewhere below a model; in a section of several kinds, below one of them."""
    if not parts:
        return True
    if slot.members:
        return any(_reaches(member, parts) for member in slot.members)
    inner = inner_slot(slot, parts[0])
    return inner is not None and _reaches(inner, parts[1:])


def set_field(data: Data, path: str, value: object) -> None:
    """Set a field in normalized data (as `normalized` gives it); ArchError if what it is in is no section there."""
    *outer, last = path.split(".")
    node = data
    for part in outer:
        inner = node.get(part)
        node = node.setdefault(part, {}) if isinstance(inner, dict) or inner is None else _refuse(path)
    node[last] = copy.deepcopy(value)


def get_field(config: BaseModel, path: str) -> object:
    """The value of a field of a validated configuration; KeyError if its section has no such field."""
    found: Any = config
    for part in path.split("."):
        if not isinstance(found, BaseModel) or part not in type(found).model_fields:
            raise KeyError(path)
        found = getattr(found, part)
    return found


def normalized(config: MachineConfig) -> Data:
    """The data of a valid architecture, with every shorthand written out."""
    data: Data = config.model_dump(mode="json")
    return data


def config_of(data: Data) -> MachineConfig:
    """The architecture of normalized data; ArchError with all faults if it is not valid."""
    try:
        # As in config.validation, without its search for words: this happens once a point.
        return model_of(data).model_validate_json(json.dumps(data, allow_nan=False), strict=True)
    except ValidationError:
        return validate(model_of(data), Document("design", data, {(): 1}), (), ArchError)


def apply_value(data: Data, path: str, value: object) -> MachineConfig:
    """The architecture with one field set as a user writes it ("8MiB", a set of formats); ArchError if not valid."""
    document = Document("design", data, {(): 1})
    return validate(model_of(data), document, (Override(path, json.dumps(value)),), ArchError)


def field_value(config: MachineConfig, schedule: str, name: str) -> Scalar:
    """The value that an expression sees for a field; ExpressionError if it is no plain value."""
    if name == SCHEDULE:
        return schedule
    try:
        found = get_field(config, name)
    except KeyError:
        raise ExpressionError(f"this design has no {name}") from None
    return plain_value(found, name)


def plain_value(value: object, name: str) -> Scalar:
    """A field's value as an expression sees it; ExpressionError if it is no plain value."""
    if isinstance(value, NumberFormat | MethodDefinition):
        return value.name
    if not isinstance(value, bool | int | float | str):
        raise ExpressionError(f"{name} is {'empty' if value is None else 'a section'}, not a value")
    return value


def technology_digest(config: MachineConfig) -> str:
    """The digest of the numbers in the machine's technology; "" if there is none (evaluation will say so)."""
    try:
        return "" if config.costing is None else load_prices(config.costing.technology).digest
    except ArchError:
        return ""


def _refuse(path: str) -> Data:
    outer = path.rpartition(".")[0]
    raise ArchError((Fault("design", path, f"cannot be set: {outer} has one value as a whole in this design"),))
