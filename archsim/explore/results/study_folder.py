"""Keeps the folder of an exploration: the journal while it runs, the results once it is finished."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from archsim.config.files.whole_files import name_when_whole, open_anew
from archsim.errors import OutputError
from archsim.explore.run.declared import Declared
from archsim.explore.run.journal import NAME, NEW, Journal
from archsim.explore.space.names import names_of_every_run
from archsim.explore.space.space import Space

RESULTS = (
    *("points.csv", "points.parquet", "pareto.csv", "index.html"),
    *("pareto.png", "pairs.png", "parallel.png", "importance.png", "best.png"),
)
"""Files of a finished exploration."""
SETUP = "exploration.json"
"""What is needed to evaluate any point of the space again."""
PARTS = "parts"
"""The folder of the parts of a large one."""


def open_journal(folder: Path, space: Space, resume: bool, settings: str | None = None) -> Journal:
    """Open the journal in a folder: a new one, or with `resume` the one that is there, if there is one.

    `settings`: as its header has them.

    OutputError if the folder cannot be used, holds other things, or holds an exploration and `resume` is false.
    """
    path = folder / NAME
    try:
        if os.path.lexists(folder) and not folder.is_dir():
            raise OutputError(f"{folder}: is not a folder; choose another --out")
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_foreign(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    if not path.exists():
        journal = Journal.create(path, space.fingerprint, space.name, settings)
        try:
            _refuse_foreign(folder)  # results of a run may have come into its place
        except OutputError:
            path.unlink()
            journal.close()
            raise
        return journal
    if not resume:
        raise OutputError(f"{folder}: holds an exploration; go on from it with --resume, or choose another --out")
    journal = Journal.resume(path, space.fingerprint, settings)
    figures = names_of_every_run()
    if settings is not None:  # of each design there may be no more than what is declared
        figures = frozenset(filter(Declared.of(space).has, figures))
    journal.keep(frozenset(use.workload.name for use in space.workloads), figures)
    return journal


def write_file(path: Path, data: bytes) -> None:
    """Write a file under a temporary name and rename it, so that it is whole or not there; OutputError if not."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with open_anew(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        with suppress(OSError):  # in a read-only file system not even a file that is not there can be removed
            temporary.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def remove_file(path: Path) -> None:
    """Remove a file of results that no longer holds; OutputError if not."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> OutputError:
    """The error of a file or folder that cannot be written."""
    return OutputError(f"{path}: cannot write results: {error.strerror or error}")


def _refuse_foreign(folder: Path) -> None:
    foreign = sorted(entry.name for entry in folder.iterdir() if not _ours(entry.name))
    if foreign:
        listed = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
        raise OutputError(f"{folder}: holds files that are not of an exploration ({listed}); choose another --out")


def _ours(name: str) -> bool:
    return name_when_whole(name) in (NAME, NEW, PARTS, SETUP, *RESULTS)
