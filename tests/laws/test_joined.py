"""Ops that are computed together leave the interpreter's bits, count its overflows, and are observed alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any
from unittest import mock

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from archsim.checking.numbers import Computation, Numbers, prepare
from archsim.checking.recorder import Recorder
from archsim.config.presets import PresetKind, preset_names
from archsim.families.load import load_arch, load_workload_for
from archsim.families.registry import build_units, family_named
from archsim.families.schedules import build_program, find_schedule
from archsim.hardware.held_weights import HeldWeights
from archsim.hardware.numerics import Kernel
from archsim.hardware.unit import Units
from archsim.program import joined
from archsim.program.interpreter import interpret
from archsim.program.ir import Op, Phase, Program, Region
from archsim.program.joined import Joining, Side, interpret_joined
from archsim.program.value_flow import value_flow
from archsim.workload import CellKind
from tests.checking.exact_runs import ONE_Q, TFLITE, TWO_Q, drawn_tensors, small_case
from tests.checking.format_draws import exact_cases
from tests.laws.generic_ops import Hashing, Mix, bodies, contents, initial_state, interpreted, one_phase
from tests.rings import examples, exhaustive, few
from tests.strategies import SCHEDULE_NAMES, Case, cases, seeds, tensors

Array = npt.NDArray[Any]

ALWAYS = mock.patch.object(joined, "FEWEST_REPETITIONS", 1)
"""Join whatever can be joined, however short the phase."""


@dataclass(frozen=True)
class Together:
    """The arithmetic of joined ops of `Hashing`: each one's part of the operands, and then each by itself."""

    ops: Sequence[Op]
    side: Side

    def _parts(self, array: Array) -> list[Array]:
        return np.split(array, len(self.ops), axis=0 if self.side is Side.ROWS else 1)

    def _whole(self, parts: list[Array]) -> Array:
        return np.concatenate(parts, axis=0 if self.side is Side.ROWS else 1)

    def effect(self, operands: Sequence[Array]) -> tuple[Array, ...]:
        of_ops = zip(*map(self._parts, operands), strict=True) if operands else [()] * len(self.ops)
        return (self._whole([Hashing().effect(op, own)[0] for op, own in zip(self.ops, of_ops, strict=True)]),)

    def retire(self, old: Array, result: Array) -> Array:
        parts = zip(self._parts(old), self._parts(result), strict=True)
        return self._whole([Hashing().retire(self.ops[0], *part) for part in parts])


@dataclass(frozen=True)
class JoinedHashing(Hashing):
    """`Hashing`, whose ops may be joined with any others of their shape."""

    side: Side
    joins: list[int]

    def joining(self, op: Op) -> Joining | None:
        return Joining(self.side)

    def joined(self, ops: Sequence[Op]) -> Any:
        self.joins.append(len(ops))
        return Together(ops, self.side)

    def moves(self, op: Op) -> bool:
        return not op.reads and not op.updates  # the same in each repetition, as what is moved from a constant is


def several(phase: Phase) -> Phase:
    """The phase with two more of each op, further on in slots; accesses to a buffer move on as the first one does."""
    strides: dict[str, int] = {}

    def moved(regions: tuple[Region, ...], by: int) -> tuple[Region, ...]:
        return tuple(
            replace(
                r,
                stride=strides.setdefault(r.buffer.name, r.stride),
                offset=r.offset if r.buffer.is_input else r.offset + by,
            )
            for r in regions
        )

    ops = []
    for op, copy in product(phase.ops, range(3)):
        assert isinstance(op, Mix)
        inputs, outputs = moved(op.inputs, copy), moved(op.outputs, copy)
        accumulated = moved(op.accumulated, copy)
        ops.append(replace(op, label=f"{op.label}.{copy}", inputs=inputs, outputs=outputs, accumulated=accumulated))
    return replace(phase, ops=tuple(ops))


@settings(max_examples=examples(400))
@given(
    st.booleans().flatmap(lambda some: bodies(conditional=some)),
    st.sampled_from(Side),
    st.sampled_from([True, True, True, False]),
)
def test_any_program(phase: Phase, side: Side, thrice: bool) -> None:
    """Any ops on any regions, read and written in part, overwritten, accumulated, left out at the ends."""
    phase = several(phase) if thrice else phase
    program, semantics = one_phase(phase), JoinedHashing(side, [])
    state = initial_state(program)
    with ALWAYS:
        interpret_joined(program, semantics, state)
    assert contents(program, state) == interpreted(program)
    event(f"followed: {value_flow(phase) is not None}, joined: {any(count > 1 for count in semantics.joins)}")


