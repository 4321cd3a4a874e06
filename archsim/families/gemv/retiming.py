"""Moves ops to other repetitions than those they were made for: later, earlier, or several to one repetition.

An op is made as if repetition n of its phase were *tick* n (a time step, or a block of them). What it does in tick n it
can do in another repetition: its operands are linear in n, and so is what takes their place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

from archsim.hardware.lane_hold import Hold
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Op, Region

Operand = Region | Hold | tuple[Region, ...] | tuple[tuple[Region, ...], ...]


@dataclass(frozen=True, slots=True)
class Retiming:
    """A shift in time: in repetition r of `repeat` stands tick r * stride + offset, of `ticks` ticks."""

    ticks: int
    repeat: int
    stride: int
    offset: int

    def applied_to(self, ops: Sequence[Op], suffix: str = "") -> Iterator[Op]:
        """The ops as they stand there, each only in repetitions whose tick it took part in.

        Those that never do are left out.
        """
        for op in ops:
            first = max(0, ceil_div(op.skip_first - self.offset, self.stride))
            last = min(self.repeat - 1, (self.ticks - op.skip_last - 1 - self.offset) // self.stride)
            if first <= last:
                yield replace(
                    op,
                    label=op.label + suffix,
                    skip_first=first,
                    skip_last=self.repeat - 1 - last,
                    step_stride=op.step_stride * self.stride,
                    step_offset=op.step_offset + op.step_stride * self.offset,
                    **self._operands(op),
                )

    def _operands(self, op: Op) -> dict[str, Any]:
        found = ((name, getattr(op, name)) for name in _names(type(op)))
        return {name: self._operand(value) for name, value in found if has_regions(value)}

    def _operand(self, operand: Operand) -> Operand:
        if isinstance(operand, tuple):
            return tuple(self._operand(part) for part in operand)  # type: ignore[return-value]
        if isinstance(operand, Hold):
            return Hold(self._region(operand.valid), self._region(operand.old))
        return self._region(operand)

    def _region(self, region: Region) -> Region:
        offset, stride = region.offset + region.stride * self.offset, region.stride * self.stride
        return Region(region.buffer, region.start, region.stop, offset, stride, region.encoding)


@cache
def _names(kind: type[Op]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def has_regions(value: object) -> bool:
    """Whether a field of an op says where something lies in a repetition."""
    if isinstance(value, tuple):
        return any(has_regions(part) for part in value)
    return isinstance(value, Region | Hold)
