"""Loads the numbers of a workload: weights, input and initial state, float32 in torch's layout."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from archsim.errors import Fault, WorkloadError
from archsim.workload.coded import CodedTensor, Weights, read_weights
from archsim.workload.config import InputSource, Source
from archsim.workload.expected import Expected, load_expected
from archsim.workload.files import read_tensors, tensor_names
from archsim.workload.layout import Layout
from archsim.workload.network import CellKind, CellSpec, NetworkSpec, same_sizes, suffixes
from archsim.workload.sequences import read_sequence
from archsim.workload.spec import Workload
from archsim.workload.task import TaskTensors, load_task

Float32Array = npt.NDArray[np.float32]
Shape = tuple[int, ...]

MAX_TENSOR_BYTES = 1 << 33
"""Most bytes of numbers that a run holds (8 GiB); larger workloads can still be timed without arithmetic."""


@dataclass(frozen=True, slots=True)
class CellTensors:
    """The numbers of one cell (a direction of a layer), float32, rows in torch's gate order (i, f, g, o; r, z, n).

    G gates, I inputs, H hidden units, P = H or the projection's size: weight_ih (G H, I), weight_hh (G H, P; None of a
    linear layer), bias_ih and bias_hh (G H) or None, weight_hr (P, H) or None, peephole (3 H; of i, f and o) or None,
    layer_norm (4 H; of i, f, g and o) or None, h_0 (B, P), c_0 (B, H) of an LSTM.
    """

    weight_ih: Float32Array
    weight_hh: Float32Array | None
    bias_ih: Float32Array | None
    bias_hh: Float32Array | None
    weight_hr: Float32Array | None
    peephole: Float32Array | None
    h_0: Float32Array
    c_0: Float32Array | None
    layer_norm: Float32Array | None = None
    coded: Mapping[str, CodedTensor] = field(default_factory=dict)
    """By the names above, without bias_hh: the codes of tensors that the file holds as integers."""


@dataclass(frozen=True, slots=True)
class NetworkTensors:
    """The numbers of a network: a CellTensors for each of NetworkSpec.cells, x (T, B, I), any witness.

    `task`: what the outputs are used for, if the workload says so. `steps_in_file`: the time steps of the input's
    file, of which x may be the first; None if x is drawn.
    """

    cells: tuple[CellTensors, ...]
    x: Float32Array
    expected: Expected | None
    task: TaskTensors | None = None
    steps_in_file: int | None = None


def weight_shapes(spec: CellSpec) -> dict[str, Shape]:
    """The names (without layer and direction) and shapes of a cell's weights, as in torch; the last two are ours."""
    shapes: dict[str, Shape] = {"weight_ih": (spec.rows, spec.input_size)}
    if spec.kind.recurrent:
        shapes["weight_hh"] = (spec.rows, spec.output_size)
    if spec.bias:
        shapes["bias_ih"] = (spec.rows,)
    if spec.bias and spec.kind.recurrent:
        shapes["bias_hh"] = (spec.rows,)
    if spec.proj_size:
        shapes["weight_hr"] = (spec.proj_size, spec.hidden_size)
    if spec.peepholes:
        shapes["peephole"] = (3 * spec.hidden_size,)
    if spec.layer_norm:
        shapes["layer_norm"] = (spec.rows,)
    return shapes


def load_tensors(workload: Workload) -> NetworkTensors:
    """Draw or read all numbers; WorkloadError for a missing tensor, a wrong shape, or a number that is not finite."""
    spec, config = workload.spec, workload.config
    _refuse_huge(workload, spec)
    layout = Layout(config.batch_first, config.batched)
    weights = list(_weights(workload, config.weights, spec))
    reals = [found.real for found in weights]
    states = _states(workload, spec, layout)
    cells = tuple(
        CellTensors(
            weight_ih=w["weight_ih"],
            weight_hh=w.get("weight_hh"),
            bias_ih=w.get("bias_ih"),
            bias_hh=_second_bias(w),
            weight_hr=w.get("weight_hr"),
            peephole=w.get("peephole"),
            layer_norm=w.get("layer_norm"),
            h_0=h_0,
            c_0=c_0,
            coded=found.coded,
        )
        for w, found, (h_0, c_0) in zip(reals, weights, states, strict=True)
    )
    x, steps_in_file = load_input(workload, config.input, spec.steps, spec.batch)
    return NetworkTensors(
        cells=cells,
        x=x,
        expected=load_expected(workload, spec, layout, steps_in_file),
        task=load_task(workload, spec, layout),
        steps_in_file=steps_in_file,
    )


def _second_bias(weights: Mapping[str, Float32Array]) -> Float32Array | None:
    """The bias b_hh: 0 where there is one bias alone, as of a linear layer."""
    if "bias_ih" in weights and "bias_hh" not in weights:
        return np.zeros_like(weights["bias_ih"])
    return weights.get("bias_hh")


def load_input(workload: Workload, source: InputSource, steps: int, batch: int) -> tuple[Float32Array, int | None]:
    """Draw or read x (T, B, I), and how many steps its file has, if it is read; WorkloadError as load_tensors."""
    spec, config = workload.spec, workload.config
    if source.file is None:
        random = np.random.default_rng(source.seed)
        return _uniform(random, (steps, batch, spec.input_size), spec.cells[0]), None
    layout = Layout(config.batch_first, config.batched)
    read = read_sequence(workload.folder / source.file, source.tensor, layout, steps, batch, spec.input_size)
    return read.values, read.steps_in_file


