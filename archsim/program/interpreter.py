"""Executes a program without time: its ops one after the other, in program order.

It says what the program *means*; the machine, whatever its latencies, must end with the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from archsim.formats.number import Array
from archsim.program.ir import Op, Phase, Program
from archsim.program.state import State


class Semantics(Protocol):
    """The arithmetic of ops, as the units define it."""

    def effect(self, op: Op, operands: Sequence[Array]) -> tuple[Array, ...]:
        """The results of an op, one for each of `op.writes`, from the contents of `op.reads`."""

    def retire(self, op: Op, old: Array, result: Array) -> Array:
        """The new contents of a region in `op.updates`, from its old contents and the op's result."""


def sample(op: Op, repetition: int, state: State, semantics: Semantics) -> tuple[Array, ...]:
    """Start an op: read its operands and compute.

    A result that is a view (an identity's operand) is copied: what lies behind it may change before the op completes.
    """
    results = semantics.effect(op, [state.view(region, repetition) for region in op.reads])
    return tuple(result if result.base is None else result.copy() for result in results)


def commit(op: Op, repetition: int, state: State, semantics: Semantics, results: tuple[Array, ...]) -> None:
    """Complete an op: its results become visible."""
    updates = op.updates
    for region, result in zip(op.writes, results, strict=True):
        if region in updates:
            state.write(region, repetition, semantics.retire(op, state.view(region, repetition), result))
        else:
            state.write(region, repetition, result)


Observer = Callable[[Op, int, tuple[Array, ...]], None]
"""Called with each op, its repetition and its results, as stored, when it completes."""


def interpret(program: Program, semantics: Semantics, state: State, observer: Observer | None = None) -> None:
    """Execute the whole program on `state`, without time."""
    for phase in program.phases:
        for repetition in range(phase.repeat):
            interpret_repetition(phase, repetition, semantics, state, observer)


def interpret_repetition(
    phase: Phase, repetition: int, semantics: Semantics, state: State, observer: Observer | None = None
) -> None:
    """Execute one repetition of a phase on `state`."""
    for op in phase.ops:
        if not op.active(repetition, phase.repeat):
            continue
        results = sample(op, repetition, state, semantics)
        commit(op, repetition, state, semantics, results)
        if observer is not None:
            observer(op, repetition, results)
