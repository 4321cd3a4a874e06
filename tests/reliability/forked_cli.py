"""Runs the command line in a fork of this process, in a folder, with a disk that becomes full or read-only."""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from archsim.cli.main import main
from tests.reliability.failing_disk import FailingDisk

NEVER = 1 << 40


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command ended: its exit code, what it said, how often it wrote, and whether a write failed."""

    code: int
    out: str
    said: str
    calls: int
    failed: bool

    @property
    def errors(self) -> list[str]:
        """The lines on stderr that are no notes."""
        return [line for line in self.said.splitlines() if not line.startswith("archsim: note: ")]


def run(arguments: Sequence[str], folder: Path, fails_at: int = NEVER, why: int = errno.ENOSPC) -> Ended:
    """Run `archsim ARGUMENTS` in a folder whose disk is full (or EROFS) from write number `fails_at` on, below it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        out, said = io.StringIO(), io.StringIO()
        try:
            os.chdir(folder)
            sys.stdout, sys.stderr, sys.argv = out, said, ["archsim", *arguments]
            disk = FailingDisk(folder, fails_at, why)
            disk.install()
            try:
                main()
            except SystemExit as end:
                code = int(end.code or 0)
            text = json.dumps([code, out.getvalue(), said.getvalue(), disk.calls, disk.failed])
            with os.fdopen(writing, "w") as pipe:
                pipe.write(text)
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    assert text, "the command ended without an exit code"
    return Ended(*json.loads(text))


def files(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by their paths in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}
