"""Arithmetic that does not depend on the CPU: a process in which BLAS and NumPy take one and the same code everywhere.

Sums in floating point depend on their order, and exp and tanh on their approximation; both differ between the code
paths that OpenBLAS and NumPy choose by the CPU's instruction sets and cores. The choice is made when NumPy is imported,
so a process that must not depend on it starts again with these variables in its environment:

- OPENBLAS_NUM_THREADS=1: no sum is divided among threads;
- OPENBLAS_CORETYPE=Haswell: the AVX2 kernels, on x86 only (other CPUs do not know the name);
- NPY_DISABLE_CPU_FEATURES: NumPy's code for AVX-512 is off, which leaves that for AVX2. The names are NumPy's own,
  taken from the installed one, and only those that this CPU has: a name that NumPy does not know is an error there.

What is left is the versions of NumPy and of the C library, and CPUs without AVX2.
"""

from __future__ import annotations

import importlib
import os
import platform
import sys

_PINNED = "ARCHSIM_PINNED_CPU"
"""Set in the process that was started again: its NumPy no longer knows of what has been disabled."""


def restart_pinned(module: str, arguments: list[str]) -> None:
    """Replace this process by `python -m module arguments` in the pinned environment, unless it is that one already."""
    if os.environ.get(_PINNED) != "1":
        environment = os.environ | pinned_variables() | {_PINNED: "1"}
        os.execve(sys.executable, [sys.executable, "-m", module, *arguments], environment)


def pinned_variables() -> dict[str, str]:
    """The environment variables that pin BLAS and NumPy, for this CPU."""
    variables = {"OPENBLAS_NUM_THREADS": "1"}
    if platform.machine().lower() in ("x86_64", "amd64"):
        variables["OPENBLAS_CORETYPE"] = "Haswell"
    disabled = _avx512_features()
    if disabled:
        variables["NPY_DISABLE_CPU_FEATURES"] = " ".join(disabled)
    return variables


def _avx512_features() -> tuple[str, ...]:
    """NumPy's names of the AVX-512 code that it would use on this CPU."""
    umath = importlib.import_module("numpy._core._multiarray_umath")

    dispatched: list[str] = umath.__cpu_dispatch__
    found: dict[str, bool] = umath.__cpu_features__
    return tuple(name for name in dispatched if found.get(name) and (name == "X86_V4" or name.startswith("AVX512")))
