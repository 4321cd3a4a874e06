"""Remembers which dependencies follow from which structure of ops, and which programs have no hazard.

In this process, and on disk for the next one. Results are the same without it: it only spares the work.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from archsim.config.files.kept_files import KeptFiles
from archsim.program.accesses import Accesses, Ints
from archsim.program.codes import CAUSE_CODES, CAUSES, EVENT_CODES, EVENTS
from archsim.program.ir import Dep, Program
from archsim.program.structure import ops_digest, program_digest

Deps = tuple[tuple[Dep, ...], ...]
Value = TypeVar("Value")

FEWEST_OPS = 16
"""Fewer ops are sooner put in order than looked up."""
FEWEST_ON_DISK = 64
"""Fewer ops are sooner put in order and checked than read from a file."""
MOST_PHASES, MOST_PROGRAMS = 512, 1 << 16
"""How many are remembered in a process."""


class KnownDeps:
    """The dependencies of ops, derived once for all ops of one structure."""

    def __init__(self, derive: Callable[[Accesses], Deps]) -> None:
        self._derive = derive
        self._kept: _Latest[Deps] = _Latest(MOST_PHASES)
        self._files = KeptFiles("dependencies")

    def of(self, ops: Accesses) -> Deps:
        """The dependencies of each op."""
        if len(ops) < FEWEST_OPS:
            return self._derive(ops)
        digest = ops_digest(ops)
        found = self._kept.get(digest)
        if found is None:
            found = self._read(digest, len(ops)) if len(ops) >= FEWEST_ON_DISK else None
            if found is None:
                found = self._derive(ops)
                if len(ops) >= FEWEST_ON_DISK:
                    self._files.put(digest, _written(found))
            self._kept.put(digest, found)
        return found

    def _read(self, digest: bytes, ops: int) -> Deps | None:
        content = self._files.get(digest)
        return None if content is None else _read(content, ops)


class KnownPrograms:
    """Programs of which it is known that they have no hazard."""

    def __init__(self) -> None:
        self._kept: _Latest[bool] = _Latest(MOST_PROGRAMS)
        self._files = KeptFiles("verified")

    def check(self, program: Program, check: Callable[[Program], None]) -> None:
        """Check a program, if no program of its structure has passed before; raises what `check` raises."""
        digest = program_digest(program)
        if self._kept.get(digest):
            return
        on_disk = sum(len(phase.ops) for phase in program.phases) >= FEWEST_ON_DISK
        if not on_disk or self._files.get(digest) is None:
            check(program)
            if on_disk:
                self._files.put(digest, b"")
        self._kept.put(digest, True)


class _Latest(Generic[Value]):
    """The values that were used last, at most so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[bytes, Value] = OrderedDict()

    def get(self, digest: bytes) -> Value | None:
        found = self._values.pop(digest, None)
        if found is not None:
            self._values[digest] = found
        return found

    def put(self, digest: bytes, value: Value) -> None:
        self._values[digest] = value
        while len(self._values) > self._most:
            self._values.popitem(last=False)


def _written(deps: Deps) -> bytes:
    """Dependencies as bytes: how many each op has, then operation, lag, event and cause of each."""
    rows = [(dep.op, dep.lag, EVENT_CODES[dep.after], CAUSE_CODES[dep.cause]) for of_op in deps for dep in of_op]
    counts = np.array([len(deps), *map(len, deps)], "<i4")
    return counts.tobytes() + np.array(rows, "<i4").tobytes()


def _read(content: bytes, ops: int) -> Deps | None:
    """Reads what `_written` wrote, of so many ops; None if it is of another number."""
    numbers = np.frombuffer(content, "<i4")
    if not len(numbers) or int(numbers[0]) != ops:
        return None
    counts, rows = numbers[1 : ops + 1], numbers[ops + 1 :].reshape(-1, 4)
    return deps_of(counts, rows)


def deps_of(counts: Ints, rows: Ints) -> Deps:
    """The dependencies of ops: `counts`, how many each op has; `rows`, operation, lag, event and cause of each."""
    op, lag, event, cause = rows.T.astype(np.int64)
    numbers = ((op * (int(lag.max(initial=0)) + 1) + lag) * len(EVENTS) + event) * len(CAUSES) + cause
    _, first, kind = np.unique(numbers, return_index=True, return_inverse=True)
    made = [Dep(op, lag, EVENTS[event], CAUSES[cause]) for op, lag, event, cause in rows[first].tolist()]
    each = [made[number] for number in kind.tolist()]
    ends = np.cumsum(counts).tolist()
    return tuple(tuple(each[first:end]) for first, end in zip([0, *ends], ends, strict=False))
