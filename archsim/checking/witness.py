"""Runs a functional model of the user's own as a witness: a Python callable, or a command that reads and writes files.

The model gets everything that the run computes from, and gives any of the results that a file of expected results may
hold; what it gives is compared by the same rules.
"""

from __future__ import annotations

import importlib
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.config.text import one_line
from archsim.errors import Fault, WorkloadError
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding, IntegerFormat
from archsim.workload import Workload
from archsim.workload.config import ExpectedSource
from archsim.workload.expected import Expected, load_expected
from archsim.workload.layout import Layout
from archsim.workload.network import suffixes

Array = npt.NDArray[Any]

INPUTS, OUTPUTS = "inputs.npz", "outputs.npz"
"""The files of a command: they take the places of {inputs} and {outputs}, or stand behind it."""

TIMEOUT_S = 600
"""Seconds that a command may take."""

_TENSORS = {
    "weight_ih": "dram.W_ih",
    "weight_hh": "dram.W_hh",
    "weight_hr": "dram.W_hr",
    "peephole": "dram.peephole",
    "layer_norm": "dram.layer_norm",
    "bias_ih": "",
    "bias_hh": "",
}
"""A cell's tensors, and the buffers that hold their codes."""
_STATES = ("h", "c")


@dataclass(frozen=True, slots=True)
class Witness:
    """A model of the user's: `call` is module:function, or a command; and how near a run must be to what it gives.

    Without a tolerance the rules are those of results in a file.
    """

    call: str
    tolerance: float | None = None
    within_codes: int | None = None


def run_witness(witness: Witness, workload: Workload, numbers: Numbers) -> Expected:
    """What the user's model gives for a run's numbers; WorkloadError if it fails, or gives no results."""
    inputs = witness_inputs(workload, numbers)
    with tempfile.TemporaryDirectory(prefix="archsim-witness-") as name:
        folder = Path(name)
        if _is_callable(witness.call):
            np.savez(folder / OUTPUTS, **dict[str, Any](_called(witness.call, inputs)))
        else:
            np.savez(folder / INPUTS, **dict[str, Any](inputs))
            _executed(witness.call, folder)
        return _results(witness, workload, numbers, folder)


def witness_inputs(workload: Workload, numbers: Numbers) -> dict[str, Array]:
    """What the model gets, by name.

    `input` in the workload's layout; h_0_l0 (B, P), c_0_l0 (B, H), and the weights under torch's names, of every cell,
    as real numbers; `lengths`, if sequences end. Where the machine has integers, the codes that it has, and what they
    stand for: input_codes, input_scale, input_zero; weight_ih_l0_codes and _scale (a number, or one for each row), and
    so on; the scales and zero points of its h and c, h_l0_scale, h_l0_zero, c_l0_scale.
    """
    config, spec, tensors = workload.config, numbers.spec, numbers.tensors
    layout = Layout(config.batch_first, config.batched)
    found: dict[str, Array] = {"input": np.ascontiguousarray(layout.sequence_out(tensors.x))}
    found |= _as_codes("input", found["input"], None, numbers.encodings["dram.x"])
    if spec.lengths is not None:
        found["lengths"] = np.array(spec.lengths)
    for cell, suffix, prefix in zip(tensors.cells, suffixes(spec), cell_prefixes(spec), strict=True):
        found |= {f"h_0{suffix}": cell.h_0} | ({} if cell.c_0 is None else {f"c_0{suffix}": cell.c_0})
        for name, buffer in _TENSORS.items():
            values = getattr(cell, name)
            if values is None:
                continue
            found[name + suffix] = values
            if buffer:
                codes = cell.coded[name].codes if name in cell.coded else None
                found |= _as_codes(name + suffix, values, codes, numbers.encodings[prefix + buffer])
        for name in _STATES:
            if prefix + name in numbers.encodings:
                found |= _scale(name + suffix, numbers.encodings[prefix + name])
    return found


