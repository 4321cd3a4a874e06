"""Sets how many threads the libraries use that multiply matrices."""

from __future__ import annotations

from collections.abc import MutableMapping

_VARIABLES = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def one_thread(environment: MutableMapping[str, str]) -> None:
    """Let libraries that are loaded in this environment from now on use one thread, unless it says how many.

    The matrix of a time step times one vector waits for memory, not for multipliers: a second thread takes another
    core's time and gains nothing, and explorations give each core a process of its own.
    """
    for variable in _VARIABLES:
        environment.setdefault(variable, "1")
