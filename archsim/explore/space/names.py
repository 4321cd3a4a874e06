"""Lists what an expression may refer to: fields of the architecture, and results of a point."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Union, get_args, get_origin, get_type_hints

from archsim.explore.space.expression import Expression
from archsim.explore.space.fields import get_field, known_path
from archsim.explore.space.parameters import SCHEDULE
from archsim.explore.space.space_config import SpaceConfig
from archsim.families.machine_config import MachineConfig
from archsim.metrics import Stats, declared
from archsim.metrics.frames import COLD_START, Frames
from archsim.workload import Workload

ACCURACY = "accuracy"
"""Prefix of what the number formats cost: accuracy.output.sqnr_db, accuracy.task.changed_share, ..."""

_TEXTS = ("arch", "workload", "schedule", "overrides")
"""Fields of Stats that repeat the inputs."""


@cache
def result_names() -> dict[str, bool]:
    """The name of every figure of a run, and whether it has entries, which are named after another dot."""
    hints = get_type_hints(Stats, include_extras=False)
    return {name: _has_entries(hints[name]) for name in declared(Stats) if name not in _TEXTS}


@cache
def names_of_every_run() -> frozenset[str]:
    """The names of the figures that every run has, whatever its machine: those without entries, also of groups."""
    hints = get_type_hints(Stats, include_extras=False)
    found = {name for name in result_names() if _is_plain(hints[name])}
    for name in result_names():
        inner = get_type_hints(hints[name], include_extras=False) if is_dataclass(hints[name]) else {}
        found |= {f"{name}.{figure}" for figure, hint in inner.items() if _is_plain(hint)}
    return frozenset(found)


def _is_plain(hint: object) -> bool:
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return all(kind in (int, float, str, NoneType) for kind in kinds)


@cache
def frame_names() -> dict[str, bool]:
    """The name of every figure of a frame, which streaming workloads have, and whether it has entries."""
    hints = get_type_hints(Frames, include_extras=False)
    return {name: _has_entries(hints[name]) for name in declared(Frames) if name != "latency_stack"}


@cache
def members() -> dict[str, tuple[str, ...]]:
    """The figures of each group of them, as energy is one; what has entries that a run names is none."""
    hints = get_type_hints(Stats, include_extras=False) | get_type_hints(Frames, include_extras=False)
    kinds = {name: next(filter(is_dataclass, (hint, *get_args(hint))), None) for name, hint in hints.items()}
    return {name: tuple(f.name for f in fields(kind)) for name, kind in kinds.items() if kind is not None}


def is_result(name: str) -> bool:
    """Whether a name in an expression is that of a result, not of a field."""
    first = name.split(".")[0]
    return is_accuracy(name) or first in result_names() or first in frame_names()


def is_accuracy(name: str) -> bool:
    """Whether a figure says what the number formats cost."""
    return name.split(".")[0] == ACCURACY


def of_cold_start(expression: Expression) -> bool:
    """Whether an expression refers to figures of a whole run from cold."""
    return any(name.split(".")[0] in COLD_START for name in expression.names | expression.totals)


def not_of_frames(expression: Expression, workloads: Iterable[Workload]) -> Iterator[str]:
    """The faults in an expression that asks for a figure of a frame where some workload has none."""
    named = sorted(name for name in expression.names | expression.totals if name.split(".")[0] in frame_names())
    for workload in workloads:
        for name in named:
            if not workload.spec.streaming:
                yield f"{name} is a figure of a frame, and {workload.name} is no stream (streaming: true)"
            elif name.startswith("arrivals") and workload.config.period_us is None and not workload.config.arrivals_us:
                yield f"{name} needs frames that come at some time, and {workload.name} has no period_us or arrivals_us"
            elif name.startswith("differing_frames") and not workload.spec.skips:
                yield f"{name} is of frames that differ, and those of {workload.name}, no delta network, are alike"


Varied = tuple[str, ...]
"""The paths of all fields and sections that are not the same in every point of a space."""


def varied_by(config: SpaceConfig) -> Varied:
    """What a space varies."""
    return (*config.parameters, *config.derived)


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a space's expressions may be: fields of machines that differ from `base` in what is varied.

    `of_workloads`: the workloads' fields that are varied.
    """

    base: MachineConfig
    varied: Varied
    of_workloads: frozenset[str] = frozenset()


def check_names(expression: Expression, names: Names, *, results: bool) -> Iterator[str]:
    """The faults in the names of an expression; `results` says whether it may refer to results."""
    base, varied = names.base, names.varied
    figures, model = result_names() | frame_names(), type(base)
    for name in sorted(expression.names):
        first, *inner = name.split(".")
        if name == SCHEDULE or name in names.of_workloads:
            continue
        if known_path(model, name):
            if not _reached(base, varied, name):
                section = name.rpartition(".")[0]
                yield f"{name}: no machine of this space has it: its {section} is of another kind"
            continue
        if not results and (first in figures or first == ACCURACY):
            yield f"{name} is a result; a derived field follows from fields alone"
        elif first == ACCURACY and results:
            if len(inner) < 2:
                yield f"{name}: write accuracy.output.sqnr_db, accuracy.task.rms_difference or the like"
        elif first not in figures:
            yield _unknown(name, figures, results) + _in_quotes(expression, name, results)
        elif figures[first] and not inner:
            yield f"{name} has several entries; write {name}.ENTRY, or total({name})"
        elif inner and not figures[first]:
            yield f"{first} is one number; nothing is named below it"
        elif first in members() and inner[0] not in members()[first]:
            yield _unknown(name, [f"{first}.{member}" for member in members()[first]], results)
    for name in sorted(expression.totals):
        if not results:
            yield f"total({name}) is a result; a derived field follows from fields alone"
        elif not figures.get(name.split(".")[0]):
            yield f"total({name}): no result of that name has entries; there are {', '.join(_mappings(figures))}"


def _reached(base: MachineConfig, varied: Varied, name: str) -> bool:
    """Whether the base machine has a field, or one in which its section is another one may have it."""
    try:
        get_field(base, name)
    except KeyError:
        sections = name.split(".")[:-1]
        around = {".".join(sections[:length]) for length in range(1, len(sections) + 1)}
        return any(path in around or path.rpartition(".")[0] in around for path in varied)
    return True


def _unknown(name: str, figures: Iterable[str], results: bool) -> str:
    close = difflib.get_close_matches(name, figures, n=1) if results else []
    hint = f"; did you mean {close[0]}?" if close else ""
    kinds = "a field of the architecture or a result" if results else "a field of the architecture"
    return f"{name} is not {kinds}{hint}"


def _in_quotes(expression: Expression, name: str, results: bool) -> str:
    """How a derived field's value is written that is a word, if an expression is nothing else than an unknown name."""
    return f"; a word stands in quotes of its own: \"'{name}'\"" if expression.text == name and not results else ""


def _mappings(figures: Mapping[str, bool]) -> list[str]:
    return [name for name, has_entries in figures.items() if has_entries]


def _has_entries(hint: object) -> bool:
    """Whether a figure is a mapping or a group of figures, also one that may be missing (None)."""
    if get_origin(hint) in (Union, UnionType):
        return any(_has_entries(member) for member in get_args(hint))
    origin = get_origin(hint) or hint
    return isinstance(origin, type) and (issubclass(origin, Mapping) or is_dataclass(origin))
