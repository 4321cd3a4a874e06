"""Makes a layer in torch's layout from the cells of a Keras recurrent layer.

Source: the build() and call() of Keras' LSTMCell, GRUCell and SimpleRNNCell (2.15 and 3). Columns of kernel (I, G H)
and recurrent_kernel (H, G H) are the gates i, f, c, o (LSTM) and z, r, h (GRU). There is one bias; a GRU with
reset_after has two, in a (2, 3 H) tensor: the input's and the recurrent one. CuDNNLSTM and CuDNNGRU (Keras 2.0 to 2.3)
keep two biases in a row, and each gate's kernels transposed: see _convert_rnn_weights in their engine/saving.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from archsim.config.text import shown
from archsim.importers.found import Float32Array, FoundLayer, Refused, float32, layer_config
from archsim.importers.keras.keras_config import KerasLayer
from archsim.workload.network import RECURRENT_KINDS, CellKind, MergeMode

TORCH_GATES = {CellKind.LSTM: (0, 1, 2, 3), CellKind.GRU: (1, 0, 2), CellKind.RNN: (0,)}
"""Where torch's gates stand in Keras' order."""

_SAME_NAME = frozenset({"sigmoid", "tanh", "relu", "softsign", "softplus", "elu"})
_DEFAULTS = {"activation": "tanh", "recurrent_activation": "sigmoid"}


@dataclass(frozen=True, slots=True)
class KerasCell:
    """The tensors of a cell as the file has them."""

    kernel: Float32Array
    recurrent: Float32Array
    bias: Float32Array | None

    @property
    def kind(self) -> CellKind:
        """The kind of cell, by the shape of the recurrent kernel (H, G H)."""
        if self.kernel.ndim != 2 or self.recurrent.ndim != 2:
            raise Refused("its kernels have one dimension, expected two")
        hidden, columns = self.recurrent.shape
        kinds = {kind.gates: kind for kind in RECURRENT_KINDS}
        if not hidden or columns % hidden or columns // hidden not in kinds or self.kernel.shape[1] != columns:
            shapes = f"{list(self.kernel.shape)} and {list(self.recurrent.shape)}"
            raise Refused(f"its kernels have shapes {shapes}, which is no LSTM, GRU or SimpleRNN")
        return kinds[columns // hidden]

    def plain(self) -> KerasCell:
        """The cell in the layout of LSTM and GRU, if it is one of CuDNNLSTM or CuDNNGRU: its bias has two in a row."""
        kind = self.kind
        rows = self.kernel.shape[1]
        if kind is CellKind.RNN or self.bias is None or self.bias.shape != (2 * rows,):
            return self
        kernels = [np.ascontiguousarray(gate).reshape(gate.shape[::-1]).T for gate in _gates(self.kernel, kind)]
        recurrent = np.concatenate([gate.T for gate in _gates(self.recurrent, kind)], axis=1)
        both = self.bias.reshape(2, rows)
        return KerasCell(
            np.concatenate(kernels, axis=1), recurrent, both if kind is CellKind.GRU else both[0] + both[1]
        )


def _gates(kernel: Float32Array, kind: CellKind) -> list[Float32Array]:
    return np.split(kernel, kind.gates, axis=1)


def keras_layer(
    name: str, cells: list[KerasCell], layer: KerasLayer | None, version: str, relu: str | None
) -> FoundLayer:
    """The layer of one cell, or of a forward and a backward one.

    `layer` is its configuration if the file has one.
    """
    cells = [cell.plain() for cell in cells]
    first = cells[0]
    kind, hidden = first.kind, first.recurrent.shape[0]
    if any(cell.kernel.shape != first.kernel.shape or cell.recurrent.shape != first.recurrent.shape for cell in cells):
        raise Refused("its directions have different sizes")
    if any((cell.bias is None) != (first.bias is None) for cell in cells):
        raise Refused("one direction has a bias and the other has none")
    if layer is not None:
        _agrees(layer, kind, hidden, first.bias is not None)
    options: list[Mapping[str, Any]] = [{}] if layer is None else [layer.options]
    if len(cells) == 2 and layer is not None:
        options.append(layer.backward or {})
    resets = {_reset_after(kind, cell, given) for cell, given in zip(cells, options * 2, strict=False)}
    if len(resets) > 1:
        raise Refused("reset_after differs between its directions")
    config = layer_config(
        kind=kind,
        hidden_size=hidden,
        bias=first.bias is not None,
        bidirectional=len(cells) == 2,
        merge_mode=MergeMode.CONCAT if layer is None or len(cells) == 1 else layer.merge_mode,
        reverse=len(cells) == 1 and bool(options[0].get("go_backwards")),
        linear_before_reset=resets.pop(),
        **_functions(kind, options, version, relu),
    )
    tensors: dict[str, Float32Array] = {}
    for place, cell in enumerate(cells):
        suffix = "_l0_reverse" if place else "_l0"
        tensors |= {f"{what}{suffix}": tensor for what, tensor in _torch_tensors(cell, kind, hidden).items()}
    return FoundLayer(
        name,
        config,
        first.kernel.shape[0],
        tensors,
        batch_first=not options[0].get("time_major", False),
        notes=_notes(layer, config.reverse, config.bidirectional, kind, relu),
        input_from="" if layer is None else layer.source_words,
    )


def _agrees(layer: KerasLayer, kind: CellKind, hidden: int, bias: bool) -> None:
    """Raise Refused if configuration and weights contradict each other."""
    if layer.kind != kind.value:
        raise Refused(f"is {layer.kind} in the configuration, but its weights are those of {kind.value}")
    units = layer.options.get("units", hidden)
    if units != hidden:
        raise Refused(f"has {shown(units)} units in the configuration, but weights for {hidden:,}")
    if layer.options.get("use_bias", bias) != bias:
        raise Refused("use_bias in the configuration and its weights contradict each other")


def _reset_after(kind: CellKind, cell: KerasCell, options: Mapping[str, Any]) -> bool:
    """Whether a GRU resets after the product: the bias's shape shows it, else the configuration or the default."""
    if kind is not CellKind.GRU:
        return True
    given = options.get("reset_after")
    shown_by_bias = None if cell.bias is None else cell.bias.ndim == 2
    if given is not None and shown_by_bias is not None and bool(given) != shown_by_bias:
        raise Refused("reset_after in the configuration and the shape of its bias contradict each other")
    if shown_by_bias is not None:
        return shown_by_bias
    return True if given is None else bool(given)


