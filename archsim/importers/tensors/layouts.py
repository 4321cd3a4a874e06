"""Recognizes cells under others' names: fused Linear layers, a matrix for each gate, Flax, and TensorFlow 1's kernels.

None of these names says all that must be known. What is taken for granted stands in a note at the layer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from archsim.importers.found import Shape
from archsim.importers.tensors.recipe import TORCH_GATES, Recipe
from archsim.workload.network import RECURRENT_KINDS, CellKind

_SHORT = re.compile(
    r"(?P<prefix>.*?)[._/]?(?P<what>w|weight|weights|b|bias)_(?P<of>ih|hh)(?P<place>(?:_l[0-9]{1,4})?(?:_reverse)?)",
    re.DOTALL,
)
_FUSED = (("x2h", "h2h"), ("i2h", "h2h"), ("ih", "hh"), ("input_to_hidden", "hidden_to_hidden"), ("W", "U"))
_GATES = {"i": "i", "f": "f", "g": "g", "c": "g", "j": "g", "o": "o", "r": "r", "z": "z", "u": "z", "n": "n"}
_PER_GATE = re.compile(
    r"(?P<prefix>(?:.*?[._/])??)(?P<side>W_i|W_h|W_x|b_i|b_h|U_|W_|b_|U|W|b|i|h)(?P<gate>[ifgcjorzun])"
    r"(?P<leaf>(?:[./](?:weight|bias|kernel))?)",
    re.DOTALL,
)
_TF1 = re.compile(r"(?P<prefix>(?:.*/)?(?P<cell>basic_lstm_cell|lstm_cell|basic_rnn_cell|gru_cell))/", re.DOTALL)
ORDER_NOTE = "the file does not say the order of the gates: torch's is taken ({}); --map FILE says another"


def torch_names(shapes: Mapping[str, Shape], known: re.Pattern[str]) -> dict[str, str]:
    """The names under which torch would keep tensors that are called enc_w_ih or enc.weights_hh_l0, by their own."""
    renamed = {}
    for name in shapes:
        match = _SHORT.fullmatch(name)
        if match is not None and not known.fullmatch(name):
            what = "bias" if match["what"] in ("b", "bias") else "weight"
            prefix = f"{match['prefix']}." if match["prefix"] else ""
            renamed[name] = f"{prefix}{what}_{match['of']}{match['place']}"
    return renamed


def recognized(shapes: Mapping[str, Shape]) -> dict[str, Recipe]:
    """The cells whose names and shapes fit a known layout, by the layer's name."""
    found: dict[str, Recipe] = {}
    for way in (_fused, _per_gate, _tf1):
        for name, recipe in way(shapes):
            if not any(recipe.names & other.names for other in found.values()):
                found.setdefault(name.rstrip("._/") or "cell", recipe)
    return found


def _kind_of(rows: int, columns: int) -> CellKind | None:
    kinds = {kind.gates: kind for kind in RECURRENT_KINDS}
    return kinds.get(rows // columns) if columns and rows % columns == 0 else None


def _fused(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, Recipe]]:
    """Two Linear layers of all gates: gates = x2h(x) + h2h(h)."""
    for name, shape in shapes.items():
        for first, second in _FUSED:
            end = f"{second}.weight"
            if not name.endswith(end) or name[: -len(end)][-1:] not in ("", ".", "/", "_") or len(shape) != 2:
                continue
            prefix = name[: -len(end)]
            kind = _kind_of(*shape)
            if kind is None or f"{prefix}{first}.weight" not in shapes:
                continue
            biases = [f"{prefix}{part}.bias" for part in (first, second)]
            yield (
                prefix,
                Recipe(
                    kind,
                    TORCH_GATES[kind],
                    weight_ih=(f"{prefix}{first}.weight",),
                    weight_hh=(name,),
                    bias_ih=(biases[0],) if biases[0] in shapes else (),
                    bias_hh=(biases[1],) if biases[1] in shapes else (),
                    notes=() if kind is CellKind.RNN else (_order_note(kind),),
                ),
            )


def _order_note(kind: CellKind) -> str:
    return ORDER_NOTE.format(", ".join(TORCH_GATES[kind]))


def _per_gate(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, Recipe]]:
    """A matrix for each gate: W_ii and W_hi, W_xi and W_hi, W_i and U_i, or Flax's ii and hi, bare or as Linear."""
    cells: dict[tuple[str, str], dict[tuple[str, str], str]] = {}
    for name in shapes:
        match = _PER_GATE.fullmatch(name)
        if match is None:
            continue
        side, leaf = match["side"], match["leaf"].lstrip("./")
        if side in ("i", "h") and not leaf:
            continue  # two letters alone are no name of a weight
        what = f"{side} bias" if leaf == "bias" else side
        cells.setdefault((match["prefix"], leaf or "bare"), {})[what, _GATES[match["gate"]]] = name
    yield from _cells_per_gate(cells, shapes)


