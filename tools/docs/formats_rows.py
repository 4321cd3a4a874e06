"""The rows of docs/formats.md: number formats, each as a machine, and what a model's run on it shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import numpy.typing as npt

from archsim.api import Simulation, simulate
from archsim.checking.calibrate import observe
from archsim.checking.format_error import compare_tensor
from archsim.checking.task import task_figures
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_tensors, load_workload
from archsim.workload.calibration import range_kinds
from tools.docs.formats_models import Head, Model

ARCH, ARCH_Q4_12 = "edge_64x64", "edge_64x64_q4_12"
ROOM = ("input_buffer.capacity_bytes=32KiB", "state_buffer.capacity_bytes=64KiB")
"""More than the presets have: what the widest row of the largest model needs."""

WEIGHT_MEMORIES = ("weight_sram", "bias_buffer")

FLOATS = {
    "float32": "float32",
    "bfloat16": "bfloat16",
    "float16": "float16",
    "bfp8": "{all: float16, weight: bfp8, input: bfp8, hidden: bfp8, accumulator: float32}",
}
INTEGER_BITS = (4, 5, 6, 8, 10, 12, 16)
GRANULARITIES = ("tensor", "gate", "row")
CALIBRATIONS = ("max", "percentile", "mse")
WIDER = {
    "weight": "weight: int16/row/gemmlowp",
    "x": "input: int16/asymmetric/gemmlowp",
    "h": "hidden: int16/asymmetric/gemmlowp",
    "x and h": "input: int16/asymmetric/gemmlowp, hidden: int16/asymmetric/gemmlowp",
}
"""Kinds with 16 bits instead of 8."""
FIXED_BITS = (8, 10, 12, 16, 20, 24, 32)
TABLES = ((64, "nearest"), (64, "linear"), (256, "nearest"), (256, "linear"), (512, "linear"))
"""Entries and how they are used; the last is the preset's own."""
SEGMENTS = (8, 16, 32)

FLOAT, INTEGER, CALIBRATION, WIDENED, SMALL_ACTIVATION, FIXED, ACTIVATION = (
    "floating point",
    "intN",
    "tflite_int8: scales of weights, calibration",
    "tflite_int8: row, max; 16 bits for",
    "tflite_int8: activation",
    "qM.N for all",
    "activation, all others int16",
)


@dataclass(frozen=True)
class Row:
    """A machine, as overrides of a preset and of the workload, by group and name in the table."""

    group: str
    name: str
    overrides: tuple[str, ...]
    workload: tuple[str, ...] = ()
    arch: str = ARCH


@dataclass(frozen=True)
class Cell:
    """A figure as it is printed; `slack` is how far from that it may be, beyond rounding, on another computer."""

    text: str
    value: float | None = None
    slack: float = 0.0

    def agrees(self, printed: str) -> bool:
        """Whether what was printed is this figure."""
        if self.value is None or printed == self.text:
            return printed == self.text
        try:
            found = Decimal(printed.replace(",", ""))
        except ArithmeticError:
            return False
        place = Decimal(1).scaleb(int(found.as_tuple().exponent))
        return abs(float(found) - self.value) <= float(place) / 2 + self.slack


@dataclass(frozen=True)
class Result:
    """The cells of a row by column, (kind, overflowed, values) of its run, and what the integer reference says."""

    cells: dict[str, Cell]
    overflows: tuple[tuple[str, int, int], ...]
    passed: bool | None


def rows(model: Model) -> tuple[Row, ...]:
    """All rows of a model's table, in order."""
    found = largest(model)
    return tuple(_rows(max(map(_integer_bits, found.values())), _integer_bits(found["gate sums"])))


def largest(model: Model) -> dict[str, float]:
    """The largest magnitudes of what a machine stores or adds up, in the golden model; and the median one of x."""
    workload = load_workload(model.workload)
    tensors = load_tensors(workload)
    observed = observe(workload, tensors)
    found = {"weight": 0.0, "bias": 0.0, "x": 0.0, "median of x": 0.0, "h": 0.0, "gate sums": 0.0, "c": 0.0}

    def see(name: str, values: npt.NDArray[np.floating]) -> None:
        found[name] = max(found[name], float(np.abs(values).max()))

    for cell in tensors.cells:
        assert cell.bias_ih is not None
        assert cell.bias_hh is not None
        assert cell.weight_hh is not None
        see("weight", cell.weight_ih)
        see("weight", cell.weight_hh)
        see("bias", cell.bias_ih + cell.bias_hh)
    see("median of x", np.median(np.abs(tensors.x)))
    names = {"gate": "gate sums", "x": "x", "h": "h", "c": "c"}
    for name in range_kinds(workload.spec):
        kind = name.partition("_")[0]
        if kind in names:
            see(names[kind], observed.samples(name))
    return found


