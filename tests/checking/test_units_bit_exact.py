"""Each op's arithmetic on any codes of any formats, the largest included, against the integer reference.

Whole runs (test_bit_exact.py) seldom come near the limits: here factors of 32 bits meet in sums of more than 62.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.families.cells.activation import Activate, Activation, ActivationConfig
from archsim.families.cells.elementwise import Elementwise, ElementwiseConfig, ElementwiseOp
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.merge import MergeProduct, MergeSum
from archsim.formats import Encoding, Fixed, Formats, IntegerFormat, parse_format
from archsim.golden import Activation as GoldenFunction
from archsim.golden.integer import Coded, Grid, Target
from archsim.golden.integer_functions import Exact, Lines, Method, Table, activate, clipped
from archsim.golden.integer_products import Accumulation
from archsim.golden.integer_tiles import Array
from archsim.hardware.functions.approximation_range import CURVED
from archsim.hardware.functions.method_registry import EXACT, HARD, PIECEWISE_LINEAR, TABLE
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.hardware.numerics import Numerics
from archsim.hardware.products import TileShape, product_kernel
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import FunctionSpec
from tests.checking.format_draws import accumulator_widths, address_formats, fixed, scaled, spans
from tests.rings import examples

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

    def part(self, name: str, weight: float) -> np.ndarray:
        of = self.of[name]
        return self.to.convert(Coded(of.codes, replace(of.grid, scale=float(of.grid.scale) * weight)))

    def one_minus(self, name: str) -> Coded:
        gate = self.of[name]
        one = min(round(1.0 / gate.grid.scale), gate.grid.high)  # type: ignore[arg-type]
        return Coded(one - gate.codes, replace(gate.grid, bits=gate.grid.bits + 1))


Formula = Callable[[Wanted], np.ndarray]

ELEMENTWISE: dict[str, tuple[Callable[..., ElementwiseOp], str, dict[str, str], Formula]] = {
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
    "y = forward backward": (
        MergeProduct,
        "merged",
        {"forward": "hidden", "backward": "hidden"},
        lambda w: w.product("forward", "backward"),
    ),
    "y = forward + backward": (
        partial(MergeSum, weight=1.0),
        "merged",
        {"forward": "hidden", "backward": "hidden"},
        lambda w: w.part("forward", 1.0) + w.part("backward", 1.0),
    ),
    "y = forward / 2 + backward / 2": (
        partial(MergeSum, weight=0.5),
        "merged",
        {"forward": "hidden", "backward": "hidden"},
        lambda w: w.part("forward", 0.5) + w.part("backward", 0.5),
    ),
}
"""Op, what its target is, the kinds of data of its operands, and what docs/numerics.md says of it before narrow."""

LIKE = {"peephole": "cell", "vector": "hidden", "merged": "hidden"}
"""Data in another kind's format, with a scale of their own."""


@pytest.mark.parametrize("name", ELEMENTWISE)
@settings(max_examples=examples(60))
@given(data=st.data(), seed=seeds)
def test_elementwise(name: str, data: st.DataObject, seed: int) -> None:
    kind, target_kind, operands, formula = ELEMENTWISE[name]
    random, entries = np.random.default_rng(seed), 30
    kinds = dict.fromkeys((*operands.values(), target_kind))
    found = {of: data.draw(encodings(LIKE.get(of, of)), label=of) for of in kinds}

    regions = {
        field: region(of, found[of], entries, 1 if of == "peephole" else LANES) for field, of in operands.items()
    }
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


@dataclass(frozen=True)
class Part:
    """W v: a matrix (rows, K), whose scale may be one for each row, and a vector (K, lanes)."""

    name: str
    weight: Encoding
    vector: Encoding
    weights: np.ndarray
    numbers: np.ndarray

    @property
    def regions(self) -> tuple[Region, Region]:
        rows, inputs = self.weights.shape
        return region(f"W_{self.name}", self.weight, rows, inputs), region(self.name, self.vector, inputs)