def _cells_per_gate(
    cells: Mapping[tuple[str, str], Mapping[tuple[str, str], str]], shapes: Mapping[str, Shape]
) -> Iterator[tuple[str, Recipe]]:
    for (prefix, style), given in cells.items():
        if style == "bias":
            continue
        whole = {**cells.get((prefix, "bias"), {}), **given}
        for inputs, hidden in (("W_i", "W_h"), ("W_x", "W_h"), ("W_", "U_"), ("W", "U"), ("i", "h")):
            for kind in (CellKind.LSTM, CellKind.GRU):
                recipe = _of_gates(whole, style, inputs, hidden, kind, shapes)
                if recipe is not None:
                    yield prefix, recipe


def _of_gates(
    given: Mapping[tuple[str, str], str],
    style: str,
    inputs: str,
    hidden: str,
    kind: CellKind,
    shapes: Mapping[str, Shape],
) -> Recipe | None:
    """The recipe of a cell with all gates' matrices; None if one is missing, or nothing says which way they lie."""
    gates = TORCH_GATES[kind]
    firsts, seconds = ([given.get((side, gate)) for gate in gates] for side in (inputs, hidden))
    weight_ih, weight_hh = (tuple(name for name in names if name is not None) for names in (firsts, seconds))
    if len(weight_ih) < len(gates) or len(weight_hh) < len(gates) or len(shapes[weight_ih[0]]) != 2:
        return None
    units = shapes[weight_hh[0]][0]
    rows, columns = shapes[weight_ih[0]]
    transposed = style == "kernel" or (style == "bare" and columns == units != rows)
    notes = ("W and U are square: rows are taken as units, as in torch; --map FILE says another",)
    biases = {side: tuple(_bias(given, side, gate) for gate in gates) for side in (inputs, hidden)}
    kept = {side: names if any(names) else () for side, names in biases.items()}
    own = {side: names for side, names in kept.items() if names}
    if len(own) == 2 and own[inputs] == own[hidden]:
        kept[hidden] = ()
    return Recipe(
        kind,
        gates,
        weight_ih=weight_ih,
        weight_hh=weight_hh,
        bias_ih=kept[inputs],
        bias_hh=kept[hidden],
        transposed=transposed,
        notes=notes if style == "bare" and rows == columns else (),
    )


def _bias(given: Mapping[tuple[str, str], str], side: str, gate: str) -> str | None:
    """The bias beside a matrix: that of its Linear layer, b_ii and b_hi, or b_i for both together."""
    own = {"W_i": ("b_i",), "W_h": ("b_h",), "W_x": ("b_", "b"), "W_": ("b_", "b"), "W": ("b", "b_")}.get(side, ())
    for name in (f"{side} bias", *own):
        if (name, gate) in given:
            return given[name, gate]
    return None


def _tf1(shapes: Mapping[str, Shape]) -> Iterator[tuple[str, Recipe]]:
    """TensorFlow 1's cells: one kernel (I + H, G H) over [x, h]; gates i, j, f, o, or r, u and then the candidate."""
    for name, shape in shapes.items():
        match = _TF1.match(name)
        if match is None or len(shape) != 2:
            continue
        prefix, cell, rest = match["prefix"], match["cell"], name[match.end() :]
        if cell == "gru_cell" and rest == "gates/kernel":
            parts = [f"{prefix}/{part}" for part in ("gates", "candidate")]
            if all(f"{part}/{what}" in shapes for part in parts for what in ("kernel", "bias")):
                yield (
                    prefix,
                    Recipe(
                        CellKind.GRU,
                        ("r", "z", "n"),
                        weight=tuple(f"{part}/kernel" for part in parts),
                        bias_ih=tuple(f"{part}/bias" for part in parts),
                        transposed=True,
                        linear_before_reset=False,
                    ),
                )
        elif cell != "gru_cell" and rest == "kernel" and f"{prefix}/bias" in shapes:
            plain = Recipe(CellKind.RNN, ("h",), weight=(name,), bias_ih=(f"{prefix}/bias",), transposed=True)
            note = "forget_bias 1.0, TensorFlow's default, which is not in the file, is added to the forget gate's bias"
            lstm = replace(plain, kind=CellKind.LSTM, gates=("i", "g", "f", "o"), forget_bias=1.0, notes=(note,))
            if not any(f"{prefix}/{more}" in shapes for more in ("projection/kernel", "w_f_diag")):
                yield prefix, plain if cell == "basic_rnn_cell" else lstm
