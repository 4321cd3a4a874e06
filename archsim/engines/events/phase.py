"""One phase in execution: the tokens of the repetitions under way, and the end of the phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import simpy

from archsim.engines.events.clock import Clock
from archsim.engines.events.options import MachineSpec, Options
from archsim.engines.events.sequencer import Sequencer
from archsim.engines.events.service_clock import Dynamics
from archsim.engines.events.token_tables import KEY_BASE, LaterStep, PhaseTables, SameStep
from archsim.engines.events.unit_process import UnitProcess
from archsim.formats.number import Array
from archsim.hardware.unit import Service
from archsim.program.interpreter import commit
from archsim.program.ir import Phase, PhaseKind
from archsim.trace import OpRecord


class Step:
    """One repetition under way."""

    __slots__ = ("arrived", "finished", "left", "pending", "recorded", "repetition", "run")

    def __init__(self, run: PhaseRun, repetition: int) -> None:
        tables = run.tables
        self.run = run
        self.repetition = repetition
        self.pending = tables.pending(repetition)
        """Tokens that each op still waits for."""
        self.arrived = [0] * len(self.pending)
        """Key (tables.KEY_BASE) of the last token that each op got."""
        self.left = len(tables.active(repetition))
        """Ops not yet completed."""
        self.finished = bytearray(len(self.pending))
        """1 for each op that has completed."""
        self.recorded = run.recorded(repetition)


class PhaseRun:
    """Issues a phase's ops and passes the tokens between them."""

    def __init__(
        self,
        env: Clock,
        number: int,
        phase: Phase,
        spec: MachineSpec,
        units: Mapping[str, UnitProcess],
        options: Options,
        dynamics: Dynamics | None,
    ) -> None:
        self.finished = env.event()
        self.tables = PhaseTables(phase)
        self.ops = phase.ops
        self.repeat = phase.repeat
        self.ends: dict[int, int] = {}
        """Completion of some repetitions."""
        self.records: list[OpRecord] = []
        self._env = env
        self._number = number
        self._phase = phase
        self._services: Sequence[Service] = spec.services[number]
        self._timings = [_timing(service) for service in self._services]
        self._options = options
        self._window = phase.repetitions_of(options.window.first, options.window.first + options.window.count)
        self.first_word_cycles = [
            service.first_word_cycles if followers else None
            for service, followers in zip(self._services, self.tables.first_same, strict=True)
        ]
        """For each op the cycles from its start until its first word is visible; None if no op follows its words."""
        self._dynamics = dynamics
        self._fixed = options.jitter is None and dynamics is None
        uses = spec.port_uses[number] if spec.port_uses else ()
        self.contends: Sequence[bool] | None = [bool(of_op) for of_op in uses] if any(uses) else None
        """For each op whether it needs a single port; None if none does."""
        self._units = [units[op.unit] for op in phase.ops]
        self._steps: dict[int, Step] = {}
        self._ops_left = phase.op_instances
        self._marked = {0, *phase.steady_repetitions, phase.repeat - 1}
        self._sequencer = Sequencer(self, self._units, spec.issue_cycles, spec.queue_depth)

    def begin(self) -> None:
        """Start issuing now."""
        self._sequencer.begin(self._env.now)

    def step(self, repetition: int) -> Step:
        """The repetition's record, made when it is first touched."""
        step = self._steps.get(repetition)
        if step is None:
            step = self._steps[repetition] = Step(self, repetition)
        return step

    def recorded(self, repetition: int) -> bool:
        """Whether the ops of a repetition are recorded one by one."""
        return self._phase.kind is not PhaseKind.BODY or repetition in self._window

    def timing(self, step: Step, op: int, queued: int) -> tuple[int, int, int]:
        """How long the op, which starts now, takes: (compute cycles, occupancy cycles, depth cycles).

        `queued`: the cycle at which it was issued.
        """
        if self._fixed:
            return self._timings[op]
        service, dynamics, number, now = self._services[op], self._dynamics, self._number, self._env.now
        if dynamics is not None:
            service = dynamics.nominal(number, op, self.ops[op], step.repetition, queued, now)
        if self._options.jitter is not None:
            service = self._options.jitter(number, step.repetition, op, service)
        if dynamics is not None:
            service = dynamics.granted(number, op, service, now)
        return _timing(service)

    def follows(self, step: Step, op: int) -> bool:
        """Whether the op takes words from an op that is not done yet."""
        return not all(step.finished[other] for other in self.tables.followed[op])

    def first_word(self, event: simpy.Event) -> None:
        """The op's first word is visible (FIRST): pass the tokens of those that follow it."""
        step, op = cast("tuple[Step, int]", event.value)
        self._pass_same(step, self.tables.first_same[op])

    def started(self, unit: UnitProcess) -> None:
        """A unit has taken an op out of its queue."""
        self._sequencer.place_free(unit, self._env.now)

    def record(self, step: Step, op: int, start: int, free: int, done: int) -> None:
        """Keep the times of one op."""
        self.records.append(OpRecord(self._number, step.repetition, op, start, free, done))

    def operands_read(self, step: Step, op: int) -> None:
        """The op has read its operands (FREE): pass the tokens of those that wait for it."""
        tables = self.tables
        same, later = tables.free_same[op], tables.free_later[op]
        if same:
            self._pass_same(step, same)
        if later:
            self._pass_later(step.repetition, later)

    def complete(self, event: simpy.Event) -> None:
        """The op's results are visible (DONE): commit them, pass the tokens, count it."""
        step, op, results = cast("tuple[Step, int, tuple[Array, ...]]", event.value)
        arithmetic = self._options.arithmetic
        if arithmetic is not None:
            commit(self.ops[op], step.repetition, arithmetic.state, arithmetic.semantics, results)
            if arithmetic.observer is not None:
                arithmetic.observer(self.ops[op], step.repetition, results)
        tables = self.tables
        same, later = tables.done_same[op], tables.done_later[op]
        if same:
            self._pass_same(step, same)
        if later:
            self._pass_later(step.repetition, later)
        step.finished[op] = 1
        for follower, _ in tables.first_same[op]:
            unit = self._units[follower]
            if unit.draining == (step, follower):
                unit.wake()
        step.left -= 1
        if not step.left:
            self._end_step(step.repetition)
        self._ops_left -= 1
        if not self._ops_left:
            self.finished.succeed()

    def blocked(self) -> str:
        """Every op at the head of a queue and what it waits for, for the deadlock error."""
        lines = []
        for unit in dict.fromkeys(self._units):
            if unit.awaited is not None:
                step, op = unit.awaited
                waits = ", ".join(self._unmet(step, op)) or "nothing that will come"
                lines.append(f"{unit.name}: {self._name(step.repetition, op)} waits for {waits}")
        following = self._sequencer.next_op()
        if following is not None:
            lines.append(f"the sequencer is at {self._name(*following)}")
        return "; ".join(lines)

    def _unmet(self, step: Step, op: int) -> list[str]:
        """The dependencies of a blocked op whose ops have not completed."""
        found = []
        for dep in self._phase.deps[op]:
            other = self._steps.get(step.repetition - dep.lag)
            if other is not None and not other.finished[dep.op]:
                found.append(f"{self._name(other.repetition, dep.op)} ({dep.after.value})")
        return found

    def _name(self, repetition: int, op: int) -> str:
        return f"'{self.ops[op].label}' of repetition {repetition}"

    def _pass_same(self, step: Step, tokens: SameStep) -> None:
        now = self._env.now * KEY_BASE
        pending, arrived = step.pending, step.arrived
        for op, code in tokens:
            if now + code > arrived[op]:
                arrived[op] = now + code
            pending[op] -= 1
            if not pending[op]:
                unit = self._units[op]
                if unit.awaited is not None and unit.awaited == (step, op):
                    unit.wake()

    def _pass_later(self, repetition: int, tokens: LaterStep) -> None:
        for op, lag, code in tokens:
            later = repetition + lag
            if later < self.repeat and (not self.tables.conditional[op] or self.ops[op].active(later, self.repeat)):
                self._pass_same(self.step(later), ((op, code),))

    def _end_step(self, repetition: int) -> None:
        del self._steps[repetition]
        if repetition in self._marked:
            self.ends[repetition] = self._env.now
        if self._options.progress is not None:
            self._options.progress(repetition + 1)


def _timing(service: Service) -> tuple[int, int, int]:
    return service.compute_cycles, service.occupancy_cycles, service.depth_cycles
