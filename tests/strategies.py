"""Random small machines and workloads, and the short ways from one to a trace that the laws need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from hypothesis import strategies as st

from archsim.api import Simulation, simulate
from archsim.arch import Arch, ArchConfig, Datapath, build_units
from archsim.arch.datapath import Units
from archsim.components.base import Service
from archsim.machine import Arithmetic, MachineSpec, Options, execute
from archsim.machine.options import Jitter
from archsim.program.interpreter import interpret
from archsim.program.ir import Op, Phase, Program, Region
from archsim.program.state import State
from archsim.schedules import SCHEDULES, find_schedule
from archsim.schedules.image import LstmResults, dram_image, results
from archsim.trace import Trace, Window
from archsim.workload import LstmSpec, LstmTensors, Workload, load_workload

EVERYTHING = Window(0, 1 << 30)
"""The window that records every op."""

SCHEDULE_NAMES = tuple(schedule.name for schedule in SCHEDULES)

ON_CHIP = ("weight_sram", "input_buffer", "state_buffer")
AMPLE = 1 << 30


@dataclass(frozen=True)
class Case:
    """A machine, a workload and a schedule that fits."""

    config: ArchConfig
    workload: Workload
    schedule: str

    def __repr__(self) -> str:
        """What is needed to repeat a failure by hand."""
        config = self.config.model_dump(exclude={"summary", "formats"})
        return f"Case({self.workload.source!r}, {self.schedule!r}, {config})"

    @property
    def spec(self) -> LstmSpec:
        return self.workload.spec

    @property
    def arch(self) -> Arch:
        return Arch("random", self.config)

    @cached_property
    def units(self) -> Units:
        return build_units(self.config)

    @cached_property
    def program(self) -> Program:
        return find_schedule(self.schedule).build(self.spec, self.config)

    def simulate(self, **options: Any) -> Simulation:
        """The whole flow."""
        return simulate(self.arch, self.workload, self.schedule, **options)

    def machine_spec(self, program: Program | None = None, queue_depth: int | None = None) -> MachineSpec:
        """The machine's services for a program (by default the case's own)."""
        sequencer = self.config.sequencer
        return MachineSpec(
            tuple(self.units),
            nominal_services(program or self.program, self.units),
            sequencer.issue_cycles,
            queue_depth or sequencer.queue_depth,
        )

    def state(self, tensors: LstmTensors, program: Program | None = None) -> State:
        """All buffers before the run."""
        return State(program or self.program, dram_image(tensors, self.config.formats), self.spec.steps)

    def execute(
        self,
        tensors: LstmTensors | None = None,
        *,
        program: Program | None = None,
        jitter: Jitter | None = None,
        machine_spec: MachineSpec | None = None,
    ) -> tuple[Trace, LstmResults | None]:
        """Run the machine, without verification; with tensors also the numbers it computed."""
        program = program or self.program
        state = None if tensors is None else self.state(tensors, program)
        arithmetic = None if state is None else Arithmetic(state, Datapath(self.units))
        options = Options(arithmetic=arithmetic, window=EVERYTHING, jitter=jitter)
        trace = execute(program, machine_spec or self.machine_spec(program), options)
        return trace, None if state is None else results(program, state)

    def interpret(self, tensors: LstmTensors, program: Program | None = None) -> LstmResults:
        """The numbers of the untimed interpreter."""
        program = program or self.program
        state = self.state(tensors, program)
        interpret(program, Datapath(self.units), state)
        return results(program, state)

    def with_fields(self, changes: Mapping[str, Any]) -> Case:
        """The same with other values at some paths, such as {"mac_array.rows": 4}."""
        return replace(self, config=changed(self.config, changes))

    def with_steps(self, steps: int) -> Case:
        """The same for another sequence length."""
        spec = self.spec
        return replace(self, workload=workload(spec.input_size, spec.hidden_size, steps, spec.batch))


def nominal_services(program: Program, units: Units) -> tuple[tuple[Service, ...], ...]:
    """Each phase's ops' service times."""
    return tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)


def changed(config: ArchConfig, changes: Mapping[str, Any]) -> ArchConfig:
    """The configuration with other values at some paths, validated again."""
    document = config.model_dump()
    for path, value in changes.items():
        section, _, name = path.rpartition(".")
        (document[section] if section else document)[name] = value
    return ArchConfig.model_validate(document)


def workload(input_size: int, hidden_size: int, steps: int, batch: int, seed: int = 0) -> Workload:
    """A workload whose numbers are drawn from a seed."""
    return load_workload(f"lstm:{input_size},{hidden_size},t={steps},b={batch},seed={seed}")


def bits(found: LstmResults | None) -> tuple[bytes, bytes, bytes]:
    """All results, bit for bit."""
    assert found is not None
    return found.output.tobytes(), found.h_n.tobytes(), found.c_n.tobytes()


def group_entries(schedule: str, spec: LstmSpec, rows: int) -> int:
    """The fewest accumulator entries with which a schedule can work."""
    if schedule.endswith("interleaved"):
        return 4 * min(max(1, rows // 4), spec.hidden_size) * spec.batch
    return min(rows, spec.hidden_size) * spec.batch


def tensors(spec: LstmSpec, seed: int, scale: float = 1.0) -> LstmTensors:
    """Numbers of either sign for everything, the initial state included."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> np.ndarray:
        return (scale * random.standard_normal(shape)).astype(np.float32)

    i, h, t, b = spec.input_size, spec.hidden_size, spec.steps, spec.batch
    return LstmTensors(
        weight_ih=draw(4 * h, i),
        weight_hh=draw(4 * h, h),
        bias_ih=draw(4 * h),
        bias_hh=draw(4 * h),
        x=draw(t, b, i),
        h_0=draw(1, b, h),
        c_0=draw(1, b, h),
        expected=None,
    )


