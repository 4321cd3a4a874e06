"""Finds a workload: a preset's name, a file's path, or written inline as `lstm:200,1000,t=70,b=1`."""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from archsim.config import Override, Overrides, as_overrides, load_document, parse_document, validate
from archsim.config.presets import PresetKind, find_file
from archsim.errors import Fault, WorkloadError, one_line
from archsim.workload.activity import Activity
from archsim.workload.activity_file import read_activity
from archsim.workload.config import WorkloadConfig
from archsim.workload.network import CellKind, MergeMode
from archsim.workload.recorded_activities import activity_path, recorded, workload_of
from archsim.workload.spec import Workload

_INLINE_FORM = (
    "kind:input,hidden[,t=steps][,b=batch][,layers=n][,bidirectional=1][,merge=sum][,proj=p][,streaming=1][,seed=n]"
    "[,delta=threshold or delta=of_x/of_h]; of streams also [,period_us=n][,streams=n][,offset_us=n][,jitter_us=n]"
    "[,deadline_us=n]; "
    "e.g. lstm:200,1000,t=70,b=1"
)
_INLINE_KEYS = {"t": "1", "b": "1", "layers": "1", "bidirectional": "0", "proj": "0", "streaming": "0", "seed": "0"}
_INLINE_KEYS |= {"merge": MergeMode.CONCAT.value}
_TIMES = ("period_us", "offset_us", "jitter_us", "deadline_us")
"""Keys of streams whose values are decimal numbers; they stand in the file under the same names, as `streams` does."""
_OF_STREAMS = ("streams", *_TIMES)
_DECIMAL = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,12})?")
_SHORT = {"layers": "l", "bidirectional": "bi", "merge": "", "proj": "p", "seed": "seed"}
"""How a value that is not the default stands in the workload's name."""
_THRESHOLD = r"[0-9]{1,7}(?:\.[0-9]{1,12})?(?:e-?[0-9])?"
_THRESHOLDS = re.compile(f"delta=(?P<x>{_THRESHOLD})(?:/(?P<h>{_THRESHOLD}))?")
_OF_FILES = {"steps": "t", "batch": "b", "num_layers": "layers", "merge_mode": "merge", "proj_size": "proj"}
"""What a workload file calls a key -> what it is called inline."""
_FLAGS = ("bidirectional", "streaming")
"""Keys that are 0 or 1."""


def load_workload(reference: str, overrides: Overrides = (), activity: Path | None = None) -> Workload:
    """Load the workload of a preset's name, a path, or an inline form; WorkloadError has all faults.

    `overrides`: fields with other values, as "steps=10".

    `activity`: a file of recorded activity, or the name of one that ships, instead of one that the workload names.
    """
    overrides = as_overrides(overrides, WorkloadError)
    activity = None if activity is None else activity_path(activity)
    if is_inline(reference):
        return _inline(reference, _with_activity(overrides, activity, Path()))
    path = find_file(PresetKind.WORKLOAD, reference, WorkloadError)
    overrides = _with_activity(overrides, activity, path.parent)
    config = validate(WorkloadConfig, load_document(path, WorkloadError), overrides, WorkloadError)
    return _workload(one_line(path.stem), reference, path.parent, config, overrides)


def is_inline(reference: str) -> bool:
    """Whether a workload is written as a kind and sizes, not named."""
    return ":" in reference and not reference.endswith((".yaml", ".yml"))


def _inline(reference: str, overrides: Sequence[Override]) -> Workload:
    kind, _, rest = reference.partition(":")
    if kind not in list(CellKind):
        raise _inline_error(reference, f"unknown kind '{kind[:20]}'; kinds: {', '.join(CellKind)}")
    parts = rest.split(",")
    thresholds = [part for part in parts if part.startswith("delta=")]
    of_streams = [part for part in parts if part.partition("=")[0] in _OF_STREAMS]
    values, sizes = _inline_values(reference, [part for part in parts if part not in (*thresholds, *of_streams)])
    arrivals = _inline_arrivals(reference, of_streams)
    input_size, hidden_size = sizes
    name = f"{kind}_{input_size}_{hidden_size}_t{values['t']}_b{values['b']}"
    name += "".join(f"_{short}{values[key]}" for key, short in _SHORT.items() if values[key] != _INLINE_KEYS[key])
    name += "_streaming" if values["streaming"] == "1" else ""
    name += "".join(f"_{key}{value}" for key, value in arrivals.items())
    name += "".join(f"_{part.replace('=', '').replace('/', '_')}" for part in thresholds)
    text = (
        f"summary: '{reference}'\nkind: {kind}\ninput_size: {input_size}\nhidden_size: {hidden_size}\n"
        f"num_layers: {values['layers']}\nproj_size: {values['proj']}\n"
        + "".join(f"{flag}: {'false' if values[flag] == '0' else 'true'}\n" for flag in _FLAGS)
        + _inline_delta(reference, thresholds)
        + "".join(f"{key}: {value}\n" for key, value in arrivals.items())
        + f"merge_mode: {values['merge']}\nsteps: {values['t']}\nbatch: {values['b']}\n"
        f"weights: {{seed: {values['seed']}}}\ninput: {{seed: {int(values['seed']) + 1}}}\n"
    )
    document = parse_document(text, reference, WorkloadError)
    config = validate(WorkloadConfig, document, overrides, WorkloadError)
    return _workload(name, reference, Path(), config, overrides)


