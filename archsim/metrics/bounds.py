"""Bounds the cycles of a time step from below: what each resource alone, and the recurrence alone, needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from operator import attrgetter

from archsim.families.machine_config import MachineConfig
from archsim.families.registry import family_of
from archsim.hardware.unit import Service, Units, ceil_div
from archsim.program.ir import After, DataKind, Op, Phase, PhaseKind, Program
from archsim.workload.network import NetworkSpec

Bounds = Mapping[str, float]
"""Name -> cycles a time step. The time steps together take at least T times each of them."""


@dataclass(frozen=True, slots=True)
class StepWork:
    """What the time steps of a program do, whatever the machine.

    `weight_bits`: bits of weights that a step reads; `issued`: instructions of all steps that are issued.
    """

    weight_bits: int
    issued: int

    @classmethod
    def from_program(cls, program: Program, steps: int) -> StepWork:
        """The work of a program of so many time steps."""
        bodies = program.of_kind(PhaseKind.BODY)
        issued = sum(op.instances(body.repeat) for body in bodies for op in body.ops if not op.joined)
        return cls(sum(_weight_bits(body, steps) for body in bodies), issued)


@dataclass(frozen=True, slots=True)
class StepTimes:
    """What units and chains need of the time steps.

    `occupied_cycles`: cycles for which each unit is occupied, over all steps; `recurrence_cycles`: the longest chain of
    a step.
    """

    occupied_cycles: Mapping[str, int]
    recurrence_cycles: Fraction

    @classmethod
    def from_program(cls, program: Program, units: Units, token_latency_cycles: int) -> StepTimes:
        """The times of a program, from its units' service times and the latency of tokens."""
        bodies = program.of_kind(PhaseKind.BODY)
        occupied = dict.fromkeys(units, 0)
        for body in bodies:
            for op, times in body.distinct:
                occupied[op.unit] += units[op.unit].cycles(op).occupancy_cycles * times
        services = [[units[op.unit].cycles(op) for op in body.ops] for body in bodies]
        chains = (_recurrence(*of_body, token_latency_cycles) for of_body in zip(bodies, services, strict=True))
        return cls(occupied, sum(chains, Fraction(0)))


def compute_bounds(work: StepWork, times: StepTimes, spec: NetworkSpec, arch: MachineConfig, units: Units) -> Bounds:
    """All bounds of the machine's family, in their order.

    Those of layers that run one after the other add up.
    """
    steps = spec.steps
    bounds: dict[str, Fraction] = {
        "compute": Fraction(arch.compute_cycles_per_step(spec)),
        "recurrence": times.recurrence_cycles,
        "sequencer": Fraction(work.issued * arch.sequencer.issue_cycles, steps),
    }
    if arch.weight_bits_per_cycle is not None:
        bounds["weight_sram"] = Fraction(ceil_div(work.weight_bits, arch.weight_bits_per_cycle))
    busiest: dict[str, int] = {}
    for name, unit in units.items():
        busiest[unit.name] = max(busiest.get(unit.name, 0), times.occupied_cycles[name])
    bounds |= {name: Fraction(occupied, steps) for name, occupied in busiest.items()}
    return {name: _number(bounds[name]) for name in family_of(arch).bounds}


def binding(bounds: Bounds) -> str:
    """The name of the largest bound, the first of equals."""
    return max(bounds, key=lambda name: bounds[name])


def _number(value: Fraction) -> float:
    return value.numerator if value.denominator == 1 else float(value)


