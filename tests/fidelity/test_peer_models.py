"""The models that are written for machines of others say what they say, without those machines being run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.fidelity.peers.tflite_lstm import random_lstm
from archsim.importers import find_layers
from tests.optional import need
from tests.present import present


def test_a_random_lstm_in_integers(tmp_path: Path) -> None:
    """x in steps of 0.0213 around -7, h of 0.0071 around 9, c of 2^-11; weights are codes up to 127 of either sign."""
    need("ai_edge_litert.schema_py_generated")
    (tmp_path / "m.tflite").write_bytes(random_lstm(inputs=6, units=5, steps=3, seed=1))
    (layer,) = find_layers(tmp_path / "m.tflite").layers
    assert (layer.input_size, layer.config.hidden_size, layer.batch_first) == (6, 5, True)
    found = {name: (present(one.scale), one.zero) for name, one in layer.ranges.items() if one.scale is not None}
    assert {name: zero for name, (_, zero) in found.items()} == {"x": -7, "h_l0": 9, "c_l0": 0}
    assert {name: scale for name, (scale, _) in found.items()} == pytest.approx(
        {"x": 0.0213, "h_l0": 0.0071, "c_l0": 2.0**-11}
    )
    codes = {name: one.values for name, one in layer.codes.items()}
    assert {name: one.shape for name, one in codes.items() if name.startswith("weight")} == {
        "weight_ih_l0": (20, 6),
        "weight_hh_l0": (20, 5),
    }
    assert np.abs(codes["weight_ih_l0"]).max() > 100
    bias = layer.codes["bias_ih_l0"]
    assert np.allclose(bias.scale, np.float32(0.0213) * layer.codes["weight_ih_l0"].scale)


def test_the_model_has_one_sequence_and_no_operand_that_is_not_asked_for(tmp_path: Path) -> None:
    """Of the operator's 24 operands x, eight matrices, four biases and the states of h and c; -1 stands for none."""
    schema = need("ai_edge_litert.schema_py_generated")
    read = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(random_lstm(inputs=6, units=5, steps=3, seed=1), 0))
    assert [code.version for code in read.operatorCodes] == [1]
    (graph,) = read.subgraphs
    (operator,) = graph.operators
    there = {place for place, number in enumerate(operator.inputs) if number != -1}
    assert there == {0, *range(1, 9), *range(12, 16), 18, 19}
    shapes = {place: list(graph.tensors[operator.inputs[place]].shape) for place in (0, 18, 19)}
    assert shapes == {0: [1, 3, 6], 18: [1, 5], 19: [1, 5]}
    assert list(graph.tensors[operator.outputs[0]].shape) == [1, 3, 5]
