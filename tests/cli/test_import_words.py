"""What `archsim import` says of a file, line by line: layers of different kinds, sizes and directions."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from archsim.cli.commands.importing import _sequence
from archsim.cli.import_words import as_json, listing, summary
from archsim.cli.tensor_words import lines
from archsim.errors import WorkloadError
from archsim.importers import Found, FoundLayer, InputSequence, NothingFits, Unsupported, layer_config
from archsim.importers.listed import ListedTensor, nothing_fits
from archsim.workload.network import CellKind


def layer(name: str, weights: int, **fields: object) -> FoundLayer:
    """A layer with as many weights, in two tensors."""
    tensors = {"w": np.zeros((2, weights // 2), np.float32), "b": np.zeros(weights % 2, np.float32)}
    layers = int(fields.pop("layers", 1))  # type: ignore[call-overload]
    config = {"kind": CellKind.LSTM, "hidden_size": 8} | fields
    return FoundLayer(name, layer_config(**config), 5, tensors, layers)


FORWARD = replace(layer("enc", 12_345, hidden_size=1024), input_size=2048, notes=("was float16",))
BOTH = replace(
    layer("mid", 70, kind=CellKind.GRU, bidirectional=True, layers=2), fed_by=("enc",), input_from="enc's output"
)
BACK = layer("dec", 9, kind=CellKind.RNN, reverse=True, bias=False)
HEAD = layer("head", 6, kind=CellKind.LINEAR, hidden_size=3)
FOUND = Found(
    Path("m.onnx"),
    (FORWARD, BOTH, BACK, HEAD),
    (Unsupported("odd", "no such activation"),),
    rest="14 tensors",
    host=("a softmax", "an argmax"),
)


def test_the_listing() -> None:
    assert list(listing(FOUND)) == [
        "m.onnx: 3 recurrent layers, 1 linear",
        "",
        "  name  kind    I -> H          layers  direction  weights  options",
        "  enc   lstm    2,048 -> 1,024       1  forward     12,345  -",
        "  mid   gru     5 -> 8               2  both            70  -",
        "  dec   rnn     5 -> 8               1  reverse          9  no bias",
        "  head  linear  5 -> 3               1  forward          6  -",
        "  enc: note: was float16",
        "  mid: takes enc's output",
        "",
        "not supported:",
        "  odd: no such activation",
        "",
        "not recurrent: 14 tensors",
        "",
        "left to the host:",
        "  a softmax",
        "  an argmax",
    ]


def test_one_layer_is_no_plural_and_what_is_not_there_has_no_heading() -> None:
    assert next(iter(listing(Found(Path("m.pt"), (BACK,))))) == "m.pt: 1 recurrent layer"
    assert list(listing(Found(Path("m.pt"), ()))) == ["m.pt: 0 recurrent layers"]


def said(sequence: InputSequence, layers: tuple[FoundLayer, ...] = (FORWARD, BOTH)) -> list[str]:
    return list(summary(FOUND, layers, sequence, Path("w.yaml"), "two layers"))


def test_the_summary() -> None:
    assert said(InputSequence(1700, 1200, True, True, 3), (FORWARD, BACK)) == [
        "w.yaml: two layers",
        "  layers: 3 recurrent layers, 1 linear in the file, written: enc, dec",
        "    enc: LSTM(2048, 1024), 12,345 weights",
        "    enc: note: was float16",
        "    dec: RNN(5, 8), reverse, 9 weights; no bias",
        "  left out: mid: not chosen (--layer)",
        "  left out: head: not chosen (--layer)",
        "  left out: odd: no such activation",
        "  left out: 14 tensors: not recurrent",
        "  left out: to the host: a softmax",
        "  left out: to the host: an argmax",
        "  input: 1,700 steps, batch 1,200, (B, T, features), random, seed 3 (--input X.npy takes your own)",
        "  next: archsim run edge_16x16 w.yaml",
    ]


X = np.zeros((1, 1), np.float32)


@pytest.mark.parametrize(
    ("sequence", "line"),
    [
        (InputSequence(7, 2, False, True, 1), "7 steps, batch 2, (T, B, features), random, seed 1 (--input X.npy ..."),
        (InputSequence(7, 1, False, False, 1), "7 steps, batch 1, (T, features), random, seed 1 (--input X.npy ..."),
        (InputSequence(7, 2, True, True, x=X), "7 steps, batch 2, (B, T, features), as given"),
        (
            InputSequence(7, 2, False, True, x=X, from_codes=True),
            "7 steps, batch 2, (T, B, features), given as the ...",
        ),
        (
            InputSequence(1, 1300, True, True, x=X),
            "1 steps, batch 1,300, (B, T, features), as given; --time-first reads it as 1,300 steps of 1 sequence",
        ),
        (
            InputSequence(1, 2, False, True, x=X),
            "1 steps, batch 2, (T, B, features), as given; --batch-first reads it as 2 steps of 1 sequence",
        ),
        (InputSequence(1, 1, False, True, x=X), "1 steps, batch 1, (T, B, features), as given"),
        (InputSequence(2, 9, False, True, x=X), "2 steps, batch 9, (T, B, features), as given"),
        (InputSequence(1, 9, False, True, 4), "1 steps, batch 9, (T, B, features), random, seed 4 (--input X.npy ..."),
    ],
)
def test_the_input(sequence: InputSequence, line: str) -> None:
    found = said(sequence)[-2].removeprefix("  input: ")
    whole = line.removesuffix("...")
    assert found.startswith(whole)
    assert found == line or line.endswith("...")


def test_both_halves_of_a_pair_are_chosen_by_its_name() -> None:
    one, other = replace(BACK, name="f"), replace(BACK, name="b")
    found = Found(Path("m.h5"), (one, other, replace(BACK, name="g")))
    sequence = InputSequence(1, 1, False, True)
    words = list(summary(found, (replace(BACK, name="f and b"),), sequence, Path("w.yaml"), "a pair"))
    assert [line for line in words if "left out" in line] == ["  left out: g: not chosen (--layer)"]


def test_as_json() -> None:
    listed = json.loads(as_json(FOUND))
    assert set(listed) == {"file", "layers", "unsupported", "not_recurrent", "host"}
    assert listed["unsupported"] == [{"name": "odd", "reason": "no such activation"}]
    assert (listed["file"], listed["not_recurrent"], listed["host"]) == (
        "m.onnx", "14 tensors", ["a softmax", "an argmax"],
    )  # fmt: skip
    keys = ("name", "kind", "input_size", "hidden_size", "num_layers", "direction", "weights", "options", "fed_by")
    assert [tuple(found[key] for key in keys) for found in listed["layers"][:3]] == [
        ("enc", "lstm", 2048, 1024, 1, "forward", 12_345, [], []),
        ("mid", "gru", 5, 8, 2, "both", 70, [], ["enc"]),
        ("dec", "rnn", 5, 8, 1, "reverse", 9, ["no bias"], []),
    ]
    for sequence, given in (
        (InputSequence(7, 2, True, True, 1), "random"),
        (InputSequence(7, 2, False, True, x=X), "given"),
    ):
        written = json.loads(as_json(FOUND, (FORWARD,), sequence, Path("o/w.yaml")))["written"]
        assert (written["workload"], written["weights"]) == ("o/w.yaml", "o/w.safetensors")
        assert (written["steps"], written["batch"], written["input"]) == (7, 2, given)
        assert written["batch_first"] is (given == "random")
        assert [found["name"] for found in written["layers"]] == ["enc"]
        assert written["left_out"][0] == "mid: not chosen (--layer)"
    assert "written" not in json.loads(as_json(FOUND, (FORWARD,), None, Path("w.yaml")))
    assert "written" not in json.loads(as_json(FOUND, (FORWARD,), InputSequence(7, 2, True, True), None))


def nothing(total: int, *tensors: ListedTensor) -> NothingFits:
    return nothing_fits(Path("m.npz"), "nothing fits", tensors, total, "nearly")


def test_tensors_of_a_file_that_holds_nothing_known() -> None:
    """Of 1,203 tensors two are listed; the columns are as wide as the widest of each."""
    error = nothing(1203, ListedTensor("a.weight", (3, 4), "float32"), ListedTensor("b", (128,), "int8"))
    assert list(lines(Path("m.npz"), error, False)) == [
        "m.npz: no recurrent layer; 1,203 tensors",
        "",
        "  name      shape   dtype",
        "  a.weight  [3, 4]  float32",
        "  b         [128]   int8",
        "  and 1,201 more",
    ]
    alone = list(lines(Path("m.npz"), nothing(1, ListedTensor("b", (), "int8")), False))
    assert (alone[0], alone[-1]) == ("m.npz: no recurrent layer; 1 tensor", "  b     []     int8")
    (text,) = lines(Path("m.npz"), error, True)
    found = json.loads(text)
    assert (found["tensors_in_file"], found["nearest"], found["layers"]) == (1203, "nearly", [])
    assert found["tensors"][0] == {"name": "a.weight", "shape": [3, 4], "dtype": "float32"}
    assert "nothing fits" in found["error"]


def test_names_and_shapes_of_tensors_have_a_longest_length() -> None:
    """80 characters of a name and 60 of a shape, 300 of a name in JSON."""
    for length in (80, 81):
        error = nothing(1, ListedTensor("n" * length, (1,) * (length - 61), "int8"))
        row = list(lines(Path("m"), error, False))[-1].split("  ")
        assert (row[1] == "n" * length) is (length == 80)
        assert len(row[1]) <= 80
    for ones, whole in ((20, True), (21, False)):  # [1, 1, ... 1] of n ones has 3 n characters
        row = list(lines(Path("m"), nothing(1, ListedTensor("n", (1,) * ones, "int8")), False))[-1].split("  ")
        assert any(cell.strip() == str([1] * ones) for cell in row) is whole
    for length in (300, 301):
        (text,) = lines(Path("m"), nothing(1, ListedTensor("n" * length, (1,), "int8")), True)
        assert (json.loads(text)["tensors"][0]["name"] == "n" * length) is (length == 300)


def asked(
    *,
    layer: FoundLayer = FORWARD,
    steps: int | None = None,
    batch: int | None = None,
    seed: int | None = None,
    batch_first: bool | None = None,
    unbatched: bool = False,
) -> InputSequence:
    """The input that these options ask for."""
    return _sequence((layer, BOTH), None, steps, batch, seed, batch_first, unbatched)


def test_an_input_that_is_drawn() -> None:
    """16 steps of one sequence with seed 0, where nothing is given; of lengths in the file the longest."""
    assert asked() == InputSequence(16, 1, False, True, 0)
    assert asked(steps=7, batch=3, seed=5) == InputSequence(7, 3, False, True, 5)
    assert asked(steps=0, batch=0, seed=0) == InputSequence(0, 0, False, True, 0)
    assert asked(unbatched=True) == InputSequence(16, 1, False, False, 0)
    assert asked(unbatched=True, batch=1) == InputSequence(16, 1, False, False, 0)
    with pytest.raises(WorkloadError, match="--batch: with --unbatched the batch is 1"):
        asked(unbatched=True, batch=2)
    lengths = replace(FORWARD, sequence_lens=(3, 9, 4))
    assert asked(layer=lengths).steps == 9
    assert asked(layer=lengths, steps=20).steps == 20


@pytest.mark.parametrize(
    ("first", "turned", "given", "batch_first"),
    [
        (False, False, None, False),
        (True, False, None, True),
        (True, True, None, False),
        (False, True, None, True),
        (True, False, False, False),
        (False, False, True, True),
    ],
)
def test_the_order_of_the_input_is_that_of_the_layer(
    first: bool, turned: bool, given: bool | None, batch_first: bool
) -> None:
    """As the layer has it, unless it turns its input; an option is above that."""
    layer = replace(FORWARD, batch_first=first, turns_input=turned)
    assert asked(layer=layer, batch_first=given).batch_first is batch_first


@pytest.mark.parametrize(("option", "value"), [("steps", 3), ("batch", 3), ("seed", 0)])
def test_what_does_not_go_with_an_input(option: str, value: int) -> None:
    given = {"steps": None, "batch": None, "seed": None} | {option: value}
    with pytest.raises(WorkloadError, match=f"--{option}: does not go with --input"):
        _sequence((FORWARD,), Path("x.npy"), given["steps"], given["batch"], given["seed"], None, False)