def largest_cells(model: Model) -> dict[str, Cell]:
    """The same to be printed, and the integer bits for them."""
    found = largest(model)
    cells = {name: Cell(significant(value, 3), value, 1e-6) for name, value in found.items()}
    bits = {"M for all": max(map(_integer_bits, found.values())), "M for gate sums": _integer_bits(found["gate sums"])}
    return cells | {name: Cell(str(value)) for name, value in bits.items()}


def _integer_bits(magnitude: float) -> int:
    """The least M with which qM.N holds numbers of either sign up to that."""
    bits = 1
    while magnitude >= 2.0 ** (bits - 1):
        bits += 1
    return bits


def _rows(most: int, of_gates: int) -> Iterator[Row]:
    for name, formats in FLOATS.items():
        yield Row(FLOAT, name, (f"formats={formats}", "activation.method=polynomial"))
    for bits in INTEGER_BITS:
        yield Row(INTEGER, f"int{bits}", (f"formats={{{integers(bits)}}}",))
    for granularity in GRANULARITIES:
        for method in CALIBRATIONS:
            formats = f"{{all: tflite_int8, weight: int8/{granularity}/gemmlowp}}"
            calibration = (f"calibration.method={method}", f"calibration.weight_method={method}")
            yield Row(CALIBRATION, f"{granularity}, {method}", (f"formats={formats}",), calibration)
    for name, wider in {**WIDER, "gate sums, M fits": f"gate: q{of_gates}.{16 - of_gates}"}.items():
        weight = "" if name == "weight" else "weight: int8/row/gemmlowp, "
        formats = f"all: tflite_int8, {weight}accumulator: int40/gemmlowp, {wider}"
        yield Row(WIDENED, name, (f"formats={{{formats}}}",))
    for name, overrides in _methods():
        yield Row(SMALL_ACTIVATION, name, overrides)
    exact = "activation.method=exact"  # else a table's error hides what the wider formats cost
    for bits in FIXED_BITS:
        yield Row(FIXED, f"q{most}.{bits - most}", (f"formats=q{most}.{bits - most}", exact))
    yield Row(FIXED, "q4.12", ("formats=q4.12", exact))
    yield Row(FIXED, "q4.12, tables", (), arch=ARCH_Q4_12)
    for name, overrides in _methods():
        yield Row(ACTIVATION, name, (f"formats={{{integers(16)}, gate: q{of_gates}.{16 - of_gates}}}", *overrides))


def integers(bits: int) -> str:
    """tflite_int8 with that many bits in weight, x and h, and accumulators wide enough for their products."""
    vectors = f"input: int{bits}/asymmetric/gemmlowp, hidden: int{bits}/asymmetric/gemmlowp"
    return f"all: tflite_int8, weight: int{bits}/gate/gemmlowp, {vectors}, accumulator: int{2 * bits + 16}/gemmlowp"


def _methods() -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "exact", ("activation.method=exact",)
    for entries, use in TABLES:
        table = f"activation.table={{entries: {entries}, interpolation: {use}}}"
        yield f"table {entries}, {use}", ("activation.method=table", table)
    for segments in SEGMENTS:
        lines = f"activation.piecewise_linear={{segments: {segments}}}"
        yield f"{segments} segments", ("activation.method=piecewise_linear", lines)
    yield "hard", ("activation.method=hard",)


def result(model: Model, row: Row) -> Result:
    """Simulate the model on the machine of a row."""
    arch = load_arch(row.arch, [parse_override(text) for text in (*ROOM, *row.overrides)])
    workload = load_workload(model.workload, [parse_override(text) for text in row.workload])
    simulation = simulate(arch, workload)
    assert simulation.numbers is not None
    exact = simulation.numbers.formats.exact
    accuracy = simulation.accuracy
    overflows = () if accuracy is None else tuple((o.kind, o.overflowed, o.values) for o in accuracy.overflows)
    figures = Figures(exact, simulation.numbers.formats.float32)
    weights = sum(buffer.size_bytes for buffer in simulation.program.buffers if buffer.memory in WEIGHT_MEMORIES)
    cells = {
        **_errors(simulation, figures),
        **_task(simulation, model.head, figures),
        "saturated": _saturated(overflows),
        "cycles/step": _cycles(simulation.stats.cycles_per_step),
        "weight bytes": Cell(f"{weights:,}"),
    }
    return Result(cells, overflows, simulation.validation.passed)


