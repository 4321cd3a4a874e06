"""The roofline: what the multipliers and each memory allow at the workload's operational intensity.

Williams, Waterman and Patterson, "Roofline: an insightful visual performance model for multicore architectures", CACM
52(4), 2009: a machine does at most min(peak, bandwidth * operational intensity). Of on-chip memories the ceiling is
that of the multipliers' ports, and the intensity that of what passes them. A memory with a bank for each kind of data
passes one kind beside the other: it allows what the bank allows that passes most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from archsim.families.machine_config import MachineConfig
from archsim.hardware.port_streams import Bank
from archsim.hardware.unit import Unit, Units
from archsim.metrics.declare import Metric
from archsim.metrics.traffic import DRAM
from archsim.program.ir import Op, Phase, PhaseKind, Program
from archsim.program.outline import PhaseOutline, ProgramOutline

OPS_PER_MAC = 2
"""A multiply and an add."""

PEAK = "peak"
"""The name of the ceiling that is the multipliers'."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The ceiling of a memory: what it allows.

    An intensity is null where the memory moves nothing, and so is what follows from it.
    """

    bandwidth_gb_per_s: Annotated[
        float, Metric("GB/s", "bytes that pass at most; of several banks, one", "bytes a cycle * clock_mhz / 1000")
    ]
    step_ops_per_byte: Annotated[
        float | None,
        Metric("ops/byte", "ops for each byte that passes (the busiest bank) in the time steps", "2 macs / bytes"),
    ]
    run_ops_per_byte: Annotated[float | None, Metric("ops/byte", "the same over the whole run", "2 macs / bytes")]
    step_roof_gops: Annotated[
        float, Metric("GOPS", "most that can be done in the time steps", "min(peak, bandwidth * step_ops_per_byte)")
    ]
    run_roof_gops: Annotated[
        float, Metric("GOPS", "most that can be done over the whole run", "min(peak, bandwidth * run_ops_per_byte)")
    ]


@dataclass(frozen=True, slots=True)
class Roofline:
    """The machine's ceilings, and what the workload reaches below them."""

    peak_gops: Annotated[float, Metric("GOPS", "ceiling of the multipliers", "2 R C clock_mhz / 1000")]
    ceilings: Annotated[
        Mapping[str, Ceiling], Metric("", "memory -> its ceiling: DRAM's channel, and read ports of the multipliers")
    ]
    step_gops: Annotated[float, Metric("GOPS", "reached in the steady state", "steady_state_throughput_gops")]
    run_gops: Annotated[float, Metric("GOPS", "reached over the whole run", "throughput_gops")]
    step_binding: Annotated[str, Metric("", "lowest roof of the time steps: peak, or a memory")]
    run_binding: Annotated[str, Metric("", "lowest roof of the whole run: peak, or a memory")]
    step_roof_share: Annotated[float, Metric("1", "reached of the lowest roof, in the steady state")]
    run_roof_share: Annotated[float, Metric("1", "the same over the whole run")]


