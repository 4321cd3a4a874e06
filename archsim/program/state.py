"""Holds the contents of all buffers while a program executes."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.errors import SimulatorBug
from archsim.formats.encoding import Encoding
from archsim.formats.number import Array
from archsim.program.ir import Buffer, Program, Region


class State:
    """The arrays (slots, entries, width) of all buffers; inputs come from an image of DRAM."""

    def __init__(
        self,
        program: Program,
        image: Mapping[str, Array],
        repetitions: int,
        encodings: Mapping[str, Encoding] | None = None,
    ) -> None:
        """Allocate all buffers; `repetitions` sizes the buffers that have one slot a repetition.

        `encodings`, by buffer, say what is stored for 0; without one the buffer's format has scale 1.
        """
        self._arrays: dict[str, Array] = {}
        encodings = encodings or {}
        for buffer in program.buffers:
            slots = repetitions if buffer.slots is None else buffer.slots
            shape = (slots, buffer.entries, buffer.width)
            if buffer.is_input:
                array = image[buffer.name]
                if array.shape != shape:
                    raise SimulatorBug(f"image of {buffer.name} has shape {array.shape}, the program wants {shape}")
                self._arrays[buffer.name] = array
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
        return self._arrays[buffer.name]

    def slot(self, buffer: Buffer, number: int) -> Array:
        """The array of a slot, (entries, width)."""
        found: Array = self._arrays[buffer.name][number]
        return found

    def _view(self, region: Region, repetition: int) -> Array:
        return self._arrays[region.buffer.name][region.slot(repetition), region.start : region.stop]
