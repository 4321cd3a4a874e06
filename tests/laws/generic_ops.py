"""Programs of ops that mean nothing: any regions on any units, with an arithmetic in which every bit matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st

from archsim.engines.events import Arithmetic, MachineSpec, Options, execute
from archsim.engines.events.options import Jitter
from archsim.formats import Encoding, NumberFormat
from archsim.hardware.unit import Service
from archsim.program.builder import build_phase
from archsim.program.interpreter import interpret
from archsim.program.ir import After, Buffer, DataKind, Dep, Op, Phase, PhaseKind, Program, Region, Wait
from archsim.program.state import State

Array = npt.NDArray[Any]


TOKENS = (After.DONE, After.FREE)
"""What these ops may wait for: none of them follows another through a FIFO."""


class Words(NumberFormat):
    """64-bit words: what an op leaves there is a hash of all that it read."""

    name = "words"
    bits = 64


class WordEncoding(Encoding):
    """Words stand for themselves."""

    def zeros(self, shape: tuple[int, ...]) -> Array:
        return np.zeros(shape, np.uint64)


@dataclass(frozen=True, kw_only=True)
class Mix(Op):
    """outputs = hash(inputs); those of `accumulated` also take in their old contents, at completion."""

    inputs: tuple[Region, ...] = ()
    outputs: tuple[Region, ...] = ()
    accumulated: tuple[Region, ...] = ()

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.inputs

    @property
    def writes(self) -> tuple[Region, ...]:
        return self.outputs + self.accumulated

    @property
    def updates(self) -> tuple[Region, ...]:
        return self.accumulated


class Hashing:
    """The semantics of Mix: sums of scrambled words, so that one changed operand changes every result."""

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        state = sum(ord(char) * 131**place for place, char in enumerate(op.label)) % 2**64
        for operand in operands:
            for word in operand.ravel().tolist():
                state = _scramble(state * 3 + word + 1)
        return tuple(
            np.array([[_scramble(state + 7 * place + row)] for row in range(region.entries)], np.uint64)
            for place, region in enumerate(op.writes)
        )

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        words = [_scramble(3 * a + b) for a, b in zip(old.ravel().tolist(), result.ravel().tolist(), strict=True)]
        return np.array(words, np.uint64).reshape(old.shape)


def _scramble(word: int) -> int:
    word = (word ^ word >> 31) * 0x9E3779B97F4A7C15 % 2**64
    return word ^ word >> 29


def buffer(name: str, entries: int = 1, slots: int | None = 1, *, is_input: bool = False) -> Buffer:
    """A buffer of words, one to an entry."""
    return Buffer(name, "memory", DataKind.GATE, entries, 1, Words(), slots, is_input=is_input)


def one_phase(phase: Phase) -> Program:
    """A program of that phase alone."""
    found = {r.buffer.name: r.buffer for op in phase.ops for r in op.reads + op.writes}
    return Program("generic", tuple(found.values()), (phase,))


def initial_state(program: Program) -> State:
    """Every slot that some repetition can reach; inputs hold different words."""
    regions = [(r, phase.repeat) for phase in program.phases for op in phase.ops for r in op.reads + op.writes]
    repetitions = 1 + max((r.slot(n - 1) for r, n in regions if r.buffer.slots is None), default=0)
    image = {}
    for place, b in enumerate(program.buffers):
        if b.is_input:
            slots = repetitions if b.slots is None else b.slots
            words = np.arange(1, slots * b.entries + 1, dtype=np.uint64) * np.uint64(1009 + 2 * place)
            image[b.name] = words.reshape(slots, b.entries, 1)
    return State(program, image, repetitions, {b.name: WordEncoding(b.number_format) for b in program.buffers})


def contents(program: Program, state: State) -> dict[str, bytes]:
    """All bits of all buffers."""
    return {b.name: state.array(b).tobytes() for b in program.buffers}


def interpreted(program: Program) -> dict[str, bytes]:
    """What the untimed interpreter leaves."""
    state = initial_state(program)
    interpret(program, Hashing(), state)
    return contents(program, state)


def executed(
    program: Program, service: Service, jitter: Jitter | None, queue_depth: int = 64, issue_cycles: int = 0
) -> dict[str, bytes]:
    """What the machine leaves."""
    state = initial_state(program)
    names = tuple(sorted({op.unit for phase in program.phases for op in phase.ops}))
    services = tuple((service,) * len(phase.ops) for phase in program.phases)
    spec = MachineSpec(names, services, issue_cycles, queue_depth)
    execute(program, spec, Options(arithmetic=Arithmetic(state, Hashing()), jitter=jitter))
    return contents(program, state)


@st.composite
def bodies(
    draw: st.DrawFn, *, conditional: bool, same_strides: bool = True, max_ops: int = 7, max_repeat: int = 7
) -> Phase:
    """A random body; with `same_strides` all regions of a buffer move through its slots at the same speed."""
    buffers = [
        (
            buffer(f"b{number}", draw(st.integers(1, 4)), draw(st.sampled_from([1, 1, 2, 3, 4, 6, None]))),
            draw(st.integers(0, 7)),
        )
        for number in range(draw(st.integers(1, 3)))
    ]
    clock = Region(buffer("clock", 1, None, is_input=True), 0, 1, 0, 1)

    def region() -> Region:
        chosen, stride = draw(st.sampled_from(buffers))
        if not same_strides:
            stride = draw(st.integers(0, 7))
        if chosen.slots is None:
            stride %= 3
        start = draw(st.integers(0, chosen.entries - 1))
        stop = draw(st.integers(start + 1, chosen.entries))
        return Region(chosen, start, stop, draw(st.integers(0, 7)) % (chosen.slots or 4), stride)

    units = st.sampled_from(["u0", "u1", "u2"])
    ops = []
    for number in range(draw(st.integers(1, max_ops))):
        inputs = [region() for _ in range(draw(st.integers(0, 2)))]
        results = [region() for _ in range(draw(st.integers(0, 2)))]
        accumulate = draw(st.integers(0, len(results)))
        skips = {"skip_first": draw(st.integers(0, 3)), "skip_last": draw(st.integers(0, 3))} if conditional else {}
        if draw(st.booleans()):
            skips = {}
        ops.append(
            Mix(
                unit=draw(units),
                label=f"op{number}",
                inputs=(clock, *inputs),
                outputs=tuple(results[accumulate:]),
                accumulated=_disjoint(results[:accumulate]),
                **skips,  # type: ignore[arg-type]
            )
        )
    return build_phase("body", PhaseKind.BODY, ops, draw(st.integers(1, max_repeat)))


def _disjoint(regions: list[Region]) -> tuple[Region, ...]:
    """Two updates of one op must not depend on which is committed first."""
    return tuple(regions[:1])


@st.composite
def damaged_bodies(draw: st.DrawFn) -> Phase:
    """A random body, conditional ops and all, from which dependencies were lost and to which some were added."""
    phase = draw(bodies(conditional=True, max_ops=6, max_repeat=20))
    found = []
    for index, deps in enumerate(phase.deps):
        kept = [dep for dep in deps if draw(st.integers(0, 3))]
        lag, other = draw(st.integers(0, 4)), draw(st.integers(0, len(phase.ops) - 1))
        if draw(st.integers(0, 3)) == 0 and (lag or other < index):
            kept.append(Dep(other, lag, draw(st.sampled_from(TOKENS)), Wait.OPERAND))
        found.append(tuple(kept))
    return replace(phase, deps=tuple(found))
