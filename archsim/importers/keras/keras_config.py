"""Reads the recurrent layers in the model_config of a Keras .h5 file: options, and what feeds them.

Source: the get_config() of Keras' layers (2 and 3), and the inbound_nodes of its functional models in both versions.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archsim.config.text import shorten, shown
from archsim.workload.network import MergeMode

RECURRENT = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn", "CuDNNLSTM": "lstm", "CuDNNGRU": "gru"}
_CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
_SOUNDS_RECURRENT = re.compile("lstm|gru|rnn", re.IGNORECASE)
_PASSING = frozenset(
    {"Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"}
)
"""Layers that hand their input on unchanged when a model is not being trained."""


@dataclass(frozen=True, slots=True)
class KerasLayer:
    """A recurrent layer of the configuration; `refused` says why it cannot be imported ("" if it can).

    `options` are those of the layer (and `backward` of Bidirectional's second). `source` is the name of the recurrent
    layer that feeds it, or "" and then `source_words` say what does. `place` are the groups in which a .keras archive
    keeps its weights, and those of the models around it. `merge_mode` is Bidirectional's.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    backward: Mapping[str, Any] | None = None
    refused: str = ""
    source: str = ""
    source_words: str = ""
    notes: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    merge_mode: MergeMode = MergeMode.CONCAT


@dataclass(eq=False)
class _Model:
    """The layers of one model, nested or not: name -> (class, config), and what each takes."""

    classes: dict[str, tuple[str, Any]] = field(default_factory=dict)
    takes: dict[str, list[str]] = field(default_factory=dict)


def keras_layers(text: str) -> list[KerasLayer]:
    """All recurrent layers in the JSON of a model_config; ValueError if it is not one."""
    try:
        return list(_layers(json.loads(text)))
    except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ValueError(f"model_config has no layers as Keras writes them ({type(error).__name__})") from error


def _layers(entry: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[KerasLayer]:
    """Yield the layers of a model's entry, also of models inside it."""
    if len(place) > 16:
        raise ValueError("model_config has too many models inside each other")
    config = entry["config"]
    entries = config if isinstance(config, list) else config["layers"]
    model = _Model()
    before: list[str] = []
    for inner in entries:
        options = inner["config"]
        if not isinstance(options, Mapping | list):
            raise TypeError("no configuration of a layer")
        name = str(inner.get("name") or (options.get("name") if isinstance(options, Mapping) else "") or "unnamed")
        model.classes[name] = (str(inner["class_name"]), options)
        nodes = inner.get("inbound_nodes")
        model.takes[name] = before if nodes is None else list(_tensors(nodes))
        before = [name]
    masks = tuple(_masks(model))
    used: Counter[str] = Counter()
    for inner, name in zip(entries, model.classes, strict=False):
        group = _snake_case(str(inner["class_name"]))
        used[group] += 1
        own = (*place, group if used[group] == 1 else f"{group}_{used[group] - 1}")
        if isinstance(inner["config"], list) or "layers" in inner["config"]:
            yield from _layers(inner, own)
        else:
            yield from (replace(layer, place=own) for layer in _layer(name, model, masks))


def _snake_case(name: str) -> str:
    """The name of a class as keras.utils.naming writes it: simple_rnn for SimpleRNN."""
    joined = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name[:200]))
    return re.sub("([a-z])([A-Z])", r"\1_\2", joined).lower()


def _layer(name: str, model: _Model, masks: tuple[str, ...]) -> Iterator[KerasLayer]:
    """The layer of that name if it is recurrent."""
    kind, options = model.classes[name]
    source, words = _source(name, model)
    notes = masks
    if len(model.takes[name]) > 1:
        notes += ("the model gives it an initial state: the workload starts at 0",)
    if kind in RECURRENT:
        yield KerasLayer(name, RECURRENT[kind], options, source=source, source_words=words, notes=notes)
    elif kind == "RNN" and str(options["cell"].get("class_name")) in _CELLS:
        cell = options["cell"]
        merged = {**options, **cell["config"]}
        kind = RECURRENT[_CELLS[cell["class_name"]]]
        yield KerasLayer(name, kind, merged, source=source, source_words=words, notes=notes)
    elif kind == "Bidirectional":
        yield _bidirectional(name, options, source, words, notes)
    elif _SOUNDS_RECURRENT.search(kind):
        what = f"{kind} of {options['cell'].get('class_name')}" if kind == "RNN" else kind
        yield KerasLayer(name, "", {}, refused=f"Keras' {shown(what)} is not one of {', '.join(RECURRENT)}")
    elif _SOUNDS_RECURRENT.search(str((options.get("layer") or {}).get("class_name"))):
        yield KerasLayer(name, "", {}, refused=f"a recurrent layer inside Keras' {shown(kind)}")


def _bidirectional(
    name: str, options: Mapping[str, Any], source: str, words: str, notes: tuple[str, ...]
) -> KerasLayer:
    inner = options["layer"]
    kind = str(inner["class_name"])
    forward = inner["config"]
    second = options.get("backward_layer") or inner
    backward = {**second["config"], "go_backwards": True}
    refused = ""
    if kind not in RECURRENT or second["class_name"] != kind:
        refused = f"Keras' Bidirectional of {shown(kind)} and {shown(second['class_name'])}"
    elif options.get("merge_mode", "concat") not in list(MergeMode):
        refused = f"its merge_mode is {shown(options['merge_mode'])}, expected {', '.join(MergeMode)}"
    elif forward.get("go_backwards"):
        refused = "its forward layer goes backwards"
    mode = MergeMode.CONCAT if refused else MergeMode(options.get("merge_mode", "concat"))
    return KerasLayer(name, RECURRENT.get(kind, ""), forward, backward, refused, source, words, notes, merge_mode=mode)


def _source(name: str, model: _Model) -> tuple[str, str]:
    """The recurrent layer that feeds this one, or "" and what does, in words."""
    for _ in range(len(model.classes) + 1):
        if not model.takes[name]:
            return "", "the model's input"
        name = model.takes[name][0]
        if name not in model.classes:
            return "", f"something called {shown(name)}"
        kind, options = model.classes[name]
        if kind == "InputLayer":
            return "", "the model's input"
        if kind in _PASSING:
            continue
        words = f"the output of {shorten(kind)} {shown(name)}"
        inner = options["layer"]["config"] if kind == "Bidirectional" else options
        if kind not in (*RECURRENT, "RNN", "Bidirectional"):
            return "", words
        if not inner.get("return_sequences"):
            return "", f"{words}, which gives its last step alone"
        if kind != "Bidirectional" and inner.get("go_backwards"):
            return "", f"{words}, last step first"
        return name, words
    return "", "a circle of layers"


def _tensors(nodes: object) -> Iterator[str]:
    """The names of the layers behind inbound_nodes: [name, int, int], anywhere inside."""
    stack = [nodes]
    while stack:
        node = stack.pop()
        if isinstance(node, Mapping):
            stack.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            if len(node) in (3, 4) and isinstance(node[0], str) and all(type(part) is int for part in node[1:3]):
                yield node[0]
            else:
                stack.extend(reversed(node))


def _masks(model: _Model) -> Iterator[str]:
    for name, (kind, options) in model.classes.items():
        if kind == "Masking" or (isinstance(options, Mapping) and options.get("mask_zero")):
            yield f"the model masks time steps ({shorten(kind)} {shown(name)}): the workload computes all"
