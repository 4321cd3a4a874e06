"""What is in the buffers before the program starts: weights, biases, inputs and initial states, as they are stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archsim.checking.numbers import Numbers
from archsim.hardware.unit import Units


@dataclass(frozen=True, slots=True)
class EntryData:
    """The stored numbers of one entry of one slot of a buffer."""

    buffer: int
    slot: int
    entry: int
    values: tuple[int | float, ...]


def contents(numbers: Numbers, units: Units) -> Iterator[EntryData]:
    """The entries of all buffers that are filled beforehand, in order of buffer, slot and entry."""
    state = numbers.begin(units).state
    for number, buffer in enumerate(numbers.program.buffers):
        if not buffer.is_input:
            continue
        for slot, entries in enumerate(state.array(buffer)):
            for entry, values in enumerate(entries):
                yield EntryData(number, slot, entry, tuple(values.tolist()))