def _weights(workload: Workload, source: Source, spec: NetworkSpec) -> Iterator[Weights]:
    if source.file is None:
        random = np.random.default_rng(source.seed)
        for cell in spec.cells:
            drawn = {name: _uniform(random, shape, cell) for name, shape in weight_shapes(cell).items()}
            if "layer_norm" in drawn:  # near 1, as it is before training
                drawn["layer_norm"] = np.float32(1) + drawn["layer_norm"]
            yield Weights(drawn)
        return
    path = workload.folder / source.file
    names = tensor_names(path)
    for cell, suffix in zip(spec.cells, suffixes(spec), strict=True):
        shapes = weight_shapes(cell)
        joined = f"weight{suffix}" in names and f"weight_ih{suffix}" not in names
        if joined:  # the textbook form: one matrix over [x, h]
            shapes |= {"weight": (cell.rows, cell.input_size + cell.recurrent_size)}
            for name in ("weight_ih", "weight_hh"):
                shapes.pop(name, None)
        if cell.bias and f"bias{suffix}" in names and f"bias_ih{suffix}" not in names:
            shapes |= {"bias": (cell.rows,)}
            for name in ("bias_ih", "bias_hh"):
                shapes.pop(name, None)
        read = read_weights(path, {f"{name}{suffix}": shape for name, shape in shapes.items()}, cell.kind.gates)
        plain = {f"{name}{suffix}": name for name in shapes}
        real = {plain[name]: array for name, array in read.real.items()}
        yield _separate(real, {plain[name]: found for name, found in read.coded.items()}, cell)


def _separate(read: dict[str, Float32Array], coded: dict[str, CodedTensor], cell: CellSpec) -> Weights:
    """Split one matrix over [x, h], and one bias, into torch's two; an integer bias counts as the input's."""
    if "weight" in read:
        whole = read.pop("weight")
        read["weight_ih"] = np.ascontiguousarray(whole[:, : cell.input_size])
        if cell.kind.recurrent:
            read["weight_hh"] = np.ascontiguousarray(whole[:, cell.input_size :])
    if "weight" in coded:
        codes = coded.pop("weight")
        coded["weight_ih"] = CodedTensor(codes.codes[:, : cell.input_size], codes.scales)
        if cell.kind.recurrent:
            coded["weight_hh"] = CodedTensor(codes.codes[:, cell.input_size :], codes.scales)
    if "bias" in read:
        read["bias_ih"] = read.pop("bias")
        read["bias_hh"] = np.zeros_like(read["bias_ih"])
    if "bias" in coded:
        coded["bias_ih"] = coded.pop("bias")
    return Weights(read, coded)


def _states(workload: Workload, spec: NetworkSpec, layout: Layout) -> list[tuple[Float32Array, Float32Array | None]]:
    source = workload.config.initial_state
    if source is None:
        return [
            (
                np.zeros((spec.batch, cell.output_size), np.float32),
                np.zeros((spec.batch, cell.hidden_size), np.float32) if cell.kind is CellKind.LSTM else None,
            )
            for cell in spec.cells
        ]
    shapes = _state_shapes(workload, spec, layout, source.h_0, source.c_0)
    read = read_tensors(workload.folder / source.file, shapes)
    h_0 = layout.state_in(read[source.h_0])
    c_0 = layout.state_in(read[source.c_0]) if source.c_0 in shapes else None
    return [
        (
            np.ascontiguousarray(h_0[number], np.float32),
            None if c_0 is None else np.ascontiguousarray(c_0[number], np.float32),
        )
        for number in range(len(spec.cells))
    ]


def _state_shapes(workload: Workload, spec: NetworkSpec, layout: Layout, h: str, c: str) -> dict[str, Shape]:
    """The shapes of the stacked states; only cells of one size can be stacked."""
    if not same_sizes(spec):
        message = "initial_state needs layers of one kind and size, whose states can be stacked"
        raise WorkloadError((Fault(workload.source, "", message),))
    cell, count = spec.cells[0], len(spec.cells)
    shapes = {h: layout.state_shape(count, spec.batch, cell.output_size)}
    if cell.kind is CellKind.LSTM:
        shapes[c] = layout.state_shape(count, spec.batch, cell.hidden_size)
    return shapes


def _uniform(random: np.random.Generator, shape: Shape, cell: CellSpec) -> Float32Array:
    """Draw from U(-1/sqrt(H), 1/sqrt(H)), torch's default initialization (torch.nn.LSTM, "Variables")."""
    drawn: Float32Array = random.random(shape, dtype=np.float32)
    drawn *= np.float32(2)  # in place: of the largest matrices each copy is hundreds of megabytes
    drawn -= np.float32(1)
    drawn *= np.float32(1 / np.sqrt(cell.hidden_size))
    return drawn


def _refuse_huge(workload: Workload, spec: NetworkSpec) -> None:
    weights = sum(cell.rows * (cell.input_size + cell.recurrent_size) for cell in spec.cells)
    streams = spec.input_size + sum(cell.output_size for cell in spec.cells)
    needed = 4 * (weights + spec.steps * spec.batch * streams)
    if needed > MAX_TENSOR_BYTES:
        message = (
            f"its weights, input and output are {needed:,} bytes, more than the {MAX_TENSOR_BYTES:,} that a run "
            "with arithmetic holds; time it with --timing-only"
        )
        raise WorkloadError((Fault(workload.source, "", message),))
