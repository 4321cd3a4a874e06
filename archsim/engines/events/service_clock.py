"""Service times that are known only when an op starts: of units with a history, and behind single ports."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.engines.events.options import MachineSpec
from archsim.engines.events.ports import SharedPorts
from archsim.hardware.unit import Service
from archsim.program.ir import Op


class Dynamics:
    """What a run remembers for them."""

    def __init__(self, spec: MachineSpec) -> None:
        self._sessions = {name: make() for name, make in spec.sessions.items()}
        memories = {use.memory for of_phase in spec.port_uses for uses in of_phase for use in uses}
        self._ports = SharedPorts(sorted(memories))
        self._spec = spec

    def nominal(self, phase: int, index: int, op: Op, repetition: int, queued: int, now: int) -> Service:
        """The service of an op that starts now, without what other units do to it."""
        session = self._sessions.get(op.unit)
        if session is None:
            return self._spec.services[phase][index]
        return session.service(op, repetition, queued, now)

    def granted(self, phase: int, index: int, service: Service, now: int) -> Service:
        """The same with the op's cycles of single ports taken."""
        uses = self._spec.port_uses[phase][index] if self._spec.port_uses else ()
        return self._ports.grant(uses, service, now) if uses else service

    def counts(self) -> Mapping[str, Mapping[str, int]]:
        """What the units with a history have counted."""
        return {name: session.counts() for name, session in self._sessions.items()}
