"""Keeps on disk what designs need of a program that an earlier process has built and verified.

A schedule is a pure function of the network and of what it reads and asks of the machine, so a program is known by
these, and by the sources that made it. Of each schedule, network and set of units there is a file of the sets of fields
that were read or asked about, and of each program one under the values of such a set. What is no plain value, or comes
from another package, whose sources are not known, is not kept; so is a program with such a part. Results are the same
without it.
"""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import fields, is_dataclass
from enum import Enum
from fractions import Fraction
from functools import cache, partial
from types import FunctionType
from typing import Any

from pydantic import BaseModel

from archsim.api.programs.cached_program import CachedProgram, ProgramParts
from archsim.config.files.kept_files import KeptFiles
from archsim.config.files.sources import PACKAGE, sources_digest, sources_of
from archsim.config.read_tracking import FieldReader, Question, ReadTracker
from archsim.families.machine_config import MachineConfig
from archsim.families.registry import family_named
from archsim.families.schedule import Schedule
from archsim.families.schedules import build_program
from archsim.metrics.unit_facts import SharedFacts
from archsim.program.ir import Program
from archsim.workload import NetworkSpec

FILES = KeptFiles("programs")
MOST_SETS = 32
"""Most sets of fields that are tried for a schedule and a network."""
FEWEST_OPS = 64
"""Programs of fewer ops are sooner built than read from a file."""
SOURCES = (
    "api/programs",
    "config",
    "engines/recurrence",
    "families",
    "formats",
    "hardware",
    "metrics",
    "program",
    "technology",
    "trace",
    "workload",
)
"""Packages that programs and what is kept of them are made by: this one, and all that is imported from there."""
_NUMPY = frozenset({"_reconstruct", "_frombuffer", "ndarray", "dtype"})
_OTHERS = frozenset({("functools", "partial"), ("_operator", "le"), ("fractions", "Fraction")})


def read_program(
    schedule: Schedule[Any], config: MachineConfig, spec: NetworkSpec, units: tuple[str, ...], facts: SharedFacts
) -> CachedProgram | None:
    """The program of a machine as an earlier process has kept it; None if none has."""
    group = _group(schedule, config, spec, units)
    if group is None:
        return None
    for paths in _sets(group):
        digest = _digest(group, config, paths)
        content = None if digest is None else FILES.get(digest)
        found = None if content is None else _read(content)
        if found is not None:
            reads, questions, known = found
            values = FieldReader(reads).values_in(config) or ()
            make = partial(_build, schedule, spec, config)
            return CachedProgram(make, spec, units, questions, dict(zip(reads, values, strict=True)), facts, known)
    return None


def keep_program(cached: CachedProgram, schedule: Schedule[Any], config: MachineConfig) -> None:
    """Keep a program for other processes, if it was built in this one; `config`: a machine that has it."""
    if cached.known is not None or sum(len(arrays.unit) for arrays in cached.phase_arrays) < FEWEST_OPS:
        return
    paths = tuple(sorted({*cached.reads, *(asked.path for asked in cached.questions)}))
    values = FieldReader(paths).values_in(config) or ()
    first = values not in cached.digests
    if first:
        group = _group(schedule, config, cached.spec, cached.units)
        digest = None if group is None else _digest(group, config, paths)
        cached.digests[values] = None if group is None or digest is None else (group, digest)
    found = cached.digests[values]
    if found is None:
        return
    group, digest = found
    # Else another process has kept it, or an earlier batch.
    if FILES.get(digest) is None if first else not FILES.holds(digest):
        content = _written(cached)
        if content is None:
            return
        FILES.put(digest, content)
    sets = _sets(group)
    if paths not in sets:
        FILES.put(group, json.dumps([paths, *sets[: MOST_SETS - 1]]).encode())


def _build(schedule: Schedule[Any], spec: NetworkSpec, config: MachineConfig) -> Program:
    return build_program(schedule, spec, ReadTracker(config).stand_in)


def _sets(group: bytes) -> list[tuple[str, ...]]:
    """The sets of fields that programs of a group were known by."""
    content = FILES.get(group)
    with suppress(TypeError, ValueError):
        return [tuple(map(str, paths)) for paths in json.loads(content or b"[]")]
    return []


def _group(schedule: Schedule[Any], config: MachineConfig, spec: NetworkSpec, units: Sequence[str]) -> bytes | None:
    """The digest of a schedule of archsim's own, a network, and the names of units; None of what is not known."""
    if not any(schedule is own for own in family_named(config.family).schedules):
        return None
    try:
        text = _text((config.family, schedule.name, spec, tuple(units)))
    except _UnknownError:
        return None
    return hashlib.sha256(f"{_sources()} group {text}".encode()).digest()


def _digest(group: bytes, config: MachineConfig, paths: tuple[str, ...]) -> bytes | None:
    """The digest of a machine's fields; None if it has no such fields, or values of which nothing is known."""
    values = FieldReader(paths).values_in(config) if paths else None
    if values is None:
        return None
    try:
        return hashlib.sha256(group + _text((paths, values)).encode()).digest()
    except _UnknownError:
        return None


class _UnknownError(Exception):
    """A value that cannot be told from others by a text, or comes from another package."""


def _text(value: object) -> str:
    """A text that differs for values that differ."""
    if value is None or type(value) in (bool, int, float, str, bytes, Fraction):
        return repr(value)
    if type(value) in (tuple, list):
        return f"({','.join(map(_text, value))})"  # type: ignore[call-overload]
    if isinstance(value, type | FunctionType):
        return _own(value)
    of = _own(type(value))
    if isinstance(value, Enum):
        return f"{of}.{value.name}"
    if is_dataclass(value):
        return f"{of}({','.join(_text(getattr(value, field.name)) for field in fields(value))})"
    if isinstance(value, BaseModel):
        return f"{of}({','.join(_text(getattr(value, name)) for name in type(value).model_fields)})"
    raise _UnknownError


def _own(what: type | FunctionType) -> str:
    """The name of a class or function of archsim, which its sources say all about."""
    if not what.__module__.startswith("archsim.") or "<" in what.__qualname__:
        raise _UnknownError
    return f"{what.__module__}.{what.__qualname__}"


class _OwnUnpickler(pickle.Unpickler):
    """Makes nothing but what programs are made of."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - as in the class above
        package = module.partition(".")[0]
        if package == "archsim" or (package == "numpy" and name in _NUMPY) or (module, name) in _OTHERS:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a program")


def _written(cached: CachedProgram) -> bytes | None:
    """What `_read` reads; None of a program with a part that is not archsim's."""
    try:
        content = pickle.dumps((tuple(sorted(cached.reads)), cached.questions, cached.parts), 5)
    except (AttributeError, TypeError, pickle.PicklingError):  # an op or a question of another package
        return None
    return content if _read(content) else None


def _read(content: bytes) -> tuple[tuple[str, ...], tuple[Question, ...], ProgramParts] | None:
    try:
        reads, questions, known = _OwnUnpickler(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, AttributeError, EOFError, ImportError, IndexError, TypeError, ValueError):
        return None
    return (reads, questions, known) if isinstance(known, ProgramParts) else None


@cache
def _sources() -> str:
    """A text that changes whenever anything changes that programs and what is kept of them are made by."""
    return sources_digest(sources_of(*(PACKAGE / folder for folder in SOURCES)))
