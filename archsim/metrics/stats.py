"""Computes the figures of a run, each declared with unit, meaning and formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated

from archsim.families.load import Arch
from archsim.hardware.unit import Units
from archsim.metrics.bounds import Bounds, binding, compute_bounds
from archsim.metrics.declare import Metric
from archsim.metrics.energy import Area, Energy, RunFacts, compute_costs, compute_energy, without_model
from archsim.metrics.precomputed import Precomputed
from archsim.metrics.roofline import OPS_PER_MAC, Roofline, compute_roofline
from archsim.metrics.stacks import Stack, cycle_stacks
from archsim.metrics.traffic import Traffic
from archsim.program.ir import Phase, PhaseKind, Program
from archsim.trace import PhaseTrace, Trace
from archsim.workload import Workload


@dataclass(frozen=True, slots=True, repr=False)
class Stats:
    """All figures of one run. Counts are whole numbers; `float` fields are exact quotients rounded once."""

    arch: Annotated[str, Metric("", "name of the architecture")]
    workload: Annotated[str, Metric("", "name of the workload")]
    schedule: Annotated[str, Metric("", "name of the schedule")]
    overrides: Annotated[tuple[str, ...], Metric("", "fields of architecture and workload changed with --set")]
    idealizations: Annotated[
        tuple[str, ...], Metric("", "what the architecture grants that no chip has, a line each; [] if nothing")
    ]
    latency_cycles: Annotated[
        int, Metric("cycles", "from cycle 0 until the last result is stored", "prologue + body + handover + epilogue")
    ]
    latency_us: Annotated[float, Metric("us", "the same at the architecture's clock", "latency_cycles / clock_mhz")]
    prologue_cycles: Annotated[
        int, Metric("cycles", "loading what stays of the weights, the first streamed tiles, h_0, c_0 and first x")
    ]
    body_cycles: Annotated[int, Metric("cycles", "all time steps, with the loads of weights that are streamed")]
    body_us: Annotated[float, Metric("us", "the same at the architecture's clock", "body_cycles / clock_mhz")]
    handover_cycles: Annotated[int, Metric("cycles", "loading the first inputs of each further layer")]
    epilogue_cycles: Annotated[int, Metric("cycles", "storing h_n and c_n to DRAM")]
    cycles_per_step: Annotated[
        float,
        Metric(
            "cycles",
            "between the ends of consecutive time steps, in the steady state; layers after each other add up",
            "(end of step b - end of step b // 2) / (b - b // 2), b the last step that loads an x (T-1 if none does)",
        ),
    ]
    macs: Annotated[
        int,
        Metric("MAC", "multiply-accumulates of the model", "sum over the cells of (gates H (I + P) + projection) T B"),
    ]
    mac_utilization: Annotated[
        float,
        Metric(
            "1", "useful share of the multipliers over the whole run", "macs / (peak MACs a cycle * latency_cycles)"
        ),
    ]
    steady_state_mac_utilization: Annotated[
        float,
        Metric(
            "1",
            "useful share of the multipliers in the steady state",
            "macs / T / (peak MACs a cycle * cycles_per_step)",
        ),
    ]
    throughput_gops: Annotated[float, Metric("GOPS", "over the whole run, 2 ops per MAC", "2 macs / latency_us / 1000")]
    steady_state_throughput_gops: Annotated[
        float, Metric("GOPS", "in the steady state, 2 ops per MAC", "2 macs / T / cycles_per_step * clock_mhz / 1000")
    ]
    peak_throughput_gops: Annotated[
        float, Metric("GOPS", "what the multipliers could do", "2 * peak MACs a cycle * clock_mhz / 1000")
    ]
    cycle_stack: Annotated[
        Stack, Metric("cycles", "where the cycles of the unit that multiplies went; sums to latency_cycles")
    ]
    unit_cycle_stacks: Annotated[Mapping[str, Stack], Metric("cycles", "the same for every unit")]
    stored_bytes: Annotated[
        Mapping[str, Mapping[str, int]],
        Metric("bytes", "memory -> buffer -> bytes that it takes there for the whole run; memories on the chip"),
    ]
    traffic_bytes: Annotated[
        Traffic, Metric("bytes", "memory -> read or write -> kind of data -> bytes over the whole run")
    ]
    phase_traffic_bytes: Annotated[
        Mapping[str, Traffic], Metric("bytes", "phase -> the same in phases of that kind, each rounded up to bytes")
    ]
    dram_burst_bytes: Annotated[
        Mapping[str, int], Metric("bytes", "read or write -> bytes that DRAM moves over the whole run, whole bursts")
    ]
    compulsory_dram_bytes: Annotated[
        Mapping[str, Mapping[str, int]],
        Metric(
            "bytes",
            "read or write -> kind of data -> least that any machine moves: weights, x, h_0, c_0 once in; output, "
            "h_n, c_n once out",
        ),
    ]
    dram_traffic_ratio: Annotated[
        float | None,
        Metric(
            "1",
            "DRAM's traffic against the least; null without DRAM",
            "traffic_bytes of dram / sum of compulsory_dram_bytes",
        ),
    ]
    dram_counts: Annotated[
        Mapping[str, int],
        Metric("", "DRAM of kind ddr: bursts, rows opened (misses: bank closed; conflicts: another open), refreshes"),
    ]
    operational_intensity_ops_per_byte: Annotated[
        Mapping[str, float],
        Metric(
            "ops/byte",
            "ops for each byte that a memory moves over the whole run; none of a memory that moves nothing",
            "2 macs / bytes read and written",
        ),
    ]
    bounds: Annotated[Bounds, Metric("cycles/step", "lower bounds: what each resource alone would need")]
    binding_bound: Annotated[str, Metric("", "the largest of the bounds")]
    energy: Annotated[
        Energy | None,
        Metric("", "what the run takes; null of a family of machines, or with a unit, without a model of it"),
    ]
    area: Annotated[Area | None, Metric("", "what the machine is; null as energy")]
    roofline: Annotated[Roofline, Metric("", "ceilings of the machine and what is reached below them")]
    program_ops: Annotated[int, Metric("ops", "ops that the machine executed")]

    def __repr__(self) -> str:
        """One line: of which run, and how long it takes; `dataclasses.asdict` has all figures."""
        what = f"{self.workload} on {self.arch}, schedule {self.schedule}"
        return f"<figures of {what}: {self.latency_cycles:,} cycles, {self.latency_us:,.4g} us>"


def compute_stats(
    program: Program, trace: Trace, arch: Arch, workload: Workload, units: Units, precomputed: Precomputed | None = None
) -> Stats:
    """The figures of a finished run; `precomputed`: what a caller has worked out already, made here if it is None."""
    if precomputed is None:
        precomputed = Precomputed.from_program(program, workload.spec, arch.config, units)
    spec, figures, clock_mhz = precomputed.spec, precomputed.figures, Fraction(repr(arch.config.clock_mhz))
    phases = {kind: trace.cycles_of(kind) for kind in PhaseKind}
    step = sum(map(body_cycles_per_step, program.phases, trace.phases), Fraction(0))
    multipliers = arch.config.multipliers
    macs_per_cycle = multipliers.macs_per_cycle
    macs, total = figures.macs, trace.total_cycles
    stacks = cycle_stacks(trace, precomputed.facts)
    latency_us = total / clock_mhz
    throughput_gops = float(OPS_PER_MAC * macs / latency_us / 1000)
    steady_gops = float(OPS_PER_MAC * Fraction(macs, spec.steps) / step * clock_mhz / 1000)
    bursts = precomputed.bursts
    energy = area = None
    if arch.config.costing is not None and not without_model(units):
        costs = compute_costs(arch, precomputed.facts)
        dram = trace.units.get("dram")
        busy_us = Fraction(0) if dram is None else (dram.compute_cycles + dram.port_cycles) / clock_mhz
        run = RunFacts(latency_us, macs, busy_us, figures.stored_bytes)
        energy, area = compute_energy(precomputed.facts, costs, run), costs.area
    bounds = compute_bounds(figures.step_work, precomputed.times, spec, arch.config, units)
    macs_per_step = Fraction(macs, spec.steps)
    return Stats(
        arch=arch.name,
        workload=workload.name,
        schedule=program.schedule,
        overrides=arch.overrides + workload.overrides,
        idealizations=tuple(map(str, arch.config.idealizations)),
        latency_cycles=total,
        latency_us=float(latency_us),
        prologue_cycles=phases[PhaseKind.PROLOGUE],
        body_cycles=phases[PhaseKind.BODY],
        body_us=float(phases[PhaseKind.BODY] / clock_mhz),
        handover_cycles=phases[PhaseKind.HANDOVER],
        epilogue_cycles=phases[PhaseKind.EPILOGUE],
        cycles_per_step=step.numerator if step.denominator == 1 else float(step),
        macs=macs,
        mac_utilization=float(Fraction(macs, macs_per_cycle * total)),
        steady_state_mac_utilization=float(macs_per_step / (macs_per_cycle * step)),
        throughput_gops=throughput_gops,
        steady_state_throughput_gops=steady_gops,
        peak_throughput_gops=bursts.ceilings.peak_gops,
        cycle_stack=stacks[multipliers.unit],
        unit_cycle_stacks=stacks,
        stored_bytes=figures.stored_bytes,
        traffic_bytes=figures.traffic_bytes,
        phase_traffic_bytes=figures.phase_traffic_bytes,
        dram_burst_bytes=bursts.burst_bytes,
        compulsory_dram_bytes=figures.compulsory_dram_bytes,
        dram_traffic_ratio=figures.dram_traffic_ratio,
        dram_counts=trace.counts.get("dram", {}),
        operational_intensity_ops_per_byte=figures.operational_intensity_ops_per_byte,
        bounds=bounds,
        binding_bound=binding(bounds),
        energy=energy,
        area=area,
        roofline=compute_roofline(bursts.ceilings, steady_gops, throughput_gops),
        program_ops=figures.ops,
    )


def body_cycles_per_step(phase: Phase, body: PhaseTrace) -> Fraction:
    """The cycles of a time step of a body in the steady state; 0 for other phases.

    It is 0 for a body that completes no step, too.
    """
    steady = steady_state(phase)
    if steady is None:
        return Fraction(0)
    ends = dict(body.ends)
    begin = body.start if steady.after is None else ends[steady.after]
    end = body.end if steady.until is None else ends[steady.until]
    return Fraction(end - begin, steady.steps)


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Between which ends of repetitions of a body the steady state is measured, and how many time steps that is.

    `after`: the repetition at whose end it begins, None: at the body's start; `until`: the one at whose end it ends,
    None: at the body's end.
    """

    after: int | None
    until: int | None
    steps: int


def steady_state(phase: Phase) -> SteadyState | None:
    """Where the steady state of a phase is; None if it is no body, or completes no step."""
    if phase.kind is not PhaseKind.BODY or not phase.time_steps:
        return None
    first, last = phase.steady_repetitions
    if phase.head and first == last:
        return SteadyState(None, None, phase.time_steps)  # a wavefront that only fills and drains
    if first == last:
        return SteadyState(None, last, phase.unroll)
    return SteadyState(first, last, (last - first) * phase.unroll)
