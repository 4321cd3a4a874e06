"""Lower bounds on the cycles of a time step: what each resource alone, and the recurrence alone, would need."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from archsim.arch import ArchConfig
from archsim.arch.datapath import Units
from archsim.components.base import Service, ceil_div
from archsim.program.ir import After, DataKind, Phase, PhaseKind, Program
from archsim.workload import LstmSpec

Bounds = Mapping[str, float]
"""Name -> cycles a time step. The time steps together take at least T times each of them."""

BOUNDS: Mapping[str, str] = {
    "compute": "ceil(4H / rows) * ceil((I + H) / columns) * B: the MAC array with the least padding",
    "weight_sram": "ceil(bits of W_ih and W_hh that the step reads / (banks * port_bits))",
    "recurrence": "longest chain of ops from the first that needs h_{t-1} to the last that writes h_t",
    "mac_array": "occupancy of the MAC array by this schedule's tiles",
    "activation": "occupancy of the activation unit",
    "elementwise": "occupancy of the element-wise unit",
    "dram": "occupancy of DRAM in the time steps",
    "sequencer": "ops of a step * issue_cycles",
}


def compute_bounds(program: Program, spec: LstmSpec, arch: ArchConfig, units: Units) -> Bounds:
    """All bounds, in the order of BOUNDS."""
    body = program.phase(PhaseKind.BODY)
    services = [units[op.unit].cycles(op) for op in body.ops]
    array = arch.mac_array
    tiles = ceil_div(4 * spec.hidden_size, array.rows)
    chunks = ceil_div(spec.input_size + spec.hidden_size, array.columns)
    bounds: dict[str, Fraction] = {
        "compute": Fraction(tiles * chunks * spec.batch),
        "weight_sram": Fraction(ceil_div(_weight_bits(body), arch.weight_sram.bits_per_cycle)),
        "recurrence": _recurrence(body, services),
    }
    for name in units:
        occupied = sum(
            service.occupancy_cycles * op.instances(body.repeat)
            for op, service in zip(body.ops, services, strict=True)
            if op.unit == name
        )
        bounds[name] = Fraction(occupied, body.repeat)
    bounds["sequencer"] = Fraction(body.op_instances * arch.sequencer.issue_cycles, body.repeat)
    return {name: _number(bounds[name]) for name in BOUNDS}


def binding(bounds: Bounds) -> str:
    """The name of the largest bound, the first of equals."""
    return max(bounds, key=lambda name: bounds[name])


def _number(value: Fraction) -> float:
    return value.numerator if value.denominator == 1 else float(value)


def _weight_bits(body: Phase) -> int:
    """Bits that one time step reads through the weight SRAM's ports; the bias has a port of its own."""
    kinds = (DataKind.W_IH, DataKind.W_HH)
    return sum(region.bits for op in body.ops for region in op.reads if region.buffer.kind in kinds)


def _recurrence(body: Phase, services: list[Service]) -> Fraction:
    """The longest chain from the start of an op that waits for the h of an earlier step to that h's successor.

    Ops follow each other along dependencies of the same step (after DONE: latency; after FREE: occupancy) and, on one
    unit, in order (occupancy). The chain closes through the dependency on h, so T steps take at least T times it.
    """
    longest = Fraction(0)
    writes_h = [any(r.buffer.kind is DataKind.H for r in op.writes) for op in body.ops]
    reads_h = [any(r.buffer.kind is DataKind.H for r in op.reads) and op.macs > 0 for op in body.ops]
    for first, deps in enumerate(body.deps):
        closing = [dep for dep in deps if dep.lag and dep.after is After.DONE and writes_h[dep.op] and reads_h[first]]
        if not closing:
            continue
        starts = _chain_starts(body, services, first)
        for dep in closing:
            start = starts[dep.op]
            if start is not None:
                longest = max(longest, Fraction(start + services[dep.op].latency_cycles, dep.lag))
    return longest


def _chain_starts(body: Phase, services: list[Service], first: int) -> list[int | None]:
    """For each op the earliest start, in cycles after that of op `first`, that chains from it enforce."""
    starts: list[int | None] = [None] * len(body.ops)
    starts[first] = 0
    last_on: dict[str, int] = {body.ops[first].unit: first}
    for index in range(first + 1, len(body.ops)):
        waits = [
            starts[dep.op] + _until(services[dep.op], dep.after)  # type: ignore[operator]
            for dep in body.deps[index]
            if dep.lag == 0 and starts[dep.op] is not None
        ]
        unit = body.ops[index].unit
        before = last_on.get(unit)
        if before is not None:
            waits.append(starts[before] + services[before].occupancy_cycles)  # type: ignore[operator]
        if waits and not body.ops[index].conditional:
            starts[index] = max(waits)
            last_on[unit] = index
    return starts


def _until(service: Service, after: After) -> int:
    return service.latency_cycles if after is After.DONE else service.occupancy_cycles
