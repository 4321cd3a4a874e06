"""What the shapes of a state_dict tell, at the edges; what is left over, and what is not read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers.faults import fault
from archsim.importers.found import Found, FoundLayer, Shape
from archsim.importers.listed import ListedTensor, NothingFits
from archsim.importers.reading import Asked
from archsim.importers.tensors import find_tensors
from archsim.importers.tensors.find_tensors import find_in_tensors
from archsim.importers.tensors.naming import CellMap, Naming, Rename
from archsim.workload.network import CellKind

PATH = Path("m.npz")


def found_in(shapes: Mapping[str, Shape], naming: Naming | None = None) -> Found:
    """What is found among tensors whose numbers are their place in the file, from 1."""
    arrays = {name: np.full(shape, place, np.float32) for place, (name, shape) in enumerate(shapes.items(), 1)}
    listed = [ListedTensor(name, shape, "float32") for name, shape in shapes.items()]
    asked = Asked(None, naming or Naming())
    return find_in_tensors(PATH, shapes, lambda wanted: {name: arrays[name] for name in wanted}, asked, listed)


def only(shapes: Mapping[str, Shape]) -> FoundLayer:
    (layer,) = found_in(shapes).layers
    return layer


def reasons(shapes: Mapping[str, Shape]) -> list[str]:
    return [entry.reason for entry in found_in(shapes).unsupported]


def cell(end: str = "_l0", inputs: int = 3, hidden: int = 4, rows: int = 16) -> dict[str, Shape]:
    return {f"weight_ih{end}": (rows, inputs), f"weight_hh{end}": (rows, hidden)}


def test_shapes_of_each_kind() -> None:
    """Rows a column: 4, 3, 1. Input and units are the columns, whatever stands first."""
    for rows, kind in ((16, "lstm"), (12, "gru"), (4, "rnn")):
        layer = only(dict(reversed(cell(rows=rows).items())))
        assert (layer.config.kind, layer.input_size, layer.config.hidden_size) == (kind, 3, 4)
        assert (layer.num_layers, layer.config.bias, layer.config.bidirectional) == (1, False, False)
    projected = only({"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 2), "weight_hr_l0": (2, 4)})
    assert (projected.config.hidden_size, projected.config.proj_size) == (4, 2)
    normed = only(cell() | {"layer_norm_l0": (16,)})
    assert (normed.config.layer_norm, normed.config.peepholes) == (True, False)


def test_stacks_of_both_directions() -> None:
    """The second layer takes 2 x 4 numbers, or 2 x 2 with a projection to 2; of one direction 4."""
    both = cell() | cell("_l0_reverse") | cell("_l1", 8) | cell("_l1_reverse", 8)
    layer = only(both)
    assert (layer.num_layers, layer.config.bidirectional, layer.cells) == (2, True, 4)
    assert [float(tensor.flat[0]) for tensor in layer.tensors.values()] == [2, 4, 6, 8, 1, 3, 5, 7]
    parts = {"_l0": 3, "_l0_reverse": 3, "_l1": 4, "_l1_reverse": 4}
    shapes: dict[str, Shape] = {}
    for end, size in parts.items():
        shapes |= cell(end, size, 2) | {f"weight_hr{end}": (2, 4)}
    assert only(shapes).config.proj_size == 2
    wrong = "layer 1 is not of the kind or size that follows from layer 0"
    assert reasons(both | {"weight_ih_l1_reverse": (16, 4)}) == [wrong]
    assert reasons(both | {"weight_ih_l0_reverse": (16, 4)}) == [wrong.replace("layer 1", "layer 0", 1)]
    assert reasons(cell() | cell("_l1", 4) | cell("_l2", 8)) == [wrong.replace("layer 1", "layer 2", 1)]


@pytest.mark.parametrize("more", ["peephole", "layer_norm", "bias", "weight_hr"])
def test_a_layer_above_is_like_the_first(more: str) -> None:
    size = {"peephole": 12, "layer_norm": 16}.get(more)
    extra: dict[str, Shape]
    if size is not None:
        extra = {f"{more}_l1": (size,)}
    elif more == "bias":
        extra = {"bias_ih_l1": (16,), "bias_hh_l1": (16,)}
    else:
        extra = {"weight_hr_l1": (2, 4), "weight_hh_l1": (16, 2)}
    assert reasons(cell() | cell("_l1", 4) | extra) == ["layer 1 is not of the kind or size that follows from layer 0"]


@pytest.mark.parametrize(
    ("shapes", "said"),
    [
        (cell("_l1"), "layer l0 is missing, but there is l1"),
        (cell() | cell("_l1_reverse", 4), "some layers have a reverse direction and others have none"),
        (
            cell() | cell("_l0_reverse") | cell("_l1_reverse", 8) | cell("_l2", 8),
            "some layers have a reverse direction and others have none",
        ),
        (cell(rows=8), "weight_hh_l0 has shape [8, 4], which is no LSTM (4 rows a column), GRU (3) or RNN (1); an LSTM with "
         "a projection needs weight_hr_l0"),
        (cell(rows=17), "weight_hh_l0 has shape [17, 4], which is no LSTM (4 rows a column), GRU (3) or RNN (1); an LSTM "
         "with a projection needs weight_hr_l0"),
        (cell() | {"bias_hh_l0": (16,)}, "bias_ih_l0 is missing, but the other bias is there"),
        (cell() | {"weight_ih_l0": (12, 3)}, "weight_ih_l0 has shape [12, 3], expected [16, 3] for this LSTM"),
        (cell() | {"layer_norm_l0": (4,)}, "layer_norm_l0 has shape [4], expected [16] for this LSTM"),
        (cell() | {"bias_ih_l0": (16, 1), "bias_hh_l0": (16,)}, "bias_ih_l0 has shape [16, 1], expected 1 dimensions"),
    ],
)  # fmt: skip
def test_what_does_not_fit(shapes: dict[str, Shape], said: str) -> None:
    assert reasons(shapes) == [said]


def test_as_many_layers_as_are_supported() -> None:
    """64, not 65; a cell beside a layer is another module's only under another prefix."""

    def stack(count: int) -> dict[str, Shape]:
        shapes: dict[str, Shape] = {}
        for number in range(count):
            shapes |= cell(f"_l{number}", 4)
        return shapes

    assert only(stack(64)).num_layers == 64
    assert reasons(stack(65)) == ["has 65 layers, at most 64 are supported"]
    found = found_in({f"a.{name}": shape for name, shape in cell("").items()} | stack(1))
    assert [layer.name for layer in found.layers] == ["a", "state_dict"]


