"""How long ops take: known beforehand, or only when an op starts, of units with a history and behind single ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from archsim.engines.events.options import Jitter, MachineSpec
from archsim.engines.events.ports import SharedPorts
from archsim.hardware.overlap import OverlappingSession
from archsim.hardware.unit import Service, Session
from archsim.program.ir import Op


class OpTiming(NamedTuple):
    """The cycles of one op, counted from its start."""

    compute: int
    """Cycles in which the datapath works."""
    occupancy: int
    """Cycles for which the op holds its unit."""
    depth: int
    """Cycles from the end of the occupancy until the results are visible."""
    port: int = 0
    """Cycles for which the narrowest memory port serves the op."""
    write: int = 0
    """Cycles in which the results pass the unit's write ports, the last ones before they are visible (and single ports,
    from the cycle on in which the op before is done)."""

    @classmethod
    def from_service(cls, service: Service) -> OpTiming:
        """The cycles that a service says."""
        return cls(
            compute=service.compute_cycles,
            occupancy=service.occupancy_cycles,
            depth=service.depth_cycles,
            port=service.port_cycles,
            write=service.write_cycles,
        )


class ServiceClock:
    """The service times of a run's ops, and what units with a history and single ports remember of it."""

    def __init__(self, spec: MachineSpec, jitter: Jitter | None) -> None:
        self._spec = spec
        self._jitter = jitter
        self._sessions = {name: make() for name, make in spec.sessions.items()}
        memories = {use.memory for of_phase in spec.port_uses for uses in of_phase for use in uses}
        self._ports = SharedPorts(sorted(memories))

    def fixed(self, phase: int) -> list[OpTiming] | None:
        """The times of a phase's ops, if nothing depends on when an op starts; else None."""
        if self._jitter is not None or not self._spec.static:
            return None
        return [OpTiming.from_service(service) for service in self._spec.services[phase]]

    def timing(self, phase: int, index: int, op: Op, repetition: int, queued: int, now: int, retired: int) -> OpTiming:
        """The times of an op that starts now, with the port cycles that it needs taken.

        `queued`: when it was issued; `retired`: when the op before of its unit is done. To be called once for each op,
        in the order in which ops start.
        """
        # First what the unit's history makes of the op, then a test's variation of it. Last come the single ports: they
        # are given to the op as it is executed.
        nominal, session = self._spec.services[phase][index], self._sessions.get(op.unit)
        service = nominal
        if session is not None and not isinstance(session, OverlappingSession):
            service = session.service(op, repetition, queued, now)
        if self._jitter is not None:
            service = self._jitter(phase, repetition, index, service)
        # How long results pass write ports follows from their bits alone.
        service = replace(service, write_cycles=nominal.write_cycles)
        uses = self._spec.port_uses[phase][index] if self._spec.port_uses else ()
        return OpTiming.from_service(self._ports.grant(uses, service, now, retired) if uses else service)

    def session(self, unit: str) -> Session | None:
        """What a unit with a history remembers; None of a unit without one."""
        return self._sessions.get(unit)

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What the units with a history have counted, by unit."""
        return {name: session.counts() for name, session in self._sessions.items()}
