"""Holds what arithmetic needs besides the numbers: how they are stored, and where overflows are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats.encoding import Encoding
from archsim.formats.number import Array
from archsim.program.ir import Region

Effect = Callable[[Sequence[Array]], tuple[Array, ...]]
Retire = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True)
class Kernel:
    """The arithmetic of one op, prepared once.

    `effect`: the results, one array (entries, width) for each of `op.writes`, from those of `op.reads`, all as stored.
    `retire`: the new contents of a region in `op.updates` from the old ones and the result; only of ops that update.
    """

    effect: Effect
    retire: Retire | None = None


@dataclass(slots=True)
class Overflows:
    """Counts, by kind of data, the values that a format's range changed, and all values that were brought into it."""

    overflowed: dict[str, int] = field(default_factory=dict)
    values: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, result: tuple[Array, int], times: int = 1) -> Array:
        """Count what narrowing returned; gives back the values. `times`: how often each was brought into the range."""
        values, overflowed = result
        self.values[kind] = self.values.get(kind, 0) + values.size * times
        if overflowed:
            self.overflowed[kind] = self.overflowed.get(kind, 0) + overflowed
        return values


@dataclass(frozen=True, slots=True)
class Numerics:
    """The encodings of a program's buffers, by name.

    A buffer that is not there has its format's own encoding with scale 1.
    """

    encodings: Mapping[str, Encoding] = field(default_factory=dict)
    overflows: Overflows = field(default_factory=Overflows)

    def encoding_of(self, region: Region) -> Encoding:
        """The encoding of a region's numbers."""
        encoding = self.encodings.get(region.encoding or region.buffer.name)
        if encoding is not None:
            return encoding.rows(region.start, region.stop)
        return Encoding(region.buffer.number_format)

    def joined(self, regions: Sequence[Region]) -> Encoding:
        """The encoding of regions of one buffer, one after the other."""
        found = [self.encoding_of(region) for region in regions]
        if isinstance(found[0].scale, float):
            return found[0]
        return replace(found[0], scale=np.concatenate([np.asarray(encoding.scale) for encoding in found]))

    def same(self, regions: Sequence[Region], target: Region) -> None:
        """Raise SimulatorBug if numbers that are only moved would change their meaning."""
        wanted = self.encoding_of(target)
        for region in regions:
            found = self.encoding_of(region)
            if found.format != wanted.format or found.zero != wanted.zero:
                raise SimulatorBug(f"{region.buffer.name} and {target.buffer.name} are not stored alike")
