"""Runs what a folder of results holds once more, and says whether anything is not the same."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy.typing as npt

from archsim import __version__
from archsim.api import Simulation, simulate
from archsim.config.files.regular_files import read_regular
from archsim.errors import Fault, WorkloadError, one_line
from archsim.families.load import Arch, load_arch
from archsim.metrics.run_folder import REPEATABLE, check_run_folder
from archsim.metrics.saved_stats import read_stats
from archsim.report.files.manifest import Manifest, input_hashes, read_manifest
from archsim.report.files.outputs import output_arrays
from archsim.report.files.saved import stats_json
from archsim.workload import Workload, load_workload

NAMES = ("arch", "workload", "overrides")
"""Figures that say how inputs were called, which is not how they are called in the folder."""

_MOST_OTHER_BYTES = 1 << 24
"""What outputs.npz may have beside the numbers: heads, and tensors that are not compared."""


@dataclass(frozen=True, slots=True)
class Rerun:
    """A run repeated: how many figures and numbers were compared, and a line for each thing that is not the same."""

    figures: int
    numbers: int
    inputs: tuple[str, ...]
    differences: tuple[str, ...]


def rerun(folder: Path) -> Rerun:
    """Repeat the run of a folder of results and compare; raises what loading and simulating its inputs raises."""
    check_run_folder(folder, REPEATABLE)
    manifest = read_manifest(folder)
    saved = saved_stats(folder / "stats.json")
    arch, workload = load_arch(str(folder / "arch.yaml")), load_workload(str(folder / "workload.yaml"))
    run = _run(manifest, arch, workload, manifest.timing_only)
    found = json.loads(stats_json(run))
    old, new = (dict(flat_figures(figures)) for figures in (saved, found))
    differences = [
        f"{name}: {old.get(name, 'nothing')} -> {new.get(name, 'nothing')}"
        for name in dict.fromkeys([*old, *new])
        if old.get(name) != new.get(name)
    ]
    numbers = 0
    if run.results is not None:
        count, wrong = _outputs(folder, output_arrays(run, manifest.keep_steps))
        numbers, differences = count, differences + wrong
    now = dict(input_hashes(arch, workload, folder))
    inputs = [f"{name} is another one" for name in manifest.inputs if _hash(name, now) != manifest.inputs[name]]
    if manifest.archsim != __version__:
        inputs.append(f"archsim is {__version__}, it was {manifest.archsim}")
    return Rerun(len(new), numbers, tuple(inputs), tuple(differences))


def repeated(folder: Path, *, numbers: bool) -> Simulation:
    """The run of a folder of results once more, under its names, if `numbers` with those that it had.

    Raises what `rerun` raises.
    """
    check_run_folder(folder, REPEATABLE)
    manifest = read_manifest(folder)
    saved = saved_stats(folder / "stats.json")
    arch, workload = load_arch(str(folder / "arch.yaml")), load_workload(str(folder / "workload.yaml"))
    arch = replace(arch, name=one_line(str(saved.get("arch", arch.name))))
    workload = replace(workload, name=one_line(str(saved.get("workload", workload.name))))
    return _run(manifest, arch, workload, manifest.timing_only or not numbers)


def _run(manifest: Manifest, arch: Arch, workload: Workload, timing_only: bool) -> Simulation:
    return simulate(
        arch,
        workload,
        manifest.schedule,
        timing_only=timing_only,
        executor=manifest.executor,
        keep_steps=manifest.keep_steps and not timing_only,
    )


def _hash(name: str, now: Mapping[str, str]) -> str | None:
    return now.get(name) or next((value for other, value in now.items() if Path(other).name == Path(name).name), None)


def saved_stats(file: Path) -> dict[str, Any]:
    """The figures in a stats.json; WorkloadError if it is none."""
    try:
        return read_stats(file)
    except OSError as error:
        raise WorkloadError((Fault(str(file), "", f"cannot be read: {error.strerror or error}"),)) from error
    except ValueError as error:
        raise WorkloadError((Fault(str(file), "", "is no stats.json of archsim"),)) from error


def flat_figures(figures: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Each figure as a path and a text, but how inputs were called."""
    for name, value in figures.items():
        if not path and name in NAMES:
            continue
        if isinstance(value, dict):
            yield from flat_figures(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", json.dumps(value)


def _outputs(folder: Path, computed: Mapping[str, npt.NDArray[Any]]) -> tuple[int, list[str]]:
    """How many numbers there are, and the tensors that are not the same bit for bit."""
    import numpy as np

    count, wrong, path = 0, [], folder / "outputs.npz"
    most = 2 * sum(array.nbytes for array in computed.values()) + _MOST_OTHER_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(read_regular(path, most))) as saved:
            sizes = {info.filename: info.file_size for info in saved.infolist()}
            for name, array in computed.items():
                count += array.size
                member = f"{name}.npy"
                if not 0 < sizes.get(member, 0) <= most:  # it may be packed, and claim any size
                    wrong.append(f"outputs.npz: {name} is not the same")
                    continue
                with saved.open(member) as file:
                    old = np.lib.format.read_array(file, allow_pickle=False)
                if old.shape != array.shape or old.dtype != array.dtype or old.tobytes() != array.tobytes():
                    wrong.append(f"outputs.npz: {name} is not the same")
    except MemoryError:
        raise
    except OSError as error:
        raise WorkloadError((Fault(str(path), "", f"cannot be read: {error.strerror or error}"),)) from error
    except Exception as error:  # zipfile, zlib and numpy raise a dozen kinds of exceptions for broken archives
        raise WorkloadError((Fault(str(path), "", "is no outputs.npz of archsim, or is damaged"),)) from error
    return count, wrong
