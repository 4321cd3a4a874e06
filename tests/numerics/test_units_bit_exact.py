"""Each op's arithmetic on any codes of any formats, the largest included, against the integer reference.

Whole runs (test_bit_exact.py) seldom come near the limits: here factors of 32 bits meet in sums of more than 62.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from format_draws import accumulator_widths, address_formats, fixed, scaled, spans
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.components.activation import Activate, Activation, ActivationConfig
from archsim.components.activation_methods import MethodName
from archsim.components.curved import CURVED
from archsim.components.elementwise import Elementwise, ElementwiseConfig, ElementwiseOp
from archsim.components.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.components.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.components.mac_kernel import TileShape, mac_kernel
from archsim.components.numerics import Numerics, Overflows
from archsim.components.piecewise import PiecewiseMethod
from archsim.formats import Encoding, Fixed, Formats, IntegerFormat, parse_format
from archsim.golden import Activation as GoldenFunction
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_functions import Exact, Lines, Method, Table, activate, clipped
from archsim.golden.integer_tiles import Accumulation, Array
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import FunctionSpec

LANES = 3
seeds = st.integers(0, 2**32 - 1)


def region(name: str, encoding: Encoding, entries: int, width: int = LANES, kind: str = "") -> Region:
    buffer = Buffer(name, "state_buffer", DataKind.GATE, entries, width, encoding.format, format_kind=kind or name)
    return Region(buffer, 0, entries)


def grid(encoding: Encoding) -> Grid:
    """The same for the reference."""
    found, scale = encoding.format, encoding.scale
    assert isinstance(found, IntegerFormat)
    scale = scale if isinstance(scale, float) else scale[:, 0]
    return Grid(found.bits, scale, encoding.zero, str(found.rounding), found.wraps, isinstance(found, Fixed))


def codes(random: np.random.Generator, encoding: Encoding, *shape: int) -> np.ndarray:
    """Codes as they are stored: ends of the range, zero and its neighbours, small ones and any."""
    found = encoding.format
    assert isinstance(found, IntegerFormat)
    low, high = found.lowest, found.highest
    anywhere = random.integers(low, high, shape, endpoint=True)
    small = anywhere >> random.integers(0, found.bits, shape)
    special = random.choice(np.array([low, low, high, high, 0, 1, -1]), shape)
    which = random.choice(3, shape, p=random.dirichlet((1, 1, 1)))
    return np.select([which == 0, which == 1], [anywhere, small], special).astype(encoding.stored_type)


def coded(stored: np.ndarray, encoding: Encoding) -> Coded:
    return Coded(stored.astype(np.int64), grid(encoding))


def encoded(name: str, scale: float, zero: float = 0.0) -> Encoding:
    """Of a format by its name; of q the scale is its own. zero: where it lies in the range, 0 .. 1."""
    found = parse_format(name)
    assert isinstance(found, IntegerFormat)
    if isinstance(found, Fixed):
        return Encoding(found, found.scale)
    own = getattr(found, "asymmetric", False)
    return Encoding(found, scale, round(found.lowest + zero * (found.highest - found.lowest)) if own else 0)


_scales = st.builds(lambda power, part: 2.0**power * part, st.integers(-34, 3), st.sampled_from((1.0, 1.0, 1.3, 1.7)))


@st.composite
def encodings(draw: st.DrawFn, kind: str) -> Encoding:
    """Any that data of a kind can have."""
    name = draw(fixed()) if draw(st.booleans()) else draw(scaled(kind))
    return encoded(name, draw(_scales), draw(st.floats(0, 1)))


# The element-wise unit.


@dataclass
class Wanted:
    """The reference's target and operands of an op."""

    to: Target
    of: Mapping[str, Coded]

    def product(self, a: str | Coded, b: str | Coded) -> np.ndarray:
        return self.to.product(*(self.of[name] if isinstance(name, str) else name for name in (a, b)))

    def one_minus(self, name: str) -> Coded:
        gate = self.of[name]
        one = min(round(1.0 / gate.grid.scale), gate.grid.high)
        return Coded(one - gate.codes, replace(gate.grid, bits=gate.grid.bits + 1))


Formula = Callable[[Wanted], np.ndarray]

