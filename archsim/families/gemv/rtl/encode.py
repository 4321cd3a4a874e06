"""Encodes ops as words of the units' programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from archsim.families.cells.activation import Activate
from archsim.families.cells.elementwise import ElementwiseOp
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.formats import address_of, integer_format
from archsim.families.gemv.rtl.functions import Functions
from archsim.families.gemv.rtl.memories import Memory, Pointer, VectorMap
from archsim.families.gemv.rtl.ratio import MODES, NOTHING, Ratio, ratio
from archsim.families.gemv.rtl.weights import MATRICES, PARAMETERS, LineLoad, Lines, bias_key, tile_shape, weights_key
from archsim.formats import Encoding, Fixed, IntegerFormat
from archsim.formats.rounding import rounded
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.numerics import Numerics
from archsim.hardware.unit import Units, ceil_div
from archsim.program.ir import Op, Region

Values = dict[str, int]
NOWHERE = Pointer(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Encoded:
    """An op of a unit: its numbers, and its pointers by field."""

    unit: str
    values: Values
    pointers: Mapping[str, Pointer]


@dataclass(slots=True)
class Encoder:
    """Encodes a program's ops; collects the lines of scales that its tiles need."""

    config: GemvConfig
    units: Units
    numerics: Numerics
    vectors: VectorMap
    weights: Lines
    biases: Lines
    functions: Functions
    sum_rows: int
    scales: list[list[int]] = field(default_factory=list)
    _scale_lines: dict[tuple[tuple[int, ...], ...], int] = field(default_factory=dict)

    def encode(self, op: Op) -> Encoded:
        """The op's word, in parts."""
        service = self.units[op.unit].cycles(op)
        match op:
            case Transfer():
                found = self._transfer(op)
            case MacTile():
                found = self._tile(op)
            case Activate():
                found = self._activate(op)
            case ElementwiseOp():
                found = self._elementwise(op)
            case _:
                raise AssertionError(op)
        found.values["occupancy"] = service.occupancy_cycles
        found.values["write_beats"] = service.write_cycles
        return found

    def _transfer(self, op: Transfer) -> Encoded:
        target = op.target
        if target.buffer.kind in PARAMETERS:
            lines = self.weights if target.buffer.kind in MATRICES else self.biases
            load: LineLoad = lines.loads[id(op)]
            kind = 0 if lines is self.weights else 1
            inside, outside = Pointer(load.inside, 0, -1, 0), Pointer(load.outside, 0, -1, 0)
            return Encoded("dma", {"items": load.count, "kind": kind}, {"inside_": inside, "outside": outside})
        (source,) = op.sources
        loads = source.buffer.memory == "dram"
        here, there = (target, source) if loads else (source, target)
        vector = {Memory.X: 0, Memory.H: 1, Memory.C: 2}[self.vectors.memory(here)]
        pointers = {"inside_": self.vectors.pointer(here, op), "outside": self.vectors.pointer(there, op)}
        items = target.entries * target.buffer.width
        return Encoded("dma", {"items": items, "kind": 2 if loads else 3, "vector": vector}, pointers)

    def _tile(self, op: MacTile) -> Encoded:
        shape = tile_shape(op, self.config.mac_array.columns, self.config.formats.one_accumulation)
        key = weights_key(op)
        parts = [(self.vectors.memory(vector), vector) for vector in op.vectors]
        x = next((vector for memory, vector in parts if memory is Memory.X), None)
        h = next(((memory, vector) for memory, vector in parts if memory is not Memory.X), None)
        h_offset = 0 if x is None or h is None else shape.offsets[1]
        width = op.sums.buffer.width
        values: Values = {
            "beats": shape.chunks * width,
            "chunks": shape.chunks,
            "first_chunks": shape.first_chunks,
            "x_inputs": 0 if x is None else (x.entries if h is None else h_offset),
            "rows": op.rows,
            "entries": op.sums.entries,
            "starts": int(op.start),
            "has_bias": int(op.bias is not None),
            "h_is_vector": int(h is not None and h[0] is Memory.VECTOR),
            "x_zero": 0 if x is None else self.numerics.encoding_of(x).zero,
            "h_zero": 0 if h is None else self.numerics.encoding_of(h[1]).zero,
            "weight_line": self.weights.first[key],
            "line_step": self.weights.step[key],
            "bias_line": 0 if op.bias is None else self.biases.first[bias_key(op.bias)],
            "scale_line": self._scales(op),
            "h_back": h_offset * width,
        }
        pointers = {
            "x": NOWHERE if x is None else self.vectors.pointer(x, op),
            "h": NOWHERE if h is None else self.vectors.pointer(h[1], op),
            "sums": self.vectors.pointer(op.sums, op),
        }
        return Encoded("mac", values, pointers)

    def _scales(self, op: MacTile) -> int:
        """The first of the lines with the ratios of a tile's accumulations, row by row."""
        target = self.numerics.encoding_of(op.sums)
        origins = op.origins or ((),) * len(op.weights)
        lines: list[tuple[int, ...]] = []
        pairs = list(zip(op.weights, origins, op.vectors, strict=True))
        for weights, origin, vector in pairs[: 1 if self.config.formats.one_accumulation else None]:
            weight = self.numerics.joined(origin) if origin else self.numerics.encoding_of(weights)
            accumulator = integer_format(self.config, "accumulator")
            scale = np.multiply(weight.scale, self.numerics.encoding_of(vector).scale)
            if isinstance(accumulator, Fixed):
                scale = np.asarray(accumulator.scale)
            ratios = np.broadcast_to(np.asarray(scale / np.asarray(target.scale)).reshape(-1), (op.rows,))
            lines.append(self._scale_line(op, ratios.tolist(), target))
        found = self._scale_lines.get(tuple(lines))
        if found is None:
            found = self._scale_lines[tuple(lines)] = len(self.scales)
            self.scales += [list(line) for line in lines]
        return found

    def _scale_line(self, op: MacTile, ratios: list[float], target: Encoding) -> tuple[int, ...]:
        words = [ratio(value).word for value in ratios]
        further = op.sums.entries - op.rows
        if further and op.bias is not None:
            bias = self.numerics.encoding_of(op.bias).scale
            scales = np.broadcast_to(np.asarray(bias).reshape(-1), (op.sums.entries,)) / np.asarray(target.scale)
            words += [ratio(value).word for value in scales[-further:].tolist()]
        return (*words, *[NOTHING.word] * (self.sum_rows - len(words)))

    def _activate(self, op: Activate) -> Encoded:
        source, target = self.numerics.encoding_of(op.source), self.numerics.encoding_of(op.target)
        into = self.vectors.memory(op.target)
        identity = op.function.name == "identity"
        base, product = (0, NOTHING) if identity else self.functions.place(op.function, target, into is Memory.H)
        wanted = float(np.asarray(target.scale)) if identity else address_of(self.config).scale
        same = source.scale == wanted if identity else source.format == address_of(self.config)
        convert = NOTHING if same else ratio(float(np.asarray(source.scale)) / wanted)
        assert isinstance(target.format, IntegerFormat)
        values = op.elements
        found: Values = {
            "beats": ceil_div(values, self.config.activation.lanes),
            "values": values,
            "source": {Memory.SUMS: 0, Memory.C: 1, Memory.SCRATCH: 2}[self.vectors.memory(op.source)],
            "target": {Memory.GATES: 0, Memory.SCRATCH: 1, Memory.H: 2}[into],
            "is_identity": int(identity),
            "clips": int(op.clip is not None),
            "bound": 0 if op.clip is None else _bound(op.clip, source),
            "source_zero": source.zero,
            **_named("m", "s", convert),
            **_named("m2", "s2", product),
            "function_base": base,
            "target_zero": target.zero,
            "target_rounding": MODES[target.format.rounding],
        }
        pointers = {"from": self.vectors.pointer(op.source, op), "into": self.vectors.pointer(op.target, op)}
        return Encoded("act", found, pointers)

    def _elementwise(self, op: ElementwiseOp) -> Encoded:
        target = self.numerics.encoding_of(op.target)
        assert isinstance(target.format, IntegerFormat)
        into = self.vectors.memory(op.target)
        factors = _factors(op)
        found: Values = {
            "beats": ceil_div(op.elements, self.config.elementwise.lanes),
            "values": op.elements,
            "adds": int(op.multiply_add),
            "target": {Memory.C: 0, Memory.H: 1, Memory.VECTOR: 2, Memory.SCRATCH: 3}[into],
            "target_zero": target.zero,
            "target_rounding": MODES[target.format.rounding],
            "complement": int(factors.complement),
            "has_second": int(factors.d is not None),
            "unit_second": int(factors.d is not None and factors.c is None),
            "one": self._one(factors.a),
            **_named("m1", "s1", self._product(factors.a, factors.b, target)),
            "b_source": _B_SOURCES[self.vectors.memory(factors.b)],
            "b_zero": self.numerics.encoding_of(factors.b).zero,
        }
        pointers = {
            "a": self.vectors.pointer(factors.a, op),
            "b": self.vectors.pointer(factors.b, op),
            "into": self.vectors.pointer(op.target, op),
        }
        if factors.d is not None:
            second = self._product(factors.c, factors.d, target)
            found |= {
                **_named("m2", "s2", second),
                "d_source": _D_SOURCES[self.vectors.memory(factors.d)],
                "d_zero": self.numerics.encoding_of(factors.d).zero,
            }
            pointers["d"] = self.vectors.pointer(factors.d, op)
        else:
            found |= _named("m2", "s2", NOTHING)
        if factors.c is not None:
            pointers["c"] = self.vectors.pointer(factors.c, op)
        return Encoded("ew", found, pointers)

    def _product(self, a: Region | None, b: Region, target: Encoding) -> Ratio:
        """The ratio of a product's scale to the target's; of b alone, if there is no a."""
        of_b = self.numerics.encoding_of(b)
        if a is None:
            same = of_b.scale == target.scale
            return NOTHING if same else ratio(float(np.asarray(of_b.scale)) / float(np.asarray(target.scale)))
        scale = np.multiply(self.numerics.encoding_of(a).scale, of_b.scale)
        return ratio(float(scale / np.asarray(target.scale)))

    def _one(self, gate: Region) -> int:
        encoding = self.numerics.encoding_of(gate)
        assert isinstance(encoding.format, IntegerFormat)
        return int(min(round(1 / float(np.asarray(encoding.scale))), encoding.format.highest))


