"""Mistakes in number formats, each planted in one place of the simulator or of the integer reference.

A mistake is a function that plants it, with its description and the case that must notice it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from archsim.families.cells import activation, elementwise, normalize_integers
from archsim.families.cells.lstm_ops import CellUpdate
from archsim.formats import Encoding, Fixed, Formats, IntegerFormat, Rounding, encoding, rounding
from archsim.formats.rounding import Conversion, pair_shifted
from archsim.golden import Activation as GoldenFunction
from archsim.golden import (
    integer,
    integer_functions,
    integer_layers,
    integer_lstm,
    integer_norm,
    integer_products,
    integer_tiles,
    integer_units,
)
from archsim.hardware import elementwise_arithmetic as lanes
from archsim.hardware.elementwise_arithmetic import IntegerArithmetic, Operand
from archsim.hardware.exact_sums import ChunkSums
from archsim.hardware.functions import methods as activation_methods
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.hardware.functions.table import TableMethod
from archsim.hardware.products import _Accumulation, _IntegerTile
from archsim.lowering import encodings
from archsim.lowering import tensors as image
from archsim.workload import CellKind, FunctionSpec
from tests.checking.exact_runs import ONE_Q, TFLITE, small_case
from tests.strategies import Case

Plant = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Mutation:
    """A mistake, and the small case that must notice it."""

    case: str
    plant: Plant


LSTM, GRU, RNN = ({"kind": kind} for kind in (CellKind.LSTM, CellKind.GRU, CellKind.RNN))
FUSED, SPLIT = "fused_interleaved", "split_interleaved"
Q = {
    "weight": "q2.5",
    "input": "q3.8",
    "hidden": "q3.8",
    "accumulator": "q5.8",
    "gate": "q4.8",
    "activation": "q2.8",
    "cell": "q4.8",
}
"""Finer than ONE_Q, in which less shows."""
BY_ROW = TFLITE | {"weight": "int8/row/gemmlowp"}
ROUNDED_UP = TFLITE | dict.fromkeys(("gate", "hidden"), "int8/half_up") | {"activation": "q1.7", "cell": "int9/half_up"}
WIDE = {
    "weight": "int24/row",
    "input": "int24",
    "hidden": "int24",
    "accumulator": "int48",
    "gate": "int32",
    "activation": "q2.30",
    "cell": "int32",
}


def _method(name: str, **options: Any) -> dict[str, Any]:
    return {"activation.method": name} | {f"activation.{key}": value for key, value in options.items()}


LINEAR = {"entries": 8, "span": 1.0, "interpolation": "linear"}
LINES = {"segments": 5, "span": 4.0}
CASES: dict[str, tuple[str, dict[str, str], dict[str, Any], dict[str, Any]]] = {
    "lstm in q": (FUSED, Q, LSTM, {}),
    "lstm in coarse q": (FUSED, ONE_Q, LSTM, {}),
    "lstm in q, two tiles": (SPLIT, Q, LSTM, {}),
    "lstm in truncated q": (FUSED, {kind: f"{name}/truncate" for kind, name in Q.items()}, LSTM, {}),
    "lstm in q that wraps": (FUSED, {kind: f"{name}/wrap" for kind, name in Q.items()}, LSTM | {"clip": 9.0}, {}),
    "clip": (FUSED, Q, LSTM | {"clip": 0.7}, {}),
    "two accumulations in q": (FUSED, Q | {"input": "q2.9", "gate": "q1.9"}, LSTM, {}),
    "tflite": (FUSED, TFLITE, LSTM, {}),
    "tflite, coarse gates": (FUSED, TFLITE | {"gate": "q4.9/gemmlowp"}, LSTM, {}),
    "half up": (FUSED, ROUNDED_UP, LSTM, {}),
    "rows": (FUSED, BY_ROW, LSTM, {}),
    "wide": (FUSED, WIDE, LSTM, {}),
    "small accumulators": (FUSED, Q | {"accumulator": "q2.8"}, LSTM | {"input_size": 7}, {}),
    "coupled": (FUSED, Q, LSTM | {"input_forget": True}, {}),
    "normalized": (FUSED, TFLITE, LSTM | {"layer_norm": True, "hidden_size": 3}, {}),
    "projection": (FUSED, ONE_Q, LSTM | {"proj_size": 2}, {}),
    "lengths": (FUSED, TFLITE, LSTM | {"sequence_lens": (1, 3)}, {}),
    "gru": (FUSED, Q, GRU, {}),
    "gru, tflite": (FUSED, TFLITE | {"hidden": "int16/asymmetric/gemmlowp"}, GRU, {}),
    "gru, coarse products": (FUSED, TFLITE | {"weight": "int4/gate", "input": "int4"}, GRU, {}),
    "rnn": (FUSED, TFLITE, RNN, {}),
    "nearest": (FUSED, Q, LSTM, _method("table", table={"entries": 32, "span": 2.0})),
    "linear": (FUSED, Q, LSTM, _method("table", table=LINEAR)),
    "lines": (FUSED, Q, LSTM, _method("piecewise_linear", piecewise_linear=LINES, address_format="q3.3")),
    "coarse lines": (
        FUSED,
        Q,
        LSTM,
        _method("piecewise_linear", piecewise_linear=LINES | {"coefficient_bits": 5}),
    ),
    "coarse address": (FUSED, Q, LSTM, _method("table", table=LINEAR, address_format="q2.3")),
}


def case_of(name: str) -> Case:
    schedule, formats, network, fields = CASES[name]
    return small_case(schedule, formats, fields, **{"steps": 4} | network)


MUTATIONS: dict[str, Mutation] = {}


def mutation(what: str, *cases: str) -> Callable[[Plant], Plant]:
    """Registers a mistake, for each of the cases that must notice it."""

    def register(plant: Plant) -> Plant:
        for case in cases:
            MUTATIONS[what if len(cases) == 1 else f"{what} ({case})"] = Mutation(case, plant)
        return plant

    return register


def wrapped(patch: pytest.MonkeyPatch, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Replace a function or method by one made from it."""
    patch.setattr(owner, name, make(getattr(owner, name)))