@st.composite
def formats_of_a_tile(draw: st.DrawFn) -> tuple[Encoding, Encoding, Encoding, Encoding, bool]:
    """weight, x, h, accumulator, and whether W x and W h are one accumulation; scales of rows come later."""
    if not draw(st.booleans()):
        weight, x, h = (draw(encodings(kind)) for kind in ("weight", "input", "hidden"))
        return weight, x, h, encoded(draw(scaled("accumulator", accumulator_widths)), 1.0), False
    weight, x, h = (encoded(draw(fixed()), 1.0) for _ in range(3))
    h, joined = draw(st.sampled_from(((h, False), (x, False), (x, True))))
    of_accumulator = draw(st.sampled_from((fixed(accumulator_widths), scaled("accumulator", accumulator_widths))))
    return weight, x, h, encoded(draw(of_accumulator), 1.0), joined


def by_row(random: np.random.Generator, encoding: Encoding, rows: int) -> Encoding:
    """With a scale for each row where the format has more than one."""
    if getattr(encoding.format, "granularity", "tensor") == "tensor":
        return encoding
    return replace(encoding, scale=encoding.scale * 2.0 ** random.uniform(-3, 3, (rows, 1)))


def scales_of(encoding: Encoding, rows: slice) -> Grid:
    """The grid of some rows."""
    found = grid(encoding)
    return found if isinstance(found.scale, float) else replace(found, scale=found.scale[rows])


@settings(max_examples=examples(300))
@given(
    formats=formats_of_a_tile(),
    gate=encodings("gate"),
    sizes=st.tuples(st.integers(1, 5), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)),
    kind=st.sampled_from(("starts", "starts without bias", "starts more rows", "continues")),
    seed=seeds,
)
def test_mac_tile(
    formats: tuple[Encoding, Encoding, Encoding, Encoding, bool],
    gate: Encoding,
    sizes: tuple[int, int, int, int],
    kind: str,
    seed: int,
) -> None:
    weight, x, h, accumulator, joined = formats
    rows, inputs, hidden, columns = sizes
    random = np.random.default_rng(seed)
    further = 2 if kind == "starts more rows" else 0
    parts = []
    for name, vector, k in (("x", x, inputs), ("h", h, hidden))[
        : 2 if kind.startswith("starts") and not further else 1
    ]:
        of_weight = by_row(random, weight, rows)
        parts.append(Part(name, of_weight, vector, codes(random, of_weight, rows, k), codes(random, vector, k, LANES)))
    of_bias = accumulator
    if not isinstance(accumulator.format, Fixed):
        products = np.broadcast_to(np.multiply(parts[0].weight.scale, x.scale), (rows, 1))
        of_bias = replace(accumulator, scale=np.concatenate([products, np.full((further, 1), 0.37 * products[0, 0])]))
    bias = None if kind == "starts without bias" else codes(random, of_bias, rows + further, 1)
    old = codes(random, gate, rows, LANES)

    numerics = Numerics(
        {"sums": gate, "bias": of_bias}
        | {f"W_{part.name}": part.weight for part in parts}
        | {part.name: part.vector for part in parts}
    )
    starts = kind != "continues"
    tile = TileShape(
        weights=tuple(part.regions[0] for part in parts),
        vectors=tuple(part.regions[1] for part in parts),
        bias=region("bias", of_bias, rows + further, 1) if starts and bias is not None else None,
        sums=region("sums", gate, rows + further, kind="gate"),
        start=starts,
        columns=(columns,) * len(parts),
        one_accumulation=joined and len(parts) > 1,
        accumulator=accumulator.format,
    )
    kernel = product_kernel(tile, numerics)
    operands = [*(part.weights for part in parts), *(part.numbers for part in parts)]
    (got,) = kernel.effect([*operands, bias] if tile.bias else operands)  # type: ignore[list-item]
    if kernel.retire is not None:
        got = kernel.retire(old, got)

    overflows: Counter[str] = Counter()
    to_accumulator = Target("accumulator", grid(accumulator), overflows)
    to_gate = Target("gate", grid(gate), overflows)
    matrices = [(coded(part.weights, part.weight), grid(part.vector)) for part in parts]
    vectors = [coded(part.numbers.T, part.vector) for part in parts]
    if starts:
        array = Array(columns, not joined, to_accumulator, to_gate)
        own = None if bias is None else Coded(bias[:rows, 0].astype(np.int64), scales_of(of_bias, slice(rows)))
        want = array.tile(matrices, own).run(*vectors).codes
    else:
        added = to_gate.convert(Accumulation(matrices[0], to_accumulator, columns).run(vectors[0], None))
        want = to_gate.narrow(old.T + added).codes
    if further:
        alone = np.tile(bias[rows:, 0].astype(np.int64), (LANES, 1))  # type: ignore[index]
        alone = to_gate.narrow(to_gate.convert(Coded(alone, scales_of(of_bias, slice(rows, None))))).codes
        want = np.concatenate([want, alone], axis=1)
    assert got.tolist() == want.T.tolist()
    assert numerics.overflows.overflowed == +overflows