class Seen(Recorder):
    """A recorder that counts how many ops it was shown together."""

    together = 0

    def joined(self, ops: Sequence[Op], repetition: int, results: Array) -> None:
        self.together += len(ops)
        super().joined(ops, repetition, results)


def check(program: Program, numbers: Numbers, units: Units) -> int:
    """The same bits in all buffers, the same counts and the same recorded values; gives how many ops were joined."""
    plain, together = numbers.begin(units), numbers.begin(units)
    alone, seen = Recorder(numbers), Seen(numbers)
    interpret(program, plain.datapath, plain.state, alone)
    with ALWAYS:
        interpret_joined(program, together.datapath, together.state, seen)
    assert stored(together, program) == stored(plain, program)
    assert together.overflows == plain.overflows
    for got, want in zip(seen.values, alone.values, strict=True):
        assert got.keys() == want.keys()
        assert all(got[name].tobytes() == want[name].tobytes() for name in want)
    return seen.together


def stored(computation: Computation, program: Program) -> dict[str, bytes]:
    return {buffer.name: computation.state.array(buffer).tobytes() for buffer in program.buffers}


@settings(max_examples=examples(60))
@given(exact_cases(), seeds)
def test_integers(case: Case, seed: int) -> None:
    """Any network, machine and schedule in formats in which all is exact, at sizes that overflow."""
    check(case.program, case.numbers(drawn_tensors(case, seed)), case.units)


@settings(max_examples=examples(30))
@given(cases(), seeds)
def test_float32(case: Case, seed: int) -> None:
    """Element by element a function gives the same bits in an array of any length; products are not joined."""
    check(case.program, case.numbers(tensors(case.spec, seed)), case.units)


@pytest.mark.parametrize("formats", [ONE_Q, TWO_Q, TFLITE], ids=["one_q", "two_q", "tflite"])
@pytest.mark.parametrize("schedule", few(list(SCHEDULE_NAMES), 4))
def test_tiles_and_gates_are_joined(schedule: str, formats: dict[str, str]) -> None:
    """Three tiles and more of five rows: what this file compares is not the interpreter with itself."""
    case = small_case(schedule, formats, kind=CellKind.LSTM, hidden_size=13, steps=6)
    assert check(case.program, case.numbers(drawn_tensors(case, 1)), case.units) > 0


NETWORKS = {"tiny_2x2": "lstm:3,2,t=6", "elasticai_lstm": "lstm:1,20,t=6"}
"""What runs on a machine whose memories or cell take no more; on others LSTM(24, 48)."""


def _machines() -> list[tuple[str, str]]:
    families = [(name, load_arch(name).config.family) for name in preset_names(PresetKind.ARCH)]
    return [(name, schedule.name) for name, family in families for schedule in family_named(family).schedules]


@exhaustive
@pytest.mark.parametrize(("machine", "schedule"), _machines())
def test_machines_that_ship(machine: str, schedule: str) -> None:
    """Each with each of its schedules."""
    arch = load_arch(machine)
    workload = load_workload_for(arch, NETWORKS.get(machine, "lstm:24,48,t=6"))
    program = build_program(find_schedule(schedule, arch.config.family), workload.spec, arch.config)
    check(program, prepare(program, arch.config, workload), build_units(arch.config))


@pytest.mark.parametrize("held", [0, 1 << 25])
@pytest.mark.parametrize(("largest", "bits"), [(255, 8), (1 << 15, 16), (1 << 24, 28), (3, 8)])
def test_weights_that_are_held(held: int, largest: int, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The largest codes of all, in each kind of number that sums may need, against Python's integers."""
    monkeypatch.setattr("archsim.hardware.held_weights.HELD_WEIGHTS", held)
    monkeypatch.setattr("archsim.hardware.held_weights._ROWS_AT_ONCE", 700)
    random, end = np.random.default_rng(1), 1 << (bits - 1)
    weights = random.integers(-end, end, (5, 300))
    weights[0], weights[1] = -end, end - 1
    vector = random.integers(-largest, largest + 1, (300, 2))
    vector[:, 0] = largest
    want = [[sum(w * v for w, v in zip(row, x, strict=True)) for x in vector.T.tolist()] for row in weights.tolist()]
    assert HeldWeights(weights, largest).total(vector).tolist() == want


def test_a_kernel_may_be_asked_for_what_it_joined() -> None:
    """The kernel of joined tiles is one of a tile as any other."""
    case = small_case("fused", TFLITE, kind=CellKind.LSTM, hidden_size=13, steps=6)
    computation = case.numbers(drawn_tensors(case, 1)).begin(case.units)
    tiles = [op for op in case.program.phases[1].ops if computation.datapath.joining(op) and op.unit == "mac_array"]
    assert isinstance(computation.datapath.joined(tiles[:2]), Kernel)
