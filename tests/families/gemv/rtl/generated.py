"""Reads the generated files of a machine's RTL: constants and structs of the package, words of the ROMs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Fields = dict[str, "int | Fields"]


def signed(word: int, bits: int) -> int:
    """The number that a word of so many bits stands for in two's complement."""
    word &= (1 << bits) - 1
    return word - (1 << bits) if word >> (bits - 1) else word


@dataclass(frozen=True)
class Member:
    """A field of a packed struct; `struct`: the one that it is, if it is one."""

    name: str
    bits: int
    is_signed: bool = False
    struct: str = ""


@dataclass(frozen=True)
class Package:
    """What `archsim_pkg.sv` says; `vectors`: its long constants with the bits that each is declared with."""

    constants: Mapping[str, int]
    vectors: Mapping[str, tuple[int, int]]
    structs: Mapping[str, tuple[Member, ...]]

    def bits(self, struct: str) -> int:
        """The width of a struct."""
        return sum(member.bits for member in self.structs[struct])

    def unpacked(self, struct: str, word: int) -> Fields:
        """The fields of a word, the first one in the highest bits."""
        found: Fields = {}
        left = self.bits(struct)
        assert word >> left == 0
        for member in self.structs[struct]:
            left -= member.bits
            part = word >> left & (1 << member.bits) - 1
            whole = signed(part, member.bits) if member.is_signed else part
            found[member.name] = self.unpacked(member.struct, part) if member.struct else whole
        return found

    def numbers(self, vector: str, bits: int) -> list[int]:
        """The numbers of a long constant, the first one in the lowest bits, each of so many bits with a sign."""
        width, word = self.vectors[vector]
        return [signed(word >> place, bits) for place in range(0, width, bits)]


def read_package(text: str) -> Package:
    """The package as it is written."""
    constants = {name: int(value) for name, value in re.findall(r"localparam (?:int|bit) (\w+) = (-?\d+);", text)}
    vectors = {}
    for high, name, width, digits in re.findall(r"localparam logic \[(\d+):0\] (\w+) = (\d+)'h([0-9a-f]+);", text):
        assert int(high) + 1 == int(width)
        vectors[name] = int(width), int(digits, 16)
    structs: dict[str, tuple[Member, ...]] = {}
    for body, name in re.findall(r"typedef struct packed \{(.*?)\} (\w+);", text, re.DOTALL):
        members = []
        for kind, sign, high, struct, field in re.findall(
            r"(?:(logic)( signed)?(?: \[(\d+):0\])?|(\w+_t)) (\w+);", body
        ):
            bits = int(high) + 1 if high else 1
            if not kind:
                bits = sum(member.bits for member in structs[struct])
            members.append(Member(field, bits, bool(sign), struct))
        structs[name] = tuple(members)
    return Package(constants, vectors, structs)


def read_words(text: str, bits: int) -> list[int]:
    """The words of a ROM, each with as many digits as its bits take, and none beyond them."""
    lines = text.splitlines()
    assert {len(line) for line in lines} == {-(-bits // 4)}
    words = [int(line, 16) for line in lines]
    assert all(word >> bits == 0 for word in words)
    return words


def parts(word: int, bits: int, count: int) -> list[int]:
    """The numbers that lie side by side in a line, the first one in the lowest bits, with a sign."""
    assert word >> bits * count == 0
    return [signed(word >> place * bits, bits) for place in range(count)]
