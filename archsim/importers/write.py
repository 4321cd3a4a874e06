"""Writes imported layers as a workload: my.yaml and, beside it, my.safetensors."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from archsim.config import parse_document, validate
from archsim.config.files.one_writer import one_writer
from archsim.config.files.whole_files import write_together
from archsim.config.text import shorten
from archsim.errors import OutputError, WorkloadError
from archsim.formats.scaling import Method
from archsim.importers.chain import described, stack_codes, stack_ranges, stack_states, stack_tensors
from archsim.importers.codes import Array, coded_tensors
from archsim.importers.faults import fault, first_line
from archsim.importers.found import Float32Array, Found, FoundLayer, Refused
from archsim.workload.calibration import Calibration, Range, calibration_text
from archsim.workload.config import LayerConfig, WorkloadConfig
from archsim.workload.npy_header import npy_header

RANGES = ".ranges.yaml"
"""The end of the file with the scales of a quantized model."""

SUMMARY_LIMIT = 200


@dataclass(frozen=True, slots=True)
class InputSequence:
    """The input of a workload: `x` in torch's layout, or drawn from `seed` if None.

    `from_codes`: x was given as a quantized model's integers, and is what they stand for.
    """

    steps: int
    batch: int
    batch_first: bool
    batched: bool
    seed: int = 0
    x: Float32Array | None = None
    from_codes: bool = False


def read_input(
    path: Path, batch_first: bool, unbatched: bool, input_size: int, codes: Range | None = None
) -> InputSequence:
    """Read x of a .npy file: (T, B, I), (B, T, I) with `batch_first`, or (T, I); else WorkloadError.

    With the scale and zero point of a quantized model's x it may hold codes, integers of the format's range.
    """
    given = _read_npy(path, integers=codes is not None and codes.scale is not None)
    from_codes = given.dtype.kind != "f"
    x = _real(path, given, codes) if from_codes and codes is not None else np.asarray(given, np.float32)
    expected = "(B, T, I)" if batch_first else "(T, B, I)"
    if x.ndim not in (2, 3) or (unbatched and x.ndim != 2):
        allowed = "(T, I)" if unbatched else f"{expected} or (T, I)"
        raise fault(path, f"has shape {x.shape}, expected {allowed}")
    if x.shape[-1] != input_size or 0 in x.shape:
        raise fault(path, f"has shape {x.shape}, expected {input_size} features last and no empty dimension")
    if not np.isfinite(x).all():
        raise fault(path, "holds numbers that are not finite in float32")
    if x.ndim == 2:
        return InputSequence(x.shape[0], 1, batch_first, False, x=x, from_codes=from_codes)
    steps, batch = (x.shape[1], x.shape[0]) if batch_first else x.shape[:2]
    return InputSequence(steps, batch, batch_first, True, x=x, from_codes=from_codes)


def _real(path: Path, given: Array, codes: Range) -> Float32Array:
    """The numbers that codes stand for."""
    assert codes.scale is not None
    low, high = (round(end / codes.scale) + codes.zero for end in (codes.low, codes.high))
    if given.size and not low <= int(given.min()) <= int(given.max()) <= high:
        raise fault(path, f"holds codes from {given.min()} to {given.max()}, expected {low} .. {high} of the model's x")
    return ((given.astype(np.float64) - codes.zero) * codes.scale).astype(np.float32)


def _read_npy(path: Path, integers: bool) -> Array:
    """Read a .npy file of real numbers, as float32, or where they are allowed of integers.

    Its header is checked against the file's length before a number is read.
    """
    try:
        with path.open("rb") as file:
            shape, dtype, header = npy_header(file)
            size = os.fstat(file.fileno()).st_size
            whole = integers and dtype.kind in "iu"
            if not (dtype.kind == "f" or whole) or dtype.itemsize > 8:
                raise fault(path, f"holds {shorten(str(dtype))}, expected floating-point numbers")
            count = 1
            for length in shape:
                count *= length
            if header + count * dtype.itemsize != size:
                raise fault(path, f"its {size:,} bytes are not an array of shape {shape}")
            file.seek(0)
            with np.errstate(over="ignore"):
                found: Array = np.lib.format.read_array(file, allow_pickle=False)
                return np.ascontiguousarray(found, found.dtype if whole else np.float32)
    except OSError as error:
        raise fault(path, f"cannot be read: {error.strerror or error}") from error
    except (ValueError, SyntaxError, EOFError, TypeError, MemoryError) as error:
        raise fault(path, f"not a valid .npy file: {first_line(error)}") from error


def write_workload(
    found: Found, layers: tuple[FoundLayer, ...], sequence: InputSequence, out: Path, force: bool = False
) -> WorkloadConfig:
    """Write the workload and its tensors.

    OutputError if files are in the way (unless `force`), WorkloadError if it is not possible.
    """
    tensors: dict[str, Array] = dict(stack_tensors(layers))
    tensors |= dict(coded_tensors(stack_codes(layers)))
    try:
        states = stack_states(layers, sequence.batch)
    except Refused as error:
        raise fault(found.path, str(error)) from error
    tensors |= {name: state if sequence.batched else state[:, 0] for name, state in states.items()}
    if sequence.x is not None:
        tensors["input"] = sequence.x
    weights = out.with_suffix(".safetensors")
    ranges = _ranges(found, layers)
    saved = out.with_suffix(RANGES)
    fields = _fields(found, layers, sequence, weights.name, states)
    text = _yaml(fields | ({"calibration": {"file": saved.name}} if ranges else {}))
    _check_batch(found, layers, sequence)
    config = validate(WorkloadConfig, parse_document(text, str(out), WorkloadError), (), WorkloadError)
    from safetensors.numpy import save

    content = {weights: save(tensors)} | ({saved: ranges.encode()} if ranges else {}) | {out: text.encode()}
    _write(found.path, content, out, force)
    return config


def _ranges(found: Found, layers: tuple[FoundLayer, ...]) -> str:
    """The file of calibration with the scales that the model fixes; "" if it does not fix those of all its layers."""
    if not all(layer.ranges for layer in layers):
        return ""
    calibration = Calibration(Method.MAX, 99.9, Method.MAX, stack_ranges(layers))
    return calibration_text(calibration, f"Scales and zero points of {shorten(found.path.name, 100)}")


def _check_batch(found: Found, layers: tuple[FoundLayer, ...], sequence: InputSequence) -> None:
    if layers[0].sequence_lens is not None and len(layers[0].sequence_lens) != sequence.batch:
        what = f"its sequence_lens is for a batch of {len(layers[0].sequence_lens)}, but the input has {sequence.batch}"
        raise fault(found.path, what)


def _fields(
    found: Found, layers: tuple[FoundLayer, ...], sequence: InputSequence, weights: str, states: dict[str, Any]
) -> dict[str, Any]:
    """The workload file's content."""
    first, *others = [layer.config for layer in layers for _ in range(layer.num_layers)]
    same = next((number for number, config in enumerate(others) if config != first), len(others))
    of_input = {"seed": sequence.seed} if sequence.x is None else {"file": weights, "tensor": "input"}
    fields: dict[str, Any] = {
        "summary": _summary(found, layers),
        **_layer_fields(first),
        "input_size": layers[0].input_size,
        "num_layers": 1 + same,
        "next_layers": [_layer_fields(config) for config in others[same:]],
        "steps": sequence.steps,
        "batch": sequence.batch,
        "batch_first": sequence.batch_first,
        "batched": sequence.batched,
        "sequence_lens": list(layers[0].sequence_lens or ()),
        "weights": {"file": weights},
        "input": of_input,
        "initial_state": {"file": weights} if states else None,
    }
    defaults = {"num_layers": 1, "next_layers": [], "batch_first": False, "batched": True, "sequence_lens": []}
    defaults |= {"initial_state": None}
    return {name: value for name, value in fields.items() if name not in defaults or value != defaults[name]}


