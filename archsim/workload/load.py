"""Finds a workload: a preset's name, a file's path, or written inline as `lstm:200,1000,t=70,b=1`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from archsim.config import Override, load_document, parse_document, validate
from archsim.config.presets import PresetKind, find_file
from archsim.errors import Fault, WorkloadError
from archsim.workload.config import WorkloadConfig
from archsim.workload.spec import Workload

_INLINE_FORM = "kind:input,hidden[,t=steps][,b=batch][,seed=n], e.g. lstm:200,1000,t=70,b=1"
_INLINE_KEYS = {"t": "1", "b": "1", "seed": "0"}


def load_workload(reference: str, overrides: Sequence[Override] = ()) -> Workload:
    """The workload of a preset's name, a path, or an inline form; WorkloadError has all faults at once."""
    if ":" in reference and not reference.endswith((".yaml", ".yml")):
        return _inline(reference, overrides)
    path = find_file(PresetKind.WORKLOAD, reference, WorkloadError)
    config = validate(WorkloadConfig, load_document(path, WorkloadError), overrides, WorkloadError)
    return Workload(path.stem, reference, path.parent, config)


def _inline(reference: str, overrides: Sequence[Override]) -> Workload:
    kind, _, rest = reference.partition(":")
    parts = rest.split(",")
    values = dict(_INLINE_KEYS)
    for part in parts[2:]:
        key, equals, value = part.partition("=")
        if not equals or key not in values:
            raise _inline_error(reference, f"cannot read '{part}'")
        values[key] = value
    if len(parts) < 2:
        raise _inline_error(reference, "input and hidden size are missing")
    sizes = (*parts[:2], *values.values())
    if not all(size.isascii() and size.isdigit() for size in sizes):
        raise _inline_error(reference, "sizes are whole numbers")
    if kind != "lstm":
        raise _inline_error(reference, f"unknown kind '{kind}'; kinds: lstm")
    input_size, hidden_size, steps, batch, seed = (str(int(size[:20])) for size in sizes)
    name = f"lstm_{input_size}_{hidden_size}_t{steps}_b{batch}" + (f"_seed{seed}" if seed != "0" else "")
    text = (
        f"summary: '{reference}'\nkind: lstm\ninput_size: {input_size}\nhidden_size: {hidden_size}\n"
        f"steps: {steps}\nbatch: {batch}\nweights: {{seed: {seed}}}\ninput: {{seed: {int(seed) + 1}}}\n"
    )
    document = parse_document(text, reference, WorkloadError)
    config = validate(WorkloadConfig, document, overrides, WorkloadError)
    return Workload(name, reference, Path(), config)


def _inline_error(reference: str, problem: str) -> WorkloadError:
    return WorkloadError((Fault(reference[:80], "", f"{problem}; expected {_INLINE_FORM}"),))
