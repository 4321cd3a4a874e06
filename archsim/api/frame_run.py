"""Runs one frame of a stream as it is in the long run: when it came, when it was out, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from archsim.api.evaluate import Evaluator
from archsim.api.machine_spec import machine_spec, rules_of
from archsim.critical import MAX_OPS, AllTimes, Instance, LatencyStack, Segment, frame_path, latency_stack
from archsim.engines.events import MachineSpec, Options, execute
from archsim.errors import ScheduleError
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program
from archsim.metrics import Stats
from archsim.metrics.arrivals import Served, apart_us
from archsim.program.ir import DataKind, PhaseKind, Program
from archsim.trace import Window
from archsim.workload import NetworkSpec, Workload
from archsim.workload.config import WorkloadConfig

MANY = 64
"""Frames one behind the other of which the interval is that of the steady state, besides those that fill and drain."""

WARM_UP = 8
"""Frames of a wavefront before the one that is looked at, besides those that fill it."""


@dataclass(frozen=True, slots=True)
class FrameRun:
    """A frame from its arrival, cycle 0 of its path, until its output is stored; and runs of one and of many frames."""

    program: Program
    """Of as many frames as it took to see one as it is in the long run."""
    latency_cycles: int
    path: tuple[Segment, ...]
    stack: LatencyStack
    alone: Stats
    many: Stats
    frames: int
    """How many are in `many`; in `alone` there is one."""

    @property
    def interval_cycles(self) -> Fraction:
        """The cycles from a frame to the next one, if the next is always there."""
        return Fraction(self.many.cycles_per_step)


def run_frame(arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator | None = None) -> FrameRun:
    """Run frames of a streaming workload, without numbers; raises what `Evaluator.evaluate` raises.

    `evaluator`: one that has evaluated machines like this, or None.

    The one that is looked at comes when the machine is idle, and the next one so late that it is nowhere in its way.
    In a wavefront, whose later layers work on it when later frames come, it is one of many that come a period apart, or
    as fast as they can be taken if that is longer, or if there is no period.
    """
    evaluator, frames = evaluator or Evaluator(), MANY + 2 * len(workload.spec.layers)
    alone = evaluator.evaluate(arch, of_length(workload, 1), schedule).stats
    many = evaluator.evaluate(arch, of_length(workload, frames), schedule).stats
    spec, units = workload.spec, build_units(arch.config)
    store = OutputStores(evaluator.program(arch, replace(spec, steps=frames), schedule))
    number, length = store.looked_at
    program = evaluator.program(arch, replace(spec, steps=length), schedule)
    machine = machine_spec(program, arch, units)
    apart = ceil(many.cycles_per_step)
    gap = 4 * (apart + alone.body_cycles)
    if store.behind:
        gap = wavefront_gap(workload.config, many.cycles_per_step, Fraction(repr(arch.config.clock_mhz)))
    while True:
        run = FramesRun(program, machine, tuple(gap * frame for frame in range(length)))
        if store.behind or run.is_over(0, gap):
            break
        gap *= 2
    path, since = run.path_of(number)
    shifted = tuple(replace(segment, start=segment.start - since, end=segment.end - since) for segment in path)
    latency = shifted[-1].end
    return FrameRun(program, latency, shifted, latency_stack(shifted, program, units), alone, many, frames)


def wavefront_gap(config: WorkloadConfig, interval_cycles: float, clock_mhz: Fraction) -> int:
    """The whole cycles between frames of which a wavefront's latency is taken: a period, but at least the interval."""
    apart = apart_us(config)
    return ceil(max(Fraction(interval_cycles), 0 if apart is None else apart * clock_mhz))


def of_length(workload: Workload, frames: int) -> Workload:
    """The workload with another number of frames, all of them there from the first cycle; for runs without numbers."""
    times = {"period_us": None, "jitter_us": 0.0, "offset_us": None, "arrivals_us": None, "deadline_us": None}
    return replace(workload, config=workload.config.model_copy(update={"steps": frames, **times}))


class OutputStores:
    """The ops of a program's one body that store a frame's output."""

    def __init__(self, program: Program) -> None:
        [(self.number, self.phase)] = [
            (number, phase) for number, phase in enumerate(program.phases) if phase.kind is PhaseKind.BODY
        ]
        regions = {
            index: region
            for index, op in enumerate(self.phase.ops)
            for region in op.writes
            if region.buffer.kind is DataKind.OUTPUT
        }
        self.ops = tuple(regions)
        self.behind = max(-region.offset for region in regions.values())
        """How many repetitions after a frame's first one its output is stored."""

    @property
    def looked_at(self) -> tuple[int, int]:
        """The number of the frame that is as all are in the long run, and of how many frames it is one."""
        ahead = max(op.skip_last for op in self.phase.ops)
        number = WARM_UP + self.behind if self.behind else 0
        return number, number + ahead + 2


def serve_frames(arch: Arch, spec: NetworkSpec, schedule: Schedule[Any], releases: Sequence[int]) -> Served:
    """What becomes of each frame of a streaming network.

    `releases`: the cycle of each arrival, counted from when the machine is ready.
    """
    program = build_program(schedule, spec, arch.config)
    return FramesRun(program, machine_spec(program, arch, build_units(arch.config)), tuple(releases)).served()


class FramesRun:
    """A run of frames that come at given cycles, with the times of all its ops."""

    def __init__(self, program: Program, machine: MachineSpec, releases: tuple[int, ...]) -> None:
        if program.op_instances > MAX_OPS:
            raise ScheduleError(
                f"{len(releases):,} frames of a stream are {program.op_instances:,} ops, more than the {MAX_OPS:,} "
                "whose times are kept; fewer frames: --set steps=1000"
            )
        self._program, self._releases = program, releases
        self._stores = OutputStores(program)
        self._times = AllTimes(program)
        self._rules = rules_of(machine, releases)
        window = Window(0, len(releases) + self._stores.behind)
        options = Options(window=window, listener=self._times.add, releases=releases)
        trace = execute(program, machine, options)
        self.begin = trace.phases[self._stores.number].start

    def out(self, frame: int) -> tuple[int, Instance]:
        """When a frame's output is stored, and the op that is the last to store of it."""
        number, repetition = self._stores.number, frame + self._stores.behind
        done = self._times.done[number][repetition]
        last = max(self._stores.ops, key=lambda op: int(done[op]))
        return int(done[last]), Instance(number, repetition, last)

    def served(self) -> Served:
        """What became of each frame."""
        frames, done = len(self._releases), self._times.done[self._stores.number]
        out = [self.out(frame)[0] - self.begin for frame in range(frames)]
        ends = done[:frames].max(axis=1) - self.begin
        return Served(np.array(self._releases, np.int64), np.array(out, np.int64), ends, self._stores.behind)

    def is_over(self, frame: int, cycle: int) -> bool:
        """Whether all that the frame's repetition does is done by a cycle, counted from the body's begin."""
        return int(self._times.done[self._stores.number][frame].max()) <= self.begin + cycle

    def path_of(self, frame: int) -> tuple[tuple[Segment, ...], int]:
        """The critical path from a frame's arrival until it is out, and the cycle of its arrival."""
        since = self.begin + self._releases[frame]
        return frame_path(self._program, self._rules, self._times, self.out(frame)[1], since), since
