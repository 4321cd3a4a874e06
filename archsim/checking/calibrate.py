"""Finds the ranges that integer formats take their scales from: in the golden model's run, or in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from archsim.checking.reference import golden_traces
from archsim.errors import Fault, WorkloadError
from archsim.formats import Formats, Scaled
from archsim.formats.scaling import covered
from archsim.golden.stack import merged
from archsim.golden.trajectory import DirectionTrace, Traces
from archsim.workload import CellKind, CellSpec, CellTensors, NetworkSpec, NetworkTensors, Workload
from archsim.workload.calibration import LARGEST, LSTM_GATES, Calibration, Range, merged_layers, range_kinds
from archsim.workload.calibration_source import calibration_input, saved_calibration
from archsim.workload.network import suffixes

Float64 = npt.NDArray[np.float64]

MAX_TRACE_BYTES = 1 << 32
"""Most bytes of a golden model's trace that is observed (4 GiB)."""

_TRACED_NUMBERS = 16
"""Float64 numbers that a trace holds for each hidden unit, time step and sequence, at most."""


def calibrate(
    workload: Workload, tensors: NetworkTensors, formats: Formats, traces: Traces | None = None
) -> Calibration:
    """The ranges of all tensors of a workload: from the file that it names, else observed.

    `traces`: golden_traces of the tensors, if they are there already; they are not needed where the workload names a
    file or an input for calibration. WorkloadError for a file that does not serve (saved_calibration), an unusable
    input, or numbers in the golden model that no range can hold.
    """
    saved = saved_calibration(workload, formats)
    return saved or choose(workload, formats, observe(workload, tensors, traces))


class Observed:
    """The values that the golden model passed through on an input, by the names of `range_kinds`.

    h and c count with the initial states that the workload's own run starts from. Steps beyond a sequence's end do not
    count. What a coupled LSTM makes of its input gate, f = 1 - i, does not either: no activation gives it.
    """

    def __init__(self, spec: NetworkSpec, x: Float64, traces: Traces, starts: tuple[CellTensors, ...]) -> None:
        """Take x (T, B, I) and the traces of a run of `spec`; `starts` have the initial states to count."""
        self.size = (spec.steps, spec.batch)
        """Time steps and sequences of the input."""
        self._valid = None if spec.lengths is None else np.arange(spec.steps)[:, None] < np.array(spec.lengths)
        self._sequences: dict[str, list[Float64]] = {"x": [x]}
        self._states: dict[str, list[npt.NDArray[np.float32]]] = {}
        cells = iter(zip(spec.cells, starts, suffixes(spec), strict=True))
        for number in merged_layers(spec):
            outputs = [trace.output for trace in traces[number]]
            self._sequences[f"y_l{number}"] = [merged(outputs, spec.merge_mode(number))]
        for number, layer in enumerate(traces):
            for trace in layer:
                cell, start, suffix = next(cells)
                self._sequences.setdefault(f"h_l{number}", []).append(trace.h)
                self._states.setdefault(f"h_l{number}", []).append(start.h_0)
                self._sequences |= {f"{name}{suffix}": parts for name, parts in _cell(cell, trace)}
                if start.c_0 is not None:
                    self._states[f"c{suffix}"] = [start.c_0]

    def samples(self, name: str) -> Float64:
        """All numbers (n) that a tensor took."""
        valid = self._valid
        found = [part.ravel() if valid is None else part[valid].ravel() for part in self._sequences[name]]
        return np.concatenate([*found, *(state.ravel() for state in self._states.get(name, ()))], dtype=np.float64)


