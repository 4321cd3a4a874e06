"""Functions compiled by numba, where it is available: kept on disk beside the package or in the user's cache folder."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from numba import njit, typeof

from archsim.config.files.sources import sources_digest, sources_of
from archsim.engines.recurrence.turns import one_at_a_time
from archsim.program.codes import CAUSES, EVENTS

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

UNCOUNTED: dict[str, Any] = {"_nrt": False}
"""Option of numba: the code counts no references, and so makes no arrays; the caller does, and keeps them.

With the counts, every read of an array in a named tuple costs two atomic additions: run_phase took 4 times as long, and
3 times as long to compile.
"""

UNWRAPPED: dict[str, Any] = {"no_cfunc_wrapper": True, **UNCOUNTED}
"""Options of what Python calls: no wrapper for C."""

_type_of = cast(Callable[[object], object], typeof)


def inlined(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """A helper of compiled functions that becomes part of their code: a call of it costs nothing.

    It does so before types are known. Compiled for itself first, each helper had machine code and wrappers of its own
    that nobody called, and all was compiled in 17.9 s instead of 7.4 s.
    """
    return cast(Callable[Parameters, Result], njit(inline="always", **UNCOUNTED)(function))


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """The function as machine code for the types of its first call; compiled then, and loaded in later processes.

    Later calls must pass the same types, by position: they go straight to the machine code. To look up the types of
    forty arrays in named tuples takes longer than a short phase does. The function makes no arrays (UNCOUNTED). Where
    there is no folder to write to (a read-only installation without a home) it is compiled in each process.
    """
    code: Callable[Parameters, Result] | None = None

    def call(*arguments: Parameters.args, **named: Parameters.kwargs) -> Result:
        nonlocal code
        if code is None:
            types = tuple(map(_type_of, arguments))
            dispatcher = _dispatcher(function)
            lock = getattr(dispatcher._cache, "lock_path", None)
            with nullcontext() if lock is None else one_at_a_time(lock):
                dispatcher.compile(types)
            code = cast(Callable[Parameters, Result], dispatcher.get_overload(types))
        return code(*arguments, **named)

    return call


def _dispatcher(function: Callable[..., object]) -> Any:  # noqa: ANN401 numba says little of its types
    dispatcher: Any = njit(**UNWRAPPED)(function)
    # There is none without a folder (RuntimeError: "no locator available"), or with a numba whose cache is another one.
    with suppress(RuntimeError, OSError, AttributeError, TypeError, ImportError):
        from archsim.engines.recurrence.code_cache import CodeCache

        # By itself numba compiles again only when the file changes in which the function stands. But the layout of the
        # arguments, the helpers and the codes are compiled into it, too, and they stand in other files.
        dispatcher._cache = CodeCache(function, _sources(Path(function.__code__.co_filename).parent))
    return dispatcher


def _sources(folder: Path) -> str:
    """Text that changes whenever anything changes that is compiled into functions of the package in `folder`."""
    return repr([*CAUSES, *EVENTS, sources_digest(sources_of(folder), folder)])
