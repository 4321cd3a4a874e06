"""Finds what a delta network's own arithmetic makes of its input: the columns that each step multiplies, and how exact.

Neither depends on time, so that the program is executed without it first, and then timed with what was found.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from archsim.api.judge import check_numbers
from archsim.api.programs.cached_program import CachedProgram
from archsim.checking.format_error import Accuracy, measure
from archsim.checking.numbers import prepare
from archsim.checking.recorder import Recorder
from archsim.checking.validation import Validation
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program
from archsim.formats.number import Array
from archsim.program.interpreter import interpret
from archsim.program.ir import Op, Program
from archsim.workload import Workload
from archsim.workload.activity import Activity, LayerActivity, StepColumns


@dataclass(frozen=True, slots=True)
class OwnNumbers:
    """What a delta network has computed, judged; its machines compute in q formats, so there is an accuracy."""

    activity: Activity
    validation: Validation
    accuracy: Accuracy


class OwnActivities:
    """Finds activities, and keeps those found last: they are the same on all machines of the same arithmetic."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, Activity | OwnNumbers] = OrderedDict()
        self.computed = 0
        """How often the arithmetic of a network was executed."""

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._found)

    def of(self, workload: Workload, schedule: Schedule[Any], cached: CachedProgram, arch: Arch) -> Activity | None:
        """The activity of a workload, computed if its schedule needs one that nobody has given; else None."""
        if not _needed(workload, schedule):
            return None
        key = _key(workload, schedule, cached, arch)
        found = self._kept(key)
        if found is None:
            found = self._keep(key, _computed(workload, cached.program, arch))
        return found.activity if isinstance(found, OwnNumbers) else found

    def numbers(
        self, workload: Workload, schedule: Schedule[Any], cached: CachedProgram, arch: Arch
    ) -> OwnNumbers | None:
        """A workload's activity and its numbers, judged as by `simulate`; None where `of` is None, and in float32."""
        if not _needed(workload, schedule) or arch.config.formats.float32:
            return None
        key = _key(workload, schedule, cached, arch)
        found = self._kept(key)
        if not isinstance(found, OwnNumbers):
            found = _judged(workload, schedule, cached.program, arch)
            self._keep(key, found)
        return found

    def _kept(self, key: Hashable) -> Activity | OwnNumbers | None:
        found = self._found.get(key)
        if found is not None:
            self._found.move_to_end(key)
        return found

    def _keep(self, key: Hashable, found: Activity | OwnNumbers) -> Activity | OwnNumbers:
        self.computed += 1
        self._found[key] = found
        self._found.move_to_end(key)
        if len(self._found) > self._most:
            self._found.popitem(last=False)
        return found


def with_own_activity(workload: Workload, schedule: Schedule[Any], arch: Arch) -> Workload:
    """The workload, with the activity of its own input where the schedule needs one that nobody has given."""
    if not _needed(workload, schedule):
        return workload
    return replace(workload, activity=_computed(workload, build_program(schedule, workload.spec, arch.config), arch))


def _needed(workload: Workload, schedule: Schedule[Any]) -> bool:
    return schedule.sends_deltas(workload.spec) and workload.activity is None


def _key(workload: Workload, schedule: Schedule[Any], cached: CachedProgram, arch: Arch) -> Hashable:
    """All that the arithmetic depends on: tensors, network, formats, functions, and the order of sums on an array."""
    function = arch.config.function_unit
    method = function.method, function.address_format, function.table, function.piecewise_linear
    tensors = workload.source, workload.folder, workload.overrides
    array = arch.config.inputs_per_chunk, arch.config.x_inputs_per_chunk, arch.config.weight_sparsity
    return (*tensors, schedule, cached.spec, arch.config.formats, *method, *array, arch.config.late_bias)


def _computed(workload: Workload, program: Program, arch: Arch) -> Activity:
    """The activity of the workload's own input on that machine; WorkloadError for unusable tensors."""
    numbers = prepare(program, arch.config, workload)
    computation = numbers.begin(build_units(arch.config))
    sent = _SentColumns(len(workload.spec.cells))
    interpret(program, computation.datapath, computation.state, sent)
    return sent.activity


def _judged(workload: Workload, schedule: Schedule[Any], program: Program, arch: Arch) -> OwnNumbers:
    """The activity of the workload's own input, its numbers judged; WorkloadError for unusable tensors."""
    numbers = prepare(program, arch.config, workload)
    computation = numbers.begin(build_units(arch.config))
    sent, recorder = _SentColumns(len(workload.spec.cells)), Recorder(numbers)

    def observe(op: Op, repetition: int, results: tuple[Array, ...]) -> None:
        sent(op, repetition, results)
        recorder(op, repetition, results)

    interpret(program, computation.datapath, computation.state, observe)
    results = computation.results()
    overflows = computation.overflows
    validation = check_numbers(results, numbers, arch, schedule, recorder, overflows)
    return OwnNumbers(sent.activity, validation, measure(numbers, results, recorder, overflows))


class _SentColumns:
    """Observes a program: keeps the columns that each step of each cell sends, of a batch those of any sequence."""

    def __init__(self, cells: int) -> None:
        self._steps: list[dict[int, StepColumns]] = [{} for _ in range(cells)]

    def __call__(self, op: Op, repetition: int, results: Sequence[Array]) -> None:
        """Keep the columns of an op that sends some, behind those that others have sent in the same step."""
        sent = op.sent
        if sent is not None:
            columns = np.flatnonzero(results[op.writes.index(sent.region)].any(axis=1)) + sent.first
            x, h = columns[columns <= sent.inputs].tolist(), columns[columns > sent.inputs].tolist()
            steps, step = self._steps[sent.cell], op.step(repetition)
            before = steps.get(step, StepColumns((), ()))
            steps[step] = StepColumns((*before.x, *x), (*before.h, *h))

    @property
    def activity(self) -> Activity:
        """What was kept."""
        return tuple(LayerActivity(tuple(found[step] for step in sorted(found))) for found in self._steps)
