"""Says what the numbers in each buffer of a program stand for: scales and zero points, by buffer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from archsim.errors import SimulatorBug
from archsim.families.cells.cell import PROJECTED
from archsim.families.cells.merge import DIRECTIONS, MERGED
from archsim.families.cells.normalize import raw_sums
from archsim.families.cells.normalize_integers import FRACTION_BITS
from archsim.families.cells.streams import VALID, cell_prefixes
from archsim.formats import Bit, Encoding, Fixed, Formats, Granularity, IntegerFormat, NumberFormat, Scaled
from archsim.formats.config import NORMALIZED_SUMS
from archsim.formats.encoding import Scale
from archsim.formats.scaling import covered, scale_and_zero
from archsim.hardware.dram.transfers import Transfer
from archsim.lowering.coded_weights import check_coded, coded_encoding, gates_encoding
from archsim.program.ir import DELTA, WIDE, DataKind, PhaseKind, Program
from archsim.workload.calibration import LSTM_GATES, Calibration, Range
from archsim.workload.coded import CodedTensor
from archsim.workload.network import CellKind, CellSpec, MergeMode, NetworkSpec, suffixes
from archsim.workload.tensors import CellTensors, NetworkTensors

Encodings = Mapping[str, Encoding]
"""By the name of the buffer."""


def program_encodings(
    program: Program, spec: NetworkSpec, formats: Formats, tensors: NetworkTensors, calibration: Calibration | None
) -> Encodings:
    """The encodings of all buffers of a program.

    Weights take their scales from their own values, everything else from the calibration's ranges.
    """
    check_coded(spec, tensors, formats.format("weight"))
    found = {VALID: Encoding(Bit())} | dict(_all(spec, formats, tensors, calibration))
    _add_packed(program, found)
    _add_slots(program, found)
    _pack(program, found)
    for buffer in program.buffers:
        if buffer.format_kind == WIDE:
            integer = isinstance(buffer.number_format, IntegerFormat)
            found[buffer.name] = Encoding(Scaled(64) if integer else buffer.number_format)
        elif buffer.format_kind == DELTA:
            found[buffer.name] = _unscaled(buffer.number_format)
        elif buffer.encoding:
            found[buffer.name] = found[buffer.encoding]
    missing = [buffer.name for buffer in program.buffers if buffer.name not in found]
    if missing:
        raise SimulatorBug(f"no encoding for {', '.join(missing)}")
    return found


def _all(
    spec: NetworkSpec, formats: Formats, tensors: NetworkTensors, calibration: Calibration | None
) -> Iterator[tuple[str, Encoding]]:
    maker = _Maker(formats, calibration)
    source = maker.vector("input", "x")
    yield "dram.x", source
    cells = iter(zip(spec.cells, tensors.cells, cell_prefixes(spec), suffixes(spec), strict=True))
    for number, layer in enumerate(spec.layers):
        hidden = maker.vector("hidden", f"h_l{number}")
        for _ in layer:
            cell, numbers, prefix, suffix = next(cells)
            for name, encoding in maker.cell(cell, numbers, suffix, source, hidden):
                yield prefix + name, encoding
                yield f"{prefix}dram.{name}", encoding
        source = hidden
        if spec.merge_mode(number) is not MergeMode.CONCAT:
            source = maker.vector("hidden", f"y_l{number}")
            yield f"l{number}.dram.{DIRECTIONS}", hidden
            yield f"l{number}.{DIRECTIONS}", hidden
            yield f"l{number}.{MERGED}", source
        yield "dram.output" if number == len(spec.layers) - 1 else f"l{number}.dram.output", source


@dataclass(frozen=True, slots=True)
class _Maker:
    formats: Formats
    calibration: Calibration | None

    def vector(self, kind: str, name: str) -> Encoding:
        """The encoding of a kind of data whose scale, if it has one, comes from the range of that name."""
        number_format = self.formats.format(kind)
        if isinstance(number_format, Scaled):
            covers = self._range(name)
            if covers.scale is not None:
                return Encoding(number_format, covers.scale, covers.zero)
            scale, zero = scale_and_zero(np.array([covers.low]), np.array([covers.high]), number_format)
            return Encoding(number_format, float(scale[0]), int(zero[0]))
        return _unscaled(number_format)

    def cell(
        self, cell: CellSpec, numbers: CellTensors, suffix: str, x: Encoding, h: Encoding
    ) -> Iterator[tuple[str, Encoding]]:
        """The encodings of a cell's buffers by their names without the prefix.

        Matrices have their rows in torch's order.
        """
        w_ih = w_hh = self._matrix("weight_ih", numbers, cell.kind.gates)
        if numbers.weight_hh is not None:
            w_hh = self._matrix("weight_hh", numbers, cell.kind.gates)
            yield "W_hh", w_hh
        yield from (("x", x), ("h", h), ("h_0", h), ("h_n", h), ("W_ih", w_ih))
        if numbers.layer_norm is None:
            yield "bias", self._bias(cell, np.multiply(w_ih.scale, x.scale), np.multiply(w_hh.scale, h.scale))
        else:
            yield from self._normalization(numbers.layer_norm, numbers.coded.get("layer_norm"), suffix)
        for name in ("c", "c_0", "c_n"):
            if cell.kind is CellKind.LSTM:
                yield name, self.vector("cell", f"c{suffix}")
        yield "sums", self.vector("gate", f"gate{suffix}")
        yield "input_sums", self.vector("gate", f"gate{suffix}")
        yield "candidate", self.vector("gate", f"gate{suffix}")
        if not cell.kind.has_gates:  # its activation gives h: nothing is in this format, and so it has no range
            yield "gates", Encoding(self.formats.format("activation"))
        else:
            yield "gates", self.vector("activation", f"activation{suffix}")
            yield "tanh_c", self.vector("activation", f"activation{suffix}")
        if cell.proj_size or (cell.kind is CellKind.GRU and not cell.linear_before_reset):
            yield "vector", self.vector("hidden", f"vector{suffix}")
        if numbers.weight_hr is not None:
            yield "W_hr", self._matrix("weight_hr", numbers, 1)
            projected, gate = self.formats.projected_sums, self.formats.format("gate")
            yield PROJECTED, Encoding(projected, h.scale) if projected != gate else self.vector("gate", f"gate{suffix}")
        if numbers.peephole is not None:
            yield "peephole", self._of_gates("peephole", numbers.peephole, numbers.coded.get("peephole"), suffix)

    def _matrix(self, name: str, numbers: CellTensors, gates: int) -> Encoding:
        number_format = self.formats.format("weight")
        if not isinstance(number_format, Scaled):
            return _unscaled(number_format)
        if name in numbers.coded:
            return coded_encoding(numbers.coded[name], number_format)
        values: npt.NDArray[np.float32] = getattr(numbers, name)
        rows = len(values)
        groups = {Granularity.TENSOR: 1, Granularity.GATE: gates, Granularity.ROW: rows}[number_format.granularity]
        samples = values.reshape(groups, -1)
        scale = self._weight_scale(samples, number_format)
        if groups == 1:
            return Encoding(number_format, float(scale[0]))
        return Encoding(number_format, np.repeat(scale, rows // groups)[:, np.newaxis])

    def _bias(self, cell: CellSpec, x_products: Scale, h_products: Scale) -> Encoding:
        """The encoding of b_ih + b_hh, with the scale of W_ih x.

        Behind them b_hn of a GRU that resets after the product, with that of W_hh h.
        """
        number_format = self.formats.format("accumulator")
        if not isinstance(number_format, Scaled):
            return _unscaled(number_format)
        rows = np.broadcast_to(x_products, (cell.rows, 1))
        if cell.kind is CellKind.GRU and cell.linear_before_reset:
            candidate = np.broadcast_to(h_products, (cell.rows, 1))[2 * cell.hidden_size :]
            rows = np.concatenate([rows, candidate])
        return Encoding(number_format, np.array(rows, np.float64))

    def _of_gates(self, name: str, values: npt.NDArray[np.float32], coded: CodedTensor | None, suffix: str) -> Encoding:
        """The encoding of peephole weights, which have one scale, or of gamma, which has one for each gate."""
        number_format = self.formats.format("cell")
        if not isinstance(number_format, Scaled):
            return _unscaled(number_format)
        if coded is not None:
            return gates_encoding(f"{name}{suffix}", coded, number_format)
        if name == "peephole":
            return Encoding(number_format, float(self._weight_scale(values[np.newaxis], number_format)[0]))
        plain = replace(number_format, power_of_two=False)
        gates = self._weight_scale(values.reshape(len(LSTM_GATES), -1), plain)
        return Encoding(plain, np.repeat(gates, len(values) // len(gates))[:, np.newaxis])

    def _normalization(
        self, values: npt.NDArray[np.float32], coded: CodedTensor | None, suffix: str
    ) -> Iterator[tuple[str, Encoding]]:
        """The encodings of gamma, of the bias, which is added to its products, and of each gate's sums before."""
        gamma = self._of_gates("layer_norm", values, coded, suffix)
        yield "layer_norm", gamma
        number_format = self.formats.format("accumulator")
        if isinstance(number_format, Scaled):
            scale = np.broadcast_to(gamma.scale, (len(values), 1)) / (1 << FRACTION_BITS)
            yield "bias", Encoding(number_format, scale)
        else:
            yield "bias", _unscaled(number_format)
        for gate, name in enumerate(LSTM_GATES):
            yield raw_sums(gate), self.vector(NORMALIZED_SUMS, f"sums_{name}{suffix}")

    def _weight_scale(self, samples: npt.NDArray[np.floating], number_format: Scaled) -> npt.NDArray[np.float64]:
        """The scale of groups of weights (groups, n)."""
        assert self.calibration is not None
        ranges = covered(samples, number_format, self.calibration.weight_method, self.calibration.percentile)
        return scale_and_zero(*ranges, number_format)[0]

    def _range(self, name: str) -> Range:
        assert self.calibration is not None
        return self.calibration.ranges[name]


