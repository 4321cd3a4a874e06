"""Cells from tensors of any layout: sizes at the edges, gates moved by hand; what maps and renames allow and refuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers.found import FoundLayer, Refused
from archsim.importers.tensors.naming import CellMap, Naming, Rename, load_naming, parse_rename
from archsim.importers.tensors.recipe import TORCH_GATES, Recipe, recipe_layer
from archsim.workload.network import CellKind

LSTM, GRU, RNN = CellKind.LSTM, CellKind.GRU, CellKind.RNN
Arrays = dict[str, np.ndarray]


def built(arrays: Arrays, kind: CellKind = LSTM, nonlinearity: str | None = None, **more: Any) -> FoundLayer:
    recipe = Recipe(kind, **({"gates": TORCH_GATES[kind]} | more))
    shapes = {name: array.shape for name, array in arrays.items()}
    return recipe_layer("a", recipe, shapes, lambda wanted: {name: arrays[name] for name in wanted}, nonlinearity)


def refusal(shapes: dict[str, tuple[int, ...]], **more: Any) -> str:
    with pytest.raises(Refused) as caught:
        built({name: np.zeros(shape) for name, shape in shapes.items()}, **more)
    return str(caught.value)


def blocks(*numbers: float, columns: int, units: int = 2) -> np.ndarray:
    """`units` rows of each number."""
    return np.repeat(np.array(numbers), units)[:, None] * np.ones(columns)


def gates_of(layer: FoundLayer, name: str, units: int = 2) -> list[float]:
    """The number of each gate's rows."""
    tensor = layer.tensors[name].reshape(-1, units, *layer.tensors[name].shape[1:])
    assert all(np.ptp(gate) == 0 for gate in tensor)
    return [float(gate.flat[0]) for gate in tensor]


def test_gates_are_put_into_torchs_order() -> None:
    """The file's order is o, i, g, f: its blocks 1 to 4 are torch's o, i, g, f, so torch has 2, 4, 3, 1."""
    arrays = {
        "x": blocks(1, 2, 3, 4, columns=3),
        "h": blocks(5, 6, 7, 8, columns=2),
        "b": blocks(1, 2, 3, 4, columns=1).ravel(),
        "c": blocks(9, 10, 11, 12, columns=1).ravel(),
    }
    found = built(
        arrays, gates=("o", "i", "g", "f"), weight_ih=("x",), weight_hh=("h",), bias_ih=("b",), bias_hh=("c",)
    )
    assert (found.input_size, found.config.hidden_size, found.config.bias) == (3, 2, True)
    assert gates_of(found, "weight_ih_l0") == [2, 4, 3, 1]
    assert gates_of(found, "weight_hh_l0") == [6, 8, 7, 5]
    assert gates_of(found, "bias_ih_l0") == [2, 4, 3, 1]
    assert gates_of(found, "bias_hh_l0") == [10, 12, 11, 9]
    assert found.input_from == "something that the file does not name"


@pytest.mark.parametrize("transposed", [False, True])
def test_one_matrix_over_x_and_h(transposed: bool) -> None:
    """Of 5 columns the last 2 are h's: as many as units."""
    whole = np.concatenate([blocks(1, 2, 3, columns=3), blocks(4, 5, 6, columns=2)], axis=1)
    arrays = {"w": whole.T if transposed else whole}
    found = built(arrays, GRU, weight=("w",), transposed=transposed, linear_before_reset=False)
    assert (found.input_size, found.config.hidden_size, found.config.bias) == (3, 2, False)
    assert (gates_of(found, "weight_ih_l0"), gates_of(found, "weight_hh_l0")) == ([1, 2, 3], [4, 5, 6])
    assert sorted(found.tensors) == ["weight_hh_l0", "weight_ih_l0"]
    assert not found.config.linear_before_reset


def test_the_forget_bias_is_added_to_the_forget_gate_alone() -> None:
    arrays: Arrays = {"w": np.zeros((8, 5)), "b": np.ones(8, np.float32)}
    found = built(arrays, gates=("i", "g", "f", "o"), weight=("w",), bias_ih=("b",), forget_bias=0.5)
    assert gates_of(found, "bias_ih_l0") == [1, 1.5, 1, 1]
    assert gates_of(found, "bias_hh_l0") == [0, 0, 0, 0]
    bare = built(arrays, gates=("i", "g", "f", "o"), weight=("w",), forget_bias=1.0)
    assert gates_of(bare, "bias_ih_l0") == [0, 1, 0, 0]
    assert bare.config.bias


