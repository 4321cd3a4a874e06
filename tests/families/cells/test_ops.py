"""The arithmetic of each op that a cell is made of, with numbers that can be followed by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archsim.families.cells.activation import Activate
from archsim.families.cells.elementwise import Elementwise, ElementwiseConfig
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.normalize import Normalize
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.formats import Encoding, Float32, parse_format
from archsim.formats.number import Bit
from archsim.hardware.constants import FLOATING, ActivationConstants
from archsim.hardware.lane_hold import Hold
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Buffer, DataKind, Op, Region
from archsim.workload import FunctionSpec
from tests.float_machines import FLOAT_16X16

UNITS = build_units(load_arch(FLOAT_16X16).config)


def region(entries: int, width: int = 1, name: str = "n") -> Region:
    return Region(Buffer(name, "state_buffer", DataKind.GATE, entries, width, Float32()), 0, entries)


VALID = Region(Buffer("valid", "sequencer", DataKind.VALID, 1, 3, Bit(), None, 9), 0, 1)


def effect(op: Op, *operands: object) -> list[list[float]]:
    """The op's only result."""
    arrays = [np.array(operand, np.float32) for operand in operands]
    assert len(arrays) == len(op.reads)
    (result,) = UNITS[op.unit].kernel(op, Numerics()).effect(arrays)
    assert result.dtype == np.float32
    return result.tolist()  # type: ignore[no-any-return]


def elementwise(kind: type[Op], fields: str, **more: object) -> Op:
    """An op whose fields are all the same region."""
    return kind(unit="elementwise", label="op", target=region(1), **dict.fromkeys(fields.split(), region(1)), **more)  # type: ignore[arg-type, call-arg]


def test_cell_update() -> None:
    """0.5 * 8 (f c) + 3 * 2 (i g) = 10; coupled, f = 1 - 3: -2 * 8 + 3 * 2 = -10."""
    op = elementwise(CellUpdate, "input_gate candidate forget_gate")
    assert effect(op, [[3]], [[2]], [[8]], [[0.5]]) == [[10]]
    assert effect(replace(op, forget_gate=None), [[3]], [[2]], [[8]]) == [[-10]]  # type: ignore[call-arg]


def test_hidden_update() -> None:
    assert effect(elementwise(HiddenUpdate, "output_gate tanh_cell"), [[0.5]], [[3]]) == [[1.5]]


def test_candidate_sum_resets_the_hidden_part_alone() -> None:
    """5 + 3 * 2 = 11, neither 3 * (5 + 2) nor 3 * 5 + 2."""
    op = elementwise(CandidateSum, "reset_gate input_part hidden_part")
    assert effect(op, [[3]], [[5]], [[2]]) == [[11]]


def test_reset_hidden() -> None:
    assert effect(elementwise(ResetHidden, "reset_gate hidden"), [[0.25]], [[8]]) == [[2]]


def test_gru_update_keeps_what_z_says() -> None:
    """(1 - 0.25) * 8 + 0.25 * 4 = 7; with candidate and old h the other way round it would be 5."""
    op = elementwise(GruUpdate, "update_gate candidate old")
    assert effect(op, [[0.25]], [[8]], [[4]]) == [[7]]
    assert effect(op, [[1]], [[8]], [[4]]) == [[4]]
    assert effect(op, [[0]], [[8]], [[4]]) == [[8]]


def test_peepholes_add_onto_the_sums() -> None:
    """p (2, 1) * c (2, 2): a weight for each hidden unit, the same for both sequences."""
    op = Peephole(unit="elementwise", label="p", weights=region(2), cell=region(2, 2), target=region(2, 2))
    product = effect(op, [[2], [3]], [[1, 10], [1, 100]])
    assert product == [[2, 20], [3, 300]]
    assert op.updates == op.writes == (op.target,)
    old = np.array([[1, 1], [1, 1]], np.float32)
    kernel = UNITS["elementwise"].kernel(op, Numerics())
    assert kernel.retire is not None
    assert kernel.retire(old, np.array(product, np.float32)).tolist() == [[3, 21], [4, 301]]


def test_peepholes_of_gates_side_by_side() -> None:
    op = Peephole(unit="elementwise", label="p", weights=region(4), cell=region(2), target=region(4))
    assert effect(op, [[2], [3], [4], [5]], [[10], [100]]) == [[20], [300], [40], [500]]


