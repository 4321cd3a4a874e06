"""Holds the contents of all buffers while a program executes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from archsim.errors import SimulatorBug
from archsim.formats.encoding import Encoding
from archsim.formats.number import Array
from archsim.program.ir import Buffer, Program, Region


class Later(Protocol):
    """What an input holds, made when it is read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(slots, entries, width)"""

    def rows(self, slot: int, start: int, stop: int) -> Array:
        """Some entries of a slot, (entries, width)."""

    def whole(self) -> Array:
        """All of it, (slots, entries, width)."""


Contents = Array | Later
"""What an input holds when a program begins."""


class State:
    """The arrays (slots, entries, width) of all buffers; inputs come from an image of DRAM.

    Of an input whose contents are made when they are read, no array is kept until somebody asks for a whole slot.
    """

    def __init__(
        self,
        program: Program,
        image: Mapping[str, Contents],
        repetitions: int,
        encodings: Mapping[str, Encoding] | None = None,
    ) -> None:
        """Allocate all buffers; `repetitions` sizes the buffers that have one slot a repetition.

        `encodings`, by buffer, say what is stored for 0; without one the buffer's format has scale 1.
        """
        self._arrays: dict[str, Array] = {}
        self._later: dict[str, Later] = {}
        encodings = encodings or {}
        for buffer in program.buffers:
            slots = repetitions if buffer.slots is None else buffer.slots
            shape = (slots, buffer.entries, buffer.width)
            if buffer.is_input:
                contents = image[buffer.name]
                if contents.shape != shape:
                    raise SimulatorBug(f"image of {buffer.name} has shape {contents.shape}, the program wants {shape}")
                if isinstance(contents, np.ndarray):
                    self._arrays[buffer.name] = contents
                else:
                    self._later[buffer.name] = contents
            else:
                encoding = encodings.get(buffer.name) or Encoding(buffer.number_format)
                self._arrays[buffer.name] = encoding.zeros(shape)

    def read(self, region: Region, repetition: int) -> Array:
        """Copy the region's contents, (entries, width)."""
        return self._view(region, repetition).copy()

    def view(self, region: Region, repetition: int) -> Array:
        """Look at the region's contents without a copy, for operands that nothing changes."""
        return self._view(region, repetition)

    def write(self, region: Region, repetition: int, values: Array) -> None:
        """Set the region's contents to `values` (entries, width)."""
        self._view(region, repetition)[...] = values

    def array(self, buffer: Buffer) -> Array:
        """The array of a whole buffer, (slots, entries, width)."""
        name = buffer.name
        if name in self._later:
            self._arrays[name] = self._later.pop(name).whole()
        return self._arrays[name]

    def slot(self, buffer: Buffer, number: int) -> Array:
        """The array of a slot, (entries, width)."""
        found: Array = self.array(buffer)[number]
        return found

    def _view(self, region: Region, repetition: int) -> Array:
        name, slot = region.buffer.name, region.slot(repetition)
        if name in self._later:
            return self._later[name].rows(slot, region.start, region.stop)
        return self._arrays[name][slot, region.start : region.stop]
