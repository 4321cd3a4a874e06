"""Measures the frames of a stream on many designs: runs of one and of many frames, and released ones, in step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes, Ints, Picked, Scalar
from archsim.api.batch.designs import Designs
from archsim.api.batch.evaluate import BatchEvaluator, BatchFigures
from archsim.api.batch.machines import MachineColumns
from archsim.api.batch.programs import by_program
from archsim.api.batch.times import longest_run, timing_of
from archsim.api.batch.unit_rows import FactSource, unit_rows
from archsim.api.batch.wanted import Wanted
from archsim.api.frame_figures import ENERGY_FIGURES, FrameFacts, RunEnergy, frame_dynamic, frame_figures
from archsim.api.frame_run import MANY, of_length, wavefront_gap
from archsim.api.programs.cached_program import CachedProgram
from archsim.api.timed_frames import OutputStores
from archsim.critical import MAX_OPS
from archsim.engines.recurrence import LONGEST_RUN, ReleasedEnds, execute_released
from archsim.errors import ArchsimError
from archsim.metrics.arrivals import Served, arrival_cycles
from archsim.metrics.frames import Frames
from archsim.workload import NetworkSpec, Workload


@dataclass(slots=True)
class BatchFrames:
    """What became of the designs of a batch of a streaming workload; each is in one of these.

    `frames`: the figures of a frame, by the number of the design, without the stack of its latency; `refused`: those
    that have no program, and why; `left`: those that must be evaluated one by one, and why.
    """

    frames: dict[int, Frames] = field(default_factory=dict)
    refused: list[tuple[Codes, ArchsimError]] = field(default_factory=list)
    left: list[tuple[Codes, str]] = field(default_factory=list)


def evaluate_frames(batches: BatchEvaluator, designs: Designs, workload: Workload) -> BatchFrames:
    """The figures of a frame on each design: what `measure_frames` finds."""
    return _FrameBatch(batches, designs, workload).run()


class _FrameBatch:
    def __init__(self, batches: BatchEvaluator, designs: Designs, workload: Workload) -> None:
        self._batches, self._designs, self._workload = batches, designs, workload
        self._machines: MachineColumns = batches.machines(designs)
        self._found = BatchFrames()
        self._waiting = set(range(len(designs)))
        """Designs that are neither refused nor left."""

    def run(self) -> BatchFrames:
        spec = self._workload.spec
        frames = MANY + 2 * len(spec.layers)
        alone, many = (self._figures(of_length(self._workload, steps).spec) for steps in (1, frames))
        latencies = self._latencies(replace(spec, steps=frames), many)
        served = self._served()
        for design in sorted(self._waiting):
            facts = self._facts(design, alone[design], many[design], latencies[design], frames)
            self._found.frames[design] = frame_figures(facts, self._workload.config, {}, served.get(design))
        return self._found

    def _figures(self, spec: NetworkSpec) -> dict[int, dict[str, Scalar]]:
        """The figures that frames' follow from, of runs of some length, by design."""
        found: BatchFigures = self._batches.evaluate(self._designs, spec, Wanted(_NEEDED))
        for rows, error in found.refused:
            mine = self._of_waiting(rows)
            if len(mine):
                self._found.refused.append((mine, error))
            self._waiting.difference_update(mine.tolist())
        for rows, why in found.left:
            self._leave(rows, why)
        figures: dict[int, dict[str, Scalar]] = {}
        for group in found.figures:
            columns = {name: group.columns[name].values() for name in _NEEDED if name in group.columns}
            for place, design in enumerate(group.designs.tolist()):
                figures[design] = {name: values[place] for name, values in columns.items()}
        return figures

    def _facts(
        self, design: int, alone: dict[str, Scalar], many: dict[str, Scalar], latency: int, frames: int
    ) -> FrameFacts:
        config = self._designs.config(design)
        dynamic = leakage = None
        if "energy.active_uj" in alone:
            one, all_of_them = _energy(alone), _energy(many)
            dynamic, leakage = frame_dynamic(one, all_of_them, frames - 1), one.static
        return FrameFacts(
            latency,
            _number(many["cycles_per_step"]),
            int(_number(alone["macs"])),
            config.multipliers.macs_per_cycle,
            Fraction(repr(config.clock_mhz)),
            dynamic,
            leakage,
        )

    def _latencies(self, spec: NetworkSpec, many: dict[int, dict[str, Scalar]]) -> dict[int, int]:
        """The latency of a frame as it is in the long run, by design; `spec`: of the many frames.

        No later op delays an earlier one here, so that it does not matter how many frames come behind it.
        """
        found: dict[int, int] = {}
        for rows, cached in self._programs(spec):
            store = OutputStores(cached.program)
            number, _ = store.looked_at
            gaps = np.array([self._gap(design, many, store.behind) for design in rows.tolist()], np.int64)
            releases = gaps * np.arange(number + store.behind + 1)[:, np.newaxis]
            ends = self._released(cached, rows, releases)
            if ends is not None:
                latency = ends.watched[number + store.behind] - releases[number]
                found |= dict(zip(rows.tolist(), latency.tolist(), strict=True))
        return found

    def _gap(self, design: int, many: dict[int, dict[str, Scalar]], behind: int) -> int:
        """The cycles between the frames of a wavefront; of layers in turn no later frame delays the first one."""
        if not behind:
            return 0
        clock = Fraction(repr(self._designs.config(design).clock_mhz))
        return wavefront_gap(self._workload.config, _number(many[design]["cycles_per_step"]), clock)

    def _served(self) -> dict[int, Served]:
        """What becomes of the workload's frames as they come, by design; none if nothing is said of arrivals."""
        config, found = self._workload.config, dict[int, Served]()
        clocks = self._designs.field("clock_mhz")
        arrivals = [arrival_cycles(config, Fraction(repr(clock))) for clock in clocks.values]
        if arrivals[0] is None:
            return {}
        table = np.array(arrivals, np.int64).T
        for rows, cached in self._programs(self._workload.spec):
            if cached.program.op_instances > MAX_OPS:
                self._leave(rows, "more frames than times are kept of")
                continue
            behind = OutputStores(cached.program).behind
            arrived = table[:, clocks.codes[rows]]
            releases = np.concatenate([arrived, np.zeros((behind, len(rows)), np.int64)])
            ends = self._released(cached, rows, releases)
            if ends is not None:
                for place, design in enumerate(rows.tolist()):
                    out, done = ends.watched[behind:, place], ends.all[: len(arrived), place]
                    found[design] = Served(arrived[:, place], out, done, behind)
        return found

    def _programs(self, spec: NetworkSpec) -> Iterator[tuple[Codes, CachedProgram]]:
        """Designs that share a program, as far as they are neither refused nor left."""
        names = self._machines.unit_names
        for rows, cached in by_program(self._designs, spec, self._batches.programs, names):
            mine = self._of_waiting(rows)
            if not len(mine):
                continue
            if isinstance(cached, CachedProgram):
                yield mine, cached
            else:
                self._leave(mine, "a stream of another length has a program, and this one has none")

    def _released(self, cached: CachedProgram, rows: Codes, releases: Ints) -> ReleasedEnds | None:
        """The ends of released repetitions (R, N) of the body; None of designs that are left."""
        if not len(rows):
            return None
        store = OutputStores(cached.program)
        source: Picked[FactSource] = Picked((cached.figure_cache,), np.zeros(len(rows), np.intp))
        units = unit_rows(cached.units, source, self._machines, rows)
        services = units.services(cached.unit_of_shape)
        longest = longest_run(cached, self._machines, services, rows) + float(releases.max(initial=0))
        if longest * 16 >= LONGEST_RUN:
            self._leave(rows, "runs may be too long for 64-bit integers")
            return None
        arrays, shape = cached.phase_arrays[store.number], cached.shape_places[store.number]
        timing = timing_of(cached, self._machines, units, rows, services)
        return execute_released(arrays, timing, shape, releases, store.ops)

    def _leave(self, rows: Codes, why: str) -> None:
        mine = self._of_waiting(rows)
        if len(mine):
            self._found.left.append((mine, why))
        self._waiting.difference_update(mine.tolist())

    def _of_waiting(self, rows: Codes) -> Codes:
        return np.array([row for row in rows.tolist() if row in self._waiting], np.intp)


_NEEDED = ("cycles_per_step", "macs", "latency_us", *ENERGY_FIGURES)


def _energy(figures: dict[str, Scalar]) -> RunEnergy:
    return RunEnergy.of(_number(figures["latency_us"]), lambda name: float(_number(figures.get(name) or 0.0)))


def _number(value: Any) -> Any:  # noqa: ANN401 a figure that is known to be a number
    assert isinstance(value, int | float)
    return value