ELEMENTWISE: dict[str, tuple[type[ElementwiseOp], str, dict[str, str], Formula]] = {
    "c = f c + i g": (
        CellUpdate,
        "cell",
        {"input_gate": "activation", "candidate": "activation", "target": "cell", "forget_gate": "activation"},
        lambda w: w.product("forget_gate", "target") + w.product("input_gate", "candidate"),
    ),
    "c = (1 - i) c + i g": (
        CellUpdate,
        "cell",
        {"input_gate": "activation", "candidate": "activation", "target": "cell"},
        lambda w: w.product(w.one_minus("input_gate"), "target") + w.product("input_gate", "candidate"),
    ),
    "h = o tanh_c": (
        HiddenUpdate,
        "hidden",
        {"output_gate": "activation", "tanh_cell": "activation"},
        lambda w: w.product("output_gate", "tanh_cell"),
    ),
    "sums += p c": (
        Peephole,
        "gate",
        {"weights": "peephole", "cell": "cell"},
        lambda w: w.of["target"].codes + w.product("weights", "cell"),
    ),
    "n = x + r h": (
        CandidateSum,
        "gate",
        {"reset_gate": "activation", "input_part": "gate", "hidden_part": "gate"},
        lambda w: w.of["input_part"].codes + w.product("reset_gate", "hidden_part"),
    ),
    "v = r h": (
        ResetHidden,
        "vector",
        {"reset_gate": "activation", "hidden": "hidden"},
        lambda w: w.product("reset_gate", "hidden"),
    ),
    "h = (1 - z) n + z h": (
        GruUpdate,
        "hidden",
        {"update_gate": "activation", "candidate": "activation", "old": "hidden"},
        lambda w: w.product(w.one_minus("update_gate"), "candidate") + w.product("update_gate", "old"),
    ),
}
"""Op, what its target is, the kinds of data of its operands, and what docs/numerics.md says of it before narrow."""

LIKE = {"peephole": "cell", "vector": "hidden"}
"""Data in another kind's format, with a scale of their own."""


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=60)
@given(data=st.data(), seed=seeds)
def test_elementwise(name: str, data: st.DataObject, seed: int) -> None:
    kind, target_kind, operands, formula = ELEMENTWISE[name]
    random, entries = np.random.default_rng(seed), 30
    kinds = dict.fromkeys((*operands.values(), target_kind))
    found = {of: data.draw(encodings(LIKE.get(of, of)), label=of) for of in kinds}

    regions = {field: region(of, found[of], entries, 1 if of == "peephole" else LANES) for field, of in operands.items()}
    regions["target"] = region(target_kind, found[target_kind], entries)
    op = kind(unit="elementwise", label="op", **({"forget_gate": None} if kind is CellUpdate else {}) | regions)
    numerics = Numerics(found)
    config = ElementwiseConfig(lanes=1, cell_latency_cycles=1, hidden_latency_cycles=1)
    kernel = Elementwise(config, {}, Formats.model_validate("q4.12")).kernel(op, numerics)

    stored = {
        field: codes(random, found[place.buffer.format_kind], place.entries, place.buffer.width)
        for field, place in regions.items()
    }
    names = {id(place): field for field, place in regions.items()}
    (got,) = kernel.effect([stored[names[id(place)]] for place in op.reads])
    if kernel.retire is not None:
        got = kernel.retire(stored["target"], got)

    overflows: Counter[str] = Counter()
    to = Target(target_kind, grid(found[target_kind]), overflows)
    of = {field: coded(stored[field], found[place.buffer.format_kind]) for field, place in regions.items()}
    want = to.narrow(formula(Wanted(to, of)))
    assert got.tolist() == want.codes.tolist()
    assert numerics.overflows.overflowed == +overflows


# The MAC array.


@st.composite
def vectors_of_a_tile(draw: st.DrawFn) -> tuple[Encoding, Encoding, Encoding, bool]:
    """weight, x, h, and whether the two parts are one accumulation; the weights' scale is one number still."""
    if draw(st.booleans()):
        weight, x = (encoded(draw(fixed()), 1.0) for _ in range(2))
        if draw(st.booleans()):
            return weight, x, x, draw(st.booleans())
        return weight, x, encoded(draw(fixed()), 1.0), False
    return draw(encodings("weight")), draw(encodings("input")), draw(encodings("hidden")), False


def of_rows(random: np.random.Generator, encoding: Encoding, rows: int) -> Encoding:
    """With a scale for each row where the format has one."""
    if getattr(encoding.format, "granularity", "tensor") == "tensor":
        return encoding
    return replace(encoding, scale=encoding.scale * 2.0 ** random.uniform(-3, 3, (rows, 1)))


