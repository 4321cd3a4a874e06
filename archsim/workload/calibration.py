"""Reads and writes ranges of a network's data, from which integer formats with a scale are made."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from archsim.config import StrictModel, load_document, validate
from archsim.config.text import one_line
from archsim.errors import OutputError, WorkloadError
from archsim.formats import Formats, Scaled
from archsim.formats.config import FormatName
from archsim.formats.scaling import Method
from archsim.workload.config import Percentile
from archsim.workload.network import CellKind, NetworkSpec, suffixes

LARGEST = 1e300
"""Largest magnitude of a range, so that no scale leaves float64's."""
_NAME = re.compile(r"x|h_l[0-9]{1,6}|(c|vector|gate|activation)_l[0-9]{1,6}(_reverse)?")


@dataclass(frozen=True, slots=True)
class Range:
    """The range low <= 0 .. high >= 0 that a tensor's format shall cover, and the format it was chosen for."""

    low: float
    high: float
    number_format: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """The range of each tensor, by the names of `range_kinds`, and the methods; percentile (50 .. 100) of both."""

    method: Method
    percentile: float
    weight_method: Method
    ranges: Mapping[str, Range]


def range_kinds(spec: NetworkSpec) -> dict[str, str]:
    """The kind of data (formats.KINDS) of each tensor of a network that has a range of its own.

    x; for each layer h_l0, h_l1, ... (its directions share the output); for each cell, with torch's suffix (_l0,
    _l0_reverse, ...): c of an LSTM; vector, what goes through a matrix inside a step: o * tanh(c) before a projection,
    r * h_(t-1) of a GRU that resets before the product; gate, the sums that the activation unit sees; activation, the
    gates and tanh(c), of which an RNN has none.
    """
    found = {"x": "input"} | {f"h_l{number}": "hidden" for number in range(len(spec.layers))}
    for cell, suffix in zip(spec.cells, suffixes(spec), strict=True):
        if cell.kind is CellKind.LSTM:
            found[f"c{suffix}"] = "cell"
        if cell.proj_size or (cell.kind is CellKind.GRU and not cell.linear_before_reset):
            found[f"vector{suffix}"] = "hidden"
        found[f"gate{suffix}"] = "gate"
        if cell.kind is not CellKind.RNN:
            found[f"activation{suffix}"] = "activation"
    return found


def needed_ranges(spec: NetworkSpec, formats: Formats) -> dict[str, Scaled]:
    """The tensors of `range_kinds` whose kind of data has an integer format with a scale, and that format."""
    found = {}
    for name, kind in range_kinds(spec).items():
        number_format = formats.format(kind)
        if isinstance(number_format, Scaled):
            found[name] = number_format
    return found


class _RangeEntry(StrictModel):
    """A range in the file."""

    low: Annotated[float, Field(ge=-LARGEST, le=0)] = Field(description="smallest number to cover")
    high: Annotated[float, Field(ge=0, le=LARGEST)] = Field(description="largest number to cover")
    format: FormatName = Field(description="number format that the range was chosen for")

    @model_validator(mode="after")
    def _not_empty(self) -> _RangeEntry:
        if self.low == self.high:
            raise ValueError("low and high are both 0: a range needs numbers other than 0")
        return self


class _CalibrationFile(StrictModel):
    """The content of a calibration file."""

    method: Method = Field(description="how the ranges were chosen")
    percentile: Percentile = Field(description="of the method percentile")
    weight_method: Method = Field(description="how the ranges of the weights are chosen")
    ranges: dict[str, _RangeEntry] = Field(description="ranges by tensor: x, h_l0, c_l0, gate_l0, ...")

    @field_validator("ranges")
    @classmethod
    def _names_of_tensors(cls, ranges: dict[str, _RangeEntry]) -> dict[str, _RangeEntry]:
        unknown = [one_line(name)[:40] for name in ranges if not _NAME.fullmatch(name)]
        if unknown:
            raise ValueError(
                f"no tensor has the name {', '.join(unknown[:6])}; there are x, h_l0, and c_l0, vector_l0, gate_l0, "
                "activation_l0, with _reverse for the second direction, and so on for l1, ..."
            )
        return ranges


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file; WorkloadError with all its faults."""
    found = validate(_CalibrationFile, load_document(path, WorkloadError), (), WorkloadError)
    ranges = {name: Range(entry.low, entry.high, entry.format) for name, entry in found.ranges.items()}
    return Calibration(found.method, found.percentile, found.weight_method, ranges)


def calibration_text(calibration: Calibration, made_by: str) -> str:
    """The text of a calibration file, the same for the same calibration.

    A comment on top says what made it.
    """
    lines = [
        f"# {one_line(made_by)}",
        f"method: {calibration.method}",
        f"percentile: {float(calibration.percentile)!r}",
        f"weight_method: {calibration.weight_method}",
        "ranges:",
    ]
    for name, found in calibration.ranges.items():
        low, high = float(found.low) + 0.0, float(found.high) + 0.0  # no -0.0
        lines.append(f"  {name}: {{low: {low!r}, high: {high!r}, format: {found.number_format}}}")
    return "".join(f"{line}\n" for line in lines)


def write_calibration(path: Path, calibration: Calibration, made_by: str) -> None:
    """Write the file, whole or not at all.

    OutputError if something else stands there, or it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.partial-{os.getpid()}")
    try:
        refuse_foreign(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.write_text(calibration_text(calibration, made_by), encoding="utf-8")
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def refuse_foreign(path: Path) -> None:
    """Raise OutputError if something stands at `path` that is not a calibration file."""
    try:
        exists, is_file = path.exists() or path.is_symlink(), path.is_file() and not path.is_symlink()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be written: {getattr(error, 'strerror', None) or error}") from error
    if not path.name or (exists and not is_file):
        raise OutputError(f"{path}: is not a file; choose another --out")
    if exists:
        try:
            read_calibration(path)
        except WorkloadError as error:
            raise OutputError(f"{path}: exists and is not a calibration file; choose another --out") from error