def _cell(cell: CellSpec, trace: DirectionTrace) -> Iterator[tuple[str, list[Float64]]]:
    """The tensors of a cell by their names without the suffix, each as a list of arrays (T, B, ...)."""
    if trace.c is not None:
        yield "c", [trace.c]
    if trace.vector is not None:
        yield "vector", [trace.vector]
    # The sums of a projection are on their way into h, but they leave the array as all sums do.
    yield "gate", [*trace.pre.values(), *([trace.h] if cell.proj_size else [])]
    if cell.layer_norm:
        for gate in LSTM_GATES:
            yield f"sums_{gate}", [trace.sums[name] for name in (gate, f"{gate}_sum") if name in trace.sums]
    activated = [gate for name, gate in trace.gates.items() if not (cell.input_forget and name == "f")]
    yield "activation", activated + ([] if trace.tanh_c is None else [trace.tanh_c])


def observe(workload: Workload, tensors: NetworkTensors, traces: Traces | None = None) -> Observed:
    """Run the golden model on the workload's calibration input, or on its own; `traces` as for calibrate.

    Another input than its own starts from the workload's initial states if it has as many sequences, else from zero.
    """
    spec = workload.spec
    x = calibration_input(workload)
    run = tensors
    if x is not None:
        spec = replace(spec, steps=x.shape[0], batch=x.shape[1], lengths=None)
        cells = tuple(_started(numbers, spec.batch) for numbers in tensors.cells)
        run, traces = replace(tensors, cells=cells, x=x, expected=None, task=None), None
    if traces is None:
        _refuse_long(workload, spec)
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is found in the ranges
            traces = golden_traces(run, spec)
    return Observed(spec, np.asarray(run.x, np.float64), traces, tensors.cells)


def choose(workload: Workload, formats: Formats, observed: Observed) -> Calibration:
    """Choose ranges by the workload's method for its formats; a format without a scale gets the numbers' extent."""
    section, spec = workload.config.calibration, workload.spec
    least = {
        f"activation{suffix}": 1.0 for suffix, cell in zip(suffixes(spec), spec.cells, strict=True) if _has_one(cell)
    }
    ranges = {}
    for name, kind in range_kinds(spec).items():
        number_format = formats.format(kind)
        samples = observed.samples(name)
        largest = float(np.max(np.abs(samples)))
        if not largest <= LARGEST:
            message = f"{name} reaches {largest:g} in the golden model, which no range can hold"
            raise WorkloadError((Fault(workload.source, "", message),))
        if isinstance(number_format, Scaled):
            ends = covered(samples[np.newaxis], number_format, section.method, section.percentile)
            low, high = (float(end[0]) for end in ends)
        else:
            low, high = min(float(samples.min()), 0.0), max(float(samples.max()), 0.0)
            low, high = (low, high) if low < high else (-1.0, 1.0)
        ranges[name] = Range(low, max(high, least.get(name, 0.0)), number_format.name)
    return Calibration(section.method, section.percentile, section.weight_method, ranges)


def _has_one(cell: CellSpec) -> bool:
    """Whether the element-wise unit subtracts a gate from 1, which the activation's format must then hold."""
    return cell.kind is CellKind.GRU or cell.input_forget


def _started(numbers: CellTensors, batch: int) -> CellTensors:
    """The network's tensors with initial states for that many sequences."""
    if len(numbers.h_0) == batch:
        return numbers
    c_0 = None if numbers.c_0 is None else np.zeros((batch, numbers.c_0.shape[1]), np.float32)
    return replace(numbers, h_0=np.zeros((batch, numbers.h_0.shape[1]), np.float32), c_0=c_0)


def _refuse_long(workload: Workload, spec: NetworkSpec) -> None:
    units = sum(cell.hidden_size for cell in spec.cells)
    need = 8 * spec.steps * spec.batch * (spec.input_size + _TRACED_NUMBERS * units)
    if need > MAX_TRACE_BYTES:
        message = (
            f"calibration would keep {need / 2**30:.1f} GiB of what the golden model passes through in {spec.steps:,} "
            f"steps of {spec.batch:,} sequences, more than {MAX_TRACE_BYTES / 2**30:g} GiB; give it a shorter input of "
            "its own, as calibration: {input: {seed: 0, steps: 100}}"
        )
        raise WorkloadError((Fault(workload.source, "calibration", message),))
