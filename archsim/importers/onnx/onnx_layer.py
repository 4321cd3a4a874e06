"""Makes a layer in torch's layout from one LSTM, GRU or RNN operator of ONNX.

Source: the ONNX operators LSTM, GRU and RNN, versions 7 to 22. Rows of W, R and B are iofc (LSTM) and zrh (GRU),
torch's are i, f, g, o and r, z, n; B is the input's biases and then the recurrent ones; peepholes are iof, ours ifo.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from archsim.config.text import shown
from archsim.importers.codes import Codes
from archsim.importers.found import Float32Array, FoundLayer, Refused, Shape, float32, layer_config
from archsim.importers.onnx.onnx_graph import Proto, Scope, attributes
from archsim.importers.onnx.onnx_options import layer_options
from archsim.importers.onnx.onnx_quantized import (
    DYNAMIC_NOTE,
    QUANTIZED_INPUTS,
    QuantizedWeight,
    behind_dequantize,
    dynamic_weights,
    input_note,
    is_dynamic,
    words,
)
from archsim.importers.onnx.onnx_states import initial_states
from archsim.importers.onnx.onnx_values import Array, NotConstant, constant
from archsim.workload.config import LayerConfig
from archsim.workload.network import CellKind

OPERATORS = {"LSTM": CellKind.LSTM, "GRU": CellKind.GRU, "RNN": CellKind.RNN}
INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")

TORCH_GATES = {CellKind.LSTM: (0, 2, 3, 1), CellKind.GRU: (1, 0, 2), CellKind.RNN: (0,)}
"""Where torch's gates stand in ONNX's order."""
OUR_PEEPHOLES = (0, 2, 1)


def onnx_layer(scope: Scope, node: Proto, name: str) -> FoundLayer:
    """The layer of the node; Refused if anything about it is not supported."""
    dynamic = is_dynamic(node)
    kind = CellKind.LSTM if dynamic else OPERATORS[node.op_type]
    allowed = (*INPUTS, *QUANTIZED_INPUTS) if dynamic else INPUTS if kind is CellKind.LSTM else INPUTS[:6]
    if len(node.input) > len(allowed):
        raise Refused(f"has {len(node.input)} inputs, expected at most {len(allowed)}")
    inputs = {key: value for key, value in zip(allowed, node.input, strict=False) if value}
    for needed in ("X", "W", "R"):
        if needed not in inputs:
            raise Refused(f"its input {needed} is missing")
    options, layout = layer_options(kind, attributes(node))
    declared = options.pop("hidden_size", None)
    directions = 2 if options.get("bidirectional") else 1
    quantized = dynamic_weights(scope, inputs) if dynamic else _behind_dequantize(scope, inputs)
    weights = _weights(scope, inputs, kind, directions, declared, quantized)
    hidden, size = weights["R"].shape[2], weights["W"].shape[2]
    config = layer_config(kind=kind, hidden_size=hidden, bias="B" in inputs, peepholes="P" in inputs, **options)
    states = initial_states(scope, inputs, (directions, hidden), layout)
    lengths, more = _lengths(scope, inputs)
    batches = set() if states.any_batch else {state.shape[1] for state in states.given.values()}
    if lengths is not None and batches - {len(lengths)}:
        raise Refused("its sequence_lens and its initial state are for different numbers of sequences")
    codes = torch_codes(quantized, config)
    rounded = input_note(scope, inputs["X"])
    more = [*more, *([words(codes)] if codes else []), *([DYNAMIC_NOTE] if dynamic else []), *filter(None, [rounded])]
    return FoundLayer(
        name,
        config,
        size,
        torch_tensors(weights, config),
        codes=codes,
        batch_first=layout == 1,
        sequence_lens=lengths,
        h_0=states.given.get("initial_h"),
        c_0=states.given.get("initial_c"),
        any_batch=states.any_batch,
        notes=(*states.notes, *more),
    )


def _weights(
    scope: Scope,
    inputs: Mapping[str, str],
    kind: CellKind,
    directions: int,
    declared: int | None,
    quantized: Mapping[str, QuantizedWeight],
) -> dict[str, Array]:
    """The tensors W, R, B and P, of the shapes that the specification gives."""
    weights = {
        key: quantized[key].real if key in quantized else _weight(scope, key, inputs[key])
        for key in ("W", "R", "B", "P")
        if key in inputs
    }
    if weights["W"].ndim != 3 or weights["R"].ndim != 3:
        raise Refused("its weights W and R must have three dimensions")
    hidden, size = weights["R"].shape[2], weights["W"].shape[2]
    if declared is not None and declared != hidden:
        raise Refused(f"its hidden_size is {declared:,}, but R is for {hidden:,} units")
    rows = kind.gates * hidden
    shapes: dict[str, Shape] = {
        "W": (directions, rows, size),
        "R": (directions, rows, hidden),
        "B": (directions, 2 * rows),
        "P": (directions, 3 * hidden),
    }
    for key, weight in weights.items():
        if weight.shape != shapes[key]:
            raise Refused(f"its {key} has shape {list(weight.shape)}, expected {list(shapes[key])}")
        if 0 in weight.shape:
            raise Refused(f"its {key} has no numbers")
    return weights


def _behind_dequantize(scope: Scope, inputs: Mapping[str, str]) -> dict[str, QuantizedWeight]:
    """The weights W and R that are codes behind DequantizeLinear."""
    found = {}
    for key in ("W", "R"):
        try:
            weight = behind_dequantize(scope, inputs[key])
        except NotConstant as error:
            raise Refused(f"its weights {key} are {error}, not constants") from error
        if weight is not None:
            found[key] = weight
    return found


def torch_codes(quantized: Mapping[str, QuantizedWeight], config: LayerConfig) -> dict[str, Codes]:
    """The codes of W and R of all directions under torch's names, gates in torch's order."""
    rows = np.arange(config.kind.gates * config.hidden_size)
    order = _reordered(rows, TORCH_GATES[config.kind], config.hidden_size)
    names = {"W": "weight_ih", "R": "weight_hh"}
    return {
        f"{names[key]}_l0" + ("_reverse" if place else ""): codes.rows(order)
        for key, weight in quantized.items()
        for place, codes in enumerate(weight.codes)
    }


def _weight(scope: Scope, key: str, value: str) -> Array:
    try:
        weight = constant(scope, value)
    except NotConstant as error:
        raise Refused(f"its weights {key} are {error}, not constants") from error
    if weight.dtype.kind != "f":
        raise Refused(f"its weights {key} are {weight.dtype}, expected floating-point numbers")
    return weight


def torch_tensors(weights: Mapping[str, Array], config: LayerConfig) -> dict[str, Float32Array]:
    """The tensors W, R, B and P of all directions under torch's names, gates in torch's order."""
    gates, hidden = config.kind.gates, config.hidden_size
    order = TORCH_GATES[config.kind]
    tensors: dict[str, Float32Array] = {}
    for place in range(len(weights["W"])):
        blocks = {
            "weight_ih": _reordered(weights["W"][place], order, hidden),
            "weight_hh": _reordered(weights["R"][place], order, hidden),
        }
        if "B" in weights:
            both = weights["B"][place]
            blocks["bias_ih"] = _reordered(both[: gates * hidden], order, hidden)
            blocks["bias_hh"] = _reordered(both[gates * hidden :], order, hidden)
        if "P" in weights:
            blocks["peephole"] = _reordered(weights["P"][place], OUR_PEEPHOLES, hidden)
        suffix = "_l0_reverse" if place else "_l0"
        tensors |= {f"{key}{suffix}": float32(key, block) for key, block in blocks.items()}
    return tensors


def _reordered(rows: Array, order: tuple[int, ...], hidden: int) -> Array:
    return np.concatenate([rows[gate * hidden : (gate + 1) * hidden] for gate in order])


def _lengths(scope: Scope, inputs: Mapping[str, str]) -> tuple[tuple[int, ...] | None, list[str]]:
    if "sequence_lens" not in inputs:
        return None, []
    try:
        lengths = constant(scope, inputs["sequence_lens"])
    except NotConstant as error:
        return None, [f"sequence_lens is {error}: the workload runs all sequences to the end"]
    if lengths.dtype.kind != "i" or lengths.ndim != 1 or not lengths.size or lengths.min() < 1:
        raise Refused(f"its sequence_lens {shown(lengths.ravel()[:8].tolist())} are not one whole number above 0 each")
    return tuple(lengths.tolist()), []
