"""Validates many numbers for one field, without the rest of the architecture: thousands of values in a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from archsim.config.slots import slot_of
from archsim.families.machine_config import MachineConfig

_STRICT = ConfigDict(strict=True, allow_inf_nan=False)

Accepted = Callable[[int | float], int | float | None]
"""The number as it stands in normalized data; None if the field alone does not say (or does not take it)."""


def number_field(base: MachineConfig, path: str) -> Accepted:
    """What takes numbers for a field of the machine by its type and bounds alone.

    A number that it takes is one that the whole architecture's validation takes for that field, and leaves as it is:
    what else may be wrong is said of other fields, or of several together, which depends on the other choices of a
    point. Fields with validators of their own, and sections that change their data before they validate it, are left
    to the whole validation.
    """
    *outer, last = path.split(".")
    section: Any = base
    for part in outer:
        section = getattr(section, part, None)
    adapter = _adapter(section, last) if isinstance(section, BaseModel) else None
    return lambda value: None if adapter is None else _number(adapter, value)


def _adapter(section: BaseModel, name: str) -> TypeAdapter[Any] | None:
    model = type(section)
    found = model.model_fields.get(name)
    own = model.__pydantic_decorators__
    validated = any(name in each.info.fields or "*" in each.info.fields for each in own.field_validators.values())
    changed = any(each.info.mode != "after" for each in own.model_validators.values())
    if found is None or validated or changed or slot_of(found.annotation).annotation not in (int, float):
        return None
    field: Any = Annotated[found.annotation, found]
    return TypeAdapter(field, config=_STRICT)


def _number(adapter: TypeAdapter[Any], value: float) -> int | float | None:
    try:
        found = adapter.dump_python(adapter.validate_python(value), mode="json")
    except (ValidationError, TypeError):
        return None
    plain = isinstance(found, int | float) and not isinstance(found, bool)
    return found if plain and found == value else None
