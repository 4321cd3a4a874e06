"""Sizes and names of networks by hand: cells, layers of several kinds, directions, and what weights they have."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.workload.network import (
    FUNCTIONS,
    RECURRENT_KINDS,
    CellKind,
    CellSpec,
    DeltaThresholds,
    FunctionSpec,
    MergeMode,
    NetworkSpec,
    cell_names,
    one_layer,
    same_sizes,
    suffixes,
)
from archsim.workload.tensors import weight_shapes


def cell(kind: CellKind, inputs: int = 3, hidden: int = 4, proj_size: int = 0, reverse: bool = False) -> CellSpec:
    return CellSpec(kind, inputs, hidden, kind.functions, proj_size, reverse=reverse)


def network(*layers: tuple[CellSpec, ...], merge_modes: tuple[MergeMode, ...] = ()) -> NetworkSpec:
    return NetworkSpec(layers, steps=5, batch=2, merge_modes=merge_modes)


def test_kinds_of_cells() -> None:
    """Row blocks i, f, g, o; r, z, n; one of an RNN and of a linear layer, which has no h of before."""
    assert {kind.value: (kind.gates, len(kind.functions), kind.has_gates, kind.recurrent) for kind in CellKind} == {
        "lstm": (4, 3, True, True),
        "gru": (3, 2, True, True),
        "rnn": (1, 1, False, True),
        "linear": (1, 1, False, False),
    }
    assert RECURRENT_KINDS == (CellKind.LSTM, CellKind.GRU, CellKind.RNN)
    assert [str(function) for function in CellKind.LSTM.functions] == ["sigmoid", "tanh", "tanh"]
    assert [CellKind.RNN.functions, CellKind.LINEAR.functions] == [(FunctionSpec("tanh"),), (FunctionSpec("identity"),)]


def test_functions_with_their_parameters() -> None:
    """ONNX's defaults; 0 is a parameter as any other."""
    assert FUNCTIONS["hardsigmoid"] == (0.2, 0.5)
    assert FUNCTIONS["leakyrelu"] == (0.01,)
    assert FUNCTIONS["affine"] == (1.0, 0.0)
    assert FUNCTIONS["scaledtanh"] == (None, None)
    assert {name for name, defaults in FUNCTIONS.items() if defaults == (1.0,)} == {"thresholdedrelu", "elu"}
    assert {name for name, defaults in FUNCTIONS.items() if not defaults} == {
        *("sigmoid", "tanh", "relu", "softsign", "softplus")
    }
    texts = {FunctionSpec("elu", 1.0): "elu(1)", FunctionSpec("affine", 0.0, 2.5): "affine(0, 2.5)"}
    assert {function: str(function) for function in texts} == texts
    assert str(FunctionSpec("tanh")) == "tanh"


@pytest.mark.parametrize(
    ("made", "rows", "output", "recurrent", "macs"),
    [
        (cell(CellKind.LSTM), 16, 4, 4, 16 * (3 + 4)),
        (cell(CellKind.LSTM, proj_size=2), 16, 2, 2, 16 * (3 + 2) + 2 * 4),
        (cell(CellKind.GRU), 12, 4, 4, 12 * (3 + 4)),
        (cell(CellKind.RNN), 4, 4, 4, 4 * (3 + 4)),
        (cell(CellKind.LINEAR), 4, 4, 0, 4 * 3),
    ],
)
def test_sizes_of_a_cell(made: CellSpec, rows: int, output: int, recurrent: int, macs: int) -> None:
    """3 inputs, 4 hidden units; a projection of 2 is what the next step and the next layer see."""
    assert (made.rows, made.output_size, made.recurrent_size, made.macs) == (rows, output, recurrent, macs)
    assert network((made,)).macs == macs * 5 * 2


def test_what_weights_a_cell_has() -> None:
    """A linear layer has neither W_hh nor its bias; a layer without biases none at all."""
    assert weight_shapes(cell(CellKind.GRU)) == {
        "weight_ih": (12, 3),
        "weight_hh": (12, 4),
        "bias_ih": (12,),
        "bias_hh": (12,),
    }
    assert weight_shapes(cell(CellKind.LINEAR)) == {"weight_ih": (4, 3), "bias_ih": (4,)}
    assert weight_shapes(replace(cell(CellKind.RNN), bias=False)) == {"weight_ih": (4, 3), "weight_hh": (4, 4)}
    assert weight_shapes(replace(cell(CellKind.LINEAR), bias=False)) == {"weight_ih": (4, 3)}
    full = replace(cell(CellKind.LSTM, proj_size=2), peepholes=True, layer_norm=True)
    weights = {"weight_ih": (16, 3), "weight_hh": (16, 2), "bias_ih": (16,), "bias_hh": (16,)}
    assert weight_shapes(full) == weights | {"weight_hr": (2, 4), "peephole": (12,), "layer_norm": (16,)}


def test_layers_of_several_kinds() -> None:
    """A bidirectional LSTM of 4 has 8 outputs, merged it has 4; the network's are those of its last layer."""
    both = (cell(CellKind.LSTM), cell(CellKind.LSTM, reverse=True))
    beside = network(both, (cell(CellKind.GRU, 8, 5),))
    merged = network(both, (cell(CellKind.GRU, 4, 5),), merge_modes=(MergeMode.AVE, MergeMode.CONCAT))
    assert [beside.layer_output_size(number) for number in range(2)] == [8, 5]
    assert [merged.layer_output_size(number) for number in range(2)] == [4, 5]
    assert (beside.output_size, beside.input_size, len(beside.cells)) == (5, 3, 3)
    assert (beside.merges, merged.merges) == (False, True)
    assert [merged.merge_mode(number) for number in range(2)] == [MergeMode.AVE, MergeMode.CONCAT]
    assert suffixes(beside) == ("_l0", "_l0_reverse", "_l1")
    assert cell_names(beside.layers) == ("layer 0", "layer 0 reverse", "layer 1")
    assert cell_names([[cell(CellKind.RNN, reverse=True)]]) == ("layer 0 reverse",)
    assert suffixes(network((cell(CellKind.RNN, reverse=True),))) == ("_l0",)
    assert (beside.runs_in_reverse, network((cell(CellKind.GRU),)).runs_in_reverse) == (True, False)
    assert str(beside) == "LSTM(3, 4), 2 layers, bidirectional, T = 5, batch 2"
    assert str(merged) == "LSTM(3, 4), 2 layers, bidirectional, averaged, T = 5, batch 2"
    assert str(one_layer(CellKind.GRU, 3, 4, 5, 6)) == "GRU(3, 4), T = 5, batch 6"


def test_what_skips_columns() -> None:
    """Thresholds or recorded activity, even thresholds of 0."""
    plain = network((cell(CellKind.GRU),))
    assert not plain.skips
    assert replace(plain, delta=DeltaThresholds()).skips
    assert replace(plain, activity=()).skips


def test_states_that_can_be_stacked() -> None:
    """Of one size, h and c alike, and all with or all without a c."""
    lstm, gru = cell(CellKind.LSTM), cell(CellKind.GRU)
    assert same_sizes(network((lstm, lstm), (cell(CellKind.LSTM, 8),)))
    assert same_sizes(network((gru,), (cell(CellKind.RNN),)))
    for other in (gru, cell(CellKind.LSTM, hidden=5), cell(CellKind.LSTM, proj_size=2)):
        assert not same_sizes(network((lstm,), (other,)))
    assert not same_sizes(network((cell(CellKind.LSTM, hidden=5, proj_size=2),), (cell(CellKind.LSTM, proj_size=2),)))
