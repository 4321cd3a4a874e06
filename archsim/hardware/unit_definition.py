"""What another package says of a unit that machines may have besides those of their family."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

from archsim.config.extensions import UNITS as GROUP
from archsim.config.extensions import EntryGroup, named_otherwise, not_text
from archsim.config.text import shown_with_type
from archsim.formats import Formats
from archsim.hardware.port_streams import Ports
from archsim.hardware.unit import ConfigT, Unit, UnitConfig


@dataclass(frozen=True, slots=True)
class UnitDefinition(Generic[ConfigT]):
    """A unit from outside archsim: an architecture file asks for it with a section of its name under `units:`.

    `name`: the unit's name in programs and reports, and the section's key. `summary`: a line for `archsim list`.
    `config`: the model that the section is validated with. `unit`: makes the unit of a machine from its section, the
    widths of the machine's ports (bits a cycle, by memory) and its number formats; mostly the unit's own class.
    """

    name: str
    summary: str
    config: type[ConfigT]
    unit: Callable[[ConfigT, Ports, Formats], Unit[Any]]


def installed_units() -> tuple[UnitDefinition[Any], ...]:
    """The units that installed packages offer, in the order of their names."""
    return tuple(UNITS.usable().values())


def definition_fault(definition: object) -> str:
    """What is wrong with a definition that a package or a caller gives, in words; "" if nothing is."""
    if not isinstance(definition, UnitDefinition):
        return f"expected an instance of UnitDefinition, got {shown_with_type(definition)}"
    texts = not_text(definition, "name", "summary")
    if texts:
        return texts
    config: object = definition.config
    if not (isinstance(config, type) and issubclass(config, UnitConfig)):
        return f"config must be a subclass of UnitConfig, got {shown_with_type(config)}"
    return "" if callable(definition.unit) else f"unit must make a unit, got {shown_with_type(definition.unit)}"


def _fault(name: str, definition: UnitDefinition[Any]) -> str:
    return definition_fault(definition) or named_otherwise(name, definition.name, "unit")


UNITS: EntryGroup[UnitDefinition[Any]] = EntryGroup(GROUP, UnitDefinition, _fault)
"""The entries under which packages offer units."""