def test_notes_of_an_rnn_and_of_computed_weights_stand_at_their_layer() -> None:
    shapes: dict[str, Shape] = {f"r.{name}": shape for name, shape in cell(rows=4).items()}
    shapes |= {f"l.{name}": shape for name, shape in cell().items()}
    shapes["l.weight_hh_l0_orig"] = shapes["l.weight_hh_l0_mask"] = shapes.pop("l.weight_hh_l0")
    notes = {layer.name: layer.notes for layer in found_in(shapes).layers}
    assert [len(notes["r"]), len(notes["l"])] == [1, 1]
    assert notes["r"][0].startswith("a state_dict does not say whether it is tanh or relu")
    assert notes["l"] == ("weight_hh_l0 is the pruned matrix (weight_hh_l0_orig, weight_hh_l0_mask)",)


def test_what_else_is_in_the_file_is_counted_once() -> None:
    """Two tensors of a fused cell are found, three are left; all of the module's own are its."""
    shapes: dict[str, Shape] = {f"rnn.{name}": shape for name, shape in cell().items()}
    shapes |= {"c.x2h.weight": (16, 3), "c.h2h.weight": (16, 4), "p": (1,), "q": (2, 2), "r": ()}
    found = found_in(shapes)
    assert ([layer.name for layer in found.layers], found.rest) == (["rnn", "c"], "3 other tensors")
    assert found_in(cell()).rest == ""


def test_maps_take_their_tensors_and_the_rest_is_read_as_ever() -> None:
    """Two cells of the map, one of which has a tensor that is not there; of the other five tensors none is left."""
    naming = Naming(
        cells={
            "mine": CellMap(kind=CellKind.LSTM, weight="w"),
            "bad": CellMap(kind=CellKind.LSTM, weight="none"),
        }
    )
    found = found_in(cell() | {"w": (16, 7)}, naming)
    assert [(layer.name, layer.input_size) for layer in found.layers] == [("mine", 3), ("state_dict", 3)]
    assert [(entry.name, entry.reason) for entry in found.unsupported] == [("bad", "there is no tensor none")]
    assert found.rest == ""


