"""Words of ROMs, ratios, lines of weights, tokens and segments: what is generated, without Verilator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archsim.api import simulate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.gemv.rtl.ratio import Ratio, ratio
from archsim.families.gemv.rtl.tokens import edges, segments
from archsim.families.gemv.rtl.weights import _lines_of, tile_shape
from archsim.families.gemv.rtl.words import Field, Word, hex_lines, joined
from archsim.families.rtl import RtlError
from archsim.formats import IntegerFormat
from archsim.formats.rounding import Conversion, Rounding
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Program, Region
from tests.families.gemv.rtl.cases import expected_of, inputs_of
from tests.families.gemv.rtl.planted import LSTM, PROJECTED, SmallCase
from tests.present import present

TINY = SmallCase("lstm:3,2,t=4", "fused_interleaved", ("formats=tflite_int8", "activation.method=table"))


def test_pack() -> None:
    """a = 5 in 3 bits, b = -1 in 4 bits (1111), c = 0 in 2: 101 1111 00."""
    word = Word("t", (Field("a", 3), Field("b", 4), Field("c", 2)))
    assert word.bits == 9
    assert word.pack({"a": 5, "b": -1}) == 0b101_1111_00


def test_a_value_that_does_not_fit() -> None:
    word = Word("t", (Field("a", 3),))
    with pytest.raises(ValueError, match=r"t\.a: 8 does not fit 3 bits"):
        word.pack({"a": 8})
    with pytest.raises(ValueError, match="t has no field b"):
        word.pack({"b": 1})


def test_hex_lines() -> None:
    assert hex_lines([1, -1, 18], 6) == "01\n3f\n12\n"


@pytest.mark.parametrize("bits", [8, 5])
def test_joined(bits: int) -> None:
    """The first code is in the lowest bits."""
    codes, mask = [1, -2, 3], (1 << bits) - 1
    word = joined(codes, bits)
    assert [word >> place * bits & mask for place in range(3)] == [1, -2 & mask, 3]
    assert word >> 3 * bits == 0


def test_ratio() -> None:
    """2^-3 is a shift by 3; 3/4 = 0.75 2^0, m = 0.75 2^31, s = 31; a mantissa that rounds to 2^31 becomes 2^30."""
    assert ratio(0.125) == Ratio(1, 3)
    assert ratio(4.0) == Ratio(1, -2)
    assert ratio(0.75) == Ratio(3 << 29, 31)
    assert ratio(1.0 - 2.0**-40) == Ratio(1 << 30, 30)


@pytest.mark.parametrize("rounding", [Rounding.EVEN, Rounding.HALF_UP, Rounding.TRUNCATE])
def test_ratio_is_the_conversions(rounding: Rounding) -> None:
    """v m / 2^s, in whole numbers of Python, is what the simulator converts to."""
    draw = np.random.default_rng(7)
    for value in draw.uniform(1e-6, 3, 50):
        found, numbers = ratio(value), draw.integers(-(2**31), 2**31, 20)
        wanted = Conversion(value, rounding)(numbers)
        for number, want in zip(numbers.tolist(), wanted.tolist(), strict=True):
            product, half = number * found.m, 1 << found.s - 1
            floor, rest = product >> found.s, product & (1 << found.s) - 1
            up = {
                Rounding.EVEN: rest > half or (rest == half and floor & 1 == 1),
                Rounding.HALF_UP: rest >= half,
                Rounding.TRUNCATE: False,
            }[rounding]
            assert floor + up == want


def _program() -> Program:
    return expected_of(TINY).program


def test_segments() -> None:
    """Prologue of 9 ops; 3 steps with the load of x ahead, and the last, which leaves it out; h_n and c_n."""
    found = segments(_program())
    assert [(len(s.entries), s.repeat, s.barrier) for s in found] == [
        (9, 1, True),
        (16, 3, True),
        (16, 1, False),
        (2, 1, True),
    ]
    assert [entry.left_out for entry in found[2].entries] == [True] + [False] * 15


def test_edges() -> None:
    """Each dependency has a counter; one that reaches back n repetitions begins with n credits."""
    program = _program()
    numbers = {(p, n): 100 * p + n for p, phase in enumerate(program.phases) for n in range(len(phase.ops))}
    found = edges(program, numbers)
    body = program.phases[1]
    wanted = [(100 + dep.op, 100 + index, dep.lag) for index, deps in enumerate(body.deps) for dep in deps]
    assert [(edge.producer, edge.consumer, edge.initial) for edge in found] == wanted
    # h has two slots: a hidden update waits for "store h" of two steps before.
    assert {edge.initial for edge in found} == {0, 1, 2}


def test_a_token_that_nobody_sends_is_refused() -> None:
    """The op that sends is left out of the last step, the one that waits for it in the same step is not."""
    program = _program()
    body = program.phases[1]
    index, dep = next((n, dep) for n, deps in enumerate(body.deps) for dep in deps if not dep.lag)
    ops = [replace(op, skip_last=int(n == dep.op)) for n, op in enumerate(body.ops)]
    cut = replace(program, phases=(program.phases[0], replace(body, ops=tuple(ops)), *program.phases[2:]))
    numbers = {(p, n): 100 * p + n for p, phase in enumerate(program.phases) for n in range(len(phase.ops))}
    with pytest.raises(RtlError, match="no RTL of a token from '.*' to '.*', which outlives it"):
        edges(cut, numbers)
    assert index != dep.op


def test_credits_of_ops_that_are_left_out_at_first() -> None:
    """A consumer that begins 2 repetitions late has 2 credits fewer at the start, behind a late producer as many more.

    The last token is used: a consumer that is left out of as many last repetitions as its producer, or, with a lag of
    one, of one fewer, is in time. An op that never takes part has no edge.
    """
    body = replace(_program().phases[1], repeat=6)
    index, dep = next((n, dep) for n, deps in enumerate(body.deps) for dep in deps if not dep.lag)

    def edges_with(lag: int, producer: tuple[int, int], consumer: tuple[int, int]) -> list[tuple[int, int, int]]:
        skips = {dep.op: producer, index: consumer}
        ops = [
            replace(op, skip_first=skips[n][0], skip_last=skips[n][1]) if n in skips else op
            for n, op in enumerate(body.ops)
        ]
        deps = [(replace(dep, lag=lag),) if n == index else () for n in range(len(body.ops))]
        program = replace(_program(), phases=(replace(body, ops=tuple(ops), deps=tuple(deps)),))
        numbers = {(0, n): n for n in range(len(ops))}
        return [(edge.producer, edge.consumer, edge.initial) for edge in edges(program, numbers)]

    for lag, producer, consumer, initial in (
        (0, (0, 0), (0, 0), 0),
        (1, (0, 0), (0, 0), 1),
        (1, (0, 0), (2, 0), -1),
        (0, (2, 0), (0, 0), 2),
        (1, (3, 0), (2, 0), 2),
        (0, (0, 2), (0, 2), 0),
        (1, (0, 3), (0, 2), 1),
    ):
        assert edges_with(lag, producer, consumer) == [(dep.op, index, initial)]
    for lag, late in ((0, 1), (1, 2)):
        with pytest.raises(RtlError, match="outlives it"):
            edges_with(lag, (0, late), (0, 0))
    assert edges_with(0, (6, 0), (0, 0)) == edges_with(0, (0, 0), (6, 0)) == []


def test_same_bytes() -> None:
    first = expected_of(TINY).design
    expected_of.cache_clear()
    assert first.files == expected_of(TINY).design.files


def test_readme_names_every_module() -> None:
    design = expected_of(TINY).design
    assert [name for name in design.sources if f"`{name}`" not in design.files["README.md"]] == ["delay.sv"]


def test_a_line_has_the_weights_of_a_chunk_row_by_row() -> None:
    """R = C = 2: of 2 x 3 weights two lines of 4 codes; the last column of the second is padding."""
    tile = next(op for phase in _program().phases for op in phase.ops if isinstance(op, MacTile))
    buffer = replace(tile.weights[0].buffer, name="w", entries=2, width=3)
    vector = replace(tile.vectors[0], start=0, stop=3)
    alone = replace(tile, weights=(Region(buffer, 0, 2),), vectors=(vector,))
    matrices = {"w": np.array([[1, 2, 3], [4, 5, 6]])}
    lines = _lines_of(alone, tile_shape(alone, 2, True), matrices, 2, 2)
    assert [line.tolist() for line in lines] == [[1, 2, 4, 5], [3, 0, 6, 0]]


@pytest.mark.parametrize("case", [LSTM, PROJECTED], ids=["lstm", "projected"])
def test_all_sums_leave_the_array_in_the_gates_bits_and_rounding(case: SmallCase) -> None:
    """The array has one GATE_ROUNDING, GB and GATE_WRAP; those of a projection have another scale, that of h."""
    arch, workload = inputs_of(case)
    numbers = present(simulate(arch, workload, case.schedule).numbers)
    numerics, gate = Numerics(numbers.encodings), integer(numbers.formats.format("gate"))
    tiles = [op for phase in numbers.program.phases for op in phase.ops if isinstance(op, MacTile)]
    sums = [numerics.encoding_of(tile.sums) for tile in tiles]
    scaled = ["sums", "h"] if case is PROJECTED else ["sums"]
    assert {float(its.scale) for its in sums} == {float(numbers.encodings[name].scale) for name in scaled}
    found = {(its.bits, its.rounding, its.wraps) for its in (integer(encoding.format) for encoding in sums)}
    assert found == {(gate.bits, gate.rounding, gate.wraps)}


def integer(found: object) -> IntegerFormat:
    assert isinstance(found, IntegerFormat)
    return found


def test_lines_of_weights() -> None:
    """R = C = 2, K = 3 + 2, two accumulations of 2 and 1 chunks: 2 units x 2 tiles x 3 chunks = 12 lines of 4 codes."""
    package = expected_of(TINY).design.files["archsim_pkg.sv"]
    assert "localparam int WEIGHT_LINES = 12;" in package
    assert len(expected_of(TINY).design.files["dram_weights.hex"].splitlines()) == 12


def test_a_memory_for_vectors_before_a_projection_is_there_where_there_is_one() -> None:
    """H before it is projected is kept in a memory of its own; other networks have no such vector, and no memory."""
    for case, there in ((TINY, 0), (PROJECTED, 1)):
        assert f"localparam bit HAS_VECTOR = {there};" in expected_of(case).design.files["archsim_pkg.sv"]
