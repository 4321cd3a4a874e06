"""Faults to plant in the simulation's timing, each a function that plants it; and the cases that notice them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from archsim.api.machine_spec import machine_spec
from archsim.engines.events import MachineSpec
from archsim.engines.events.phase import PhaseRun
from archsim.engines.events.repetition import IssuedOp
from archsim.engines.events.sequencer import Queue, Sequencer
from archsim.engines.events.service_clock import OpTiming
from archsim.engines.events.token_tables import TokenTables
from archsim.engines.events.unit_process import UnitProcess
from archsim.hardware.unit import Service
from archsim.program.ir import After, Dep, Phase
from archsim.rtl import expected
from tests.families.gemv.rtl.planted import DEEP, FUSED, LSTM, SmallCase

Plant = Callable[[pytest.MonkeyPatch], None]


def _machine(change: Callable[[MachineSpec], MachineSpec]) -> Plant:
    """The machine that is simulated is another one."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = machine_spec
        patch.setattr(expected, "machine_spec", lambda program, arch, units: change(right(program, arch, units)))

    return plant


def _times(change: Callable[[Service], Service]) -> Plant:
    """Ops take other cycles."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = OpTiming.from_service
        patch.setattr(OpTiming, "from_service", lambda service: right(change(service)))

    return plant


def _dependencies(change: Callable[[Dep], Dep | None]) -> Plant:
    """Dependencies are other ones, or are left out (None)."""

    def plant(patch: pytest.MonkeyPatch) -> None:
        right = TokenTables.__init__

        def init(self: TokenTables, phase: Phase) -> None:
            changed = [tuple(map(change, deps)) for deps in phase.deps]
            right(self, replace(phase, deps=tuple(tuple(dep for dep in deps if dep is not None) for deps in changed)))

        patch.setattr(TokenTables, "__init__", init)

    return plant


def _place_given_back_at_the_end(patch: pytest.MonkeyPatch) -> None:
    right = PhaseRun.operands_read

    def operands_read(self: PhaseRun, issued: IssuedOp) -> None:
        self._sequencer.place_free(self._units[issued.facts.index], self._env.now)
        right(self, issued)

    patch.setattr(PhaseRun, "started", lambda self, unit: None)
    patch.setattr(PhaseRun, "operands_read", operands_read)


def _issued_before_there_was_a_place(patch: pytest.MonkeyPatch) -> None:
    right = Sequencer.place_free

    def place_free(self: Sequencer, queue: Queue, now: int) -> None:
        right(self, queue, self._issued_at)

    patch.setattr(Sequencer, "place_free", place_free)


def _out_of_order(patch: pytest.MonkeyPatch) -> None:
    """Results are visible as soon as they are there, whatever the op before does."""
    right = UnitProcess._finish

    def finish(self: UnitProcess, issued: IssuedOp, now: int, start: int, free: int, timing: OpTiming) -> None:
        self._last_done = 0
        right(self, issued, now, start, free, timing)

    patch.setattr(UnitProcess, "_finish", finish)


def _begun_without_a_token(patch: pytest.MonkeyPatch) -> None:
    right = PhaseRun.begin

    def begin(self: PhaseRun) -> None:
        latency, self._token_latency = self._token_latency, 0
        right(self)
        self._token_latency = latency

    patch.setattr(PhaseRun, "begin", begin)


def _left_out_in_no_time(patch: pytest.MonkeyPatch) -> None:
    def left_out_before(self: TokenTables, repetition: int) -> tuple[int, ...]:
        return (0,) * (len(self.active(repetition)) + 1)

    patch.setattr(TokenTables, "left_out_before", left_out_before)


@dataclass(frozen=True, slots=True)
class TimingFault:
    """A fault in the simulation's timing; `case` notices it."""

    what: str
    plant: Plant
    case: SmallCase


TIMING_FAULTS = (
    TimingFault("a stage less", _times(lambda s: replace(s, depth_cycles=max(0, s.depth_cycles - 1))), LSTM),
    TimingFault("a stage more in deep ops", _times(lambda s: replace(s, depth_cycles=s.depth_cycles + 1)), DEEP),
    TimingFault("ports cost nothing", _times(lambda s: replace(s, port_cycles=0)), DEEP),
    TimingFault("write beats ignored", _times(lambda s: replace(s, write_cycles=0)), DEEP),
    TimingFault("retires out of order", _out_of_order, DEEP),
    TimingFault("issue a cycle early", _machine(lambda m: replace(m, issue_cycles=m.issue_cycles - 1)), FUSED),
    TimingFault("issue before there is a place", _issued_before_there_was_a_place, LSTM),
    TimingFault("left-out ops in no time", _left_out_in_no_time, FUSED),
    TimingFault(
        "tokens a cycle late",
        _machine(lambda m: replace(m, token_latency_cycles=m.token_latency_cycles + 1)),
        LSTM,
    ),
    TimingFault("phase begun without a token", _begun_without_a_token, LSTM),
    TimingFault("a place more in the queues", _machine(lambda m: replace(m, queue_depth=m.queue_depth + 1)), LSTM),
    TimingFault("place given back at the end", _place_given_back_at_the_end, LSTM),
    TimingFault("recurrence dropped", _dependencies(lambda d: None if d.lag and d.after is After.DONE else d), DEEP),
    TimingFault(
        "free taken for done",
        _dependencies(lambda d: replace(d, after=After.FREE) if d.after is After.DONE else d),
        LSTM,
    ),
    TimingFault(
        "done taken for free",
        _dependencies(lambda d: replace(d, after=After.DONE) if d.after is After.FREE else d),
        LSTM,
    ),
    TimingFault("a repetition late", _dependencies(lambda d: replace(d, lag=d.lag + 1) if d.lag else d), DEEP),
)
