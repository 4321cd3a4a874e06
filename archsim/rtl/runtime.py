"""Verilator's runtime, compiled once for all models that are built alike, which only speeds up.

A file's name ends in the SHA-256 of its content: what is damaged is not used, and made anew. It is made under another
name and then renamed, so that processes may share a folder. Where nothing can be kept, a model's own folder has it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archsim.config.files.kept_files import KeptFiles
from archsim.families.rtl import RtlError
from archsim.rtl.tools import Verilator, run_tool

PARTS = ("verilated", "verilated_threads")
"""The files of the runtime that every model is linked with."""

TRACING = "verilated_vcd_c"
"""The one besides that writes VCD."""

HEADER = "verilated.h"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Verilator's runtime under the flags of a model; it is kept in the first folder that can be written."""

    tool: Verilator
    flags: tuple[str, ...]
    folders: tuple[Path, Path]

    @classmethod
    def of(cls, tool: Verilator, flags: Sequence[str], own: Path, shared: Path | None) -> Runtime:
        """The runtime for a model in the folder `own`, shared with others in `shared` or in the user's cache folder."""
        kept = shared or KeptFiles("rtl").folder or own
        key = _key(tool, flags)
        return cls(tool, tuple(flags), (kept / key, own / key))

    def objects(self, *, trace: bool) -> list[Path]:
        """The object files that a model is linked with, among them what writes VCD if it is to trace."""
        return [self._kept(name, ".o", self._object(name)) for name in (*PARTS, *((TRACING,) if trace else ()))]

    def header(self, level: str) -> list[str]:
        """The options that take Verilator's header compiled for a level of optimization.

        That is a third of a small model's build, and a file of 70 MB: for those who build many.
        """

        def make(to: Path) -> None:
            source = to.with_suffix("")
            source.write_text(f'#include "{HEADER}"\n', encoding="utf-8")
            command = ["g++", level, *self.flags, "-x", "c++-header", str(source), "-o", str(to)]
            run_tool("g++", command, to.parent)

        compiled = self._kept(f"header{level}", ".h.gch", make)
        return ["-include", str(compiled.with_suffix(""))]

    def _object(self, name: str) -> Callable[[Path], None]:
        source = self.tool.root / "include" / f"{name}.cpp"

        def make(to: Path) -> None:
            run_tool("g++", ["g++", "-O1", *self.flags, "-c", str(source), "-o", str(to)], to.parent)

        return make

    def _kept(self, name: str, suffix: str, make: Callable[[Path], None]) -> Path:
        shared, own = self.folders
        with suppress(OSError, RtlError):  # no room, or not ours to write
            return kept_file(shared, name, suffix, make)
        return kept_file(own, name, suffix, make)


def _key(tool: Verilator, flags: Sequence[str]) -> str:
    """What the compiled files follow from: the flags, the compiler, the text of the runtime."""
    found = hashlib.sha256(repr(tuple(flags)).encode())
    found.update(run_tool("g++", ["g++", "--version"], tool.root).stdout.encode())
    for path in sorted((tool.root / "include").iterdir()):
        if path.suffix in (".h", ".cpp"):
            found.update(path.name.encode() + path.read_bytes())
    return found.hexdigest()[:16]


def kept_file(folder: Path, name: str, suffix: str, make: Callable[[Path], None]) -> Path:
    """The file of that name in a folder, made where there is none whose content has the digest in its name."""
    folder.mkdir(parents=True, exist_ok=True)
    for found in sorted(folder.glob(f"{name}-*{suffix}")):
        if found.name == _sealed(found, name, suffix):
            return found
        found.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as beside:
        own = Path(beside) / f"made{suffix}"
        make(own)
        return own.replace(folder / _sealed(own, name, suffix))


def _sealed(path: Path, name: str, suffix: str) -> str:
    with path.open("rb") as file:
        return f"{name}-{hashlib.file_digest(file, 'sha256').hexdigest()}{suffix}"
