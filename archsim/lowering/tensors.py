"""Moves numbers between a workload's tensors (torch's layout) and the program's DRAM buffers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.families.cells.streams import VALID, cell_prefixes
from archsim.formats import BlockFloat, Encoding, Scaled
from archsim.formats.number import Array
from archsim.hardware.numerics import Overflows
from archsim.lowering.coded_weights import bias_codes
from archsim.lowering.encodings import Encodings
from archsim.lowering.tensor_codes import TensorCodes, all_within, loaded_once, stored_by_rows
from archsim.program.ir import Buffer, Program
from archsim.program.state import Contents, State
from archsim.workload.network import CellKind, CellSpec, NetworkSpec
from archsim.workload.tensors import CellTensors, NetworkTensors

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Results:
    """What a run computed, as float64 values.

    output (T, B, D P); for each cell h_n (B, P) and, of an LSTM, c_n (B, H). Of S streams in turn T counts all frames,
    and the final states are (S B, P) and (S B, H).
    """

    output: Float64
    h_n: tuple[Float64, ...]
    c_n: tuple[Float64 | None, ...]


def dram_image(
    program: Program, tensors: NetworkTensors, spec: NetworkSpec, encodings: Encodings, overflows: Overflows
) -> dict[str, Contents]:
    """The contents of the input buffers, (slots, entries, width), as they are stored.

    A buffer that the program writes, as a register that begins with h_0, has an array of its own, and the tensor in
    each of its slots. The codes of matrices that are loaded once are made as they are loaded.
    """
    once = loaded_once(program)
    written = {region.buffer.name for phase in program.phases for op in phase.ops for region in op.writes}
    fills: dict[str, list[Buffer]] = {}
    for buffer in program.buffers:
        if buffer.is_input:
            fills.setdefault(buffer.tensor or buffer.name, []).append(buffer)
    image: dict[str, Contents] = {}
    for name, values in _image(tensors, spec, encodings):
        first = fills[name][0]
        kind, matrix, encoding = first.format_kind, first.matrix, encodings[name]
        if first.packing is not None:
            values, encoding = first.packing.packed(values[0])[np.newaxis], encodings[first.name]
        names = {buffer.name for buffer in fills[name]}
        real = matrix and encoding.is_integer and values.dtype != np.int64
        if real and names <= once - written and all_within(values, encoding):
            image |= dict.fromkeys(names, TensorCodes(values, encoding))
            if kind:
                overflows.add(kind, (values, 0))
            continue
        stored = _stored(values, encoding, matrix)
        array = overflows.add(kind, stored) if kind else stored[0]
        for buffer in fills[name]:
            image[buffer.name] = np.repeat(array, buffer.slots or 1, axis=0) if buffer.name in written else array
    return image


def results(program: Program, state: State, spec: NetworkSpec, encodings: Encodings) -> Results:
    """Read output, h_n and c_n from DRAM after a run; outputs beyond a sequence's end are 0."""
    buffers = {buffer.name: buffer for buffer in program.buffers}
    prefixes = cell_prefixes(spec)

    def real(buffer: Buffer) -> Float64:
        """The contents of a buffer as real numbers, (slots, B, entries)."""
        return np.ascontiguousarray(encodings[buffer.name].decoded(state.array(buffer)).transpose(0, 2, 1))

    left = {buffer.name: buffer for buffer in program.buffers if buffer.is_result}
    c_n = [buffers.get(f"{prefix}dram.c_n") or left.get(f"{prefix}c") for prefix in prefixes]
    output = real(buffers["dram.output"])
    if spec.lengths is not None:
        output *= _valid_steps(spec).transpose(0, 2, 1)
    return Results(
        output=output,
        h_n=tuple(
            np.concatenate(real(buffers[f"{prefix}dram.h_n"]))
            if f"{prefix}dram.h_n" in buffers
            else np.concatenate(real(left[f"{prefix}h"]))
            if f"{prefix}h" in left
            else _last(real, buffers, place)
            for prefix, place in zip(prefixes, _places(spec), strict=True)
        ),
        c_n=tuple(None if buffer is None else np.concatenate(real(buffer)) for buffer in c_n),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """The place of a cell's h in its layer's output: the tensor's name, columns, and the last step's time."""

    tensor: str
    columns: slice
    last: int


def _places(spec: NetworkSpec) -> Iterator[_Place]:
    for number, layer in enumerate(spec.layers):
        tensor = "dram.output" if number == len(spec.layers) - 1 else f"l{number}.dram.output"
        start = 0
        for cell in layer:
            yield _Place(tensor, slice(start, start + cell.output_size), 0 if cell.reverse else spec.steps - 1)
            start += cell.output_size


def _last(real: Callable[[Buffer], Float64], buffers: Mapping[str, Buffer], place: _Place) -> Float64:
    """The h_n of a machine that gives it as the last h of its output only."""
    output = real(buffers[place.tensor])
    return np.ascontiguousarray(output[place.last][:, place.columns])


def _valid_steps(spec: NetworkSpec) -> Float64:
    """A mask (T, 1, B): 1 where a sequence has that time step."""
    lengths = np.array(spec.lengths)
    return (np.arange(spec.steps)[:, None, None] < lengths[None, None, :]).astype(np.float64)


def _image(tensors: NetworkTensors, spec: NetworkSpec, encodings: Encodings) -> Iterator[tuple[str, npt.NDArray[Any]]]:
    """The values of the input buffers, (slots, entries, width): real numbers, or integer codes as the file has them."""
    if spec.lengths is not None:
        yield VALID, _valid_steps(spec)
    yield "dram.x", tensors.x.transpose(0, 2, 1)
    for numbers, cell, prefix in zip(tensors.cells, spec.cells, cell_prefixes(spec), strict=True):
        coded = dict(_coded_image(numbers, cell, prefix, encodings))
        for name, values in _cell_image(numbers, cell):
            yield f"{prefix}dram.{name}", coded.get(name, values)


def _cell_image(numbers: CellTensors, cell: CellSpec) -> Iterator[tuple[str, npt.NDArray[np.floating]]]:
    yield "W_ih", numbers.weight_ih[None]
    if numbers.weight_hh is not None:
        yield "W_hh", numbers.weight_hh[None]
    yield "h_0", numbers.h_0.T[None]
    if numbers.bias_ih is not None and numbers.bias_hh is not None:
        yield "bias", _joined_bias(numbers.bias_ih, numbers.bias_hh, cell)[None, :, None]
    if numbers.weight_hr is not None:
        yield "W_hr", numbers.weight_hr[None]
    if numbers.peephole is not None:
        yield "peephole", numbers.peephole[None, :, None]
    if numbers.layer_norm is not None:
        yield "layer_norm", numbers.layer_norm[None, :, None]
    if numbers.c_0 is not None:
        yield "c_0", numbers.c_0.T[None]


def _coded_image(
    numbers: CellTensors, cell: CellSpec, prefix: str, encodings: Encodings
) -> Iterator[tuple[str, npt.NDArray[np.int64]]]:
    """The codes that the file has for formats that hold them as they are."""
    names = {"weight_ih": "W_ih", "weight_hh": "W_hh", "weight_hr": "W_hr"}
    for name, buffer in names.items():
        if name in numbers.coded and isinstance(encodings[f"{prefix}dram.{buffer}"].format, Scaled):
            yield buffer, numbers.coded[name].codes[None]
    for name in ("peephole", "layer_norm"):
        if name in numbers.coded and isinstance(encodings[f"{prefix}dram.{name}"].format, Scaled):
            yield name, numbers.coded[name].codes[None, :, None]
    codes = bias_codes(numbers, cell, encodings[f"{prefix}dram.bias"])
    if codes is not None:
        yield "bias", codes[None, :, None]


def _joined_bias(bias_ih: Array, bias_hh: Array, cell: CellSpec) -> Float64:
    """The bias b_ih + b_hh.

    A GRU that resets after the product keeps the candidate's two apart, b_hn behind the others.
    """
    both: Float64 = bias_ih.astype(np.float64) + bias_hh
    if cell.kind is CellKind.GRU and cell.linear_before_reset:
        candidate = slice(2 * cell.hidden_size, None)
        return np.concatenate([both[: 2 * cell.hidden_size], bias_ih[candidate], bias_hh[candidate]])
    return both


def _stored(values: npt.NDArray[Any], encoding: Encoding, matrix: bool) -> tuple[Array, int]:
    """The stored form of real numbers, or of codes less the zero point, (slots, entries, width).

    Blocks run along a matrix row, else along entries.
    """
    if values.dtype == np.int64:
        codes, beyond = encoding.narrowed(values)
        return codes.astype(encoding.stored_type, copy=False), beyond
    if encoding.is_integer:
        return stored_by_rows(values, encoding)
    if not isinstance(encoding.format, BlockFloat):
        codes, beyond = encoding.encoded(values)
        return codes.astype(encoding.stored_type, copy=False), beyond
    axis = 2 if matrix else 1
    stored, beyond = encoding.encoded(np.moveaxis(values, axis, 0))
    return np.ascontiguousarray(np.moveaxis(stored, 0, axis)), beyond