NONE = Cell("-")


@dataclass(frozen=True)
class Figures:
    """How figures are printed: with more digits where all arithmetic is on integers.

    What is left to differ there is the golden model's last bits. Floating-point accumulators add in the order of the
    linear algebra library, which turns a rounding here and there; of float32 alone that order is all of the noise.
    """

    exact: bool
    float32: bool

    def decibels(self, value: float | None) -> Cell:
        """A ratio in dB."""
        if value is None:
            return NONE
        text = f"{value:.{1 if self.exact else 0}f}"
        slack = 1e-3 if self.exact else 6.0 if self.float32 else 1.0
        return Cell(text.removeprefix("-") if float(text) == 0 else text, value, slack)

    def error(self, value: float) -> Cell:
        """A largest difference."""
        digits, part = (2, 1e-3) if self.exact else (1, 3.0 if self.float32 else 0.5)
        return Cell(significant(value, digits), value, part * abs(value))

    def count(self, value: int) -> Cell:
        """How many decisions change."""
        return Cell(str(value), value, 0 if self.exact else 1)


def significant(value: float, digits: int) -> str:
    """So many digits, without an exponent from 0.0001 on."""
    if value == 0:
        return "0"
    rounded = Decimal(f"{value:.{digits - 1}e}")
    return f"{rounded:f}" if abs(rounded) >= Decimal("0.0001") else f"{value:.{digits - 1}e}"


def _errors(simulation: Simulation, figures: Figures) -> dict[str, Cell]:
    """Of the output, and of the cell whose c is worst."""
    numbers, computed, accuracy = simulation.numbers, simulation.results, simulation.accuracy
    assert numbers is not None
    assert computed is not None
    everywhere = np.ones(computed.output.shape[:2], np.bool_)
    output = compare_tensor("output", computed.output, numbers.golden.output, everywhere)
    cells = () if accuracy is None else (t.sqnr_db for t in accuracy.tensors if t.name.split()[0] == "c")
    return {
        "SQNR of output, dB": figures.decibels(output.sqnr_db),
        "SQNR of c, dB": figures.decibels(min((value for value in cells if value is not None), default=None)),
        "max error of output": figures.error(output.max_abs_error),
    }


def _task(simulation: Simulation, head: Head | None, figures: Figures) -> dict[str, Cell]:
    numbers, computed = simulation.numbers, simulation.results
    assert numbers is not None
    assert computed is not None
    both = computed.output, numbers.golden.output
    if head is None:
        task = task_figures(numbers.spec, numbers.tensors, *both)
        assert task is not None
        return {
            f"frames of {task.frames} that change side": figures.count(task.changed_side),
            "max difference of the probability": figures.error(task.max_abs_difference),
        }
    machine, golden = (output @ head.weight.T + head.bias for output in both)
    if head.letters:
        changed = (machine.argmax(axis=2) != golden.argmax(axis=2)).T
        count = sum(int(word[:length].sum()) for word, length in zip(changed, head.letters, strict=True))
        return {f"letters of {sum(head.letters)} with another tag": figures.count(count)}
    one, other = (embedding / np.linalg.norm(embedding) for embedding in np.maximum([machine[-1, 0], golden[-1, 0]], 0))
    angle = 2 * np.degrees(np.arcsin(min(float(np.linalg.norm(one - other)) / 2, 1.0)))
    return {"angle of the embedding, degrees": figures.error(float(angle))}


def _saturated(overflows: tuple[tuple[str, int, int], ...]) -> Cell:
    """The largest share of values beyond the range, without the activations, of which only 1 itself can be."""
    shares = {kind: Decimal(100 * beyond) / values for kind, beyond, values in overflows if kind != "activation"}
    if not shares:
        return NONE
    worst = max(shares, key=lambda kind: shares[kind])
    if not shares[worst]:
        return Cell("0")
    return Cell(f"{worst} {significant(float(shares[worst]), 2)} %")


def _cycles(value: float) -> Cell:
    return Cell(f"{value:,.0f}" if value == int(value) else f"{value:,.1f}")
