"""Times frames of a stream that come at given cycles: when each was out, and its critical path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from archsim.api.machine_spec import machine_spec, rules_of
from archsim.critical import MAX_OPS, AllTimes, Instance, Segment, frame_path
from archsim.engines.events import MachineSpec, Options, execute
from archsim.errors import ScheduleError
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program
from archsim.metrics.arrivals import Served
from archsim.program.ir import DataKind, PhaseKind, Program
from archsim.trace import Window
from archsim.workload import NetworkSpec

WARM_UP = 8
"""Frames of a wavefront before the one that is looked at, besides those that fill it."""


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