_B_SOURCES = {Memory.C: 0, Memory.SCRATCH: 1, Memory.SUMS: 2, Memory.H: 3, Memory.GATES: 4}
_D_SOURCES = {Memory.GATES: 0, Memory.SUMS: 1, Memory.H: 2}


@dataclass(frozen=True, slots=True)
class _Factors:
    """A lane's operands: a * b + c * d; `complement`: 1 - a for a. Without d there is one product; without c, d."""

    a: Region
    b: Region
    c: Region | None = None
    d: Region | None = None
    complement: bool = False


def _factors(op: ElementwiseOp) -> _Factors:
    match op:
        case CellUpdate():
            coupled = op.forget_gate is None
            return _Factors(op.forget_gate or op.input_gate, op.target, op.input_gate, op.candidate, coupled)
        case HiddenUpdate():
            return _Factors(op.output_gate, op.tanh_cell)
        case CandidateSum():
            return _Factors(op.reset_gate, op.hidden_part, None, op.input_part)
        case ResetHidden():
            return _Factors(op.reset_gate, op.hidden)
        case GruUpdate():
            return _Factors(op.update_gate, op.candidate, op.update_gate, op.old, complement=True)
        case _:
            raise AssertionError(op)


def _named(m: str, s: str, found: Ratio) -> Values:
    return {m: found.m, s: found.s}


def _bound(clip: float, source: Encoding) -> int:
    """The clip in the source's codes, at most the largest code."""
    assert isinstance(source.format, IntegerFormat)
    whole = rounded(np.array([clip / source.scale]), source.format.rounding)
    return int(min(float(whole[0]), source.format.highest))
