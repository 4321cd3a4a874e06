"""Turns frozen dataclasses into plain JSON values, and writes one large JSON object piece by piece."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass

from archsim.errors import SimulatorBug
from archsim.export.format_data import FormatData
from archsim.formats import NumberFormat

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]
"""A value of JSON."""

Write = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Arguments:
    """An object whose names and values depend on what it belongs to: the kind of op, or of arithmetic."""

    values: Mapping[str, Plain]


def plain(value: object) -> Plain:
    """A value as JSON has it: a dataclass is an object with its fields' names, a tuple an array."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Arguments):
        return dict(value.values)
    if isinstance(value, NumberFormat):
        return plain(FormatData.from_format(value))
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise SimulatorBug(f"a {type(value).__name__} has no form in JSON")


class ObjectWriter:
    """Writes one JSON object, a field a line; of an array an item a line, each as soon as it is there."""

    def __init__(self, write: Write) -> None:
        self._write = write
        self._begin = "{\n"

    def field(self, name: str, value: object) -> None:
        """Write one field."""
        self._name(name)
        self._write(_text(plain(value)))

    def array(self, name: str, items: Iterable[object]) -> None:
        """Write a field that is an array, of which only one item is held at a time."""
        with self.open_array(name) as add:
            for item in items:
                add(item)

    @contextmanager
    def open_array(self, name: str) -> Iterator[Callable[[object], None]]:
        """Write a field that is an array, of the items with which what this gives is called in the block."""
        self._name(name)
        begin = "[\n"

        def add(item: object) -> None:
            nonlocal begin
            self._write(begin + _text(plain(item)))
            begin = ",\n"

        yield add
        self._write("[]" if begin == "[\n" else "\n]")

    def end(self) -> None:
        """Close the object."""
        self._write("\n}\n")

    def _name(self, name: str) -> None:
        self._write(f"{self._begin}{json.dumps(name)}: ")
        self._begin = ",\n"


def _text(value: Plain) -> str:
    return json.dumps(value, allow_nan=False)
