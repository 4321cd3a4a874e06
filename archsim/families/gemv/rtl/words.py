"""Packs fields into words of a ROM, and declares the same words as SystemVerilog structs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a word: its name, its width, and how the package writes its type."""

    name: str
    bits: int
    type_name: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A packed struct: fields from the highest bits down."""

    name: str
    fields: tuple[Field, ...]

    @property
    def bits(self) -> int:
        """The width of the word."""
        return sum(field.bits for field in self.fields)

    def pack(self, values: Mapping[str, int]) -> int:
        """The word with the values given, 0 for the others; ValueError for a value that does not fit its field."""
        unknown = values.keys() - {field.name for field in self.fields}
        if unknown:
            raise ValueError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        word = 0
        for field in self.fields:
            value = values.get(field.name, 0)
            if not -(1 << field.bits) <= value < 1 << field.bits:
                raise ValueError(f"{self.name}.{field.name}: {value} does not fit {field.bits} bits")
            word = word << field.bits | value & (1 << field.bits) - 1
        return word

    def declaration(self) -> str:
        """The struct in SystemVerilog."""
        lines = [f"    {_type(field)} {field.name};" for field in self.fields]
        return "\n".join(["  typedef struct packed {", *lines, f"  }} {self.name};"])


def _type(field: Field) -> str:
    if field.type_name:
        return field.type_name
    return "logic" if field.bits == 1 else f"logic [{field.bits - 1}:0]"


def hex_lines(words: Sequence[int], bits: int) -> str:
    """The text of a file that $readmemh reads: a word a line, negative ones in two's complement."""
    digits, mask = -(-bits // 4), (1 << bits) - 1
    return "".join(f"{word & mask:0{digits}x}\n" for word in words)


def joined(codes: Sequence[int], bits: int) -> int:
    """A word of codes side by side, the first in the lowest bits."""
    mask = (1 << bits) - 1
    digits = bits // 4
    if bits % 4 == 0:
        return int("".join(f"{code & mask:0{digits}x}" for code in reversed(codes)) or "0", 16)
    word = 0
    for code in reversed(codes):
        word = word << bits | code & mask
    return word