def region_text(region: Region) -> str:
    """A region as text, so that regions of programs built apart can be compared."""
    b = region.buffer
    shape = f"{b.memory}.{b.name}({b.slots} x {b.entries} x {b.width})"
    return f"{shape}[{region.start}:{region.stop}] slot r * {region.stride} + {region.offset}"


def op_text(op: Op) -> tuple[Any, ...]:
    """An op as plain values, so that ops of programs built apart can be compared."""
    operands = tuple(tuple(map(region_text, regions)) for regions in (op.reads, op.writes, op.updates))
    return type(op).__name__, op.unit, op.label, op.skip_first, op.skip_last, op.macs, operands


def phase_text(phase: Phase) -> list[tuple[Any, ...]]:
    """A phase's ops and dependencies as plain values; without `repeat`."""
    return [(*op_text(op), deps) for op, deps in zip(phase.ops, phase.deps, strict=True)]


def program_text(program: Program) -> list[Any]:
    """A program as plain values."""
    return [(phase.name, phase.kind, phase.repeat, phase_text(phase)) for phase in program.phases]


specs = st.builds(LstmSpec, st.integers(1, 12), st.integers(1, 12), st.integers(1, 7), st.integers(1, 3))
"""I, H, T, B."""

latencies = st.sampled_from([0, 0, 1, 1, 2, 3, 5, 9, 40])
widths = st.sampled_from([1, 7, 32, 33, 64, 96, 128, 320, 1024, 4096])
bandwidths = st.sampled_from([0.1, 0.3, 0.75, 1.0, 1.7, 4.0, 6.4, 16.0, 1000.0])


@st.composite
def cases(
    draw: st.DrawFn, spec: st.SearchStrategy[LstmSpec] = specs, schedules: Iterable[str] = SCHEDULE_NAMES
) -> Case:
    """A machine of which every field is drawn, a workload that fits into it, and a schedule."""
    sizes = draw(spec)
    schedule = draw(st.sampled_from(sorted(schedules)))
    rows = draw(st.integers(1, 9))
    fewest = group_entries(schedule, sizes, rows)
    config = ArchConfig.model_validate(
        {
            "summary": "a random small machine",
            "clock_mhz": draw(st.sampled_from([0.3, 1.0, 333.3, 800.0, 2500.0])),
            "formats": "float32",
            "dram": {
                "bandwidth_bytes_per_cycle": draw(bandwidths),
                "latency_cycles": draw(latencies),
                "burst_bytes": draw(st.sampled_from([1, 3, 4, 16, 64, 100])),
            },
            "weight_sram": {
                "capacity_bytes": AMPLE,
                "banks": draw(st.integers(1, 9)),
                "port_bits": draw(widths),
                "read_latency_cycles": draw(latencies),
            },
            "input_buffer": {
                "capacity_bytes": AMPLE,
                "port_bits": draw(widths),
                "prefetch_steps": draw(st.integers(1, 4)),
            },
            "state_buffer": {"capacity_bytes": AMPLE, "port_bits": draw(widths)},
            "mac_array": {
                "rows": rows,
                "columns": draw(st.integers(1, 9)),
                "multiplier_latency_cycles": draw(latencies),
                "adder_latency_cycles": draw(latencies),
            },
            "accumulators": {"entries": fewest + draw(st.sampled_from([0, 0, 1, 5, fewest, 3 * fewest, 1000]))},
            "activation": {"lanes": draw(st.integers(1, 9)), "latency_cycles": draw(latencies)},
            "elementwise": {
                "lanes": draw(st.integers(1, 9)),
                "cell_latency_cycles": draw(latencies),
                "hidden_latency_cycles": draw(latencies),
            },
            "sequencer": {"issue_cycles": draw(st.integers(0, 4)), "queue_depth": draw(st.integers(1, 8))},
        }
    )
    load = workload(sizes.input_size, sizes.hidden_size, sizes.steps, sizes.batch, draw(st.integers(0, 9)))
    needed = needed_bytes(Case(config, load, schedule).program)
    slack = {f"{memory}.capacity_bytes": needed[memory] + draw(st.sampled_from([0, 1, 999])) for memory in ON_CHIP}
    return Case(changed(config, slack), load, schedule)


def needed_bytes(program: Program) -> dict[str, int]:
    """What each on-chip memory must hold, from the sizes of the buffers: 4 bytes an element."""
    return {
        memory: sum(4 * b.slots * b.entries * b.width for b in program.buffers if b.memory == memory and b.slots)
        for memory in ON_CHIP
    }


@st.composite
def jitters(draw: st.DrawFn) -> Jitter:
    """Random extra occupancy and latency for each single op instance, from a drawn seed."""
    return seeded_jitter(draw(st.integers(0, 1 << 20)), draw(st.sampled_from([1, 10, 300])))


def seeded_jitter(seed: int, largest: int) -> Jitter:
    """Up to `largest` extra cycles of occupancy for some, and of latency for some, op instances."""

    def jitter(phase: int, repetition: int, op: int, service: Service) -> Service:
        word = (seed * 0x9E3779B97F4A7C15 + (repetition * 8191 + op) * 0xBF58476D1CE4E5B9 + phase) % 2**64
        word = (word ^ word >> 30) * 0x94D049BB133111EB % 2**64
        occupancy = word % largest if word >> 60 & 1 else 0
        latency = (word >> 20) % (4 * largest) if word >> 61 & 1 else 0
        return Service(service.compute_cycles + occupancy, service.port_cycles, service.depth_cycles + latency)

    return jitter
