"""Runs one frame of a stream as it is in the long run: when it came, when it was out, and why.

Frames of a delta network differ: all of a workload's are run, and the one in their middle is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from archsim.api.evaluate import Evaluator
from archsim.api.machine_spec import machine_spec
from archsim.api.timed_frames import FramesRun, OutputStores
from archsim.critical import LatencyStack, Segment, latency_stack
from archsim.engines.events import MachineSpec
from archsim.errors import Fault, WorkloadError
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.hardware.unit import Units
from archsim.metrics import Stats
from archsim.metrics.arrivals import Cycles, apart_us, percentile
from archsim.program.ir import Program
from archsim.workload import Workload
from archsim.workload.activity import LayerActivity
from archsim.workload.config import WorkloadConfig

MANY = 64
"""Frames one behind the other of which the interval is that of the steady state, besides those that fill and drain."""


@dataclass(frozen=True, slots=True)
class FrameRun:
    """A frame from its arrival, cycle 0 of its path, until its output is stored; and runs of one and of many frames."""

    program: Program
    """The program of as many frames as it took to see one as it is in the long run."""
    latency_cycles: int
    path: tuple[Segment, ...]
    stack: LatencyStack
    alone: Stats
    many: Stats
    frames: int
    """How many frames `many` is of."""
    interval_cycles: Fraction
    """The time from a frame to the next one, if the next is always there; of frames that differ, in the mean."""
    first_frames: int = 1
    """How many frames `alone` is of."""
    differing: Cycles | None = None
    """The latencies of all frames that were measured, of frames that differ; else None."""


def run_frame(arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator | None = None) -> FrameRun:
    """Run frames of a streaming workload, without numbers; raises what `Evaluator.evaluate` raises.

    `evaluator`: one that has evaluated machines like this, or None.

    The one that is looked at comes when the machine is idle, and the next one so late that it is nowhere in its way.
    In a wavefront, whose later layers work on it when later frames come, it is one of many that come a period apart, or
    as fast as they can be taken if that is longer, or if there is no period.
    """
    evaluator = evaluator or Evaluator()
    if schedule.sends_deltas(workload.spec):
        return _run_differing(arch, evaluator.with_activity(arch, workload, schedule), schedule, evaluator)
    frames = MANY + 2 * len(workload.spec.layers)
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
        gap = wavefront_gap(workload.config, many.cycles_per_step, _clock_mhz(arch))
    while True:
        run = _apart(program, machine, length, gap)
        if store.behind or run.is_over(0, gap):
            break
        gap *= 2
    path, stack = _explained(run, number, program, units)
    interval = Fraction(many.cycles_per_step)
    return FrameRun(program, path[-1].end, path, stack, alone, many, frames, interval)


def _run_differing(arch: Arch, workload: Workload, schedule: Schedule[Any], evaluator: Evaluator) -> FrameRun:
    """Run all frames of a workload of known activity; the one that is looked at is the first of median latency.

    Left out are the first frame of each stream, in which everything changes, and in a wavefront those that fill and
    drain it. Its frames come a period apart, or as far as the slowest of them needs.
    """
    spec, units = workload.spec, build_units(arch.config)
    frames, first = spec.steps, spec.streams
    together = of_length(workload, frames)
    program = evaluator.program(arch, together.spec, schedule)
    behind = OutputStores(program).behind
    measured = slice(first + behind, frames - behind)
    if not range(frames)[measured]:
        message = (
            f"frames of a delta network differ, and the first of a stream, in which everything changes, says nothing "
            f"of those after it: at least {first + 2 * behind + 1} frames, got {frames}"
        )
        raise WorkloadError((Fault(workload.name, "steps", message),))
    alone = evaluator.evaluate(arch, _first_frames(together, first), schedule).stats
    many = evaluator.evaluate(arch, together, schedule).stats
    machine = machine_spec(program, arch, units)
    if behind:
        ends = FramesRun(program, machine, (0,) * frames).served().done
        slowest = int(np.diff(ends).max())
        run = _apart(program, machine, frames, wavefront_gap(workload.config, slowest, _clock_mhz(arch)))
    else:
        run = _each_alone(program, machine, frames, 2 * ceil(many.body_cycles / frames) + alone.body_cycles)
    latencies = run.served().latencies[measured]
    number = measured.start + int(np.flatnonzero(latencies == percentile(latencies, 50))[0])
    path, stack = _explained(run, number, program, units)
    interval = Fraction(many.body_cycles - alone.body_cycles, frames - first)
    return FrameRun(program, path[-1].end, path, stack, alone, many, frames, interval, first, latencies)


def _first_frames(workload: Workload, frames: int) -> Workload:
    """The first frames of a workload of known activity."""
    assert workload.activity is not None
    activity = tuple(LayerActivity(known.steps[:frames]) for known in workload.activity)
    return replace(of_length(workload, frames), activity=activity)


def _apart(program: Program, machine: MachineSpec, frames: int, gap: int) -> FramesRun:
    """The run of frames that come so many cycles apart."""
    return FramesRun(program, machine, tuple(gap * frame for frame in range(frames)))


def _each_alone(program: Program, machine: MachineSpec, frames: int, gap: int) -> FramesRun:
    """The run of frames so far apart, at least `gap` cycles, that each is over before the next one comes."""
    while True:
        run = _apart(program, machine, frames, gap)
        if all(run.is_over(frame, gap * (frame + 1)) for frame in range(frames)):
            return run
        gap *= 2


def _explained(run: FramesRun, number: int, program: Program, units: Units) -> tuple[tuple[Segment, ...], LatencyStack]:
    """The critical path of a frame, counted from its arrival, and its latency by unit and cause."""
    path, since = run.path_of(number)
    shifted = tuple(replace(segment, start=segment.start - since, end=segment.end - since) for segment in path)
    return shifted, latency_stack(shifted, program, units)


def _clock_mhz(arch: Arch) -> Fraction:
    return Fraction(repr(arch.config.clock_mhz))


def wavefront_gap(config: WorkloadConfig, interval_cycles: float, clock_mhz: Fraction) -> int:
    """The whole cycles between frames of which a wavefront's latency is taken: a period, but at least the interval."""
    apart = apart_us(config)
    return ceil(max(Fraction(interval_cycles), 0 if apart is None else apart * clock_mhz))


def of_length(workload: Workload, frames: int) -> Workload:
    """The workload with another number of frames, all of them there from the first cycle; for runs without numbers."""
    times = {"period_us": None, "jitter_us": 0.0, "offset_us": None, "arrivals_us": None, "deadline_us": None}
    return replace(workload, config=workload.config.model_copy(update={"steps": frames, **times}))
