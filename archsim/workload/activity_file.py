"""Reads recorded activity from a text file that nobody vouches for: a line a time step, a part a half of a layer.

A line has the columns of x, then those of h, of each layer, each part ended by "|". Columns are numbered over all
layers: a layer of I inputs and H elements of h takes I + H + 1 numbers, the first of which is its bias. Of a layer with
two directions the forward one is a layer, and then the other, whose step t takes x of T - 1 - t.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.config.files.regular_files import open_regular, read_up_to
from archsim.config.text import one_line
from archsim.errors import Fault, WorkloadError
from archsim.workload.activity import Activity, LayerActivity, StepColumns
from archsim.workload.network import CellSpec, cell_names

MAX_BYTES = 1 << 28
"""Largest file that is read: 256 MiB."""

_NUMBERS = re.compile(r"[0-9]{1,9}(?: +[0-9]{1,9})*")


@dataclass(frozen=True, slots=True)
class _Part:
    """The numbers that a part may have in the file: `first` to `last`; the layer's own begin with `base`."""

    layer: str
    kind: str
    first: int
    last: int
    base: int


def read_activity(path: Path, layers: Sequence[Sequence[CellSpec]], steps: int) -> Activity:
    """The activity of a network of those layers over so many time steps; WorkloadError names file and line."""
    parts = _parts(layers)
    lines = _lines(path)
    if len(lines) != steps:
        raise _error(path, 0, f"has {len(lines):,} lines, one for each time step; the workload has {steps:,} steps")
    found = [_columns(path, number, line, parts) for number, line in enumerate(lines, 1)]
    return tuple(
        LayerActivity(tuple(StepColumns(step[2 * layer], step[2 * layer + 1]) for step in found))
        for layer in range(len(parts) // 2)
    )


def _parts(layers: Sequence[Sequence[CellSpec]]) -> list[_Part]:
    parts: list[_Part] = []
    base = 0
    for name, cell in zip(cell_names(layers), (cell for layer in layers for cell in layer), strict=True):
        size_x, size_h = cell.input_size, cell.recurrent_size
        parts.append(_Part(name, "x", base, base + size_x, base))
        parts.append(_Part(name, "h", base + size_x + 1, base + size_x + size_h, base))
        base += size_x + size_h + 1
    return parts


def _lines(path: Path) -> list[str]:
    try:
        with open_regular(path) as file:
            data = read_up_to(file, MAX_BYTES + 1)
    except OSError as error:
        raise _error(path, 0, f"cannot read: {error.strerror or error}") from None
    except ValueError as error:  # a name that no file can have, as one with a NUL character
        raise _error(path, 0, f"cannot read: {one_line(str(error))}") from None
    if len(data) > MAX_BYTES:
        raise _error(path, 0, f"is larger than the {MAX_BYTES >> 20} MiB that are read of an activity file")
    if not data.isascii():
        raise _error(path, 0, "is no text of numbers and |")
    lines = data.decode("ascii").split("\n")
    return lines[:-1] if not lines[-1] else lines


def _columns(path: Path, number: int, line: str, parts: Sequence[_Part]) -> list[tuple[int, ...]]:
    texts = [text.strip(" \r") for text in line.split("|")]
    if len(texts) == len(parts) + 1 and not texts[-1]:
        texts.pop()  # every part is ended by |, or all but the last
    if len(texts) != len(parts):
        wanted = f"{len(parts)} parts ended by | (x and h of each direction of each layer)"
        raise _error(path, number, f"expected {wanted}, got {len(texts)}")
    return [_part(path, number, text, part) for text, part in zip(texts, parts, strict=True)]


def _part(path: Path, number: int, text: str, part: _Part) -> tuple[int, ...]:
    if not text:
        return ()
    allowed = f"columns of {part.kind} of {part.layer}: whole numbers {part.first} to {part.last} in rising order"
    if not _NUMBERS.fullmatch(text):
        raise _error(path, number, f"{allowed}, got '{text[:40]}'")
    columns = tuple(map(int, text.split()))
    before = part.first - 1
    for column in columns:
        if not before < column <= part.last:
            raise _error(path, number, f"{allowed}, got {column}")
        before = column
    return tuple(column - part.base for column in columns)


def _error(path: Path, line: int, message: str) -> WorkloadError:
    return WorkloadError((Fault(f"{path}:{line}" if line else str(path), "activity", message),))