@settings(max_examples=300)
@given(
    formats=vectors_of_a_tile(),
    data=st.data(),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    kind=st.sampled_from(("starts", "starts without bias", "starts, further rows", "continues")),
    seed=seeds,
)
def test_mac_tile(formats, data: st.DataObject, sizes: tuple[int, int, int, int], kind: str, seed: int) -> None:
    weight, x, h, joined = formats
    rows, inputs, hidden, columns = sizes
    random = np.random.default_rng(seed)
    all_fixed = all(isinstance(of.format, Fixed) for of in (weight, x, h))
    fixed_accumulator = all_fixed and data.draw(st.booleans())
    accumulator = encoded(
        data.draw(fixed(accumulator_widths) if fixed_accumulator else scaled("accumulator", accumulator_widths)), 1.0
    )
    gate = data.draw(encodings("gate"), label="gate")
    single = kind in ("continues", "starts, further rows")
    parts = [("w_ih", of_rows(random, weight, rows), "x", x, inputs)]
    parts += [] if single else [("w_hh", of_rows(random, weight, rows), "h", h, hidden)]
    further = 2 if kind == "starts, further rows" else 0
    of_bias = accumulator
    if not fixed_accumulator:
        scales = np.broadcast_to(np.multiply(parts[0][1].scale, x.scale), (rows, 1))
        of_bias = replace(accumulator, scale=np.concatenate([scales, 0.37 * scales[:1], 1.5 * scales[:1]])[: rows + further])

    found = {"sums": gate, "bias": of_bias}
    for w, of_weight, v, of_vector, _ in parts:
        found |= {w: of_weight, v: of_vector}
    numerics = Numerics(found)
    biased = kind in ("starts", "starts, further rows")
    tile = TileShape(
        weights=tuple(region(w, of_weight, rows, k, "weight") for w, of_weight, _, _, k in parts),
        vectors=tuple(region(v, of_vector, k) for _, _, v, of_vector, k in parts),
        bias=region("bias", of_bias, rows + further, 1, "accumulator") if biased else None,
        sums=region("sums", gate, rows + further, kind="gate"),
        start=kind != "continues",
        columns=columns,
        one_accumulation=joined and len(parts) > 1,
        accumulator=accumulator.format,
    )
    kernel = mac_kernel(tile, numerics)
    weights = [codes(random, of_weight, rows, k) for _, of_weight, _, _, k in parts]
    vectors = [codes(random, of_vector, k, LANES) for _, _, _, of_vector, k in parts]
    bias, old = codes(random, of_bias, rows + further, 1), codes(random, gate, rows, LANES)
    (got,) = kernel.effect([*weights, *vectors, *([bias] if biased else [])])
    if kernel.retire is not None:
        got = kernel.retire(old, got)

    overflows: Counter[str] = Counter()
    to_accumulator = Target("accumulator", grid(accumulator), overflows)
    to_gate = Target("gate", grid(gate), overflows)
    matrices = [(coded(stored, part[1]), grid(part[3])) for stored, part in zip(weights, parts, strict=True)]
    lanes = [coded(stored.T, part[3]) for stored, part in zip(vectors, parts, strict=True)]
    start = coded(bias[:, 0], of_bias)
    if kind == "continues":
        a = Accumulation(matrices[0], to_accumulator, columns).run(lanes[0], None)
        want = to_gate.narrow(old.T.astype(np.int64) + to_gate.convert(a)).codes
    else:
        array = Array(columns, not joined, to_accumulator, to_gate)
        own = Coded(start.codes[:rows], replace(start.grid, scale=np.asarray(start.grid.scale)[..., :rows]))
        own = own if fixed_accumulator is False else Coded(start.codes[:rows], start.grid)
        want = array.tile(matrices, own if biased else None).run(*lanes).codes
    if further:
        scale = start.grid.scale if fixed_accumulator else start.grid.scale[rows:]
        alone = Coded(np.tile(start.codes[rows:], (LANES, 1)), replace(start.grid, scale=scale))
        want = np.concatenate([want, to_gate.narrow(to_gate.convert(alone)).codes], axis=1)
    assert got.tolist() == want.T.tolist()
    assert numerics.overflows.overflowed == +overflows


# The activation unit.

