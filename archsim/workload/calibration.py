"""Reads and writes ranges of a network's data, from which integer formats with a scale are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import frexp
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from archsim.config import StrictModel, load_document, validate
from archsim.config.files.whole_files import write_whole
from archsim.config.text import one_line
from archsim.errors import OutputError, WorkloadError
from archsim.formats import Formats, Scaled, parse_format
from archsim.formats.config import NORMALIZED_SUMS, FormatName
from archsim.formats.scaling import Method
from archsim.workload.config import Percentile
from archsim.workload.network import CellKind, MergeMode, NetworkSpec, suffixes

SMALLEST_SCALE, LARGEST_SCALE = 1e-30, 1e30
"""Bounds of a scale that a file gives."""

LARGEST = 1e300
"""Largest magnitude of a range, so that no scale leaves float64's."""
LSTM_GATES = "ifgo"
"""The gates of an LSTM in torch's order."""
_NAME = re.compile(r"x|[hy]_l[0-9]{1,6}|(c|vector|gate|activation|sums_[ifgo])_l[0-9]{1,6}(_reverse)?")


@dataclass(frozen=True, slots=True)
class Range:
    """The range low <= 0 .. high >= 0 that a tensor's format shall cover, and the format it was chosen for.

    `scale` and `zero` are given where the format's codes are fixed already, as a quantized model's; then they count.
    """

    low: float
    high: float
    number_format: str
    scale: float | None = None
    zero: int = 0


@dataclass(frozen=True, slots=True)
class Calibration:
    """The range of each tensor, by the names of `range_kinds`, and the methods; percentile (50 .. 100) of both."""

    method: Method
    percentile: float
    weight_method: Method
    ranges: Mapping[str, Range]


def range_kinds(spec: NetworkSpec) -> dict[str, str]:
    """The kind of data (formats.KINDS) of each tensor of a network that has a range of its own.

    x; for each layer h_l0, h_l1, ... (its directions share it), and y_l0, ... what they are merged to; for each cell,
    with torch's suffix (_l0, _l0_reverse, ...): c of an LSTM; vector, what goes through a matrix inside a step:
    o * tanh(c) before a projection, r * h_(t-1) of a GRU that resets before the product; gate, the sums that the
    activation unit sees; activation, the gates and tanh(c), of which an RNN and a linear layer have none; sums_i, ...
    of an LSTM with layer normalization, those of each gate before it.
    """
    found = {"x": "input"} | {f"h_l{number}": "hidden" for number in range(len(spec.layers))}
    found |= {f"y_l{number}": "hidden" for number in merged_layers(spec)}
    for cell, suffix in zip(spec.cells, suffixes(spec), strict=True):
        if cell.kind is CellKind.LSTM:
            found[f"c{suffix}"] = "cell"
        if cell.proj_size or (cell.kind is CellKind.GRU and not cell.linear_before_reset):
            found[f"vector{suffix}"] = "hidden"
        if cell.layer_norm:
            found |= {f"sums_{gate}{suffix}": NORMALIZED_SUMS for gate in LSTM_GATES}
        found[f"gate{suffix}"] = "gate"
        if cell.kind.has_gates:
            found[f"activation{suffix}"] = "activation"
    return found


def merged_layers(spec: NetworkSpec) -> tuple[int, ...]:
    """The numbers of the layers whose directions become one by arithmetic."""
    return tuple(n for n in range(len(spec.layers)) if spec.merge_mode(n) is not MergeMode.CONCAT)


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

    low: Annotated[float, Field(ge=-LARGEST, le=0)] | None = Field(default=None, description="smallest number to cover")
    high: Annotated[float, Field(ge=0, le=LARGEST)] | None = Field(default=None, description="largest number to cover")
    scale: Annotated[float, Field(ge=SMALLEST_SCALE, le=LARGEST_SCALE)] | None = Field(
        default=None, description="what a code stands for, instead of low and high"
    )
    zero: Annotated[int, Field(ge=-(2**15), le=2**15)] = Field(default=0, description="zero point beside a scale")
    format: FormatName = Field(description="number format that the range was chosen for")

    @model_validator(mode="after")
    def _not_empty(self) -> _RangeEntry:
        if (self.scale is None) == (self.low is None and self.high is None):
            raise ValueError("expected either low and high, or scale (and zero)")
        if self.scale is not None:
            self._check_scale()
        elif self.low is None or self.high is None or self.low == self.high:
            raise ValueError("low and high are both 0, or one is missing: a range needs numbers other than 0")
        return self

    def _check_scale(self) -> None:
        """ValueError if the format cannot have the scale and the zero point."""
        found = parse_format(self.format)
        if not isinstance(found, Scaled):
            raise ValueError(f"{found} has no scale to be given")
        if not found.lowest <= self.zero <= found.highest or (self.zero and not found.asymmetric):
            raise ValueError(f"{found} cannot have the zero point {self.zero}")
        if found.power_of_two and frexp(self.scale or 1.0)[0] != 0.5:
            raise ValueError(f"{found} has a power of two as scale, which {self.scale} is not")

    def range(self) -> Range:
        """The range in archsim's terms."""
        if self.scale is None:
            return Range(self.low or 0.0, self.high or 0.0, self.format)
        found = parse_format(self.format)
        assert isinstance(found, Scaled)
        low, high = ((end - self.zero) * self.scale for end in (found.lowest, found.highest))
        return Range(low, high, self.format, self.scale, self.zero)


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
                f"no tensor has the name {', '.join(unknown[:6])}; there are x, h_l0, y_l0, and c_l0, vector_l0, "
                "gate_l0, sums_i_l0, activation_l0, with _reverse for the second direction, and so on for l1, ..."
            )
        return ranges


def read_calibration(path: Path) -> Calibration:
    """Read a calibration file; WorkloadError with all its faults."""
    found = validate(_CalibrationFile, load_document(path, WorkloadError), (), WorkloadError)
    ranges = {name: entry.range() for name, entry in found.ranges.items()}
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
        if found.scale is not None:
            ends = f"scale: {float(found.scale)!r}, zero: {found.zero}"
            lines.append(f"  {name}: {{{ends}, format: {found.number_format}}}")
            continue
        lines.append(f"  {name}: {{low: {low!r}, high: {high!r}, format: {found.number_format}}}")
    return "".join(f"{line}\n" for line in lines)


def write_calibration(path: Path, calibration: Calibration, made_by: str) -> None:
    """Write the file, whole or not at all.

    OutputError if something else stands there, or it cannot be written.
    """
    try:
        refuse_foreign(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, calibration_text(calibration, made_by).encode())
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
