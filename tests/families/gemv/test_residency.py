"""Which matrices stay on chip, by hand: tiles are taken spread evenly, and what fits exactly fits."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.gemv.matrices.residency import _spread
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import PhaseKind
from archsim.workload import load_workload


@pytest.mark.parametrize(
    ("count", "order"),
    [(1, [0]), (2, [0, 1]), (4, [0, 2, 1, 3]), (6, [0, 4, 2, 1, 5, 3]), (8, [0, 4, 2, 6, 1, 5, 3, 7])],
)
def test_every_beginning_of_the_order_is_spread_over_all(count: int, order: list[int]) -> None:
    assert _spread(count) == order


def streamed(capacity: int, layer: str, schedule: str = "fused_streamed") -> dict[str, set[str]]:
    """The tiles of each matrix that a step loads, on tiny_2x2 with so many bytes; biases lie elsewhere."""
    sets = (f"weight_sram.capacity_bytes={capacity}", "accumulators.entries=64")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    program = find_schedule(schedule, "gemv").build(load_workload(f"{layer},t=4").spec, arch.config)
    labels = [op.label.split()[1] for op in program.phase(PhaseKind.BODY).ops if op.label.startswith("stream ")]
    return {name: {label[4:] for label in labels if label.startswith(name)} for name in ("W_ih", "W_hh", "W_hr")}


@pytest.mark.parametrize(
    ("capacity", "tiles"),
    [
        # All 160 bytes.
        (160, (0, 0)),
        # Slots of W_hh 32: W_ih whole, 128, and 31 left for one of four tiles of 16.
        (159, (0, 3)),
        # 16 left: one tile still, exactly; W_ih in slots would leave 160 - 16 - 64 - 48 = 32, one tile: 3 x 24.
        (144, (0, 3)),
        # 15 left: none, so 64 bytes a step. Or slots of W_ih, 48, W_hh whole, 64, and 31 left for one of 24: 72 bytes.
        (143, (0, 4)),
        # Exactly the slots.
        (128, (0, 4)),
        # No more: W_ih in slots, W_hh whole, 112 bytes, and 15 left for no tile: 96 bytes a step.
        (127, (4, 0)),
        (112, (4, 0)),
        # Slots of both, 80: of the 31 that are left W_hh takes a tile of 16, and what is then left, 15, is no tile.
        (111, (4, 3)),
        (96, (4, 3)),
        (95, (4, 4)),
        (80, (4, 4)),
        # Tiles of a row, 12 and 8 bytes, and two slots each: 40 bytes.
        (79, (8, 8)),
        (40, (8, 8)),
    ],
)
def test_what_is_streamed_of_a_capacity(capacity: int, tiles: tuple[int, int]) -> None:
    """LSTM(3, 2): W_ih 96 bytes, in 4 tiles of 24, W_hh 64, in 4 of 16; two slots each. What fits exactly fits."""
    found = streamed(capacity, "lstm:3,2")
    assert (len(found["W_ih"]), len(found["W_hh"])) == tiles


@pytest.mark.parametrize(
    ("capacity", "tiles"),
    [
        # 95 bytes left are five tiles of 16: 0, 4, 2, 6 and 1 of 8 in the order of halves; 3, 5 and 7 come each step.
        (383, {"[1.1]", "[2.1]", "[3.1]"}),
        (368, {"[1.1]", "[2.1]", "[3.1]"}),
        # 79 are four: all odd ones come.
        (367, {"[0.1]", "[1.1]", "[2.1]", "[3.1]"}),
        # 31 are one, tile 0.
        (304, {"[0.1]", "[1.0]", "[1.1]", "[2.0]", "[2.1]", "[3.0]", "[3.1]"}),
    ],
)
def test_which_tiles_are_streamed(capacity: int, tiles: set[str]) -> None:
    """LSTM(2, 4): W_ih 128 bytes, in 8 tiles of 16, two of each group; W_hh 256, which stays: slots of it cost more."""
    assert streamed(capacity, "lstm:2,4") == {"W_ih": tiles, "W_hh": set(), "W_hr": set()}


def test_of_equal_choices_that_one_is_taken_that_leaves_w_hh_where_it_is() -> None:
    """LSTM(2, 2): both matrices are 64 bytes, in 4 tiles of 16. One of 127 in slots, 32, and one tile of it beside."""
    assert streamed(127, "lstm:2,2") == {"W_ih": {"[0.1]", "[1.0]", "[1.1]"}, "W_hh": set(), "W_hr": set()}


def test_slots_that_take_as_much_room_as_the_matrix_are_of_no_use() -> None:
    """LSTM(3, 3), P = 2: W_hr is two rows of 12 bytes, as two slots of a row each; W_ih has 12 rows, W_hh 12 of 8.

    Slots of rows: 24 + 16, and W_hr beside them: 64 bytes.
    """
    found = streamed(64, "lstm:3,3,proj=2")
    assert {name: len(tiles) for name, tiles in found.items()} == {"W_ih": 12, "W_hh": 12, "W_hr": 0}


@pytest.mark.parametrize(("capacity", "pinned"), [(419, set()), (420, {"[8]"}), (423, {"[8]"}), (424, {"[0]"})])
def test_a_tile_that_does_not_fit_is_passed_over_for_a_smaller_one(capacity: int, pinned: set[str]) -> None:
    """LSTM(1, 5), gate after gate: of each 5 rows in tiles of 2, 2 and 1, so W_ih has 12 tiles of 8, 8 and 4 bytes.

    Its slots take 16, W_hh 400. 4 to 7 bytes are no room for tile 0, which comes first, but for tile 8, the next one.
    """
    tiles = {f"[{number}]" for number in range(12)}
    assert streamed(capacity, "lstm:1,5", "fused_gate_major_streamed")["W_ih"] == tiles - pinned


@pytest.mark.parametrize(
    ("steps", "slots"), [(1, {"stream.W_hh": 32}), (2, {"stream.W_ih": 48}), (4, {"stream.W_ih": 48})]
)
def test_a_matrix_that_is_read_once_for_all_steps_costs_less_of_each(steps: int, slots: dict[str, int]) -> None:
    """LSTM(3, 2), hoisted, 159 bytes: 72 of W_ih stream once for all steps, or 48 of W_hh in each of them.

    In one step W_hh is the cheaper one; in two 36 a step of W_ih, in four 18.
    """
    sets = ("weight_sram.capacity_bytes=159", "accumulators.entries=64", "state_buffer.capacity_bytes=16KiB")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    spec = load_workload(f"lstm:3,2,t={steps}").spec
    program = find_schedule("hoisted_interleaved_streamed", "gemv").build(spec, arch.config)
    found = {buffer.name: buffer.size_bytes for buffer in program.buffers if buffer.name.startswith("stream.")}
    assert found == slots
