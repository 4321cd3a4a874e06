"""Says what a folder lacks that should hold the results of a run."""

from __future__ import annotations

from pathlib import Path

from archsim.errors import Fault, WorkloadError

FILES = ("stats.json", "arch.yaml", "workload.yaml")
"""What every folder of results holds, besides the manifest that repeats a run."""
MANIFEST = "manifest.json"
REPEATABLE = (MANIFEST, *FILES)
"""What one holds that can be repeated."""
STUDY = "journal.jsonl"
"""What an exploration keeps, and no run."""


def check_run_folder(folder: Path, files: tuple[str, ...] = FILES) -> None:
    """WorkloadError, in one line, if a folder is not there or misses any of these files."""
    if not folder.is_dir():
        raise _fault(folder, "is no folder; expected one that archsim run has written")
    missing = [name for name in files if not (folder / name).exists()]
    if not missing:
        return
    if (folder / STUDY).exists():
        raise _fault(
            folder,
            "holds an exploration, not a run: the column 'command' of pareto.csv there has the archsim run of each "
            "design of its front; run two of them with --out, and name those folders",
        )
    raise _fault(folder, f"holds no results of archsim run: there is no {', '.join(missing)}")


def _fault(folder: Path, message: str) -> WorkloadError:
    return WorkloadError((Fault(str(folder), "", message),))
