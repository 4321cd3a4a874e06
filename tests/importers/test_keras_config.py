"""Paths of a Keras file's tensors, and its configuration: which layer, which direction, what feeds it."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archsim.importers.keras.keras_config import KerasLayer, keras_layers
from archsim.importers.keras.keras_groups import grouped

Json = dict[str, Any]


def paths(*names: str, archive: bool = False, known: tuple[KerasLayer, ...] = ()) -> dict[str, list[str]]:
    """Which directions the tensors under these paths are of, by layer."""
    tensors = {name: np.ones((2, 8)) for name in names}
    return {name: list(cells) for name, cells in grouped(tensors, {one.name: one for one in known}, archive).items()}


@pytest.mark.parametrize(
    ("path", "layer", "direction"),
    [
        ("lstm/lstm/lstm_cell/kernel:0", "lstm", ""),
        ("lstm/lstm/lstm_cell_3/kernel:0", "lstm", ""),
        ("model_weights/a/b/cell/kernel", "a/b", ""),
        ("layers/bi/forward_layer/cell/vars/0", "bi", "forward"),
        ("bi/bi/backward_lstm/lstm_cell/kernel", "bi", "backward"),
        ("forward_lstm/cell/kernel", "forward_lstm", ""),
        ("cell/kernel", "layer", ""),
        ("kernel", "layer", ""),
        ("a/kernel", "a", ""),
        ("a/cellar/kernel", "a/cellar", ""),
    ],
)
def test_the_layer_that_a_path_names(path: str, layer: str, direction: str) -> None:
    assert paths(path) == {layer: [direction]}


def test_layers_that_the_configuration_names() -> None:
    """The innermost name that it has; a direction of a layer that has a backward one alone."""
    one, both = KerasLayer("a", "lstm", {}), KerasLayer("bi", "lstm", {}, {})
    assert paths("a/x/forward_a/kernel", known=(one,)) == {"a": [""]}
    assert paths("a/bi/forward_l/kernel", known=(one, both)) == {"bi": ["forward"]}
    assert paths("bi/a/forward_l/kernel", known=(one, both)) == {"a": [""]}
    assert paths("bi/kernel", known=(both,)) == {"bi": [""]}
    numbered = paths("l_10/kernel", "l/kernel", "l_9/kernel", "z/kernel", "b/kernel", known=(KerasLayer("z", "", {}),))
    assert list(numbered) == ["z", "b", "l", "l_9", "l_10"]


def test_places_in_an_archive() -> None:
    one = KerasLayer("mine", "lstm", {}, place=("lstm",))
    two = KerasLayer("yours", "lstm", {}, {}, place=("model", "bidirectional_1"))
    found = paths("layers/lstm/cell/vars/0", "layers/model/layers/bidirectional_1/forward_layer/cell/vars/0",
                  "layers/model/layers/bidirectional_1/backward_layer/cell/vars/0", "layers/gru/cell/vars/0", "vars/0",
                  archive=True, known=(one, two))  # fmt: skip
    assert found == {"mine": [""], "yours": ["forward", "backward"], "gru": [""], "layer": [""]}


def entry(kind: str, name: str, nodes: Any = None, **config: Any) -> Json:
    made: Json = {"class_name": kind, "config": {"name": name, "return_sequences": True} | config}
    return made if nodes is None else made | {"name": name, "inbound_nodes": nodes}


def read(*entries: Json) -> dict[str, KerasLayer]:
    text = json.dumps({"class_name": "Sequential", "config": {"layers": list(entries)}})
    return {layer.name: layer for layer in keras_layers(text)}


def test_places_are_the_classes_counted() -> None:
    """As in an archive: the second of a class has _1, in a model inside another one below its own name."""
    inner = {
        "class_name": "Sequential",
        "config": {"name": "m", "layers": [entry("LSTM", "c"), entry("SimpleRNN", "d")]},
    }
    found = read(entry("LSTM", "a"), entry("Dense", "e"), entry("LSTM", "b"), inner)
    places = {"a": ("lstm",), "b": ("lstm_1",), "c": ("sequential", "lstm"), "d": ("sequential", "simple_rnn")}
    assert {name: layer.place for name, layer in found.items()} == places


@pytest.mark.parametrize(
    ("below", "source", "words"),
    [
        ([], "", "the model's input"),
        ([entry("InputLayer", "i")], "", "the model's input"),
        ([entry("LSTM", "l")], "l", "the output of LSTM 'l'"),
        (
            [entry("LSTM", "l"), entry("SpatialDropout1D", "d"), entry("GaussianNoise", "g")],
            "l",
            "the output of LSTM 'l'",
        ),
        ([entry("LSTM", "l", return_sequences=False)], "", "the output of LSTM 'l', which gives its last step alone"),
        ([entry("LSTM", "l", go_backwards=True)], "", "the output of LSTM 'l', last step first"),
        ([entry("LSTM", "l"), entry("Dense", "d")], "", "the output of Dense 'd'"),
    ],
)
def test_what_feeds_a_layer(below: list[Json], source: str, words: str) -> None:
    top = read(*below, entry("GRU", "top"))["top"]
    assert (top.source, top.source_words) == (source, words)


def test_sources_of_functional_models() -> None:
    """Names of inbound nodes, of what no layer is called, and in a circle; a second one is an initial state."""

    def node(*names: str) -> list[Any]:
        return [[[name, 0, 0, {}] for name in names]]

    found = read(entry("GRU", "a", node("b")), entry("Dropout", "b", node("c")), entry("Dropout", "c", node("b")))
    assert (found["a"].source, found["a"].source_words) == ("", "a circle of layers")
    found = read(entry("GRU", "a", node("z")), entry("GRU", "b", node("a", "s")), entry("GRU", "c", []))
    assert [layer.source_words for layer in found.values()] == [
        "something called 'z'",
        "the output of GRU 'a'",
        "the model's input",
    ]
    noted = [bool(layer.notes) for layer in found.values()]
    assert noted == [False, True, False]


def test_bidirectional_layers() -> None:
    inner = entry("LSTM", "l", units=2)
    other = entry("GRU", "g", units=2)
    backwards = entry("LSTM", "l", go_backwards=True)
    found = read(
        entry("Bidirectional", "a", layer=inner, merge_mode="ave"),
        entry("Bidirectional", "b", layer=inner, backward_layer=entry("LSTM", "k", units=3)),
        entry("Bidirectional", "c", layer=inner, backward_layer=other),
        entry("Bidirectional", "d", layer=backwards),
        entry("Bidirectional", "e", layer=entry("Dense", "x")),
        entry("Bidirectional", "f", layer=inner, merge_mode="max"),
    )
    assert [bool(layer.refused) for layer in found.values()] == [False, False, True, True, True, True]
    assert (found["a"].merge_mode, found["b"].merge_mode, found["f"].merge_mode) == ("ave", "concat", "concat")
    assert found["b"].backward is not None
    assert (found["b"].options["units"], found["b"].backward["units"], found["b"].backward["go_backwards"]) == (
        2,
        3,
        True,
    )
    assert found["b"].source == "a", "both directions stand side by side in the input's order"
    assert found["c"].refused == "Keras' Bidirectional of 'LSTM' and 'GRU'"
    assert found["d"].refused == "its forward layer goes backwards"


def test_models_inside_each_other_are_bounded() -> None:
    """16 of them are read, the 17th is not."""

    def nested(depth: int) -> Json:
        model = {"class_name": "Sequential", "config": {"name": "m", "layers": [entry("LSTM", "l")]}}
        return (
            model
            if depth == 0
            else {"class_name": "Sequential", "config": {"name": "m", "layers": [nested(depth - 1)]}}
        )

    assert len(keras_layers(json.dumps(nested(16)))) == 1
    with pytest.raises(ValueError, match="too many models inside each other"):
        keras_layers(json.dumps(nested(17)))