def _weight_bits(body: Phase, steps: int) -> int:
    """The bits that a step reads, on average, through the weight SRAM's ports; the bias has its own port."""
    bits = sum(
        region.bits * times * op.moved_share(region)
        for op, times in body.distinct
        for region in op.reads
        if region.buffer.kind.is_matrix and region.buffer.memory == "weight_sram"
    )
    return int(bits // steps)


@dataclass(frozen=True, slots=True)
class Closing:
    """A chain from the start of op `first` to the end of op `last`, on which a later instance of `first` waits.

    That is the instance `lag` chains later, and there are `per_step` of them for each time step.
    """

    first: int
    last: int
    lag: int
    per_step: Fraction


def closing_chains(body: Phase) -> tuple[Closing, ...]:
    """The chains that pass h from an earlier step on to what takes it into the sums, in the order of `first`.

    That is a tile that multiplies it; of a delta network the op that makes deltas of it, which are multiplied. From
    repetition to repetition; and, where a repetition has several time steps, from one of them to the next.
    """
    writes_h = [any(r.buffer.kind is DataKind.H for r in op.writes) for op in body.ops]
    reads_h = [any(r.buffer.kind is DataKind.H for r in op.reads) and _is_in_sums(op) for op in body.ops]
    closing = [
        (waits, dep)
        for waits, deps in enumerate(body.deps)
        for dep in deps
        if dep.after is After.DONE and writes_h[dep.op] and reads_h[waits]
    ]
    # With a lag the chain closes over `lag` repetitions, and so does the bound: it is divided by the lag.
    found = [Closing(first, dep.op, dep.lag, body.times_per_step(first)) for first, dep in closing if dep.lag]
    inner = [(waits, dep.op) for waits, dep in closing if not dep.lag]
    # Without a lag h passes from one step to the next within a repetition. All steps of it are alike, so the last two
    # stand for all: the tile of the step before that matches the waiting tile begins the chain.
    if body.unroll > 1 and inner:
        here, following = (_ops_of_place(body, place) for place in (body.unroll - 2, body.unroll - 1))
        tiles = [sorted(number for number in place if reads_h[number]) for place in (following, here)]
        before = dict(zip(*tiles, strict=True))
        found += [
            Closing(before[waits], last, 1, Fraction(1)) for waits, last in inner if waits in before and last in here
        ]
    return tuple(sorted(found, key=lambda chain: chain.first))


def _is_in_sums(op: Op) -> bool:
    """Whether what an op reads becomes part of sums: it multiplies it, or makes the deltas that are multiplied."""
    return op.macs > 0 or op.sent is not None


def _ops_of_place(body: Phase, place: int) -> frozenset[int]:
    """The numbers of the ops of the step at a place in the repetitions of a body that has several."""
    offset = place - -body.time_steps % body.unroll
    return frozenset(number for number, op in enumerate(body.ops) if op.step_offset == offset)


def _recurrence(body: Phase, services: list[Service], token_latency_cycles: int) -> Fraction:
    """The cycles a time step of the closing chain that takes longest.

    Ops follow each other along dependencies of the same repetition (after DONE: latency; after FREE: occupancy, each
    with the token's latency; after FIRST: until the first word) and, on one unit, in order (occupancy). n chains, each
    of which begins when the token from the end of the one before arrives, take at least n times the cycles of one.
    """
    longest = Fraction(0)
    for first, chains in groupby(closing_chains(body), key=attrgetter("first")):
        starts = _chain_starts(body, services, first, token_latency_cycles)
        for chain in chains:
            # Where no path from `first` reaches `last` in every repetition, the tile is on no chain that h closes.
            if chain.last in starts:
                cycles = starts[chain.last] + services[chain.last].latency_cycles + token_latency_cycles
                longest = max(longest, Fraction(cycles, chain.lag) * chain.per_step)
    return longest


def _chain_starts(body: Phase, services: list[Service], first: int, token_latency_cycles: int) -> dict[int, int]:
    """For each op that chains from `first` reach, the earliest start, in cycles after that of `first`."""
    starts = {first: 0}
    skip_first, skip_last = body.ops[first].window
    last_on = {body.ops[first].unit: first}
    for index in range(first + 1, len(body.ops)):
        op = body.ops[index]
        # Only lag 0: an edge from another repetition would leave the chain. A bound may leave edges out.
        waits = [
            starts[dep.op] + _until(services[dep.op], dep.after, token_latency_cycles)
            for dep in body.deps[index]
            if dep.lag == 0 and dep.op in starts
        ]
        if op.unit in last_on:
            before = last_on[op.unit]
            waits.append(starts[before] + services[before].occupancy_cycles)
        # An op that is left out of a repetition in which `first` is there is no part of the chains of all of them.
        if waits and op.skip_first <= skip_first and op.skip_last <= skip_last:
            starts[index] = max(waits)
            last_on[op.unit] = index
    return starts


def _until(service: Service, after: After, token_latency_cycles: int) -> int:
    """The cycles from an op's start until what it sends at the event is there."""
    match after:
        case After.DONE:
            return service.latency_cycles + token_latency_cycles
        case After.FIRST:
            return service.first_word_cycles
        case After.FREE:
            return service.occupancy_cycles + token_latency_cycles
