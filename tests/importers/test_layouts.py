"""Others' layouts by their names and shapes, what is taken for granted, and hints where nothing fits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from archsim.importers.found import Shape
from archsim.importers.tensors.layouts import recognized, torch_names
from archsim.importers.tensors.nearest import nearest, tensors_in_words
from archsim.importers.tensors.recipe import Recipe
from archsim.importers.tensors.state_dict import TORCH_NAME

Shapes = dict[str, Shape]


def only(shapes: Mapping[str, Shape]) -> tuple[str, Recipe]:
    ((name, recipe),) = recognized(shapes).items()
    return name, recipe


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("enc_w_ih", "enc.weight_ih"),
        ("enc.weights_hh_l0", "enc.weight_hh_l0"),
        ("w_hh_l3_reverse", "weight_hh_l3_reverse"),
        ("a/b_ih", "a.bias_ih"),
        ("a.bias_hh_l0", None),
        ("a.weight_ih", None),
        ("bias_ih", None),
        ("a_v_ih", None),
        ("w_ih_l12345", None),
    ],
)
def test_short_names(name: str, new: str | None) -> None:
    """Those that torch itself uses stay."""
    assert torch_names({name: (1,)}, TORCH_NAME) == ({} if new is None else {name: new})


@pytest.mark.parametrize(
    ("first", "second"),
    [("x2h", "h2h"), ("i2h", "h2h"), ("ih", "hh"), ("input_to_hidden", "hidden_to_hidden"), ("W", "U")],
)
def test_two_linear_layers_of_all_gates(first: str, second: str) -> None:
    shapes: Shapes = {f"c.{first}.weight": (6, 3), f"c.{second}.weight": (6, 2), f"c.{second}.bias": (6,)}
    name, recipe = only(shapes)
    assert name == "c"
    assert (recipe.kind, recipe.weight_ih, recipe.weight_hh) == ("gru", (f"c.{first}.weight",), (f"c.{second}.weight",))
    assert (recipe.bias_ih, recipe.bias_hh) == ((), (f"c.{second}.bias",))
    assert (recipe.transposed, recipe.linear_before_reset) == (False, True)
    (note,) = recipe.notes
    assert note.startswith("the file does not say the order of the gates: torch's is taken (r, z, n)")
    shapes[f"c.{first}.bias"] = (6,)
    assert only(shapes)[1].bias_ih == (f"c.{first}.bias",)


@pytest.mark.parametrize(
    ("shape", "kind", "notes"),
    [((8, 2), "lstm", 1), ((6, 2), "gru", 1), ((2, 2), "rnn", 0), ((4, 2), "", 0), ((7, 2), "", 0)],
)
def test_the_kind_of_fused_layers_is_that_of_their_rows(shape: Shape, kind: str, notes: int) -> None:
    """An RNN has one gate, whose order is no question."""
    found = recognized({"x2h.weight": (shape[0], 3), "h2h.weight": shape})
    assert [(name, recipe.kind, len(recipe.notes)) for name, recipe in found.items()] == (
        [("cell", kind, notes)] if kind else []
    )


@pytest.mark.parametrize(
    "shapes",
    [
        {"ax2h.weight": (8, 3), "ah2h.weight": (8, 2)},
        {"x2h.weight": (8, 3), "h2h.weight": (8, 2, 1)},
        {"x2h.weight": (8, 3), "h2h.weight": (8, 0)},
        {"h2h.weight": (8, 2)},
        {"a.x2h.weight": (8, 3), "b.h2h.weight": (8, 2)},
    ],
)
def test_what_is_no_fused_cell(shapes: Shapes) -> None:
    assert recognized(shapes) == {}


@pytest.mark.parametrize("prefix", ["a.", "a/", "a_", ""])
def test_a_prefix_ends_at_a_dot_a_slash_or_a_bar(prefix: str) -> None:
    assert only({f"{prefix}x2h.weight": (8, 3), f"{prefix}h2h.weight": (8, 2)})[0] == (prefix[:-1] or "cell")


def per_gate(inputs: str, hidden: str, gates: str, shape_x: Shape, shape_h: Shape, leaf: str = "") -> Shapes:
    shapes: Shapes = {f"c.{inputs}{gate}{leaf}": shape_x for gate in gates}
    return shapes | {f"c.{hidden}{gate}{leaf}": shape_h for gate in gates}


@pytest.mark.parametrize(("inputs", "hidden"), [("W_i", "W_h"), ("W_x", "W_h"), ("W_", "U_"), ("W", "U")])
@pytest.mark.parametrize(
    ("gates", "kind"), [("ifgo", "lstm"), ("ifco", "lstm"), ("ijfo", "lstm"), ("rzn", "gru"), ("run", "gru")]
)
def test_a_matrix_for_each_gate(inputs: str, hidden: str, gates: str, kind: str) -> None:
    """In torch's order, whatever the file's; c and j are g, u is z."""
    order = {"ifgo": "ifgo", "ifco": "ifco", "ijfo": "ifjo", "rzn": "rzn", "run": "run"}[gates]
    name, recipe = only(per_gate(inputs, hidden, gates, (4, 3), (4, 4)))
    assert (name, recipe.kind, recipe.bias_ih, recipe.bias_hh) == ("c", kind, (), ())
    assert recipe.weight_ih == tuple(f"c.{inputs}{gate}" for gate in order)
    assert recipe.weight_hh == tuple(f"c.{hidden}{gate}" for gate in order)
    assert recipe.notes == ()


@pytest.mark.parametrize(
    ("leaf", "shape", "transposed", "noted"),
    [
        ("", (3, 4), True, False),
        ("", (4, 3), False, False),
        ("", (4, 4), False, True),
        (".weight", (4, 4), False, False),
        (".weight", (3, 4), False, False),
        ("/kernel", (4, 3), True, False),
        ("/kernel", (4, 4), True, False),
    ],
)
def test_which_way_matrices_lie(leaf: str, shape: Shape, transposed: bool, noted: bool) -> None:
    """A Linear layer's have units down, a kernel has them across; bare ones of 4 units tell it if they are not square."""
    recipe = only(per_gate("W_i", "W_h", "ifgo", shape, (4, 4), leaf))[1]
    assert (recipe.transposed, bool(recipe.notes)) == (transposed, noted)
    if noted:
        assert recipe.notes[0].startswith("W and U are square: rows are taken as units, as in torch")


