"""Groups designs by the program that they share: by what the schedule reads of the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import eq
from typing import Any

import numpy as np

from archsim.api.batch.columns import Codes, Picked
from archsim.api.batch.designs import CLASS, Designs, Missing, distinct
from archsim.api.programs.cached_program import CachedProgram, NoProgram
from archsim.api.programs.program_cache import ProgramCache
from archsim.config.read_tracking import Question
from archsim.errors import ArchsimError
from archsim.workload import NetworkSpec


def by_program(
    designs: Designs, spec: NetworkSpec, programs: ProgramCache, units: Picked[tuple[str, ...]]
) -> Iterator[tuple[Codes, CachedProgram | NoProgram | ArchsimError]]:
    """Groups of designs with one program, or with one reason why there is none; each design is in one of them.

    `units`: the names of each design's units. An ArchsimError says that there is no such schedule.
    """
    names = distinct(list(units.values))  # they are observed: different machines may have the same
    _, group = designs.together((designs.schedules.codes, names.codes[units.codes], designs.field(CLASS).codes))
    for number in range(int(group.max(initial=-1)) + 1):
        left = np.flatnonzero(group == number)
        while len(left):
            first = int(left[0])
            found: CachedProgram | NoProgram
            try:
                found = programs.find(
                    designs.config(first), spec, designs.schedules.of(first), units.of(first), on_disk=True
                )
            except ArchsimError as error:
                yield left, error
                break
            alike = _alike(found, designs, left)
            yield left[alike], found
            left = left[~alike]


def _alike(found: CachedProgram | NoProgram, designs: Designs, rows: Codes) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of some designs have the program: the same fields where it read them, the same answers where it asked."""
    alike = np.ones(len(rows), np.bool_)
    for path, value in found.reads.items():
        alike &= _holds(designs.field(path).at(rows), partial(eq, value))
    for asked in found.questions:
        alike &= _holds(designs.field(asked.path).at(rows), partial(_answers, asked))
    return alike


def _answers(asked: Question, value: object) -> bool:
    return value is not Missing and asked.question(value) == asked.answer


def _holds(field: Picked[Any], condition: Callable[[Any], bool]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    if len(field.values) == 1:
        return np.full(len(field.codes), condition(field.values[0]), np.bool_)
    found: np.ndarray[Any, np.dtype[np.bool_]] = np.array([condition(value) for value in field.values], np.bool_)
    return found[field.codes]
