"""One phase in execution: it wires sequencer and units, passes the tokens between ops, and notices the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archsim.engines.events.clock import Clock
from archsim.engines.events.options import MachineSpec, Options
from archsim.engines.events.repetition import IssuedOp, OpFacts, Repetition, Repetitions, op_name
from archsim.engines.events.sequencer import Sequencer
from archsim.engines.events.service_clock import OpTiming, ServiceClock
from archsim.engines.events.token_tables import KEY_BASE, LaterRepetition, SameRepetition, TokenTables
from archsim.engines.events.unit_process import UnitProcess
from archsim.program.codes import CAUSES
from archsim.program.ir import Phase, PhaseKind
from archsim.trace import OpRecord, OpTimes


class PhaseRun:
    """Executes one phase; the supervisor of the units while it does (unit.Supervisor).

    The sequencer puts ops into the units' queues; units report what becomes of them; from each report follow tokens,
    and from a place that has become free the next ops of the sequencer.
    """

    def __init__(
        self,
        env: Clock,
        number: int,
        phase: Phase,
        spec: MachineSpec,
        units: Mapping[str, UnitProcess],
        options: Options,
        services: ServiceClock,
    ) -> None:
        """`number`: the place of the phase in the program."""
        self.finished = env.event()
        """Comes when all ops are done."""
        self.ends: dict[int, int] = {}
        """Completion of some repetitions."""
        self.records: list[OpRecord] = []
        self._env = env
        self._number = number
        self._phase = phase
        self._options = options
        self._services = services
        self._tables = TokenTables(phase)
        window = options.window
        recorded = phase.repetitions_of(window.first, window.first + window.count)
        self._repetitions = Repetitions(phase, self._tables, recorded)
        self._units = [units[op.unit] for op in phase.ops]
        self._ops_left = phase.op_instances
        self._marked = frozenset(phase.marked_repetitions)
        self._sequencer = Sequencer(
            _facts(phase, self._tables, spec, number, services.fixed(number)),
            self._units,
            self._tables,
            self._repetitions,
            spec.issue_cycles,
            spec.queue_depth,
            options.releases if phase.kind is PhaseKind.BODY else (),
        )
        self._token_latency = spec.token_latency_cycles

    def begin(self) -> None:
        """Start issuing now."""
        for unit in dict.fromkeys(self._units):
            unit.begin_phase(self)
        # That the phase before is over is a token, too.
        self._sequencer.begin(self._env.now + self._token_latency)

    def timing(self, issued: IssuedOp, retired: int) -> OpTiming:
        """How long the op takes, which starts now; the op before of its unit is done at `retired`."""
        op, number = issued.facts, issued.repetition.number
        return self._services.timing(self._number, op.index, op.op, number, issued.issued_at, self._env.now, retired)

    def started(self, unit: UnitProcess) -> None:
        """A unit has taken an op out of its queue."""
        self._sequencer.place_free(unit, self._env.now)

    def first_word(self, issued: IssuedOp) -> None:
        """The op's first word is visible (FIRST): pass the tokens of those that follow it."""
        self._pass_same(issued.repetition, self._tables.first_same[issued.facts.index], self._env.now)

    def record(self, issued: IssuedOp, start: int, free: int, done: int) -> None:
        """Keep the times of one op."""
        record = OpRecord(self._number, issued.repetition.number, issued.facts.index, start, free, done)
        listener, timing = self._options.listener, issued.timing
        if listener is None:
            self.records.append(record)
            return
        assert timing is not None
        cause = CAUSES[issued.cause] if issued.waited else None
        listener(OpTimes(record, issued.issued_at, timing.compute, timing.port, issued.waited, cause))

    def operands_read(self, issued: IssuedOp) -> None:
        """The op has read its operands (FREE): pass the tokens of those that wait for it."""
        op = issued.facts.index
        same, later = self._tables.free_same[op], self._tables.free_later[op]
        if same or later:
            self._pass(issued.repetition, same, later)

    def completed(self, issued: IssuedOp) -> None:
        """The op's results are visible (DONE): commit them, pass the tokens, count it."""
        repetition, op, tables = issued.repetition, issued.facts.index, self._tables
        # The results come first: an op that a token lets start in this very cycle reads them.
        if self._options.arithmetic is not None:
            self._options.arithmetic.commit(issued.facts.op, repetition.number, issued.results)
        self._pass(repetition, tables.done_same[op], tables.done_later[op])
        repetition.finished[op] = 1
        for follower, _ in tables.first_same[op]:
            self._units[follower].words_complete(repetition, follower)
        repetition.left -= 1
        if not repetition.left:
            self._end_repetition(repetition)
        self._ops_left -= 1
        if not self._ops_left:
            self.finished.succeed()

    def blocked(self) -> str:
        """Every op at the head of a queue and what it waits for, for the deadlock error."""
        lines = []
        for unit in dict.fromkeys(self._units):
            if unit.awaited is not None:
                waits = ", ".join(self._unmet(unit.awaited)) or "nothing that will come"
                lines.append(f"{unit.name}: {unit.awaited} waits for {waits}")
        following = self._sequencer.next_op()
        if following is not None:
            number, op = following
            lines.append(f"the sequencer is at {op_name(self._phase.ops[op], number)}")
        return "; ".join(lines)

    def _unmet(self, issued: IssuedOp) -> list[str]:
        """The dependencies of a blocked op whose ops have not completed."""
        found = []
        for dep in self._phase.deps[issued.facts.index]:
            other = self._repetitions.if_under_way(issued.repetition.number - dep.lag)
            if other is not None and not other.finished[dep.op]:
                found.append(f"{op_name(self._phase.ops[dep.op], other.number)} ({dep.after.value})")
        return found

    def _pass(self, repetition: Repetition, same: SameRepetition, later: LaterRepetition) -> None:
        """Pass the tokens of an event of this cycle.

        They arrive when the token latency has passed. That is noted at once, and needs no event of its own.
        """
        arrival = self._env.now + self._token_latency
        if same:
            self._pass_same(repetition, same, arrival)
        if later:
            self._pass_later(repetition.number, later, arrival)

    def _pass_same(self, repetition: Repetition, tokens: SameRepetition, arrival: int) -> None:
        """Tokens that arrive in a cycle at ops of the same repetition."""
        key = arrival * KEY_BASE
        pending, arrived = repetition.pending, repetition.arrived
        for op, code in tokens:
            if key + code > arrived[op]:
                arrived[op] = key + code
            pending[op] -= 1
            if not pending[op]:
                unit = self._units[op]
                if unit.awaited is not None:
                    unit.tokens_complete(repetition, op)

    def _pass_later(self, number: int, tokens: LaterRepetition, arrival: int) -> None:
        """Tokens that arrive in a cycle at ops of repetitions after `number`, as far as there are such ops."""
        phase = self._phase
        for op, lag, code in tokens:
            later = number + lag
            if later < phase.repeat and (not self._tables.conditional[op] or phase.ops[op].active(later, phase.repeat)):
                self._pass_same(self._repetitions.at(later), ((op, code),), arrival)

    def _end_repetition(self, repetition: Repetition) -> None:
        """All ops of a repetition are done."""
        self._repetitions.end(repetition)
        if repetition.number in self._marked:
            self.ends[repetition.number] = self._env.now
        if self._options.progress is not None:
            self._options.progress(repetition.number + 1)


def _facts(
    phase: Phase, tables: TokenTables, spec: MachineSpec, number: int, timings: Sequence[OpTiming] | None
) -> list[OpFacts]:
    """What is known beforehand of each op of phase `number`; `timings`: their times, if these are."""
    uses = spec.port_uses[number] if spec.port_uses else ((),) * len(phase.ops)
    return [
        OpFacts(
            index=index,
            op=op,
            timing=None if timings is None else timings[index],
            first_word=service.first_word_cycles if tables.first_same[index] else None,
            followed=tables.followed[index],
            contends=bool(uses[index]),
        )
        for index, (op, service) in enumerate(zip(phase.ops, spec.services[number], strict=True))
    ]
