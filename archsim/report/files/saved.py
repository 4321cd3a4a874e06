"""Saves a run in files: its figures as JSON, and its resolved inputs as YAML that `archsim run` takes again."""

from __future__ import annotations

import dataclasses
import io
import json
import os
from pathlib import Path
from typing import Any

from archsim.api import Simulation
from archsim.api.explain import Findings, find
from archsim.config.presets import is_name
from archsim.errors import OutputError
from archsim.families.load import Arch
from archsim.lowering.tensors import Results
from archsim.report.files.accuracy_figures import accuracy_figures
from archsim.workload import Workload
from archsim.workload.layout import Layout
from archsim.workload.network import same_sizes, suffixes


def stats_json(simulation: Simulation, findings: Findings | None = None) -> str:
    """All figures and the verdict on the numbers, as one JSON object; `findings` are made if they are not given.

    "latency_stack" is the critical path by unit and cause, of a streaming workload a frame's; null of a run of over
    MAX_STACK_OPS ops. "notes" are what a reader of the figures must know, if there is anything. "step_end_cycles" and
    "activity" of a machine whose steps depend on data. "pruning" of one that does not keep all weights. "schedules",
    best first, where the best one was asked for. "further" are figures of other packages, if any.
    """
    figures = run_figures(simulation)
    figures["latency_stack"] = (findings or find(simulation)).stack
    notes = simulation.arch.config.notes(simulation.workload.spec)
    if notes:
        figures["notes"] = notes
    if simulation.step_end_cycles is not None:
        figures["step_end_cycles"] = simulation.step_end_cycles
    columns = simulation.activity
    if columns is not None:
        figures["activity"] = dataclasses.asdict(columns)
    if simulation.numbers is not None and simulation.numbers.pruning is not None:
        figures["pruning"] = dataclasses.asdict(simulation.numbers.pruning)
    if simulation.frames is not None:
        figures |= dataclasses.asdict(simulation.frames)
    if simulation.ranking is not None:
        ranked = simulation.ranking.ranked
        figures["schedules"] = [{"schedule": found.name, **dataclasses.asdict(outcome)} for found, outcome in ranked]
    if simulation.further:
        figures["further"] = {found.statistic.name: found.value for found in simulation.further}
    return json.dumps(figures, indent=2, allow_nan=False) + "\n"


def run_figures(simulation: Simulation) -> dict[str, Any]:
    """The figures of the run alone, and the verdict on the numbers."""
    figures = dataclasses.asdict(simulation.stats)
    figures["executor"] = dataclasses.asdict(simulation.executor)
    figures["validation"] = dataclasses.asdict(simulation.validation)
    accuracy = accuracy_figures(simulation)
    figures["accuracy"] = None if accuracy is None else dataclasses.asdict(accuracy)
    return figures


def resolved_arch(arch: Arch, folder: Path) -> str:
    """The architecture with all overrides applied; a technology's file is named relative to the results' `folder`."""
    data = arch.config.model_dump(mode="json")
    if not is_name(data.get("technology", "")):
        data["technology"] = _relative(Path(data["technology"]), _final(folder))
    return _yaml(data)


def resolved_workload(workload: Workload, folder: Path) -> str:
    """The workload with all overrides applied; its files are named relative to the results' `folder`."""
    data = workload.config.model_dump(mode="json", exclude_defaults=True)  # nulls stay: one may be no default
    _rename_files(data, workload.folder, _final(folder))
    return _yaml(data)


def _final(folder: Path) -> Path:
    """The folder where the results will lie, or one with the same parent."""
    return folder.resolve().parent / "any"


def _relative(path: Path, folder: Path) -> str:
    """A file's name from that folder; OutputError if it is no text, which no YAML file can hold."""
    name = os.path.relpath(path.resolve(), folder)
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise OutputError(f"{name}: a name that is not UTF-8 cannot stand in a folder of results; rename it") from error
    return name


def _rename_files(section: dict[str, Any], old: Path, new: Path) -> None:
    """Make names of files relative to another folder, in a section and those inside it."""
    for key, value in section.items():
        if isinstance(value, dict):
            _rename_files(value, old, new)
        elif key in ("file", "activity") and isinstance(value, str):
            section[key] = _relative(old / value, new)


def torch_outputs(workload: Workload, results: Results, exact: bool = False) -> dict[str, Any]:
    """The output, h_n and (LSTM) c_n in torch's shapes, float32, or float64 if they shall be `exact`.

    States of cells of different sizes cannot be stacked: they are h_n_l0, h_n_l0_reverse, ... (features last).
    """
    import numpy as np

    spec, layout = workload.spec, Layout(workload.config.batch_first, workload.config.batched)
    outputs: dict[str, Any] = {"output": layout.sequence_out(results.output)}
    for name, states in (("h_n", results.h_n), ("c_n", results.c_n)):
        kept = [(suffix, state) for suffix, state in zip(suffixes(spec), states, strict=True) if state is not None]
        if not kept:
            continue
        if same_sizes(spec):
            outputs[name] = layout.state_out(np.stack([state for _, state in kept]))
        else:
            outputs |= {f"{name}{suffix}": layout.state_out(state[None])[0] for suffix, state in kept}
    return outputs if exact else {name: array.astype(np.float32) for name, array in outputs.items()}


def _yaml(data: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(pure=True)  # round trip: keeps the order of the fields
    yaml.default_flow_style = False
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()
