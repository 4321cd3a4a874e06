"""Number formats that installed packages offer, under the entry-point group archsim.number_formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from archsim.config.extensions import FORMATS as GROUP
from archsim.config.extensions import EntryGroup, not_text
from archsim.errors import ExtensionError
from archsim.formats.integer import Fixed, Scaled
from archsim.formats.number import FloatFormat, NumberFormat


@dataclass(frozen=True, slots=True)
class FormatDefinition:
    """A number format, or a family of them, as an architecture names it.

    `name`: how messages show the form of its names, as "eXmY". `parse`: the format of a name, None for a name that is
    none of its own; ValueError says what is wrong with one that is. It is asked only for names that archsim's own
    grammar does not have. Two formats of the same name must be equal, as frozen dataclasses are.
    """

    name: str
    summary: str
    parse: Callable[[str], NumberFormat | None]


def offered_format(text: str) -> NumberFormat | None:
    """The format of that name that an installed package offers; None if none does."""
    FORMATS.check(text)
    found = ((name, definition.parse(text)) for name, definition in _offered().items())
    parsed = [(name, number_format) for name, number_format in found if number_format is not None]
    if len(parsed) > 1:
        names = " and ".join(name for name, _ in parsed)
        raise ExtensionError(f"{GROUP}: {text[:40]!r} is a format of both {names}")
    return usable(parsed[0][1]) if parsed else None


def offered_formats() -> tuple[FormatDefinition, ...]:
    """The definitions of all these formats."""
    return tuple(_offered().values())


def offered_names() -> tuple[str, ...]:
    """How messages show the names of these formats."""
    return tuple(definition.name for definition in offered_formats())


def usable(number_format: NumberFormat) -> NumberFormat:
    """The format itself; ExtensionError if the units' arithmetic, which is in float32 or on integers, cannot use it."""
    if not isinstance(number_format, FloatFormat | Fixed | Scaled):
        kind = type(number_format).__name__
        raise ExtensionError(f"number format {number_format}: {kind} is neither a FloatFormat, nor a Fixed or Scaled")
    return number_format


def _offered() -> Mapping[str, FormatDefinition]:
    """The definitions of other packages by the names of their entries."""
    return FORMATS.usable()


def _fault(name: str, definition: FormatDefinition) -> str:
    return not_text(definition, "name", "summary")


FORMATS = EntryGroup(GROUP, FormatDefinition, _fault)
"""The entries under which packages offer number formats."""