@dataclass(frozen=True, slots=True)
class Passing:
    """What of a program passes DRAM's channel, in whole bursts, and the multipliers' read port into each memory.

    `in_steps` and `in_run`: memory -> bits, of several banks those of the one that passes most; of the time steps, and
    of the whole run. `dram_bytes_per_cycle`: of DRAM's channel; None of a program that does not use it.
    """

    macs: int
    in_steps: Mapping[str, int]
    in_run: Mapping[str, int]
    dram_bytes_per_cycle: Fraction | None

    @classmethod
    def from_program(cls, program: Program | ProgramOutline, multipliers: str, units: Units) -> Passing:
        """What passes on a machine with these units; `multipliers`: the name of the one that has them."""
        in_steps: Counter[Bank] = Counter()
        in_run: Counter[Bank] = Counter()
        for phase in program.phases:
            moved = _moved(phase, units, multipliers)
            in_run.update(moved)
            if phase.kind is PhaseKind.BODY:
                in_steps.update(moved)
        transfer = next((op for phase in program.phases for op, _ in phase.distinct if op.unit == DRAM), None)
        dram = None if transfer is None else units[DRAM].work(transfer).items_per_cycle
        return cls(program.macs, _busiest(in_steps), _busiest(in_run), dram)


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The ceilings of a machine for a program, whatever it reaches: as Roofline has them."""

    peak_gops: float
    of_memories: Mapping[str, Ceiling]
    step_binding: str
    run_binding: str

    @classmethod
    def from_program(cls, program: Program | ProgramOutline, config: MachineConfig, units: Units) -> Ceilings:
        """The ceilings of a program on a machine: of multipliers and their ports, of DRAM, and of the clock."""
        return cls.of(Passing.from_program(program, config.multipliers.unit, units), config, units)

    @classmethod
    def of(cls, passing: Passing, config: MachineConfig, units: Units) -> Ceilings:
        """The ceilings of a machine with these units for a program, of which it is known what passes."""
        multipliers, clock_mhz = config.multipliers, Fraction(repr(config.clock_mhz))
        mhz, over = clock_mhz.numerator, 1000 * clock_mhz.denominator
        peak_gops = OPS_PER_MAC * multipliers.macs_per_cycle * mhz / over
        ceilings: dict[str, Ceiling] = {}
        ops = 8 * OPS_PER_MAC * passing.macs
        for memory, (amount, per) in _bandwidths(passing, units[multipliers.unit]).items():
            in_steps, in_run = passing.in_steps.get(memory, 0), passing.in_run.get(memory, 0)
            amount, per = amount * mhz, per * over  # GB a second, as a quotient of whole numbers
            ceilings[memory] = Ceiling(
                bandwidth_gb_per_s=amount / per,
                step_ops_per_byte=ops / in_steps if in_steps else None,
                run_ops_per_byte=ops / in_run if in_run else None,
                step_roof_gops=min(peak_gops, amount * ops / (per * in_steps)) if in_steps else peak_gops,
                run_roof_gops=min(peak_gops, amount * ops / (per * in_run)) if in_run else peak_gops,
            )
        step_roofs = {PEAK: peak_gops} | {memory: ceiling.step_roof_gops for memory, ceiling in ceilings.items()}
        run_roofs = {PEAK: peak_gops} | {memory: ceiling.run_roof_gops for memory, ceiling in ceilings.items()}
        step_binding, run_binding = (min(roofs, key=roofs.__getitem__) for roofs in (step_roofs, run_roofs))
        return cls(peak_gops, ceilings, step_binding, run_binding)

    @property
    def step_roof_gops(self) -> float:
        """The lowest roof of the time steps."""
        binding = self.step_binding
        return self.peak_gops if binding == PEAK else self.of_memories[binding].step_roof_gops

    @property
    def run_roof_gops(self) -> float:
        """The lowest roof of the whole run."""
        binding = self.run_binding
        return self.peak_gops if binding == PEAK else self.of_memories[binding].run_roof_gops


def compute_roofline(ceilings: Ceilings, step_gops: float, run_gops: float) -> Roofline:
    """The roofline of a run that reached so many GOPS."""
    return Roofline(
        peak_gops=ceilings.peak_gops,
        ceilings=ceilings.of_memories,
        step_gops=step_gops,
        run_gops=run_gops,
        step_binding=ceilings.step_binding,
        run_binding=ceilings.run_binding,
        step_roof_share=step_gops / ceilings.step_roof_gops,
        run_roof_share=run_gops / ceilings.run_roof_gops,
    )


def _bandwidths(passing: Passing, multipliers: Unit[Any]) -> dict[str, tuple[int, int]]:
    """The bytes a cycle of DRAM, if it is used, and of each memory that the multipliers read by a port: quotients."""
    dram = passing.dram_bytes_per_cycle
    found = {} if dram is None else {DRAM: (dram.numerator, dram.denominator)}
    return found | {memory: (bits, 8) for memory, bits in multipliers.ports.items() if bits is not None}


def _moved(phase: Phase | PhaseOutline, units: Units, multipliers: str) -> Counter[Bank]:
    """The bits that pass in a phase, by bank: into each there is a port."""
    moved: Counter[Bank] = Counter()
    for op, times in phase.distinct:
        for bank, bits in _passing(op, units, multipliers):
            moved[bank] += bits * times
    return moved


def _busiest(moved: Mapping[Bank, int]) -> dict[str, int]:
    """The bits of each memory's bank that passes most."""
    busiest: dict[str, int] = {}
    for (memory, *_), bits in moved.items():
        busiest[memory] = max(busiest.get(memory, 0), bits)
    return busiest


def _passing(op: Op, units: Units, multipliers: str) -> list[tuple[Bank, int]]:
    unit = units[op.unit]
    if op.unit == multipliers:
        return [(unit.bank(region), region.bits) for region in unit.read_ports(op)]
    if op.unit != DRAM:  # a unit with a way of its own into memory
        return []
    return [((DRAM,), unit.moved_bits(region)) for region in op.reads + op.writes if region.buffer.memory == DRAM]
