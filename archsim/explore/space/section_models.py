"""Validates and writes a machine section by section, so that each is validated once however many machines have it."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError, create_model

from archsim.config import StrictModel
from archsim.errors import ArchsimError
from archsim.explore.space.fields import Model, normalized, set_field
from archsim.families.machine_config import MachineConfig

Check = Callable[[Any], object]


class SectionModels:
    """The fields of a machine's model, each as a model of its own; what ties them together are the model's checks."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._models: dict[str, type[BaseModel]] = {
            name: create_model("Section", __base__=StrictModel, **{name: (field.annotation, field)})  # type: ignore[call-overload]
            for name, field in model.model_fields.items()
        }

    def value(self, name: str, data: object) -> object:
        """The value of a field; ValidationError if it is not valid by itself."""
        return getattr(self._models[name].model_validate_json(json.dumps({name: data}), strict=True), name)

    def text(self, name: str, value: object) -> str:
        """The field as JSON, as it stands in the machine's: `"name":...`."""
        fields: dict[str, Any] = {name: value}
        return self._models[name].model_construct(**fields).model_dump_json()[1:-1]

    @cached_property
    def checks(self) -> tuple[Check, ...] | None:
        """What the whole model checks when its fields are there; None if it does more than that to them."""
        found = self.model.__pydantic_decorators__
        others = (found.validators, found.field_validators, found.root_validators, found.field_serializers)
        if any(others) or found.model_serializers or found.computed_fields:
            return None
        validators = found.model_validators.values()
        checks = tuple(validator.func for validator in validators)
        plain = all(v.info.mode == "after" and len(inspect.signature(v.func).parameters) == 1 for v in validators)
        return checks if plain else None

    def holds(self, machine: Any) -> bool:  # noqa: ANN401 - a machine or its stand-in
        """Whether a machine passes the checks, unchanged; it must not be None that checks are."""
        assert self.checks is not None
        try:
            return all(check(machine) is machine for check in self.checks)
        except Exception:  # whatever it is: the machine is validated as a whole, which says it
            return False


__all__ = ["SectionModels", "ValidationError"]


def section_value(base: MachineConfig, path: str, value: object) -> object:
    """A field's value as its section writes it out, whatever the other sections say; as given if it is not valid."""
    data, models = normalized(base), SectionModels(type(base))
    name, *inner = path.split(".")
    try:
        set_field(data, path, value)
        found: Any = json.loads(f"{{{models.text(name, models.value(name, data[name]))}}}")[name]
        for part in inner:
            found = found[part]
    except (ValidationError, ArchsimError, KeyError, TypeError):
        return value
    return found