def _as_codes(name: str, values: Array, codes: Array | None, encoding: Encoding) -> dict[str, Array]:
    """The codes of a tensor, those of the file if it has any, and what they stand for; nothing of real numbers."""
    if not isinstance(encoding.format, IntegerFormat):
        return {}
    stored = encoding.encoded(values)[0] if codes is None else codes + encoding.zero
    return {f"{name}_codes": stored, **_scale(name, encoding)}


def _scale(name: str, encoding: Encoding) -> dict[str, Array]:
    if not isinstance(encoding.format, IntegerFormat):
        return {}
    scale = np.asarray(encoding.scale, np.float64)
    return {f"{name}_scale": scale.ravel() if scale.ndim else scale, f"{name}_zero": np.asarray(encoding.zero)}


def _is_callable(witness: str) -> bool:
    """Whether a witness is a Python function, as module:function; anything else is a command."""
    module, colon, function = witness.partition(":")
    return bool(colon) and function.isidentifier() and all(part.isidentifier() for part in module.split("."))


def _called(witness: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
    module, _, name = witness.partition(":")
    sys.path.insert(0, str(Path.cwd()))
    try:
        function = getattr(importlib.import_module(module), name)
        given = function({key: array.copy() for key, array in inputs.items()})
    except Exception as error:  # whatever the user's code raises
        raise _fault(witness, f"failed: {type(error).__name__}: {one_line(str(error))[:300]}") from error
    finally:
        sys.path.remove(str(Path.cwd()))
    if not isinstance(given, Mapping) or not all(isinstance(key, str) for key in given):
        raise _fault(witness, f"gave a {type(given).__name__}, expected a dict of arrays by name (output, h_n, ...)")
    arrays = {key: np.asarray(value) for key, value in given.items()}
    strange = [key for key, array in arrays.items() if array.dtype.kind not in "fiu"]
    if strange:
        raise _fault(witness, f"gave {strange[0][:40]} as {arrays[strange[0]].dtype}, expected numbers")
    return arrays


def _executed(witness: str, folder: Path) -> None:
    """Run the command; the names of both files take the places of {inputs} and {outputs}, or stand behind it."""
    files = {"{inputs}": str(folder / INPUTS), "{outputs}": str(folder / OUTPUTS)}
    try:
        words = shlex.split(witness)
    except ValueError as error:
        raise _fault(witness, f"cannot be read as a command: {error}") from error
    if not words:
        raise _fault(witness, "expected module:function, or a command")
    placed = any(mark in word for word in words for mark in files)
    for mark, file in files.items():
        words = [word.replace(mark, file) for word in words]
    try:
        done = subprocess.run(
            [*words, *([] if placed else files.values())], capture_output=True, timeout=TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise _fault(witness, f"did not end within {TIMEOUT_S} s") from error
    except OSError as error:
        raise _fault(witness, f"cannot be started: {error.strerror or error}") from error
    if done.returncode:
        lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines() or ["nothing on stderr"]
        raise _fault(witness, f"ended with {done.returncode}: {one_line(lines[-1])[:300]}")
    if not (folder / OUTPUTS).is_file():
        raise _fault(witness, "wrote no file of results; the second file's name that it gets is that of its .npz")


def _results(witness: Witness, workload: Workload, numbers: Numbers, folder: Path) -> Expected:
    """The results in the folder, with the tolerances that the user states."""
    source = ExpectedSource(file=OUTPUTS, tolerance=witness.tolerance, within_codes=witness.within_codes)
    config = workload.config.model_copy(update={"expected": source, "task": None})
    layout = Layout(config.batch_first, config.batched)
    try:
        found = load_expected(replace(workload, folder=folder, config=config), numbers.spec, layout, None)
    except WorkloadError as error:
        faults = tuple(Fault(_shown(witness.call), fault.path, fault.message) for fault in error.faults)
        raise WorkloadError(faults) from error
    assert found is not None
    return found


def _shown(witness: str) -> str:
    return f"--witness {one_line(witness)[:80]}"


def _fault(witness: str, message: str) -> WorkloadError:
    return WorkloadError((Fault(_shown(witness), "", message),))
