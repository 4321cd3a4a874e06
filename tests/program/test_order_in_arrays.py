"""Dependencies that are derived for all ops at once are those that a walk through the repetitions finds one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.program.accesses import Accesses
from archsim.program.builder import derive
from archsim.program.ir import Buffer, DataKind, Op, Phase, Region
from tests.laws.generic_ops import Mix, bodies, buffer
from tests.program.walked_order import walked_order
from tests.rings import examples
from tests.strategies import SCHEDULE_NAMES, Case, cases

KINDS = (DataKind.GATE, DataKind.H, DataKind.X, DataKind.PARTIAL_SUM, DataKind.W_IH)


@dataclass(frozen=True, kw_only=True)
class Awaiting(Mix):
    """A Mix that must also find some regions written as a whole."""

    awaited: tuple[Region, ...] = ()

    @property
    def awaits(self) -> tuple[Region, ...]:
        return self.awaited


@st.composite
def mixed_ops(draw: st.DrawFn) -> tuple[Op, ...]:
    """Random ops of which some are left out in some repetitions, some follow a FIFO, and some await a region."""
    phase = draw(bodies(conditional=draw(st.booleans()), same_strides=draw(st.booleans()), max_ops=10))
    held: dict[str, Buffer] = {}

    def other(region: Region) -> Region:
        name = region.buffer.name
        if name not in held:
            stream = name != "clock" and draw(st.integers(0, 3)) == 0
            held[name] = replace(region.buffer, kind=draw(st.sampled_from(KINDS)), stream=stream)
        return replace(region, buffer=held[name])

    ops: list[Op] = []
    for op in phase.ops:
        assert isinstance(op, Mix)
        inputs = tuple(map(other, op.inputs))
        ops.append(
            Awaiting(
                unit=op.unit,
                label=op.label,
                skip_first=op.skip_first,
                skip_last=op.skip_last,
                inputs=inputs,
                outputs=tuple(map(other, op.outputs)),
                accumulated=tuple(map(other, op.accumulated)),
                awaited=inputs[1:2] if draw(st.integers(0, 3)) == 0 else (),
            )
        )
    return tuple(ops)


@settings(max_examples=examples(300))
@given(mixed_ops())
def test_any_ops_have_the_dependencies_that_a_walk_finds(ops: tuple[Op, ...]) -> None:
    assert derive(Accesses.of(ops)) == walked_order(ops)


@settings(max_examples=examples(300))
@given(bodies(conditional=True, max_ops=10))
def test_so_have_those_of_which_all_accesses_to_a_buffer_move_on_alike(phase: Phase) -> None:
    """Then only the last repetitions are looked at, and of each buffer as many as its slots need to come round."""
    assert phase.deps == walked_order(phase.ops)


@settings(max_examples=examples(60))
@given(cases(schedules=SCHEDULE_NAMES))
def test_so_have_those_of_schedules(case: Case) -> None:
    for phase in case.program.phases:
        assert phase.deps == walked_order(phase.ops)


def op(unit: str, reads: Sequence[Region] = (), writes: Sequence[Region] = ()) -> Mix:
    return Mix(unit=unit, label="op", inputs=tuple(reads), outputs=tuple(writes))


WORD, OTHER = Region(buffer("word", 2), 0, 1), Region(buffer("other", 2), 0, 1)


@pytest.mark.parametrize(
    ("ops", "conflict"),
    [
        ((), False),
        ((op("a", [WORD]), op("b", [WORD])), False),  # nobody writes
        ((op("a", (), [WORD]), op("a", (), [WORD])), False),  # a unit retires in order
        ((op("a", [OTHER], [WORD]), op("b", [WORD], [])), True),
        ((op("a", (), [WORD]), op("b", (), [WORD])), True),
        ((op("a", (), [WORD]), op("b", (), [OTHER])), False),
        ((op("a", [WORD], [WORD]),), True),  # what the repetition before has written
    ],
)
def test_only_what_is_written_and_read_or_written_by_several_units_can_conflict(
    ops: tuple[Op, ...], conflict: bool
) -> None:
    accesses = Accesses.of(ops)
    assert accesses.conflict is conflict
    assert any(derive(accesses)) is conflict


def test_who_writes_to_what() -> None:
    accesses = Accesses.of((op("a", [OTHER], [WORD]), op("b", [WORD], [WORD]), op("a", (), [OTHER])))
    assert {(held.name, unit) for held, unit in accesses.writers} == {("word", "a"), ("word", "b"), ("other", "a")}
    assert [held.name for held in accesses.used] == ["other", "word"]
