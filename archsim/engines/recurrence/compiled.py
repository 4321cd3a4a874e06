"""Numba, where it is available: compiled once, kept on disk beside the package or in the user's cache folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """The function as machine code; it is compiled at its first call, and loaded in later processes.

    Where there is no folder to write to (a read-only installation without a home) it is compiled in each process.
    """
    try:
        return cast(Function, njit(cache=True)(function))
    except RuntimeError:  # numba: "no locator available"
        return cast(Function, njit(function))
