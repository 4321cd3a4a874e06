"""Says what execution needs to know of a machine: service times of a program's ops, single ports, the sequencer."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from archsim.critical import Rules
from archsim.engines.events import MachineSpec
from archsim.families.load import Arch
from archsim.hardware.unit import PortUse, Service, Unit, Units
from archsim.program.ir import Op, Phase, Program


def machine_spec(program: Program, arch: Arch, units: Units) -> MachineSpec:
    """What the machine needs to know: service times of all ops or their source, single ports, the sequencer."""
    services = tuple(_services(phase, arch, units) for phase in program.phases)
    sessions = {name: partial(unit.session, program.buffers) for name, unit in units.items() if not unit.static}
    shared = arch.config.single_ported
    uses: tuple[tuple[tuple[PortUse, ...], ...], ...] = ()
    if shared:
        uses = tuple(tuple(units[op.unit].port_uses(op, shared) for op in phase.ops) for phase in program.phases)
    sequencer = arch.config.sequencer
    return MachineSpec(
        tuple(units),
        services,
        sequencer.issue_cycles,
        sequencer.queue_depth,
        sessions,
        uses,
        sequencer.token_latency_cycles,
    )


def _services(phase: Phase, arch: Arch, units: Units) -> tuple[Service, ...]:
    """The service times of a phase's ops; a unit whose times depend on nothing else has one for all of a shape."""
    distinct, shapes = phase.shapes
    of_shapes = [_service(units[op.unit], op, arch) if units[op.unit].static else None for op in distinct]
    found = (
        of_shapes[shape] or _service(units[op.unit], op, arch) for op, shape in zip(phase.ops, shapes, strict=True)
    )
    return tuple(found)


def _service(unit: Unit[Any], op: Op, arch: Arch) -> Service:
    """An op's service time. Where units share a port, the cycles of its writes there are booked one by one."""
    service, shared = unit.cycles(op), arch.config.single_ported
    return replace(service, write_cycles=unit.write_cycles(op, shared)) if shared else service


def rules_of(machine: MachineSpec, releases: tuple[int, ...] = ()) -> Rules:
    """What starts follow from on that machine; `releases` as the machine was given."""
    return Rules(
        machine.services,
        machine.issue_cycles,
        machine.queue_depth,
        machine.token_latency_cycles,
        frozenset(machine.sessions),
        releases,
    )