def test_a_bias_of_one_side_or_of_some_gates() -> None:
    """What is missing is zero: the other side's whole bias, and a gate's that is None."""
    one: Arrays = {"x": np.zeros((2, 3)), "h": np.zeros((2, 2)), "b": np.ones(2)}
    assert gates_of(built(one, RNN, weight_ih=("x",), weight_hh=("h",), bias_ih=("b",)), "bias_ih_l0") == [1]
    arrays: Arrays = {
        "x": np.zeros((6, 3)),
        "h": np.zeros((6, 2)),
        "b": np.array([[1.0, 1.0]]),
        "c": np.array([[2.0], [2.0]]),
    }
    found = built(arrays, GRU, weight_ih=("x",), weight_hh=("h",), bias_hh=("b", None, "c"))
    assert gates_of(found, "bias_ih_l0") == [0, 0, 0]
    assert gates_of(found, "bias_hh_l0") == [1, 0, 2]


def test_the_function_of_an_rnn_is_the_users() -> None:
    arrays: Arrays = {"x": np.zeros((2, 3)), "h": np.zeros((2, 2))}
    names: dict[str, Any] = {"weight_ih": ("x",), "weight_hh": ("h",)}
    assert built(arrays, RNN, "relu", **names).config.nonlinearity == "relu"
    assert built(arrays, RNN, None, **names).config.nonlinearity == "tanh"
    lstm: Arrays = {"x": np.zeros((8, 3)), "h": np.zeros((8, 2))}
    assert built(lstm, LSTM, "relu", **names).config.nonlinearity == "tanh"


TWO: dict[str, Any] = {"weight_ih": ("x",), "weight_hh": ("h",)}


@pytest.mark.parametrize(
    ("shapes", "more", "said"),
    [
        ({"x": (8, 3), "h": (8, 3)}, TWO, "its recurrent matrix is 8 x 3, which does not fit 2 units"),
        ({"x": (8, 3), "h": (9, 2)}, TWO, "its matrices have 9 rows, which are no 4 gates of one size"),
        ({"x": (0, 3), "h": (0, 2)}, TWO, "its matrices have 0 rows, which are no 4 gates of one size"),
        ({"x": (12, 3), "h": (8, 2)}, TWO, "its two matrices have different numbers of rows"),
        ({"x": (8, 0), "h": (8, 2)}, TWO, "its recurrent matrix is 8 x 2, which does not fit 2 units"),
        ({"w": (8, 2)}, {"weight": ("w",)}, "its recurrent matrix is 8 x 2, which does not fit 2 units"),
        ({"x": (8, 3), "h": (8,)}, TWO, "h has shape [8], expected two dimensions"),
        ({"x": (8, 3), "h": (8, 2, 1)}, TWO, "h has shape [8, 2, 1], expected two dimensions"),
        (
            {"x": (8, 3), "h": (4, 2), "k": (4, 3)},
            {"weight_ih": ("x",), "weight_hh": ("h", "k")},
            "h, k are not of one width",
        ),
        ({"x": (8, 3), "h": (8, 2), "b": (7,)}, {**TWO, "bias_ih": ("b",)}, "its biases have 7 numbers, expected 8"),
        ({"x": (8, 3), "h": (8, 2), "b": (9,)}, {**TWO, "bias_hh": ("b",)}, "its biases have 9 numbers, expected 8"),
        ({"x": (8, 3), "h": (8, 2), "b": (2, 4)}, {**TWO, "bias_hh": ("b",)}, "its biases have 0 numbers, expected 8"),
        ({"x": (8, 3), "h": (8, 2), "b": ()}, {**TWO, "bias_hh": ("b",)}, "its biases have 0 numbers, expected 8"),
        ({"x": (8, 3), "h": (8, 2), "b": (1, 1)}, {**TWO, "bias_hh": ("b",)}, "its biases have 1 numbers, expected 8"),
        (
            {"x": (8, 3), "h": (8, 2), "b": (2,)},
            {**TWO, "bias_hh": ("b", None, None)},
            "its biases have 6 numbers, expected 8",
        ),
        ({"x": (8, 3)}, {**TWO, "bias_hh": ("b",)}, "there is no tensor b"),
    ],
)
def test_sizes_that_contradict_each_other(shapes: dict[str, tuple[int, ...]], more: dict[str, Any], said: str) -> None:
    assert refusal(shapes, **more) == said


def test_an_input_of_one_number_is_enough() -> None:
    assert built({"w": np.zeros((8, 3))}, weight=("w",)).input_size == 1


def test_a_rename_keeps_what_stars_stand_for_in_order() -> None:
    """As much as possible goes to the first star; other signs are themselves."""
    rename = Rename("a.*_*", "*x*")
    assert rename.of("a.b_c_d") == "b_cxd"
    assert rename.of("a.b") is None
    assert rename.of("axb_c") is None
    assert rename.of("za.b_c") is None
    assert Rename("*-*", "n").of("1-2") == "n"
    assert Rename("(*", "*").of("(1\n2") == "1\n2"


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ("a=b", True),
        ("a=b=c", True),
        ("*.*.*.*=*.*.*.*", True),
        ("*.*.*.*.*=x", False),
        ("*=*", True),
        ("a*=b", True),
        ("*=**", False),
        ("a=", False),
        ("=b", False),
        ("a", False),
    ],
)
def test_what_is_a_rename(text: str, good: bool) -> None:
    """At most four stars, and no more in the new name; the first = parts them."""
    if good:
        rename = parse_rename(text)
        assert f"{rename.pattern}={rename.name}" == text
        assert "=" not in rename.pattern
    else:
        with pytest.raises(WorkloadError, match="expected PATTERN=NAME, with at most 4"):
            parse_rename(text)