def _functions(kind: CellKind, options: list[Mapping[str, Any]], version: str, relu: str | None) -> dict[str, Any]:
    """The activation functions, if they are not PyTorch's."""
    fields = []
    for given in options:
        cell = _function(given.get("activation", relu or "tanh" if kind is CellKind.RNN else "tanh"), version)
        gate = _function(given.get("recurrent_activation", "sigmoid"), version)
        fields += {CellKind.LSTM: [gate, cell, cell], CellKind.GRU: [gate, cell], CellKind.RNN: [cell]}[kind]
    defaults = [{"name": function.name} for function in kind.functions] * len(options)
    if fields == defaults:
        return {}
    if kind is CellKind.RNN and all(function == {"name": "relu"} for function in fields):
        return {"nonlinearity": "relu"}
    return {"activations": tuple(fields)}


def _function(name: object, version: str) -> dict[str, Any]:
    """The ONNX function for one of Keras.

    hard_sigmoid was 0.2 x + 0.5 in Keras 1 and 2 and is relu6(x + 3) / 6 in Keras 3.
    """
    if isinstance(name, str) and name in _SAME_NAME:
        return {"name": name}
    if name in ("linear", None):
        return {"name": "affine", "alpha": 1.0, "beta": 0.0}
    if name == "hard_sigmoid" and version[:2] in ("1.", "2."):
        return {"name": "hardsigmoid", "alpha": 0.2, "beta": 0.5}
    if name == "hard_sigmoid" and version[:2] == "3.":
        return {"name": "hardsigmoid", "alpha": 1 / 6, "beta": 0.5}
    if name == "hard_sigmoid":
        raise Refused("uses hard_sigmoid, which depends on Keras' version, and the file has no keras_version")
    raise Refused(f"its activation {shown(name)} is not supported")


def _notes(layer: KerasLayer | None, reverse: bool, both: bool, kind: CellKind, relu: str | None) -> tuple[str, ...]:
    notes = () if layer is None else layer.notes
    if layer is None:
        chosen = relu if kind is CellKind.RNN and relu else "tanh"
        taken = chosen if kind is CellKind.RNN else f"sigmoid and {chosen}"
        sides = ", outputs side by side" if both else ""
        notes += (f"the file has no configuration: Keras' defaults are taken ({taken}, no go_backwards{sides})",)
    if reverse:
        notes += ("go_backwards: Keras gives its last step first, the workload's output is in the input's order",)
    return notes


def _torch_tensors(cell: KerasCell, kind: CellKind, hidden: int) -> dict[str, Float32Array]:
    """The cell's tensors under torch's names (without layer and direction)."""
    order = TORCH_GATES[kind]
    tensors = {
        "weight_ih": _rows(cell.kernel.T, order, hidden),
        "weight_hh": _rows(cell.recurrent.T, order, hidden),
    }
    if cell.bias is not None:
        rows = kind.gates * hidden
        if cell.bias.shape not in ((rows,), (2, rows)) or (cell.bias.ndim == 2 and kind is not CellKind.GRU):
            raise Refused(f"its bias has shape {list(cell.bias.shape)}, expected [{rows}]")
        both = cell.bias if cell.bias.ndim == 2 else np.stack([cell.bias, np.zeros_like(cell.bias)])
        tensors |= {"bias_ih": _rows(both[0], order, hidden), "bias_hh": _rows(both[1], order, hidden)}
    return {what: float32(what, tensor) for what, tensor in tensors.items()}


def _rows(rows: Float32Array, order: tuple[int, ...], hidden: int) -> Float32Array:
    return np.concatenate([rows[gate * hidden : (gate + 1) * hidden] for gate in order])
