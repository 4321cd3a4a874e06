"""Which steps, slots and rows a cell's transfers move, by hand."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.cells.context import CellContext
from archsim.families.cells.streams import streams, valid_steps
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.hardware.dram.transfers import Transfer
from archsim.program.ir import PhaseKind, Program
from archsim.workload import load_workload


def program(workload: str, *fields: str, ahead: int = 1) -> Program:
    config = load_arch("tpu_v1", [parse_override(f"unified_buffer.prefetch_steps={ahead}")]).config
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    return find_schedule(None, "systolic").build(spec, config)


def transfers(found: Program, kind: PhaseKind) -> dict[str, Transfer]:
    """The transfers of a phase, by their labels."""
    return {op.label: op for op in found.phase(kind).ops if isinstance(op, Transfer)}


def test_x_is_loaded_so_many_steps_ahead() -> None:
    """Two steps before the body; in it x_{t+2}, but for the last two steps, into the slot behind those."""
    found = program("rnn:3,4,t=5", ahead=2)
    first = transfers(found, PhaseKind.PROLOGUE)
    for step in (0, 1):
        op = first[f"load x_{step}"]
        assert (op.sources[0].offset, op.sources[0].stride, op.target.offset, op.target.stride) == (step, 0, step, 0)
    assert "load x_2" not in first
    ahead = transfers(found, PhaseKind.BODY)["load x[t+2]"]
    assert (ahead.sources[0].offset, ahead.sources[0].stride) == (2, 1)
    assert (ahead.target.offset, ahead.target.stride, ahead.skip_last) == (2, 1, 2)


def test_a_cell_in_reverse_begins_at_the_end() -> None:
    """At time 4 of 0 .. 4; h of step r is stored at time 4 - r."""
    found = program("rnn:3,4,t=5", "reverse=true", ahead=2)
    first = transfers(found, PhaseKind.PROLOGUE)
    assert [first[f"load x_{step}"].sources[0].offset for step in (0, 1)] == [4, 3]
    body = transfers(found, PhaseKind.BODY)
    ahead, store = body["load x[t-2]"], body["store h"]
    assert (ahead.sources[0].offset, ahead.sources[0].stride) == (2, -1)
    assert (store.target.offset, store.target.stride) == (4, -1)
    assert (store.sources[0].offset, store.sources[0].stride) == (1, 1)


def test_a_short_sequence_is_loaded_at_once() -> None:
    """Of two steps there are no more than two, however far ahead they may be loaded."""
    assert [label for label in transfers(program("rnn:3,4,t=2", ahead=4), PhaseKind.PROLOGUE) if " x_" in label] == [
        "load x_0",
        "load x_1",
    ]


def test_directions_are_stored_side_by_side() -> None:
    """Of 4 hidden units each: entries 0 to 4 and 4 to 8."""
    body = transfers(program("rnn:3,4,t=5,bidirectional=1"), PhaseKind.BODY)
    places = {label: (op.target.start, op.target.stop) for label, op in body.items() if "store h" in label}
    assert places == {"l0.store h": (0, 4), "l0r.store h": (4, 8)}


@pytest.mark.parametrize(
    ("steps", "count", "slots"),
    [
        # Streams have 3, 2 and 2 of 7 frames; stream s wrote its h last into slot s + 3 x frames, of 4.
        (7, 3, [9 % 4, 7 % 4, 8 % 4]),
        (3, 3, [3 % 4, 4 % 4, 5 % 4]),
        (4, 2, [4 % 3, 5 % 3]),
        (5, 1, [5 % 2]),
        (6, 1, [0]),
    ],
)
def test_the_last_states_of_streams_in_turn(steps: int, count: int, slots: list[int]) -> None:
    fields = ("streaming=true", f"streams={count}") if count > 1 else ("streaming=true",)
    found = program(f"lstm:3,4,t={steps}", *fields)
    last, first = transfers(found, PhaseKind.EPILOGUE), transfers(found, PhaseKind.PROLOGUE)
    numbers = [f"[{stream}]" if count > 1 else "" for stream in range(count)]
    assert [last[f"store h_n{number}"].sources[0].offset for number in numbers] == slots
    for stream, number in enumerate(numbers):
        assert last[f"store h_n{number}"].target.offset == stream
        for op in (last[f"store c_n{number}"], first[f"load h_0{number}"], first[f"load c_0{number}"]):
            assert (op.sources[0].offset, op.target.offset)[op.label.startswith("load")] == stream


def test_biases_are_loaded_in_the_order_of_the_groups() -> None:
    """GRU(3, 2): r, z, and the candidate's of x and of h, which stands behind the gates' three in the tensor.

    An LSTM's gates follow each other.
    """
    first = transfers(program("gru:3,2,t=2"), PhaseKind.PROLOGUE)
    loads = [first[f"load bias[{group}]"] for group in range(3)]
    assert [[(region.start, region.stop) for region in op.sources] for op in loads] == [
        [(0, 2)],
        [(2, 4)],
        [(4, 6), (6, 8)],
    ]
    assert [(op.target.start, op.target.stop) for op in loads] == [(0, 2), (2, 4), (4, 8)]
    lstm = transfers(program("lstm:3,2,t=2"), PhaseKind.PROLOGUE)
    assert [lstm[f"load bias[{group}]"].sources[0].start for group in range(4)] == [0, 2, 4, 6]
    assert not [
        label for label in transfers(program("lstm:3,2,t=2", "bias=false"), PhaseKind.PROLOGUE) if "bias" in label
    ]


@pytest.mark.parametrize(
    ("reverse", "ahead", "fixed", "offset", "stride"),
    [
        (False, 0, False, 0, 1),
        (False, 2, False, 2, 1),
        (True, 0, False, 6, -1),
        (True, 2, False, 4, -1),
        (False, 2, True, 2, 0),
        (True, 2, True, 4, 0),
    ],
)
def test_where_a_step_stands_in_time(reverse: bool, ahead: int, fixed: bool, offset: int, stride: int) -> None:
    """Of 7 steps: step r + 2, or step 2 whatever r is; from the end if the cell runs in reverse."""
    spec = load_workload("lstm:3,4,t=7,b=2").spec
    x, output = streams(spec, load_arch("tpu_v1").config.formats)
    context = CellContext("", 7, 2, x, None, output, 0, None, 1)
    found = context.at_time(output, reverse, ahead, fixed=fixed)
    assert (found.offset, found.stride, found.start, found.stop) == (offset, stride, 0, 4)
    part = context.at_time(output, reverse, ahead, 1, 3, fixed=fixed)
    assert (part.offset, part.stride, part.start, part.stop) == (offset, stride, 1, 3)


def test_tensors_with_a_time_axis() -> None:
    """x, what lies between two layers of two directions, the output, and a bit for each sequence that is there."""
    spec = load_workload("lstm:3,4,t=7,b=2,layers=2,bidirectional=1", [parse_override("sequence_lens=[7, 2]")]).spec
    formats = load_arch("tpu_v1").config.formats
    found = [(buffer.name, buffer.entries, buffer.width, buffer.length) for buffer in streams(spec, formats)]
    assert found == [("dram.x", 3, 2, 7), ("l0.dram.output", 8, 2, 7), ("dram.output", 8, 2, 7)]
    valid = valid_steps(spec)
    assert valid is not None
    assert (valid.entries, valid.width, valid.length, valid.number_format.bits) == (1, 2, 7, 1)
    assert valid_steps(load_workload("lstm:3,4,t=7,b=2").spec) is None
