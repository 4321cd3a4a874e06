"""Units of other packages on a machine of the family gemv: the section `units` of its architecture file."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any, ClassVar

from pydantic import Field, SerializerFunctionWrapHandler, create_model, model_serializer

from archsim.config.extensions import UNITS as GROUP
from archsim.config.text import one_line
from archsim.errors import ArchsimError, ExtensionError
from archsim.formats import Formats
from archsim.hardware.port_streams import Ports
from archsim.hardware.unit import Unit, UnitConfig
from archsim.hardware.unit_definition import UnitDefinition, definition_fault

SECTION = "units"
"""The section that asks for further units."""

_NAME = re.compile(r"[a-z][a-z0-9_]*")


class UnitSections(UnitConfig):
    """A section for each unit that packages offer; None where the machine does not have the unit."""

    key_noun: ClassVar[str] = "unit"
    definitions: ClassVar[tuple[UnitDefinition[Any], ...]] = ()

    def given(self) -> tuple[tuple[UnitDefinition[Any], UnitConfig], ...]:
        """The units that the machine has, with their sections."""
        sections = [(definition, getattr(self, definition.name)) for definition in self.__class__.definitions]
        return tuple((definition, section) for definition, section in sections if section is not None)

    @model_serializer(mode="wrap")
    def _given_alone(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {name: section for name, section in handler(self).items() if section is not None}


def check_definitions(
    definitions: Sequence[UnitDefinition[Any]], reserved: Collection[str]
) -> tuple[UnitDefinition[Any], ...]:
    """The definitions as they are; ExtensionError for a name that cannot be a section, is reserved, or comes twice.

    So it is for what is no definition, or has a config or a unit that are none.
    """
    for definition in definitions:
        fault = definition_fault(definition)
        if fault:
            raise ExtensionError(f"{GROUP}: {fault}")
    names = [definition.name for definition in definitions]
    for name in names:
        if _NAME.fullmatch(name) is None or name.startswith("model_") or hasattr(UnitSections, name):
            raise ExtensionError(f"{GROUP}: {name}: a unit's name is a word of small letters, digits and _, no other")
        if name in reserved:
            raise ExtensionError(f"{GROUP}: {name}: the machine has a unit, memory or bound of that name already")
        if names.count(name) > 1:
            raise ExtensionError(f"{GROUP}: {name}: there are several units of that name")
    return tuple(definitions)


@cache
def sections_of(definitions: tuple[UnitDefinition[Any], ...]) -> type[UnitSections]:
    """The model of the section `units` where packages offer these units."""
    fields: dict[str, Any] = {
        definition.name: (definition.config | None, Field(default=None, description=definition.summary))
        for definition in definitions
    }
    model = create_model("Units", __base__=UnitSections, **fields)
    model.definitions = definitions
    return model


def build_further(
    sections: Sequence[tuple[UnitDefinition[Any], UnitConfig]], ports: Ports, formats: Formats
) -> tuple[Unit[Any], ...]:
    """The units of a machine's sections; ExtensionError if a definition makes no unit of its name."""
    built = []
    for definition, section in sections:
        try:
            unit = definition.unit(section, ports, formats)
        except ArchsimError:
            raise
        except Exception as error:  # whatever the other package does
            what = one_line(f"{type(error).__name__}: {error}")
            raise ExtensionError(f"{GROUP}: {definition.name}: cannot be made: {what}") from error
        if not isinstance(unit, Unit) or unit.name != definition.name:
            got = f"a unit named {unit.name}" if isinstance(unit, Unit) else type(unit).__name__
            raise ExtensionError(f"{GROUP}: {definition.name}: expected a unit of that name, got {got}")
        built.append(unit)
    return tuple(built)