# Rounding and shifts.


def rounds(which: Rounding, instead: Rounding) -> Plant:
    """Another rounding in all conversions."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        def make(init: Any) -> Any:
            return lambda self, ratio, how: init(self, ratio, instead if how is which else how)

        wrapped(patch, Conversion, "__init__", make)

    return plant


mutation("ties up instead of to even", "lstm in coarse q")(rounds(Rounding.EVEN, Rounding.HALF_UP))
mutation("ties away from zero instead of to even", "lstm in q")(rounds(Rounding.EVEN, Rounding.GEMMLOWP))
mutation("truncated instead of rounded", "lstm in q", "tflite, coarse gates")(
    lambda patch: [rounds(how, Rounding.TRUNCATE)(patch) for how in Rounding]  # type: ignore[arg-type]
)
mutation("rounded instead of truncated", "lstm in truncated q")(rounds(Rounding.TRUNCATE, Rounding.EVEN))
mutation("ties to even instead of up", "half up")(rounds(Rounding.HALF_UP, Rounding.EVEN))
mutation("rounded once, up, where gemmlowp rounds twice", "tflite, coarse gates")(
    rounds(Rounding.GEMMLOWP, Rounding.HALF_UP)
)


@mutation("truncated toward zero", "lstm in truncated q")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, Conversion, "__call__", lambda call: lambda self, v: np.where(v < 0, -call(self, -v), call(self, v)))


@mutation("rounded once, ties away, where gemmlowp rounds twice", "tflite, coarse gates")
def _(patch: pytest.MonkeyPatch) -> None:
    def once(values: Any, multiplier: Any, exponent: Any, how: Any) -> Any:
        low = (values & (2**31 - 1)) * multiplier
        return pair_shifted((values >> 31) * multiplier, low, 31, 31 - exponent, how)

    patch.setattr(rounding, "multiplied", once)
    patch.setattr(rounding, "_quick_product", lambda *_: None)


@mutation("a multiplier cut off to 31 bits instead of rounded", "wide")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(init: Any) -> Any:
        def init_and_cut(self: Any, ratio: Any, how: Any) -> Any:
            mantissa, exponent = np.frexp(ratio)
            return init(self, np.ldexp(np.floor(mantissa * 2.0**31) / 2.0**31, exponent), how)

        return init_and_cut

    wrapped(patch, Conversion, "__init__", make)


@mutation("a multiplier of 16 bits", "wide")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(init: Any) -> Any:
        def init_and_round(self: Any, ratio: Any, how: Any) -> Any:
            mantissa, exponent = np.frexp(ratio)
            return init(self, np.ldexp(np.rint(mantissa * 2.0**16) / 2.0**16, exponent), how)

        return init_and_round

    wrapped(patch, Conversion, "__init__", make)


@mutation("shifted by one place too many", "lstm in q", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, Conversion, "__init__", lambda init: lambda self, ratio, how: init(self, ratio / 2, how))


@mutation("shifted by one place too few into the accumulators", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, ChunkSums, "chunks", lambda of: lambda self, w, v, shift, *how: of(self, w, v, shift - 1, *how))


@mutation("real numbers truncated", "tflite", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(encoding, "rounded", lambda values, how: np.floor(values))


@mutation("the two biases added in float32", "wide")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(image, "_joined_bias", lambda b_ih, b_hh, cell: (b_ih + b_hh).astype(np.float64))


# Ranges and zero points.


def _wrapping(self: IntegerFormat, wide: np.ndarray) -> tuple[np.ndarray, int]:
    return ((wide - self.lowest) & ((1 << self.bits) - 1)) + self.lowest, 0


def _saturating(self: IntegerFormat, wide: np.ndarray) -> tuple[np.ndarray, int]:
    return np.clip(wide, self.lowest, self.highest), 0


@mutation("wraps instead of saturating", "two accumulations in q", "small accumulators")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IntegerFormat, "narrowed", _wrapping)


@mutation("saturates instead of wrapping", "lstm in q that wraps")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IntegerFormat, "narrowed", _saturating)


@mutation("saturates at -127 instead of -128", "two accumulations in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IntegerFormat, "lowest", property(lambda self: -self.highest))


@mutation("stored in half of the bits", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Encoding, "stored_type", np.int8)


@mutation("the bound of a clip wraps", "lstm in q that wraps")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(activation, "_bound", lambda clip, source: source.encoded(np.array([clip]))[0][0])


@mutation("no clip", "clip")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(activation, "_bound", lambda clip, source: source.format.highest)


@mutation("zero point of x and h not taken off before they are multiplied", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(init: Any) -> Any:
        def init_without(self: Any, weight: Any, vector: Any, columns: Any) -> Any:
            init(self, weight, replace(vector, zero=0), columns)

        return init_without

    wrapped(patch, ChunkSums, "__init__", make)


@mutation("zero point of h not added", "tflite", "rnn")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Encoding, "narrowed", lambda self, wide: self.format.narrowed(wide))
    patch.setattr(Encoding, "encoded", _without_zero(Encoding.encoded))


def _without_zero(encoded: Any) -> Any:
    def of_vectors_alone(self: Any, values: Any) -> Any:
        return encoded(replace(self, zero=0) if self.zero and len(values) > 1 else self, values)

    return of_vectors_alone


@mutation("zero point of h not taken off in z h", "gru, tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lanes, "_integers", lambda a: a.stored.astype(np.int64))


# Scales.


@mutation("a scale of the next row", "rows")
def _(patch: pytest.MonkeyPatch) -> None:
    def rows(self: Any, start: Any, stop: Any) -> Any:
        return replace(self, scale=np.roll(self.scale, -1)[start:stop]) if np.ndim(self.scale) else self

    patch.setattr(Encoding, "rows", rows)


@mutation("one gate's scale for all", "tflite", "rows")
def _(patch: pytest.MonkeyPatch) -> None:
    def rows(self: Any, start: Any, stop: Any) -> Any:
        return (
            replace(self, scale=np.full_like(self.scale[start:stop], self.scale[0, 0])) if np.ndim(self.scale) else self
        )

    patch.setattr(Encoding, "rows", rows)


@mutation("scales in torch's order of rows, not in that of the tiles", "tflite", "rows")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(encodings, "_pack", lambda program, found: None)


@mutation("the bias with the scale of W_hh h", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(bias: Any) -> Any:
        return lambda self, cell, x_products, h_products: bias(self, cell, h_products, h_products)

    wrapped(patch, encodings._Maker, "_bias", make)


@mutation("b_hn with the scale of W_ih x", "gru, coarse products")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(bias: Any) -> Any:
        return lambda self, cell, x_products, h_products: bias(self, cell, x_products, x_products)

    wrapped(patch, encodings._Maker, "_bias", make)


@mutation("the projection's sums moved into h as they are", "projection")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(IntegerArithmetic, "value", lambda self, a: a.stored.astype(np.int64))


@mutation("a product with the scale of one factor", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    def product(self: Any, a: Any, b: Any) -> Any:
        return Conversion(a.encoding.scale / self.target.scale, self.target.format.rounding)(
            a.stored.astype(np.int64) * b.stored
        )

    patch.setattr(IntegerArithmetic, "product", product)


# The MAC tile.


@mutation("chunks added in reverse", "small accumulators")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, ChunkSums, "chunks", lambda chunks: lambda self, *operands: chunks(self, *operands)[::-1])


@mutation("chunks added up before the accumulator saturates", "small accumulators")
def _(patch: pytest.MonkeyPatch) -> None:
    def added(self: Any, chunks: Any, start: Any, overflows: Any) -> Any:
        return self._format.narrowed(start + chunks.sum(axis=0))[0]

    patch.setattr(_Accumulation, "_added", added)


@mutation("the sum of all chunks rounded once", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(chunks: Any) -> Any:
        def at_once(self: Any, weights: Any, vector: Any, *how: Any) -> Any:
            self._columns = weights.shape[1]
            return chunks(self, weights, vector, *how)

        return at_once

    wrapped(patch, ChunkSums, "chunks", make)


@mutation("chunks that begin anew with h", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(run: Any) -> Any:
        def run_in_parts(self: Any, weights: Any, vectors: Any, bias: Any, overflows: Any) -> Any:
            for weight, vector in zip(weights, vectors, strict=True):
                bias = run(self, [weight], [vector], bias, overflows)
            return bias

        return run_in_parts

    wrapped(patch, _Accumulation, "run", make)


@mutation("one accumulation instead of two", "tflite", "two accumulations in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Formats, "one_accumulation", True)


@mutation("two accumulations instead of one", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Formats, "one_accumulation", False)


@mutation("sums narrowed after the last accumulation alone", "two accumulations in q")
def _(patch: pytest.MonkeyPatch) -> None:
    def start(self: Any, operands: Any) -> Any:
        bias = operands[-1].astype(np.int64)
        parts = [self._wide(a, n, operands, None if n else bias) for n, a in enumerate(self._accumulations)]
        return (self._narrowed(sum(parts)),)

    patch.setattr(_IntegerTile, "_start", start)


def bias_added(after: Callable[..., Any]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        def make(run: Any) -> Any:
            return lambda self, w, v, bias, o: after(self, run(self, w, v, None, o), 0 if bias is None else bias)

        wrapped(patch, _Accumulation, "run", make)

    return plant


mutation("no bias", "lstm in q", "tflite")(bias_added(lambda self, a, bias: a))
mutation("the bias added last", "small accumulators")(
    bias_added(lambda self, a, bias: self._format.narrowed(a + bias)[0])
)


@mutation("no bias for sums without a product", "gru")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, _IntegerTile, "_with_further", lambda of: lambda self, sums, bias: of(self, sums, None))


# The activation unit.


@mutation("sigmoid and tanh exchanged in the table", "nearest", "linear")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, TableMethod, "table", lambda of: lambda self, function, to: of(self, _other(function), to))


@mutation("sigmoid and tanh exchanged in the lines", "lines")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, PiecewiseMethod, "evaluator", lambda of: lambda self, function, to: of(self, _other(function), to))


@mutation("sigmoid and tanh exchanged", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, activation_methods, "evaluate", lambda of: lambda function, x: of(_other(function), x))


def _other(function: FunctionSpec) -> FunctionSpec:
    return FunctionSpec({"sigmoid": "tanh", "tanh": "sigmoid"}[function.name])


@mutation("the entry below instead of the nearest", "nearest")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(TableMethod, "_nearest", lambda self, codes: self._split(codes)[0])


@mutation("no last entry", "linear")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(table: Any) -> Any:
        def without(self: Any, function: Any, target: Any) -> Any:
            entries = table(self, function, target).copy()
            entries[-1] = entries[-2]
            return entries

        return without

    wrapped(patch, TableMethod, "table", make)


@mutation("addresses beyond the range wrap", "coarse address")
def _(patch: pytest.MonkeyPatch) -> None:
    def narrowed(self: Any, wide: Any) -> Any:
        return (_wrapping if self == Fixed(2, 3) else _saturating)(self, wide)

    patch.setattr(IntegerFormat, "narrowed", narrowed)


@mutation("a breakpoint still belongs to the line before it", "lines")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(lines: Any) -> Any:
        def later(self: Any, function: Any) -> Any:
            found = lines(self, function)
            return replace(found, breakpoints=found.breakpoints + self._address.scale)

        return later

    def evaluator(of: Any) -> Any:
        def with_later(self: Any, function: Any, target: Any) -> Any:
            with pytest.MonkeyPatch.context() as inner:
                wrapped(inner, PiecewiseMethod, "lines", make)
                return of(self, function, target)

        return with_later

    wrapped(patch, PiecewiseMethod, "evaluator", evaluator)


@mutation("slopes truncated", "coarse lines")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(slope_codes: Any) -> Any:
        def truncated(self: Any, lines: Any) -> Any:
            _, fraction_bits = slope_codes(self, lines)
            return np.floor(lines.slopes * 2.0**fraction_bits).astype(np.int64), fraction_bits

        return truncated

    wrapped(patch, PiecewiseMethod, "slope_codes", make)


# The element-wise unit.


def one_is(code: Callable[[IntegerFormat, float], int]) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        def one_minus(self: Any, a: Any) -> Any:
            one = code(a.encoding.format, 1.0 / a.encoding.scale)
            return Operand(one - a.stored.astype(np.int64), a.encoding)

        patch.setattr(IntegerArithmetic, "one_minus", one_minus)

    return plant


mutation("1 - z as highest code + 1 - z", "gru", "gru, tflite", "coupled")(one_is(lambda of, _: of.highest + 1))
mutation("1 - z as highest code - z", "gru", "coupled")(one_is(lambda of, _: of.highest))
mutation("1 - z with a 1 that does not saturate", "gru, tflite")(one_is(lambda _, one: round(one)))


def normalized_otherwise(name: str, value: Any) -> Plant:
    """Another constant, or another step, of the normalization of integers."""
    return lambda patch: patch.setattr(normalize_integers, name, value)


mutation("a root of 4 steps", "normalized")(normalized_otherwise("NEWTON_STEPS", 4))
mutation("a mean with 9 bits more", "normalized")(normalized_otherwise("FRACTION_BITS", 9))


@mutation("reference: the normalizations of i and f exchanged", "normalized")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, integer_lstm, "_norms", lambda norms: lambda *given: [norms(*given)[gate] for gate in (1, 0, 2, 3)])


@mutation("reference: normalized with the scale of g's sums in all", "normalized")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(sums: Any) -> Any:
        def of_g(units: Any, *given: Any) -> Any:
            grids = replace(units.grids, sums=(units.grids.sums[2],) * 4)
            return sums(replace(units, grids=grids), *given)

        return of_g

    wrapped(patch, integer_lstm, "_lstm_sums", make)


@mutation("reference: a variance without its mean", "normalized")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(patch, integer_norm, "toward_zero", lambda of: lambda a, n: 0 if n != 1 << 20 else of(a, n))


@mutation("f c + i g rounded once", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    def apply(self: Any, lanes: Any, operands: Any) -> Any:
        i, g, c, f = ((operand.stored.astype(np.int64), operand.encoding.scale) for operand in operands)
        exact = f[0] * c[0] * (f[1] * c[1]) + i[0] * g[0] * (i[1] * g[1])
        return np.rint(exact / lanes.target.scale).astype(np.int64)

    patch.setattr(CellUpdate, "apply", apply)


@mutation("a lane beyond its sequence's end goes on", "lengths")
def _(patch: pytest.MonkeyPatch) -> None:
    for module in (activation, elementwise):
        patch.setattr(module, "held", lambda hold, result, operands: result)


# In the integer reference.


def rounds_there(which: str, instead: str) -> Plant:
    def plant(patch: pytest.MonkeyPatch) -> None:
        def make(rounded: Any) -> Any:
            return lambda v, shift, how: rounded(v, shift, instead if how == which else how)

        wrapped(patch, integer, "rounded", make)

    return plant


mutation("reference: ties up instead of to even", "lstm in q")(rounds_there("even", "half_up"))
mutation("reference: rounded instead of truncated", "lstm in truncated q")(rounds_there("truncate", "even"))
mutation("reference: ties of gemmlowp to even", "tflite, coarse gates")(rounds_there("gemmlowp", "even"))


@mutation("reference: shifted by one place too many", "lstm in q", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    for module in (integer, integer_products):
        wrapped(
            patch,
            module,
            "convert",
            lambda convert: lambda v, bound, ratio, how: convert(v, bound, np.asarray(ratio) / 2, how),
        )


@mutation("reference: a multiplier of 16 bits", "wide")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(multiplier: Any) -> Any:
        def short(ratio: Any) -> Any:
            mantissa, exponent = np.frexp(ratio)
            return multiplier(np.ldexp(np.rint(mantissa * 2.0**16) / 2.0**16, exponent))

        return short

    wrapped(patch, integer, "multiplier", make)


def narrows(wrap: bool) -> Plant:
    return lambda patch: wrapped(
        patch, integer, "narrow", lambda narrow: lambda wide, grid: narrow(wide, replace(grid, wrap=wrap))
    )


mutation("reference: wraps instead of saturating", "two accumulations in q", "small accumulators")(narrows(True))
mutation("reference: saturates instead of wrapping", "lstm in q that wraps")(narrows(False))


@mutation("reference: no zero point taken off", "tflite", "gru, tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(integer.Coded, "integers", property(lambda self: self.codes))


@mutation("reference: scales of other rows", "rows")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(
        patch,
        integer_tiles,
        "product_grid",
        lambda of: lambda accumulator, weight, x: of(accumulator, replace(weight, scale=np.roll(weight.scale, 1)), x),
    )


@mutation("reference: the bias with another scale", "tflite")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(bias: Any) -> Any:
        return lambda self, values, part: bias(self, values, (part[0], replace(part[1], scale=2 * part[1].scale)))

    wrapped(patch, integer_tiles.Array, "bias", make)


@mutation("reference: chunks added in reverse", "small accumulators")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(integer_products, "enumerate", lambda chunks: reversed([*enumerate(chunks)]), raising=False)


@mutation("reference: one tile instead of two", "lstm in q, two tiles")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(init: Any) -> Any:
        return lambda self, columns, split, *more: init(self, columns, False, *more)

    wrapped(patch, integer_units.IntegerMachine, "__init__", make)


@mutation("reference: two accumulations instead of one", "lstm in q")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(integer_tiles, "one_accumulation", lambda parts: False)


@mutation("reference: 1 - z as highest code + 1 - z", "gru, tflite", "coupled")
def _(patch: pytest.MonkeyPatch) -> None:
    def one_minus(a: Any) -> Any:
        return integer.Coded(a.grid.high + 1 - a.codes, replace(a.grid, bits=a.grid.bits + 1))

    for module in (integer_layers, integer_lstm):
        patch.setattr(module, "one_minus", one_minus)


@mutation("reference: sigmoid and tanh exchanged", "tflite", "nearest", "linear")
def _(patch: pytest.MonkeyPatch) -> None:
    def make(apply: Any) -> Any:
        other = {"sigmoid": "tanh", "tanh": "sigmoid"}
        return lambda function, x: apply(GoldenFunction(other[function.name]), x)

    wrapped(patch, integer_functions, "apply", make)


@mutation("reference: no clip", "clip")
def _(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(integer_units, "clipped", lambda x, clip: x)


@mutation("reference: lengths not heeded", "lengths")
def _(patch: pytest.MonkeyPatch) -> None:
    wrapped(
        patch,
        integer_layers,
        "_scan",
        lambda scan: lambda step, x, states, reverse, lengths: scan(step, x, states, reverse, None),
    )