FUNCTIONS = [
    FunctionSpec(name)
    for name in ("sigmoid", "sigmoid", "tanh", "tanh", "relu", "softsign", "softplus", "identity")
] + [
    FunctionSpec("affine", 0.8, -0.1),
    FunctionSpec("leakyrelu", 0.2),
    FunctionSpec("thresholdedrelu", 0.1),
    FunctionSpec("scaledtanh", 1.3, 0.6),
    FunctionSpec("hardsigmoid", 0.3, 0.4),
    FunctionSpec("elu", 0.7),
]


@st.composite
def units_with_methods(draw: st.DrawFn, function: FunctionSpec) -> tuple[ActivationConfig, Method | None]:
    """The machine's activation unit, and the reference's method."""
    names = [MethodName.EXACT, MethodName.TABLE, MethodName.TABLE, MethodName.PIECEWISE_LINEAR]
    if function.name not in CURVED - {"sigmoid", "tanh"}:
        names.append(MethodName.HARD)
    name = draw(st.sampled_from(names))
    if name in (MethodName.EXACT, MethodName.HARD):
        return ActivationConfig(lanes=1, method=name), Exact(hard=name is MethodName.HARD)
    finest = 24 if name is MethodName.TABLE else 10
    address = parse_format(draw(address_formats(finest)))
    assert isinstance(address, Fixed)
    if name is MethodName.TABLE:
        table = {
            "entries": 2 ** draw(st.integers(1, 12)),
            "span": draw(spans(6)),
            "interpolation": draw(st.sampled_from(("nearest", "linear"))),
        }
        config = ActivationConfig(lanes=1, method=name, address_format=address.name, table=table)
        return config, Table(table["entries"], table["span"], table["interpolation"] == "linear", grid_of(address))
    lines = {
        "segments": draw(st.integers(2, 16)),
        "span": draw(spans(4)),
        "coefficient_bits": draw(st.sampled_from((4, 8, 16, 32))),
    }
    config = ActivationConfig(lanes=1, method=name, address_format=address.name, piecewise_linear=lines)
    segments = {}
    if function.name in CURVED:
        fitted = PiecewiseMethod(config.piecewise_linear, address).lines(function)
        segments[function.name] = (fitted.breakpoints, fitted.slopes, fitted.intercepts)
    return config, Lines(lines["span"], lines["coefficient_bits"], grid_of(address), segments)


def grid_of(found: Fixed) -> Grid:
    return grid(Encoding(found, found.scale))


def arguments(random: np.random.Generator, source: Encoding, reach: float) -> np.ndarray:
    """Codes of arguments of any size, and many of up to `reach`."""
    near = np.rint(random.uniform(-reach, reach, (40, LANES)) / source.scale)
    inside = np.clip(near, source.format.lowest, source.format.highest).astype(source.stored_type)
    return np.concatenate([codes(random, source, 20, LANES), inside])


@settings(max_examples=300)
@given(
    data=st.data(),
    function=st.sampled_from(FUNCTIONS),
    kinds=st.tuples(st.sampled_from(("gate", "cell")), st.sampled_from(("activation", "activation", "hidden"))),
    clip=st.sampled_from((None, None, 0.7, 2.0, 40.0)),
    seed=seeds,
)
def test_activation(data: st.DataObject, function: FunctionSpec, kinds: tuple[str, str], clip, seed: int) -> None:
    source, target = (data.draw(encodings(kind), label=kind) for kind in kinds)
    config, method = data.draw(units_with_methods(function))
    places = region("source", source, 60, kind=kinds[0]), region("target", target, 60, kind=kinds[1])
    op = Activate(unit="activation", label="op", function=function, source=places[0], target=places[1], clip=clip)
    numerics = Numerics({"source": source, "target": target})
    kernel = Activation(config, {}, Formats.model_validate("q4.12")).kernel(op, numerics)
    stored = arguments(np.random.default_rng(seed), source, 1.2 * getattr(method, "span", 8.0))
    (got,) = kernel.effect([stored])

    overflows: Counter[str] = Counter()
    to = Target(kinds[1], grid(target), overflows)
    x = clipped(coded(stored, source), clip)
    if function.name == "identity":
        want = to.narrow(to.convert(x))
    else:
        want = activate(GoldenFunction(function.name, function.alpha, function.beta), x, to, method)
    assert got.tolist() == want.codes.tolist()
    assert numerics.overflows.overflowed == +overflows


_: Any = Overflows
