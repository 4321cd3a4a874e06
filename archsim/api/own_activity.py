"""Finds what a delta network's own arithmetic makes of its input: the columns that each step multiplies.

They do not depend on time, so that the program is executed without it first, and then timed with what was found.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from archsim.api.program_cache import CachedProgram
from archsim.checking.numbers import prepare
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program
from archsim.formats.number import Array
from archsim.program.interpreter import interpret
from archsim.program.ir import Op, Program
from archsim.workload import Workload
from archsim.workload.activity import Activity, LayerActivity, StepColumns


class OwnActivities:
    """Finds activities, and keeps those found last: they are the same on all machines of the same arithmetic."""

    def __init__(self, most: int = 16) -> None:
        self._most = most
        self._found: OrderedDict[Hashable, Activity] = OrderedDict()

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._found)

    def of(self, workload: Workload, schedule: Schedule[Any], cached: CachedProgram, arch: Arch) -> Activity | None:
        """The activity of a workload, computed if its schedule needs one that nobody has given; else None."""
        if not schedule.sends_deltas or workload.activity is not None:
            return None
        function = arch.config.function_unit
        method = function.method, function.address_format, function.table, function.piecewise_linear
        key = (workload.source, workload.folder, workload.overrides, cached.spec, arch.config.formats, *method)
        if key not in self._found:
            self._found[key] = _computed(workload, cached.program, arch)
            if len(self._found) > self._most:
                self._found.popitem(last=False)
        self._found.move_to_end(key)
        return self._found[key]


def with_own_activity(workload: Workload, schedule: Schedule[Any], arch: Arch) -> Workload:
    """The workload, with the activity of its own input where the schedule needs one that nobody has given."""
    if not schedule.sends_deltas or workload.activity is not None:
        return workload
    return replace(workload, activity=_computed(workload, build_program(schedule, workload.spec, arch.config), arch))


def _computed(workload: Workload, program: Program, arch: Arch) -> Activity:
    """The activity of the workload's own input on that machine; WorkloadError for unusable tensors."""
    numbers = prepare(program, arch.config, workload)
    computation = numbers.begin(build_units(arch.config))
    steps: list[list[StepColumns]] = [[] for _ in workload.spec.layers]

    def keep(op: Op, repetition: int, results: Sequence[Array]) -> None:
        sent = op.sent
        if sent is not None:
            columns = np.flatnonzero(results[op.writes.index(sent.region)])
            x, h = columns[columns <= sent.inputs].tolist(), columns[columns > sent.inputs].tolist()
            steps[sent.layer].append(StepColumns(tuple(x), tuple(h)))

    interpret(program, computation.datapath, computation.state, keep)
    return tuple(LayerActivity(tuple(found)) for found in steps)
