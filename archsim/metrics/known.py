"""What the figures of a run need of its program alone, whatever the machine's speeds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from archsim.metrics.bounds import StepTimes, StepWork
from archsim.metrics.traffic import Traffic, compute_traffic, total_bytes
from archsim.program.ir import Program
from archsim.workload import NetworkSpec

OPS_PER_MAC = 2
"""A multiply and an add."""


@dataclass(frozen=True, slots=True, eq=False)
class ProgramFigures:
    """Figures of a program that are the same on every machine that executes it."""

    macs: int
    ops: int
    step_work: StepWork
    traffic_bytes: Traffic
    operational_intensity_ops_per_byte: Mapping[str, float]

    @classmethod
    def of(cls, program: Program, steps: int) -> ProgramFigures:
        """The figures of a program of so many time steps."""
        macs, traffic = program.macs, compute_traffic(program)
        return cls(
            macs=macs,
            ops=program.op_instances,
            step_work=StepWork.of(program, steps),
            traffic_bytes=traffic,
            operational_intensity_ops_per_byte={
                memory: float(Fraction(OPS_PER_MAC * macs, total_bytes(traffic, memory))) for memory in traffic
            },
        )


@dataclass(frozen=True, slots=True)
class Known:
    """What a caller that evaluates many designs knows already: of the network, the program, and the services."""

    spec: NetworkSpec
    figures: ProgramFigures
    times: StepTimes