@pytest.mark.parametrize("lanes", [2, 3, 4, 200])
def test_a_peephole_weight_is_taken_with_the_first_of_its_sequences(lanes: int) -> None:
    """100 weights of 32 bits, each for 2 sequences, through 32 bits: weight u comes in cycle u, for step 2 u // lanes.

    Of 2 lanes that is step u of 100, of 3 step 66 of 67 for weight 99, of 4 step 49 of 50, of 200 the only one: nothing
    waits but for weight 99, which comes in cycle 99, and with which the last step goes.
    """
    weights = replace(region(100), buffer=replace(region(100).buffer, memory="weight_sram"))
    op = Peephole(unit="elementwise", label="p", weights=weights, cell=region(100, 2), target=region(100, 2))
    config = ElementwiseConfig(lanes=lanes, cell_latency_cycles=1, hidden_latency_cycles=1)
    unit = Elementwise(config, {"weight_sram": 32, "state_buffer": None}, UNITS["elementwise"].formats)
    assert unit.cycles(op).occupancy_cycles == 100


@pytest.mark.parametrize(("clip", "expected"), [(None, [-7, 1, 5]), (3.0, [-5, 1, 5]), (0.5, [0, 1, 2])])
def test_clip_bounds_what_goes_into_the_function(clip: float | None, expected: list[float]) -> None:
    """2 x + 1 of x = -4, 0 and 2: x is bounded, what comes out is not."""
    op = Activate(
        unit="activation",
        label="a",
        function=FunctionSpec("affine", 2.0, 1.0),
        source=region(1, 3),
        target=region(1, 3),
        clip=clip,
    )
    assert effect(op, [[-4, 0, 2]]) == [expected]


def test_a_lane_that_holds_keeps_its_old_value() -> None:
    """Three sequences, the second has ended: its h stays what it was, whatever the op computes."""
    hold = Hold(VALID, region(2, 3, "old"))
    op = replace(elementwise(HiddenUpdate, "output_gate tanh_cell"), target=region(2, 3), hold=hold)  # type: ignore[call-arg]
    gates, tanh, old = [[1, 2, 3], [4, 5, 6]], [[10, 10, 10], [10, 10, 10]], [[7, 8, 9], [70, 80, 90]]
    assert effect(op, gates, tanh, [[1, 0, 1]], old) == [[10, 8, 30], [40, 80, 60]]
    assert effect(op, gates, tanh, [[1, 1, 1]], old) == [[10, 20, 30], [40, 50, 60]]
    assert effect(op, gates, tanh, [[0, 0, 0]], old) == old
    assert op.reads[-2:] == hold.regions == (VALID, hold.old)


def test_every_op_that_writes_a_state_can_hold() -> None:
    """The cell update holds c, an activation (RNN, projection) holds h; the operands come before the hold's."""
    hold = Hold(VALID, region(1, 3, "old"))
    wide = {name: region(1, 3) for name in ("input_gate", "candidate", "forget_gate", "target")}
    cell = CellUpdate(unit="elementwise", label="c", **wide, hold=hold)  # type: ignore[arg-type]
    # f c + i g = 2 * 10 + 1 * 3 in the first lane; the others keep 5 and 6.
    assert effect(cell, [[1] * 3], [[3] * 3], [[10] * 3], [[2] * 3], [[1, 0, 0]], [[4, 5, 6]]) == [[23, 5, 6]]
    activate = Activate(
        unit="activation",
        label="a",
        function=FunctionSpec("relu"),
        source=region(1, 3),
        target=region(1, 3),
        hold=hold,
        clip=1.0,
    )
    assert effect(activate, [[-1, 0.5, 2]], [[1, 1, 0]], [[4, 5, 6]]) == [[0, 0.5, 6]], "what is held is not clipped"


@pytest.mark.parametrize(("bias", "expected"), [(None, [[11], [0]]), ([[5], [7]], [[16], [7]])])
def test_rows_of_a_tile_beyond_its_weights_start_with_the_bias_alone(bias: object, expected: object) -> None:
    """[1 2 3] @ [1 2 2] = 11 in the first row; W_hn h of a GRU, not multiplied yet, starts from b_hn, or from 0."""
    tile = MacTile(
        unit="mac_array",
        label="t",
        weights=(region(1, 3),),
        vectors=(region(3),),
        sums=region(2),
        start=True,
        bias=None if bias is None else region(2),
    )
    operands = [[[1, 2, 3]], [[1], [2], [2]]]
    assert effect(tile, *operands, *([] if bias is None else [bias])) == expected
    assert tile.macs == 3, "a row that is not multiplied counts no MACs"
    assert tile.updates == ()
    assert replace(tile, start=False).updates == (tile.sums,)


