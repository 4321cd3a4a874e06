"""Joins ops of one shape, so that their arithmetic is done at once (program/joined.py)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

from archsim.formats.encoding import Encoding
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Buffer, Op, Region
from archsim.program.joined import Joining, Side


def lanes_joined(op: Op, numerics: Numerics) -> Joining | None:
    """The joining of an op that does to each lane what it does to any other: further ops are further lanes.

    That is so if one encoding holds for all entries of each operand; those of all ops must be the same.
    """
    found = tuple(one_encoding(numerics.encoding_of(region)) for region in (*op.reads, *op.writes))
    return None if None in found else Joining(Side.LANES, found)


def one_encoding(encoding: Encoding) -> Hashable | None:
    """A key that is equal for encodings that are the same for all entries; None if this one is not."""
    return (encoding.format, encoding.scale, encoding.zero) if isinstance(encoding.scale, float) else None


class RowsJoined:
    """Regions of several ops as one region of a buffer that is as large as all of them, with their encodings."""

    def __init__(self, numerics: Numerics) -> None:
        self._encodings = dict(numerics.encodings)
        self._given = numerics
        self._made = 0

    @property
    def numerics(self) -> Numerics:
        """The given encodings, and those of the regions that were made."""
        return replace(self._given, encodings=self._encodings)

    def region(self, regions: Sequence[Region]) -> Region:
        """The regions, which are of one buffer, one after the other."""
        buffer: Buffer = replace(
            regions[0].buffer,
            name=f"{regions[0].buffer.name}/{self._made}",
            entries=sum(region.entries for region in regions),
            encoding="",
        )
        self._made += 1
        self._encodings[buffer.name] = self._given.joined(regions)
        return Region(buffer, 0, buffer.entries)
