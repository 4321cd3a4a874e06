"""What a run of the machine is given besides the program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from archsim.formats.number import Array
from archsim.hardware.unit import PortUse, Service, Session
from archsim.program.interpreter import Observer, Semantics, commit, sample
from archsim.program.ir import Op
from archsim.program.state import State
from archsim.trace import OpTimes, Window

Jitter = Callable[[int, int, int, Service], Service]
"""(phase, repetition, op, nominal service) -> the service to use: for tests that vary latencies."""


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """What execution needs to know of the architecture.

    `units` are the names of the units, in the order in which single ports are granted to those that ask in the same
    cycle; `services` each phase's ops' service times; `issue_cycles`, `queue_depth` and `token_latency_cycles` are the
    sequencer's. `sessions`
    makes the state of each unit whose service times depend on its history: what `services` says of its ops is a lower
    bound. `port_uses`: for each phase's ops what they need of single ports; () if no memory has one.
    """

    units: tuple[str, ...]
    services: tuple[tuple[Service, ...], ...]
    issue_cycles: int
    queue_depth: int
    sessions: Mapping[str, Callable[[], Session]] = field(default_factory=dict)
    port_uses: tuple[tuple[tuple[PortUse, ...], ...], ...] = ()
    token_latency_cycles: int = 0

    @property
    def static(self) -> bool:
        """Whether `services` are the service times: nothing depends on when an op starts, and nothing is arbitrated."""
        return not self.sessions and not any(uses for of_phase in self.port_uses for uses in of_phase)


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The data to compute on, and how; without it a run is timing only. `observer` sees what each op computed."""

    state: State
    semantics: Semantics
    observer: Observer | None = None

    def sample(self, op: Op, repetition: int) -> tuple[Array, ...]:
        """The op reads its operands now; its results."""
        return sample(op, repetition, self.state, self.semantics)

    def commit(self, op: Op, repetition: int, results: tuple[Array, ...]) -> None:
        """The op's results become visible now."""
        commit(op, repetition, self.state, self.semantics, results)
        if self.observer is not None:
            self.observer(op, repetition, results)


NO_STEPS = Window(0, 0)
"""Record no time step."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: with which data, what to record, and hooks.

    `progress` is called with the number of repetitions completed in the phase under way. `listener`, if there is one,
    is called with each op of the window as soon as its times are certain, a unit's ops in their order; then the trace
    keeps no records, so that a run of any length can be listened to. `releases`: for each repetition of a body the
    cycle from which its ops may be issued, counted from the body's begin; those behind the last are not held back.
    """

    arithmetic: Arithmetic | None = None
    window: Window = NO_STEPS
    jitter: Jitter | None = None
    progress: Callable[[int], None] | None = None
    listener: Callable[[OpTimes], None] | None = None
    releases: Sequence[int] = ()
