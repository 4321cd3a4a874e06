"""Writes a run's folder under a temporary name, then moves it into place: it is whole or not there."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.api.near_changes import NearChanges
from archsim.config.files.whole_files import name_when_whole, write_whole
from archsim.config.run_files import STREAM_FILES
from archsim.config.text import UNENCODABLE
from archsim.errors import OutputError, WorkloadError
from archsim.report.figures.kinds import FigureKind, figure_of, why_none
from archsim.report.figures.look import USUAL
from archsim.report.files import manifest
from archsim.report.files.accuracy_figures import accuracy_csv
from archsim.report.files.manifest import Asked
from archsim.report.files.outputs import output_arrays
from archsim.report.files.saved import resolved_arch, resolved_workload, stats_json
from archsim.report.text.report_text import report_text

PICTURES = tuple(f"{kind}.png" for kind in FigureKind)
"""Drawn when all else is in place; of these a run has those that are asked for and that it can have."""
INPUTS = ("arch.yaml", "workload.yaml", manifest.NAME)
PAGE = "report.html"
"""The page that `archsim report` makes of the folder, if it is not told another name."""
FILES = ("stats.json", "report.txt", *INPUTS, "outputs.npz", "accuracy.csv", *PICTURES, PAGE)
"""What a run writes, or is made of it; accuracy.csv only of a run that computes in other formats than float32."""


@contextmanager
def result_folder(target: Path, asked: Asked, force: bool = False) -> Iterator[Path]:
    """Open a temporary folder beside `target`, which takes its place when the block ends without an error.

    It holds the resolved inputs of what is `asked`, and the manifest. Raises OutputError if `target` is no folder,
    holds anything that is not a result of a run or, unless it is to be overwritten by `force`, the results of anything
    else, or cannot be written. Pictures, traces and tables of the same run stay if they are not made
    anew.
    """
    shown, target = target, Path(os.path.abspath(target))  # "." and ".." have no name of their own
    if not target.name:
        raise OutputError(f"{shown}: is no folder for results; choose another --out")
    temporary = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        _refuse_foreign(target, shown)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        _write_inputs(temporary, asked)
        same = _refuse_another_run(target, temporary, shown, force)
        yield temporary
        if same:
            _keep(target, temporary)
        _replace(target, temporary, shown)
    except OSError as error:
        raise _cannot_write(shown, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def fill_folder(
    folder: Path,
    simulation: Simulation,
    findings: Findings,
    changes: NearChanges | None,
    keep_steps: bool = False,
) -> None:
    """Write everything that is known of a run but pictures.

    `changes` are those measured, if any were; `keep_steps`: outputs.npz has what passed through at every step, too.
    """
    import numpy as np

    (folder / "stats.json").write_text(stats_json(simulation, findings), encoding="utf-8")
    (folder / "report.txt").write_text(report_text(simulation, findings, changes), encoding="utf-8", errors=UNENCODABLE)
    if simulation.results is not None:
        np.savez(folder / "outputs.npz", **dict[str, Any](output_arrays(simulation, keep_steps)))
    if simulation.accuracy is not None:
        (folder / "accuracy.csv").write_text(accuracy_csv(simulation), encoding="utf-8")


def draw_into(folder: Path, simulation: Simulation, findings: Findings, kinds: Sequence[FigureKind]) -> None:
    """Draw those of the pictures that the run can have into its folder, one after the other.

    Each is whole or not there. Raises OutputError if one cannot be written.
    """
    from archsim.report.figures.drawing import drawn

    for kind in kinds:
        if not why_none(kind, simulation):
            png = drawn(partial(figure_of, kind, simulation, USUAL, findings.path))
            add_to_folder(folder, f"{kind}.png", png)


def add_to_folder(folder: Path, name: str, data: bytes) -> None:
    """Write a file, whole or not at all, into a folder of results that is in place; OutputError if that fails."""
    try:
        write_whole(folder / name, data)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _write_inputs(folder: Path, asked: Asked) -> None:
    (folder / "arch.yaml").write_text(resolved_arch(asked.arch, folder), encoding="utf-8")
    (folder / "workload.yaml").write_text(resolved_workload(asked.workload, folder), encoding="utf-8")
    text = manifest.manifest_json(manifest.manifest_of(asked, folder))
    (folder / manifest.NAME).write_text(text, encoding="utf-8")


def _refuse_another_run(target: Path, temporary: Path, shown: Path, force: bool) -> bool:
    """Whether the target holds the same run already; OutputError if it holds another one that is not to be replaced."""
    if not target.is_dir() or not any(target.iterdir()):
        return False
    try:
        differs = manifest.difference(manifest.read_manifest(target), manifest.read_manifest(temporary))
    except WorkloadError:
        differs = f"it has no {manifest.NAME} that can be read"
    if not differs or force:
        return not differs
    raise OutputError(f"{shown}: holds the results of another run ({differs}); choose another --out, or --force")


def _keep(target: Path, temporary: Path) -> None:
    """Keep the pictures, page, traces and tables of the same run that were not made anew."""
    for name in (*PICTURES, PAGE, *STREAM_FILES):
        if (target / name).is_file() and not (temporary / name).exists():
            shutil.copyfile(target / name, temporary / name)


def _refuse_foreign(target: Path, shown: Path) -> None:
    """Raise OutputError if the folder holds what is no result of a run.

    `shown` is the folder as the user named it.
    """
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise OutputError(f"{shown}: is not a folder; choose another --out")
    if target.is_dir():
        ours = (*FILES, *STREAM_FILES)  # also by the name that each has until it is whole: its process was killed
        foreign = sorted(entry.name for entry in target.iterdir() if name_when_whole(entry.name) not in ours)
        if foreign:
            listed = ", ".join(foreign[:3]) + (", ..." if len(foreign) > 3 else "")
            raise OutputError(f"{shown}: holds files that are no results of a run ({listed}); choose another --out")


def _replace(target: Path, temporary: Path, shown: Path) -> None:
    """Put a folder in the place of the results that are there.

    What is none of these, and came while the run was under way, as the journal of an exploration, stays: then it is an
    OutputError.
    """
    _refuse_foreign(target, shown)
    old = target.with_name(f".{target.name}.old-{os.getpid()}")
    if target.exists() and any(target.iterdir()):  # an empty folder is replaced at once, and only if it still is empty
        os.replace(target, old)
    try:
        _refuse_foreign(old, shown)
        os.replace(temporary, target)
    except (OSError, OutputError) as error:
        if old.exists():
            try:
                os.replace(old, target)
            except OSError:  # the file system has become read-only in between
                raise OutputError(
                    f"{shown}: cannot write results: {getattr(error, 'strerror', error)}; those of before are in {old}"
                ) from error
        raise
    shutil.rmtree(old, ignore_errors=True)


def _cannot_write(target: Path, error: OSError) -> OutputError:
    return OutputError(f"{target}: cannot write results: {error.strerror or error}")