def test_cells_of_tensorflow_1_are_a_stack_by_their_numbers() -> None:
    """cell_10 takes what cell_9 gives, of the same prefix and kind; a number elsewhere, or a letter, says nothing."""
    shapes: dict[str, Shape] = {}
    for name in ("rnn/multi_rnn_cell/cell_9/lstm_cell", "rnn/multi_rnn_cell/cell_10/lstm_cell",
                 "b/multi_rnn_cell/cell_10/lstm_cell", "rnn/multi_rnn_cell/cell_11/basic_rnn_cell"):  # fmt: skip
        gates = 1 if "rnn_cell" in name.rpartition("/")[2] else 4
        shapes |= {f"{name}/kernel": (8, 4 * gates), f"{name}/bias": (4 * gates,)}
    for name in ("2/lstm_cell", "3/lstm_cell", "c/multi_rnn_cell/cell_x/lstm_cell"):
        shapes |= {f"{name}/kernel": (8, 16), f"{name}/bias": (16,)}
    fed = {layer.name: (layer.fed_by, layer.input_from) for layer in found_in(shapes).layers}
    nine = "rnn/multi_rnn_cell/cell_9/lstm_cell"
    assert fed["rnn/multi_rnn_cell/cell_10/lstm_cell"] == ((nine,), f"the output of {nine}")
    assert [name for name, (below, _) in fed.items() if below] == ["rnn/multi_rnn_cell/cell_10/lstm_cell"]


def test_renamed_tensors_are_found() -> None:
    found = found_in({"x1": (16, 3), "x2": (16, 4)}, Naming((Rename("x1", "e.weight_ih"), Rename("x2", "e.weight_hh"))))
    assert [layer.name for layer in found.layers] == ["e"]
    with pytest.raises(WorkloadError, match="has no recurrent layer that its names tell, only 2 other tensors"):
        found_in({"x1": (16, 3), "x2": (16, 4)})


def test_modules_that_are_not_read_are_named_by_what_is_before_their_weights() -> None:
    names = ("weight_l0", "a.weight_l1", "b.weight_ih_l0_g", "c.parametrizations.weight_hh.x", "bias_hh_l0_v")
    entries = [
        (entry.name, entry.reason.split(" ")[0].rstrip(":"))
        for entry in found_in(dict.fromkeys(names, (1,))).unsupported
    ]
    alone = found_in({"weight_ih_l0_g": (16, 1)}).unsupported
    assert entries == [
        ("state_dict", names[0]),
        ("a", names[1]),
        *zip(("b", "c", "state_dict"), names[2:], strict=True),
    ]
    assert alone[0].name == "state_dict"


def test_a_file_that_breaks_off_is_said_of_the_layer() -> None:
    def broken(wanted: Mapping[str, Shape]) -> Mapping[str, np.ndarray]:
        raise fault(PATH, "ends too early")

    naming = Naming(cells={"": CellMap(kind=CellKind.LSTM, weight="w")})
    found = find_in_tensors(PATH, cell() | {"w": (16, 7)}, broken, Asked(None, naming), ())
    assert [(entry.name, entry.reason) for entry in found.unsupported] == [
        ("unnamed", "ends too early"),
        ("state_dict", "ends too early"),
    ]


def test_a_file_without_tensors_has_nothing_and_one_of_integers_says_so() -> None:
    assert (found_in({}).layers, found_in({}).unsupported) == ((), ())
    listed = [ListedTensor("ids", (9,), "int64", False)]
    with pytest.raises(NothingFits) as caught:
        find_in_tensors(PATH, {}, lambda wanted: {}, Asked(), listed)
    assert str(caught.value).endswith("only 1 other tensor: ids [9]; none holds dense floating-point numbers")
    with pytest.raises(NothingFits) as caught:
        find_in_tensors(PATH, {"w": (2,)}, lambda wanted: {}, Asked(), [*listed, ListedTensor("w", (2,), "float32")])
    assert "only 2 other tensors: w [2] and 1 more; say which are its matrices" in str(caught.value)


def test_layouts_are_looked_for_among_so_many_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find_tensors, "MAX_RECOGNIZED", 3)
    shapes: dict[str, Shape] = {"x2h.weight": (16, 3), "h2h.weight": (16, 4), "p": (1,)}
    assert len(found_in(shapes).layers) == 1
    with pytest.raises(NothingFits):
        found_in(shapes | {"q": (1,)})