def test_biases_beside_matrices() -> None:
    """b_ii and b_hi of both sides; b_i once for both together; those of Linear layers are each side's own."""
    weights = per_gate("W_i", "W_h", "rzn", (4, 3), (4, 4))
    both = only(weights | {f"c.b_{side}{gate}": (4,) for side in "ih" for gate in "rzn"})[1]
    assert (both.bias_ih, both.bias_hh) == (("c.b_ir", "c.b_iz", "c.b_in"), ("c.b_hr", "c.b_hz", "c.b_hn"))
    some = only(weights | {"c.b_hz": (4,)})[1]
    assert (some.bias_ih, some.bias_hh) == ((), (None, "c.b_hz", None))
    for inputs, hidden in (("W_x", "W_h"), ("W_", "U_"), ("W", "U")):
        for bias in ("b_", "b"):
            one = only(per_gate(inputs, hidden, "rzn", (4, 3), (4, 4)) | {f"c.{bias}{gate}": (4,) for gate in "rzn"})[1]
            assert (one.bias_ih, one.bias_hh) == (tuple(f"c.{bias}{gate}" for gate in "rzn"), ()), (inputs, bias)
    linear = per_gate("W_i", "W_h", "rzn", (4, 3), (4, 4), ".weight")
    linear |= {f"c.W_h{gate}.bias": (4,) for gate in "rzn"}
    recipe = only(linear)[1]
    assert (recipe.bias_ih, recipe.bias_hh) == ((), ("c.W_hr.bias", "c.W_hz.bias", "c.W_hn.bias"))


@pytest.mark.parametrize(
    "shapes",
    [
        per_gate("W_i", "W_h", "ifg", (4, 3), (4, 4)),
        per_gate("W_i", "W_h", "rz", (4, 3), (4, 4)),
        per_gate("i", "h", "ifgo", (4, 3), (4, 4)),
        per_gate("W_i", "W_h", "ifgo", (4, 3, 1), (4, 4)),
        {name: shape for name, shape in per_gate("W_i", "W_h", "ifgo", (4, 3), (4, 4)).items() if name != "c.W_ho"},
        {f"c.W_i{gate}.bias": (4,) for gate in "ifgo"},
    ],
)
def test_what_is_no_cell_of_gates(shapes: Shapes) -> None:
    """A gate missing, two letters without a leaf, matrices of three dimensions, biases alone."""
    assert recognized(shapes) == {}


def test_kernels_of_tensorflow_1() -> None:
    for cell, kind, gates, forget in (
        ("basic_lstm_cell", "lstm", ("i", "g", "f", "o"), 1.0),
        ("lstm_cell", "lstm", ("i", "g", "f", "o"), 1.0),
        ("basic_rnn_cell", "rnn", ("h",), 0.0),
    ):
        name, recipe = only({f"rnn/{cell}/kernel": (7, 16), f"rnn/{cell}/bias": (16,)})
        assert (name, recipe.kind, recipe.gates, recipe.forget_bias) == (f"rnn/{cell}", kind, gates, forget)
        assert (recipe.weight, recipe.bias_ih) == ((f"rnn/{cell}/kernel",), (f"rnn/{cell}/bias",))
        assert recipe.transposed
        assert len(recipe.notes) == (1 if kind == "lstm" else 0)
    gru: Shapes = {f"gru_cell/{part}/{what}": (7, 8) for part in ("gates", "candidate") for what in ("kernel", "bias")}
    name, recipe = only(gru)
    assert (name, recipe.kind, recipe.gates, recipe.linear_before_reset) == ("gru_cell", "gru", ("r", "z", "n"), False)
    assert recipe.weight == ("gru_cell/gates/kernel", "gru_cell/candidate/kernel")
    assert recipe.bias_ih == ("gru_cell/gates/bias", "gru_cell/candidate/bias")
    assert recipe.transposed
    for missing in gru:
        assert recognized({name: shape for name, shape in gru.items() if name != missing}) == {}


