"""Precomputes what the figures of a run need of its program alone, whatever the machine's speeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from archsim.families.machine_config import MachineConfig
from archsim.hardware.unit import Units
from archsim.metrics.bounds import StepTimes, StepWork
from archsim.metrics.roofline import OPS_PER_MAC, Ceilings
from archsim.metrics.traffic import (
    Traffic,
    compulsory_traffic,
    compute_traffic,
    dram_burst_traffic,
    dram_ratio,
    stored_bytes,
    total_bytes,
    traffic_by_phase,
)
from archsim.metrics.unit_facts import UnitFacts, facts_of
from archsim.program.ir import Program
from archsim.workload import NetworkSpec


@dataclass(frozen=True, slots=True, eq=False)
class ProgramFigures:
    """The figures of a program that are the same on every machine that executes it."""

    macs: int
    ops: int
    step_work: StepWork
    stored_bytes: Mapping[str, Mapping[str, int]]
    traffic_bytes: Traffic
    phase_traffic_bytes: Mapping[str, Traffic]
    compulsory_dram_bytes: Mapping[str, Mapping[str, int]]
    dram_traffic_ratio: float | None
    operational_intensity_ops_per_byte: Mapping[str, float]

    @classmethod
    def from_program(cls, program: Program, steps: int) -> ProgramFigures:
        """The figures of a program of so many time steps."""
        macs, traffic, compulsory = program.macs, compute_traffic(program), compulsory_traffic(program)
        return cls(
            macs=macs,
            ops=program.op_instances,
            step_work=StepWork.from_program(program, steps),
            stored_bytes=stored_bytes(program),
            traffic_bytes=traffic,
            phase_traffic_bytes=traffic_by_phase(program),
            compulsory_dram_bytes=compulsory,
            dram_traffic_ratio=dram_ratio(traffic, compulsory),
            operational_intensity_ops_per_byte={
                memory: float(Fraction(OPS_PER_MAC * macs, moved))
                for memory in traffic
                if (moved := total_bytes(traffic, memory))  # 0: a FIFO of a delta network in which nothing changes
            },
        )


@dataclass(frozen=True, slots=True)
class BurstFigures:
    """The figures that follow from a program and the machine's bursts and clock, whatever its speeds."""

    burst_bytes: Mapping[str, int]
    ceilings: Ceilings

    @classmethod
    def from_program(cls, program: Program, config: MachineConfig, units: Units) -> BurstFigures:
        """The burst figures of a program on one machine."""
        return cls(dram_burst_traffic(program, units), Ceilings.from_program(program, config, units))


@dataclass(frozen=True, slots=True)
class Precomputed:
    """All that a caller who evaluates many designs knows already of the network, program and units."""

    spec: NetworkSpec
    figures: ProgramFigures
    times: StepTimes
    bursts: BurstFigures
    facts: Mapping[str, UnitFacts]

    @classmethod
    def from_program(cls, program: Program, spec: NetworkSpec, config: MachineConfig, units: Units) -> Precomputed:
        """Compute it all for one machine and one program for it."""
        figures = ProgramFigures.from_program(program, spec.steps)
        times = StepTimes.from_program(program, units, config.sequencer.token_latency_cycles)
        return cls(spec, figures, times, BurstFigures.from_program(program, config, units), facts_of(program, units))
