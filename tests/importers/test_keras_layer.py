"""Keras' cells: kinds by shapes, gates moved by hand, options beside weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.importers.found import FoundLayer, Refused
from archsim.importers.keras.keras_config import KerasLayer
from archsim.importers.keras.keras_groups import directions, grouped
from archsim.importers.keras.keras_layer import KerasCell, keras_layer
from archsim.workload.network import MergeMode

H = 2
Json = dict[str, Any]


def rising(rows: int, gates: int) -> np.ndarray:
    """(rows, gates H): the number of a gate's columns is its place, from 1."""
    return np.repeat(np.arange(1, gates + 1), H)[None] * np.ones((rows, 1), np.float32)


def cell(gates: int = 4, inputs: int = 3, bias: np.ndarray | None = None) -> KerasCell:
    return KerasCell(rising(inputs, gates), 10 * rising(H, gates), bias)


def made(
    *cells: KerasCell, layer: KerasLayer | None = None, version: str = "3.0", relu: str | None = None
) -> FoundLayer:
    return keras_layer("a", list(cells), layer, version, relu)


def refusal(*cells: KerasCell, **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        made(*cells, **more)
    return str(caught.value)


def gates_of(tensor: np.ndarray) -> list[float]:
    return [float(gate.flat[0]) for gate in tensor.reshape(-1, H, *tensor.shape[1:])]


def test_gates_in_torchs_order() -> None:
    """i, f, c, o are torch's i, f, g, o; z, r, h are its second, first and third."""
    for gates, order in ((4, [1, 2, 3, 4]), (3, [2, 1, 3]), (1, [1])):
        found = made(cell(gates, bias=rising(1, gates)[0]))
        assert (found.input_size, found.config.hidden_size, found.config.kind.gates) == (3, H, gates)
        assert gates_of(found.tensors["weight_ih_l0"]) == order
        assert gates_of(found.tensors["weight_hh_l0"]) == [10 * place for place in order]
        assert gates_of(found.tensors["bias_ih_l0"]) == order
        assert not found.tensors["bias_hh_l0"].any()
    two = made(cell(3, bias=np.stack([rising(1, 3)[0], 5 * rising(1, 3)[0]])))
    assert gates_of(two.tensors["bias_hh_l0"]) == [10, 5, 15]
    bare = made(cell(3))
    assert (bare.config.bias, bare.config.linear_before_reset, sorted(bare.tensors)) == (
        False,
        True,
        ["weight_hh_l0", "weight_ih_l0"],
    )


@pytest.mark.parametrize(
    ("kernel", "recurrent", "said"),
    [
        ((3, 8), (2, 4), "its kernels have shapes [3, 8] and [2, 4], which is no LSTM, GRU or SimpleRNN"),
        ((3, 4), (2, 4), "its kernels have shapes [3, 4] and [2, 4], which is no LSTM, GRU or SimpleRNN"),
        ((3, 6), (2, 8), "its kernels have shapes [3, 6] and [2, 8], which is no LSTM, GRU or SimpleRNN"),
        ((3, 9), (2, 9), "its kernels have shapes [3, 9] and [2, 9], which is no LSTM, GRU or SimpleRNN"),
        ((3, 5), (2, 5), "its kernels have shapes [3, 5] and [2, 5], which is no LSTM, GRU or SimpleRNN"),
        ((3, 0), (0, 0), "its kernels have shapes [3, 0] and [0, 0], which is no LSTM, GRU or SimpleRNN"),
        ((8,), (2, 8), "its kernels have one dimension, expected two"),
        ((3, 8), (8,), "its kernels have one dimension, expected two"),
    ],
)
def test_kernels_of_no_kind(kernel: tuple[int, ...], recurrent: tuple[int, ...], said: str) -> None:
    assert refusal(KerasCell(np.zeros(kernel, np.float32), np.zeros(recurrent, np.float32), None)) == said


def test_a_row_of_two_biases_is_cudnns() -> None:
    """Each gate's kernel lies as (H, I) in the memory of (I, H), its recurrent kernel is transposed; an LSTM's biases add."""
    gate = np.arange(6, dtype=np.float32)
    kernel = np.concatenate([(gate + 10 * place).reshape(3, H) for place in range(4)], axis=1)
    recurrent = np.concatenate([np.array([[1, 2], [3, 4]], np.float32)] * 4, axis=1)
    bias = np.concatenate([rising(1, 4)[0], 10 * rising(1, 4)[0]])
    found = made(KerasCell(kernel, recurrent, bias))
    assert found.tensors["weight_ih_l0"][:4].tolist() == [[0, 1, 2], [3, 4, 5], [10, 11, 12], [13, 14, 15]]
    assert found.tensors["weight_hh_l0"][:2].tolist() == [[1, 2], [3, 4]]
    assert gates_of(found.tensors["bias_ih_l0"]) == [11, 22, 33, 44]
    gru = made(KerasCell(kernel[:, :6], recurrent[:, :6], bias[:6].repeat(2)))
    assert gru.config.linear_before_reset
    assert (
        refusal(KerasCell(kernel[:, :2], recurrent[:, :2], np.zeros(4, np.float32)))
        == "its bias has shape [4], expected [2]"
    )


def test_directions_that_differ() -> None:
    assert refusal(cell(), cell(inputs=4)) == "its directions have different sizes"
    assert refusal(cell(), cell(3)) == "its directions have different sizes"
    lstm, gru = (KerasCell(np.zeros((3, 12), np.float32), np.zeros((units, 12), np.float32), None) for units in (3, 4))
    assert refusal(lstm, gru) == "its directions have different sizes", "12 columns are 4 gates of 3 units, or 3 of 4"
    assert refusal(cell(), cell(bias=np.zeros(8, np.float32))) == "one direction has a bias and the other has none"
    both = made(cell(), cell())
    assert sorted(both.tensors) == [f"weight_{of}_l0{side}" for of in ("hh", "ih") for side in ("", "_reverse")]
    assert (both.config.bidirectional, both.config.reverse) == (True, False)
    one, two = np.zeros(6, np.float32), np.zeros((2, 6), np.float32)
    assert refusal(cell(3, bias=one), cell(3, bias=two)) == "reset_after differs between its directions"


def configured(
    kind: str, backward: Json | None = None, merge: MergeMode = MergeMode.CONCAT, **options: Any
) -> KerasLayer:
    return KerasLayer("a", kind, options, backward, merge_mode=merge, source_words="x", notes=("n",))


def test_options_of_a_layer() -> None:
    plain = made(cell(), layer=configured("lstm", units=2, use_bias=False))
    assert (plain.batch_first, plain.config.reverse, plain.notes, plain.input_from) == (True, False, ("n",), "x")
    back = made(cell(), layer=configured("lstm", go_backwards=True, time_major=True))
    assert (back.batch_first, back.config.reverse) == (False, True)
    note = "go_backwards: Keras gives its last step first, the workload's output is in the input's order"
    assert back.notes == ("n", note)
    both = made(cell(), cell(), layer=configured("lstm", {"go_backwards": True}, MergeMode.SUM))
    assert (both.config.merge_mode, both.config.reverse, both.notes) == (MergeMode.SUM, False, ("n",))
    turned = made(cell(), cell(), layer=configured("lstm", {}, go_backwards=True))
    assert (turned.config.reverse, turned.config.activations) == (False, None)
    assert made(cell(), layer=configured("lstm", merge=MergeMode.SUM)).config.merge_mode is MergeMode.CONCAT


def test_what_no_configuration_says_is_noted() -> None:
    begin = "the file has no configuration: Keras' defaults are taken ("
    rnn = cell(1)
    for found, words in (
        (made(cell()), "sigmoid and tanh, no go_backwards"),
        (made(cell(), relu="relu"), "sigmoid and tanh, no go_backwards"),
        (made(rnn), "tanh, no go_backwards"),
        (made(rnn, relu="relu"), "relu, no go_backwards"),
        (made(rnn, rnn), "tanh, no go_backwards, outputs side by side"),
    ):
        assert found.notes == (f"{begin}{words})",)
        assert found.config.activations is None
    assert made(rnn, relu="relu").config.nonlinearity == "relu"
    assert made(rnn, layer=configured("rnn", activation="tanh"), relu="relu").config.nonlinearity == "tanh"
    assert made(rnn, layer=configured("rnn"), relu="relu").config.nonlinearity == "relu"


@pytest.mark.parametrize(
    ("options", "rows", "after"),
    [
        ({}, 0, True), ({"reset_after": False}, 0, False), ({"reset_after": True}, 0, True), ({"reset_after": None}, 0, True),
        ({}, 1, False), ({}, 2, True), ({"reset_after": True}, 2, True), ({"reset_after": False}, 1, False),
        ({"reset_after": True}, 1, None), ({"reset_after": False}, 2, None), ({"reset_after": None}, 1, False),
    ],
)  # fmt: skip
def test_where_a_gru_resets(options: Json, rows: int, after: bool | None) -> None:
    """A bias of two rows is one of reset_after; without a bias the option says it, else the default, true."""
    bias = {0: None, 1: np.zeros(6, np.float32), 2: np.zeros((2, 6), np.float32)}[rows]
    layer = configured("gru", **options)
    if after is None:
        assert refusal(cell(3, bias=bias), layer=layer).startswith("reset_after in the configuration and the shape")
    else:
        assert made(cell(3, bias=bias), layer=layer).config.linear_before_reset is after


@pytest.mark.parametrize(
    ("bias", "gates", "said"),
    [
        ((2, 8), 4, "its bias has shape [2, 8], expected [8]"),
        ((2, 2), 1, "its bias has shape [2, 2], expected [2]"),
        ((7,), 4, "its bias has shape [7], expected [8]"),
        ((1, 6), 3, "its bias has shape [1, 6], expected [6]"),
        ((3, 6), 3, "its bias has shape [3, 6], expected [6]"),
    ],
)
def test_biases_of_other_shapes(bias: tuple[int, ...], gates: int, said: str) -> None:
    assert refusal(cell(gates, bias=np.zeros(bias, np.float32))) == said


def test_cells_of_other_parts() -> None:
    """Variables 0, 1 and 2 are kernel, recurrent kernel and bias; a fourth is not known; a second cell is one too many."""

    def cells(*names: str) -> Any:
        tensors = {name: np.full((2, 8), place) for place, name in enumerate(names)}
        return grouped(tensors, {}, False)["a"]

    (good,) = directions(cells("a/cell/vars/0", "a/cell/vars/1", "a/cell/vars/2"))
    assert good.bias is not None
    assert [float(part.flat[0]) for part in (good.kernel, good.recurrent, good.bias)] == [0, 1, 2]
    for names, said in (
        (("a/cell/vars/0", "a/cell/vars/1", "a/cell/vars/3"), "its variable 3 is not known"),
        (("a/cell/vars/0", "a/cell/vars/2"), "its recurrent_kernel is missing"),
        (("a/recurrent_kernel",), "its kernel is missing"),
        (("a/cell/kernel", "a/cell_1/kernel"), "has 2 cells, expected one, or a forward and a backward one"),
        (("a/forward_l/kernel",), "has 1 cells, expected one, or a forward and a backward one"),
    ):
        with pytest.raises(Refused, match=f"^{said}$"):
            directions(cells(*names))
    sides = {"backward": cell(3), "forward": cell(4)}
    assert [one.kind.gates for one in directions(dict(sides))] == [4, 3]
