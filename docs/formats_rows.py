"""The rows of docs/formats.md: number formats, each as a machine; and the figures of a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from formats_models import Float64, Head, Model

from archsim.api import Simulation, simulate
from archsim.api.accuracy import compare_tensor
from archsim.api.calibrate import Observed, observe
from archsim.api.task import task_figures
from archsim.arch import load_arch
from archsim.config import parse_override
from archsim.workload import Workload, load_tensors, load_workload
from archsim.workload.calibration import range_kinds

ARCH, Q4_12_TABLES = "edge_64x64", "edge_64x64_q4_12"
ROOM = ("input_buffer.capacity_bytes=32KiB", "state_buffer.capacity_bytes=64KiB")
"""More than the presets have, so that every row runs on one machine."""

FLOATS = {
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "bfp8": "{all: float16, weight: bfp8, input: bfp8, hidden: bfp8, accumulator: float32}",
}
GRANULARITIES = ("tensor", "gate", "row")
CALIBRATIONS = ("max", "percentile", "mse")
INTEGER_BITS = (4, 5, 6, 8, 10, 12, 16)
FIXED_BITS = (8, 10, 12, 16, 20, 24, 32)
METHODS = {
    "exact": "{method: exact}",
    **{
        f"table, {entries} entries, {use}": f"{{method: table, table: {{entries: {entries}, interpolation: {use}}}}}"
        for entries in (64, 256)
        for use in ("nearest", "linear")
    },
    **{
        f"piecewise linear, {segments} segments": f"{{method: piecewise_linear, piecewise_linear: {{segments: {segments}}}}}"
        for segments in (8, 16, 32)
    },
    "hard": "{method: hard}",
}


@dataclass(frozen=True)
class Row:
    """A machine: its name in the table, overrides of the preset and of the workload, bits of a weight (None: no plot).

    `exact`: all arithmetic is on integers, so that every computer gives the same numbers.
    """

    group: str
    name: str
    overrides: tuple[str, ...]
    workload: tuple[str, ...] = ()
    arch: str = ARCH
    exact: bool = True


@dataclass(frozen=True)
class Cell:
    """A figure as it is printed, and how far it may be from what was printed, beyond rounding."""

    text: str
    value: float | None = None
    slack: float = 0.0


def rows(model: Model) -> tuple[Row, ...]:
    """All rows of a model's table, in order."""
    return tuple(_rows(integer_bits(model)))


def _rows(integer_bits: int) -> Iterator[Row]:
    for name, formats in FLOATS.items():
        yield Row("floating point", name, (f"formats={formats}",), exact=False)
    for bits in INTEGER_BITS:
        yield Row("integers with scales", f"int{bits}", (f"formats={integers(bits)}",))
    for granularity in GRANULARITIES:
        for method in CALIBRATIONS:
            formats = f"{{all: tflite_int8, weight: int8/{granularity}/gemmlowp}}"
            chosen = (f"calibration.method={method}", f"calibration.weight_method={method}")
            yield Row("tflite_int8", f"{granularity}, {method}", (f"formats={formats}",), chosen)
    for bits in FIXED_BITS:
        name = f"q{integer_bits}.{bits - integer_bits}"
        yield Row("fixed point", name, (f"formats={name}",))
    yield Row("fixed point", "q4.12", ("formats=q4.12",))
    yield Row("fixed point", "q4.12, tables", (), arch=Q4_12_TABLES)
    for name, section in METHODS.items():
        overrides = (f"formats={integers(16, f'q{integer_bits}.{16 - integer_bits}')}",)
        yield Row("activation", name, (*overrides, *method_overrides(section)))


def integers(bits: int, gate: str = "q4.12/gemmlowp") -> str:
    """tflite_int8 with that many bits in weight, x and h, and accumulators that hold the products."""
    return (
        f"{{all: tflite_int8, weight: int{bits}/gate/gemmlowp, input: int{bits}/asymmetric/gemmlowp, "
        f"hidden: int{bits}/asymmetric/gemmlowp, accumulator: int{2 * bits + 16}/gemmlowp, gate: {gate}}}"
    )