# The activation unit.

FUNCTIONS = [
    FunctionSpec(name) for name in ("sigmoid", "sigmoid", "tanh", "tanh", "relu", "softsign", "softplus", "identity")
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
    names = [EXACT, TABLE, TABLE, PIECEWISE_LINEAR]
    if function.name not in CURVED - {"sigmoid", "tanh"}:
        names.append(HARD)
    name = draw(st.sampled_from(names))
    if name in (EXACT, HARD):
        return ActivationConfig(lanes=1, method=name), Exact(hard=name is HARD)
    finest = 24 if name is TABLE else 10
    address = parse_format(draw(address_formats(finest)))
    assert isinstance(address, Fixed)
    if name is TABLE:
        table = {
            "entries": 2 ** draw(st.integers(1, 12)),
            "span": draw(spans(6)),
            "interpolation": draw(st.sampled_from(("nearest", "linear"))),
        }
        config = ActivationConfig(lanes=1, method=name, address_format=address, table=table)  # type: ignore[arg-type]
        return config, Table(table["entries"], table["span"], table["interpolation"] == "linear", grid_of(address))
    lines = {
        "segments": draw(st.integers(2, 16)),
        "span": draw(spans(4)),
        "coefficient_bits": draw(st.sampled_from((4, 8, 16, 32))),
    }
    config = ActivationConfig(lanes=1, method=name, address_format=address, piecewise_linear=lines)  # type: ignore[arg-type]
    segments = {}
    if function.name in CURVED:
        fitted = PiecewiseMethod(config.piecewise_linear, address).lines(function)
        segments[function.name] = (fitted.breakpoints, fitted.slopes, fitted.intercepts)
    return config, Lines(lines["span"], lines["coefficient_bits"], grid_of(address), segments)  # type: ignore[arg-type]


def grid_of(found: Fixed) -> Grid:
    return grid(Encoding(found, found.scale))


def arguments(random: np.random.Generator, source: Encoding, reach: float) -> np.ndarray:
    """Codes of arguments of any size, and many of up to `reach`."""
    near = np.rint(random.uniform(-reach, reach, (40, LANES)) / source.scale)
    inside = np.clip(near, source.format.lowest, source.format.highest).astype(source.stored_type)  # type: ignore[attr-defined]
    return np.concatenate([codes(random, source, 20, LANES), inside])


@settings(max_examples=examples(300))
@given(
    data=st.data(),
    function=st.sampled_from(FUNCTIONS),
    kinds=st.tuples(st.sampled_from(("gate", "cell")), st.sampled_from(("activation", "activation", "hidden"))),
    clip=st.sampled_from((None, None, 0.7, 2.0, 40.0)),
    seed=seeds,
)
def test_activation(
    data: st.DataObject, function: FunctionSpec, kinds: tuple[str, str], clip: float | None, seed: int
) -> None:
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
        want = activate(GoldenFunction(function.name, function.alpha, function.beta), x, to, method)  # type: ignore[arg-type]
    assert got.tolist() == want.codes.tolist()
    assert numerics.overflows.overflowed == +overflows