def _with_activity(overrides: Sequence[Override], activity: Path | None, folder: Path) -> Sequence[Override]:
    """The overrides, and one that names the file of activity as the workload in `folder` would."""
    if activity is None:
        return overrides
    named = str(activity) if folder == Path() else os.path.relpath(activity, folder)
    return (*overrides, Override("activity", json.dumps(named)))


def _workload(
    name: str, reference: str, folder: Path, config: WorkloadConfig, overrides: Sequence[Override]
) -> Workload:
    """The workload, with the activity that its file names."""
    activity = None
    if config.activity is not None:
        shipped = recorded(config.activity)
        if shipped is not None and not (folder / config.activity).exists():
            config = config.model_copy(update={"activity": str(shipped.path)})
        activity = _activity(folder / str(config.activity), config)
    return Workload(name, reference, folder, config, _texts(overrides), activity)


def _activity(path: Path, config: WorkloadConfig) -> Activity:
    """The activity in a file; the error of a file that ships says which workload it is of."""
    try:
        return read_activity(path, config.layers(), config.steps)
    except WorkloadError as error:
        recorded_with = workload_of(path.resolve())
        if not recorded_with:
            raise
        raise WorkloadError(
            tuple(replace(fault, message=f"{fault.message}; it is of {recorded_with}") for fault in error.faults)
        ) from error


def _texts(overrides: Sequence[Override]) -> tuple[str, ...]:
    return tuple(f"{override.path}={override.value}" for override in overrides)


def _inline_delta(reference: str, thresholds: Sequence[str]) -> str:
    """The line of the thresholds that are given as "delta=0.125" or "delta=0.125/0.25"; "" if there are none."""
    if not thresholds:
        return ""
    if len(thresholds) > 1:
        raise _inline_error(reference, "'delta' is given twice")
    found = _THRESHOLDS.fullmatch(thresholds[0])
    if found is None:
        raise _inline_error(reference, f"cannot read '{thresholds[0][:40]}': a threshold is a number, as 0.125")
    return f"delta: {{x: {float(found['x'])}, h: {float(found['h'] or found['x'])}}}\n"


def _inline_arrivals(reference: str, parts: Sequence[str]) -> dict[str, str]:
    """The values of the keys of streams that are given, as plain numbers, in the order of _OF_STREAMS."""
    given: dict[str, str] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key in given:
            raise _inline_error(reference, f"'{key}' is given twice")
        if key in _TIMES and _DECIMAL.fullmatch(value) is None:
            at_least = "more than 0" if key == "period_us" else "at least 0"
            raise _inline_error(
                reference, f"cannot read '{part[:40]}': {key} is a time in us of {at_least}, a plain number as 12.5"
            )
        if key not in _TIMES and not (value.isascii() and value.isdigit()):
            raise _inline_error(reference, f"cannot read '{part[:40]}': {key} is a whole number")
        given[key] = f"{Decimal(value).normalize():f}" if key in _TIMES else str(int(value[:20]))
    return {key: given[key] for key in _OF_STREAMS if key in given}


def _meant(key: str, value: str, equals: str) -> str:
    """What was meant by an unknown key: a workload file's name of one, or the one that is written most like it.

    Of a key without a value, a flag: that it is there.
    """
    if not equals:
        return f"; did you mean '{key}=1'" if key in _FLAGS else ""
    known = {key: key for key in (*_INLINE_KEYS, "delta", *_OF_STREAMS)} | _OF_FILES
    close = difflib.get_close_matches(key[:40].lower(), known, n=1)
    return f"; did you mean '{known[close[0]]}={value[:20]}'" if close else ""


def _inline_values(reference: str, parts: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """The values of all keys but delta, and input and hidden size, as plain decimal numbers."""
    given: dict[str, str] = {}
    for part in parts[2:]:
        key, equals, value = part.partition("=")
        if not equals or key not in _INLINE_KEYS:
            raise _inline_error(reference, f"cannot read '{part[:40]}'{_meant(key, value, equals)}")
        if key in given:
            raise _inline_error(reference, f"'{key}' is given twice")
        given[key] = value
    values = _INLINE_KEYS | given
    if len(parts) < 2:
        raise _inline_error(reference, "input and hidden size are missing")
    merge = values["merge"]
    if merge not in list(MergeMode):
        raise _inline_error(reference, f"merge is one of {', '.join(MergeMode)}, not '{merge[:20]}'")
    for flag in _FLAGS:
        if values[flag] not in ("0", "1"):
            raise _inline_error(reference, f"{flag} is 0 or 1, not '{values[flag][:20]}'")
    numbers = {key: value for key, value in values.items() if key != "merge"}
    if not all(size.isascii() and size.isdigit() for size in (*parts[:2], *numbers.values())):
        raise _inline_error(reference, "sizes are whole numbers")
    plain = {key: str(int(value[:20])) for key, value in numbers.items()}
    return plain | {"merge": merge}, [str(int(size[:20])) for size in parts[:2]]


def _inline_error(reference: str, problem: str) -> WorkloadError:
    return WorkloadError((Fault(reference[:80], "", f"{problem}; expected {_INLINE_FORM}"),))