def test_the_first_pattern_that_fits_renames() -> None:
    naming = Naming((Rename("a*", "x*"), Rename("*1", "*y")))
    assert naming.renamed(["a1", "b1", "c"]) == {"a1": "x1", "b1": "by", "c": "c"}
    with pytest.raises(WorkloadError, match=r"'\*1' fits no name in the file: a1, c"):
        naming.renamed(["c", "a1"])
    with pytest.raises(WorkloadError, match="'a1' and 'x1' both become 'x1'"):
        Naming((Rename("a*", "x*"),)).renamed(["a1", "x1"])
    assert Naming().renamed(["a"]) == {"a": "a"}
    assert [one.given for one in (naming, Naming(cells={}), Naming())] == ["--rename", "--map", ""]


WHOLE: dict[str, Any] = {"kind": LSTM, "weight": "w"}


def test_synonyms_of_gates() -> None:
    """j and c are g; u is z and h is n; left out, they are torch's."""
    for kind, gates, expected in (
        (LSTM, ("i", "j", "f", "o"), ("i", "g", "f", "o")),
        (LSTM, ("i", "f", "c", "o"), ("i", "f", "g", "o")),
        (LSTM, None, ("i", "f", "g", "o")),
        (GRU, ("r", "u", "h"), ("r", "z", "n")),
        (GRU, ("u", "n", "r"), ("z", "n", "r")),
        (RNN, ("n",), ("h",)),
        (RNN, None, ("h",)),
    ):
        assert CellMap(kind=kind, gates=gates, weight="w").recipe().gates == expected


def test_a_map_becomes_a_recipe() -> None:
    recipe = CellMap(
        kind=GRU, weight_ih="a", weight_hh=("b", "c", "d"), bias="e", transposed=True, linear_before_reset=False
    ).recipe()
    assert recipe == Recipe(
        GRU, ("r", "z", "n"), ("a",), ("b", "c", "d"), (), ("e",), (), transposed=True, linear_before_reset=False
    )
    assert recipe.names == {"a", "b", "c", "d", "e"}
    both = CellMap(kind=LSTM, weight="w", bias_ih=("a", None, None, "b"), bias_hh="c", forget_bias=1.0).recipe()
    assert (both.weight, both.bias_ih, both.bias_hh, both.forget_bias) == (("w",), ("a", None, None, "b"), ("c",), 1.0)
    assert both.names == {"w", "a", "b", "c"}
    plain = CellMap(**WHOLE).recipe()
    assert (plain.transposed, plain.forget_bias, plain.linear_before_reset, plain.bias_ih) == (False, 0.0, True, ())


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("weight: w, weight_ih: x, weight_hh: h", "give either weight, or both weight_ih and weight_hh"),
        ("weight: w, weight_hh: h", "give either weight, or both weight_ih and weight_hh"),
        ("weight_ih: x", "give either weight, or both weight_ih and weight_hh"),
        ("weight_hh: h", "give either weight, or both weight_ih and weight_hh"),
        ("weight: w, bias: b, bias_hh: c", "give either bias, or bias_ih and bias_hh"),
        ("weight: w, linear_before_reset: false", "a cell of kind lstm has no linear_before_reset"),
        ("weight_ih: x, weight_hh: [h, null]", "only a bias may be null"),
        ("weight_ih: [x, null], weight_hh: h", "only a bias may be null"),
        ("weight: w, gates: [i, i, f, o]", "gates: expected i, f, g, o in the file's order"),
        ("weight: w, forget_bias: 1000.1", "forget_bias"),
        ("weight: w, forget_bias: -1000.1", "forget_bias"),
    ],
)
def test_maps_of_an_lstm_that_are_refused(tmp_path: Path, fields: str, said: str) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(f"layers: {{a: {{kind: lstm, {fields}}}}}\n")
    with pytest.raises(WorkloadError) as caught:
        load_naming((), path)
    assert said in str(caught.value)


def test_maps_at_the_edge_are_read(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    for number in (1000.0, -1000.0):
        path.write_text(f"layers: {{a: {{kind: lstm, weight: w, bias: b, forget_bias: {number}}}}}\n")
        cells = load_naming(["a=b"], path).cells
        assert cells is not None
        assert cells["a"].recipe().forget_bias == number
    assert CellMap(kind=GRU, weight="w", linear_before_reset=False)
    assert CellMap(kind=RNN, gates=("x", "y"), weight="w").recipe().gates == ("h",)