def test_a_variance_of_real_numbers_is_never_0() -> None:
    """Sums of -+1e-4 have the variance 1e-8, to which 1e-8 is added: -+1 / sqrt(2), times gamma, and the bias.

    Sums that are all alike leave the bias alone.
    """
    sums = region(2, 1, "sums")
    op = Normalize(unit="elementwise", label="n", target=sums, sums=sums, weights=region(2), bias=region(2))
    for given, expected in (([[-1e-4], [1e-4]], [[1 - 2**0.5], [3 / 2**0.5]]), ([[5], [5]], [[1], [0]])):
        found = effect(op, given, given, given, [[2], [3]], [[1], [0]])
        assert np.allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("clip", "expected"),
    [
        (2.0, [-8192, -8192, 0, 5000, 8192]),
        # 0.00037 x 4,096 = 1.52 is nearest to 2.
        (0.00037, [-2, -2, 0, 2, 2]),
        # 100 is beyond 8 - 1/4,096: the largest code, on both sides.
        (100.0, [-32767, -20000, 0, 5000, 32767]),
        (None, [-32768, -20000, 0, 5000, 32767]),
    ],
)
def test_clip_of_codes(clip: float | None, expected: list[int]) -> None:
    """Q4.12, of which 4,096 is 1; 5,000 is 1.2."""
    q = parse_format("q4.12")
    at = Region(Buffer("n", "state_buffer", DataKind.GATE, 1, 5, q), 0, 1)
    op = Activate(unit="activation", label="a", function=FunctionSpec("identity"), source=at, target=at, clip=clip)
    units = build_units(load_arch(FLOAT_16X16, ["formats=q4.12", "activation.method=table"]).config)
    numerics = Numerics({"n": Encoding(q, 2.0**-12)})
    (found,) = units["activation"].kernel(op, numerics).effect([np.array([[-32768, -20000, 0, 5000, 32767]])])
    assert found.tolist() == [expected]
    constants = units["activation"].constants(op, numerics)
    assert isinstance(constants, ActivationConstants)
    assert constants.clip == (None if clip is None else expected[-1])
    assert constants.bias_to_source is None


def test_a_late_bias_of_codes_is_brought_to_the_scale_of_the_sums() -> None:
    """A bias in Q8.16 for sums in Q4.12: 16 codes of it are one of theirs. Real numbers on a side have no integers."""
    q, fine, real = parse_format("q4.12"), parse_format("q8.16"), Float32()
    at, bias, other = (
        Region(Buffer(name, "state_buffer", DataKind.GATE, 1, 1, held), 0, 1)
        for name, held in (("n", q), ("bias", fine), ("real", real))
    )
    op = Activate(unit="activation", label="a", function=FunctionSpec("identity"), source=at, target=at, bias=bias)
    unit = build_units(load_arch(FLOAT_16X16, ["formats=q4.12", "activation.method=table"]).config)["activation"]
    numerics = Numerics({"n": Encoding(q, 2.0**-12), "bias": Encoding(fine, 2.0**-16), "real": Encoding(real)})
    (found,) = unit.kernel(op, numerics).effect([np.array([[100]]), np.array([[-320]])])
    assert found.tolist() == [[80]]
    constants = unit.constants(op, numerics)
    assert isinstance(constants, ActivationConstants)
    assert constants.bias_to_source is not None
    assert (constants.bias_to_source.multipliers, constants.bias_to_source.shifts) == ((1,), (4,))
    for mixed in (replace(op, source=other, bias=None), replace(op, target=other, bias=None)):
        assert unit.constants(mixed, numerics) == FLOATING


def test_a_late_bias_is_added_in_the_format_of_the_sums() -> None:
    """Of two rows of two sequences; before the clip and the function, 2 x + 1."""
    op = Activate(
        unit="activation",
        label="a",
        function=FunctionSpec("affine", 2.0, 1.0),
        source=region(2, 2),
        target=region(2, 2),
        bias=region(2, 1, "bias"),
        clip=10.0,
    )
    assert effect(op, [[1, 2], [3, 4]], [[5], [7]]) == [[13, 15], [21, 21]]