def _layer_fields(config: LayerConfig) -> dict[str, Any]:
    fields = config.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return {"kind": fields.pop("kind"), **fields}


def _summary(found: Found, layers: tuple[FoundLayer, ...]) -> str:
    """The line about the workload, as "LSTM(128, 128) from model.onnx, layer /recurrent/LSTM"."""
    what = f"{shorten(described(layers), 80)} from {shorten(found.path.name, 50)}"
    if len(layers) > 1:
        return f"{what}, {len(layers)} layers"
    name = layers[0].name
    left = SUMMARY_LIMIT - len(what) - len(", layer ")
    return f"{what}, layer {name if len(name) <= left else '...' + name[3 - left :]}"


def _yaml(data: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    text = io.StringIO()
    yaml.dump(data, text)
    return text.getvalue()


def _write(model: Path, content: dict[Path, bytes], out: Path, force: bool) -> None:
    """Write all files under temporary names, then move them into place, the workload last."""
    if out.suffix not in (".yaml", ".yml"):
        raise OutputError(f"{out}: expected a name that ends with .yaml")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
    with one_writer(out):  # else the tensors of one model might stand beside the workload of another
        _write_alone(model, content, out, force)


def _write_alone(model: Path, content: dict[Path, bytes], out: Path, force: bool) -> None:
    for path in (out, *content):
        if path.resolve() == model.resolve():
            raise OutputError(f"{path}: is the model itself; choose another --out")
        if path.is_dir():
            raise OutputError(f"{path}: is a directory, expected a file")
        if not force and (path.exists() or path.is_symlink()):
            raise OutputError(f"{path}: exists already; choose another --out, or replace it with --force")
    try:
        write_together(content)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