def _add_packed(program: Program, found: dict[str, Encoding]) -> None:
    """Add packed matrices, with the scales of their rows; what passes through from them has none of its own.

    Tiles of any matrix take turns in the places of WEIGHT_TILE, and sums of any products in accumulators that are a
    buffer: the ops say where their numbers come from.
    """
    for buffer in program.buffers:
        if buffer.packing is not None:
            whole = found[buffer.tensor]
            rows = whole.scale if isinstance(whole.scale, float) else buffer.packing.of_rows(whole.scale, padding=1.0)
            found[buffer.name] = Encoding(whole.format, rows)
        elif buffer.kind is DataKind.WEIGHT_TILE or (
            buffer.kind is DataKind.PARTIAL_SUM and buffer.format_kind == "accumulator"
        ):
            held = buffer.number_format
            found[buffer.name] = Encoding(held, held.scale if isinstance(held, Fixed) else 1.0)


def _pack(program: Program, found: dict[str, Encoding]) -> None:
    """The scales of rows in the order in which a matrix is loaded, at the begin or before its layer."""
    packed: dict[str, npt.NDArray[np.float64]] = {}
    for phase in (*program.of_kind(PhaseKind.PROLOGUE), *program.of_kind(PhaseKind.HANDOVER)):
        for op in phase.ops:
            if not isinstance(op, Transfer) or op.target.buffer.format_kind not in ("weight", "accumulator"):
                continue
            target = op.target.buffer
            if isinstance(found[target.name].scale, float):
                continue
            scales = packed.setdefault(target.name, np.ones((target.entries, 1)))
            pieces = [found[region.buffer.name].rows(region.start, region.stop).scale for region in op.sources]
            scales[op.target.start : op.target.stop] = np.concatenate([np.asarray(piece) for piece in pieces])
    for name, scales in packed.items():
        found[name] = Encoding(found[name].format, scales, found[name].zero)


def _add_slots(program: Program, found: dict[str, Encoding]) -> None:
    """Add slots through which weights are streamed: a tile takes the scales of its rows in DRAM."""
    for buffer in program.buffers:
        if buffer.name not in found and buffer.kind.is_matrix:
            whole = found[buffer.name.replace("stream.", "dram.")]
            found[buffer.name] = whole if isinstance(whole.scale, float) else replace(whole, scale=1.0)


def _unscaled(number_format: NumberFormat) -> Encoding:
    """The encoding in a format whose scale, if it has one, is its own: fixed or floating point."""
    return Encoding(number_format, number_format.scale) if isinstance(number_format, Fixed) else Encoding(number_format)