@pytest.mark.parametrize(
    "shapes",
    [
        {"lstm_cell/kernel": (7, 16)},
        {"lstm_cell/kernel": (7, 16, 1), "lstm_cell/bias": (16,)},
        {"lstm_cell/kernel/Adam": (7, 16), "lstm_cell/bias": (16,)},
        {"gru_cell/kernel": (7, 16), "gru_cell/bias": (16,)},
        {"lstm_cell/gates/kernel": (7, 16), "lstm_cell/gates/bias": (16,), "lstm_cell/candidate/kernel": (7, 16),
         "lstm_cell/candidate/bias": (16,)},
        {"lstm_cell/kernel": (7, 16), "lstm_cell/bias": (16,), "lstm_cell/projection/kernel": (4, 2)},
        {"lstm_cell/kernel": (7, 16), "lstm_cell/bias": (16,), "lstm_cell/w_f_diag": (4,)},
    ],
)  # fmt: skip
def test_what_is_no_cell_of_tensorflow_1(shapes: Shapes) -> None:
    """No bias, an optimizer's slot, another cell's parts, a projection or peepholes, which the recipe would lose."""
    assert recognized(shapes) == {}


def test_a_tensor_belongs_to_one_cell() -> None:
    """h2h has two names for its partner: the first in the list of layouts takes it."""
    shapes: Shapes = {"x2h.weight": (8, 3), "i2h.weight": (8, 3), "h2h.weight": (8, 2)}
    assert only(shapes)[1].weight_ih == ("x2h.weight",)


NOTHING = "say which are its matrices with --rename or --map (docs/model_files.md)"


@pytest.mark.parametrize(
    ("shapes", "begins"),
    [
        ({"b": (8, 2), "a": (8, 3)}, "b has 4 rows a column, as weight_hh of an LSTM of 2 units: --rename 'a=rnn.weight_ih_l0' "
         "--rename 'b=rnn.weight_hh_l0', and so for the biases"),
        ({"b": (6, 2), "a": (6, 5)}, "b has 3 rows a column, as weight_hh of a GRU of 2 units: "),
        ({"a": (8, 2), "a_hid": (8, 2)}, "a_hid has 4 rows a column"),
        ({"a_hh": (8, 2), "b": (8, 2)}, "b has 4 rows a column"),
        ({"a": (2, 8), "b": (3, 8), "c": (8,)}, "a has 4 columns a row, as Keras' recurrent_kernel of an LSTM of 2 units: --map "
         'FILE with layers: {rnn: {kind: lstm, weight_ih: "b", weight_hh: "a", bias: "c", transposed: true}}'),
        ({"a": (2, 6), "b": (5, 6), "c": (6,), "d": (6,)}, "a has 3 columns a row, as Keras' recurrent_kernel of a GRU of 2 "
         'units: --map FILE with layers: {rnn: {kind: gru, weight_ih: "b", weight_hh: "a", transposed: true}}'),
        ({"w": (5, 8)}, "w may be one matrix over [x, h] of an LSTM of 2 units"),
        ({"w": (5, 6)}, "w may be one matrix over [x, h] of a GRU of 2 units"),
        ({"w": (2, 8)}, NOTHING),
        ({"w": (3, 8)}, "w may be one matrix over [x, h] of an LSTM of 2 units"),
        ({"w": (9, 3)}, "w may be one matrix over [x, h] of a GRU of 1 units"),
        ({"w": (5, 2)}, NOTHING),
        ({"w": (5, 8), "v": (1, 1), "u": (1, 2)}, NOTHING),
        ({"w": (5, 8), "v": (1, 2)}, "w may be one matrix"),
        ({"a": (8, 2), "b": (8, 3), "c": (8, 3)}, NOTHING),
        ({"a": (2, 8), "b": (3, 8), "c": (3, 8)}, NOTHING),
        ({"a": (8, 0), "b": (8, 3)}, "b may be one matrix over [x, h] of a GRU of 1 units"),
        ({"v": (8,)}, NOTHING),
        ({}, NOTHING),
    ],
)  # fmt: skip
def test_hints(shapes: Shapes, begins: str) -> None:
    assert nearest(shapes).startswith(begins)


def test_the_first_eight_tensors_in_words() -> None:
    shapes: Shapes = {f"t{number}": (number, 1) for number in range(9)}
    listed = ", ".join(f"t{number} [{number}, 1]" for number in range(8))
    assert tensors_in_words(shapes, 1010) == f"{listed} and 1,002 more"
    assert tensors_in_words(shapes, 8) == listed
    assert tensors_in_words({"a": ()}, 2) == "a [] and 1 more"
