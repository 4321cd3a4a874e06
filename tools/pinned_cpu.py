"""Arithmetic that does not depend on the CPU: a process in which BLAS and NumPy take one and the same code everywhere.

Sums in floating point depend on their order, and exp and tanh on their approximation; both differ between the code
paths that OpenBLAS and NumPy choose by the CPU's instruction sets and cores. The choice is made when NumPy is imported,
so a process that must not depend on it starts again with these variables in its environment:

- OPENBLAS_NUM_THREADS=1: no sum is divided among threads;
- OPENBLAS_CORETYPE=Haswell: the AVX2 kernels, on x86 only (other CPUs do not know the name);
- NPY_DISABLE_CPU_FEATURES: NumPy's code for AVX-512 is off, which leaves that for AVX2. The names change between
  versions of NumPy, so that they are asked of the installed one: those that it has found on this CPU.

What is left is the versions of NumPy and of the C library, and CPUs without AVX2.
"""

from __future__ import annotations

import os
import platform
import sys

import numpy as np

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
    found: list[str] = np.show_config(mode="dicts").get("SIMD Extensions", {}).get("found", [])
    return tuple(name for name in found if name == "X86_V4" or name.startswith("AVX512"))
