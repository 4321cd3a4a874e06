"""Which layers are one stack, and how tensors, states and ranges of a stack are put together, each by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers.chain import (
    described,
    join_directions,
    select,
    stack_codes,
    stack_ranges,
    stack_states,
    stack_tensors,
)
from archsim.importers.codes import Codes
from archsim.importers.found import Found, FoundLayer, Refused, Unsupported, layer_config
from archsim.workload.calibration import Range
from archsim.workload.config import FunctionConfig
from archsim.workload.network import CellKind

PATH = Path("m.onnx")


def layer(name: str, inputs: int = 3, hidden: int = 4, below: tuple[str, ...] = (), **more: Any) -> FoundLayer:
    """An LSTM without tensors; what is no field of a FoundLayer is an option of its configuration."""
    own = {key: more.pop(key) for key in list(more) if key not in FoundLayer.__dataclass_fields__}
    config = layer_config(**({"kind": CellKind.LSTM, "hidden_size": hidden} | own))
    return FoundLayer(name, config, inputs, more.pop("tensors", {}), fed_by=below, **more)


def stacked(*layers: FoundLayer, pairs: tuple[tuple[str, str], ...] = ()) -> list[str]:
    return [one.name for one in select(Found(PATH, layers, pairs=pairs), "all")]


def refusal(*layers: FoundLayer, name: str = "all", pairs: tuple[tuple[str, str], ...] = (), **more: Any) -> str:
    with pytest.raises(WorkloadError) as caught:
        select(Found(PATH, layers, pairs=pairs, **more), name)
    return str(caught.value)


def test_a_stack_stands_from_the_bottom_up_whatever_the_order_in_the_file() -> None:
    low, mid, top = layer("low"), layer("mid", 4, 5, ("low",)), layer("top", 5, 6, ("mid",))
    assert stacked(top, low, mid) == stacked(low, mid, top) == ["low", "mid", "top"]


def test_a_pair_is_one_layer_between_others() -> None:
    low, top = layer("low"), layer("top", 8, 2, ("f", "r"))
    sides = layer("f", 4, 4, ("low",)), layer("r", 4, 4, ("low",), reverse=True)
    assert stacked(top, *sides, low, pairs=(("f", "r"),)) == ["low", "f and r", "top"]


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([layer("a", input_from="x"), layer("b")], "a is fed by x; b is fed by something else"),
        (
            [layer("a"), layer("b", 4, 4, ("a",)), layer("c", 4, 4, ("a",))],
            "c and b are both fed by a",
        ),
        (
            [layer("a"), layer("b", 8, 4, ("a", "z"), input_from="the output of a and z")],
            "b is fed by only a part of the output of a and z",
        ),
        (
            [layer("a", sequence_lens=(2, 1)), layer("b", 4, 4, ("a",))],
            "they have different sequence_lens",
        ),
        (
            [layer("a", batch_first=True), layer("b", 4, 4, ("a",))],
            "some have the batch first and others not",
        ),
        ([layer("a", 4, 4, ("b",)), layer("b", 4, 4, ("a",))], "they feed each other in a circle"),
        (
            [layer("a", 4, 4, ("b",)), layer("b", 4, 4, ("a",)), layer("c", 4, 4, ("a",))],
            "c and b are both fed by a",
        ),
    ],
)
def test_why_layers_are_no_stack(layers: list[FoundLayer], said: str) -> None:
    """Each is refused for this one reason alone, which stands between the beginning and the advice."""
    whole = f"m.onnx: the layers are no single stack: {said}; choose one with --layer NAME"
    assert refusal(*layers).endswith(whole)


def test_four_reasons_are_listed_and_no_fifth() -> None:
    text = refusal(*(layer(name, input_from=f"x{name}") for name in "abcdef"))
    assert [f"{name} is fed by x{name}" in text for name in "abcdef"] == [True] * 4 + [False] * 2


def test_a_layer_is_chosen_by_its_name_before_by_an_end_of_it() -> None:
    """An end stands behind a dot or a slash; "b" is no end of "ab"."""
    found = Found(PATH, (layer("x.b"), layer("b"), layer("a/c"), layer("d.c2"), layer("ab")))
    assert [one.name for one in select(found, "b")] == ["b"]
    assert [one.name for one in select(found, "c")] == ["a/c"]
    assert [one.name for one in select(found, "c2")] == ["d.c2"]
    listed = "x.b, b, a/c, d.c2, ab"
    assert refusal(*found.layers, name="2").endswith(f"--layer 2: no layer of that name; there are: {listed}")
    assert refusal(name="b").endswith("no layer of that name; there are: none")
    two = refusal(layer("x.b"), layer("y/b"), layer("c"), name="b")
    assert two.endswith("--layer b: several layers have that name: x.b, y/b")


def test_a_layer_that_is_not_supported_says_why_by_either_name() -> None:
    """Listings name it with its operator in brackets."""
    bad = (Unsupported("a (LSTM)", "no W"), Unsupported("c", "no R"))
    for name, why in (("a", "no W"), ("a (LSTM)", "no W"), ("c", "no R")):
        assert refusal(layer("b"), name=name, unsupported=bad).endswith(f"{name}: not supported: {why}")
    assert "no layer of that name" in refusal(layer("b"), name="d", unsupported=bad)
    text = refusal(layer("b"), unsupported=bad)
    assert text.endswith("not all layers are supported (a (LSTM): no W); choose one with --layer NAME")


def test_pairs_that_share_a_layer_or_cannot_be_joined_are_named() -> None:
    f, r, s = layer("f"), layer("r", reverse=True), layer("s", reverse=True)
    assert "two pairs of directions share a layer" in refusal(f, r, s, pairs=(("f", "r"), ("f", "s")))
    text = refusal(f, replace(r, input_size=2), pairs=(("f", "r"),))
    assert text.endswith("f and r: cannot be one bidirectional layer: their inputs differ")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"hidden": 5}, "their hidden_size differs"),
        ({"proj_size": 2}, "their proj_size differs"),
        ({"clip": 3.0}, "their clip differs"),
        ({"input_forget": True}, "their input_forget differs"),
        ({"peepholes": True}, "their peepholes differs"),
        ({"layer_norm": True}, "their layer_norm differs"),
        ({"bias": False}, "their bias differs"),
        ({"inputs": 2}, "their inputs differ"),
        ({"sequence_lens": (1,)}, "their inputs differ"),
    ],
)
def test_directions_that_differ_are_no_layer(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=f"^{said}$"):
        join_directions("b", layer("f"), layer("r", reverse=True, **options))


def states(*numbers: float) -> np.ndarray:
    """A state (1, B, 4) whose sequences have these numbers."""
    return np.array([[[number] * 4 for number in numbers]], np.float32)


def test_two_directions_become_one_layer() -> None:
    """Tensors of the reverse one get torch's ending; a state of one sequence is that of all; none is one of zeros."""
    one, codes = np.ones((16, 3), np.float32), Codes(np.ones((16, 3), np.int8), np.array(0.5), np.array(0))
    forward = layer("f", tensors={"w_l0": one}, codes={"w_l0": codes}, h_0=states(1, 2), notes=("n", "m"))
    reverse = layer(
        "r", reverse=True, tensors={"w_l0": 2 * one}, codes={"w_l0": codes}, h_0=states(3), notes=("m", "o")
    )
    joined = join_directions("b", forward, reverse)
    assert (joined.name, joined.config.bidirectional, joined.config.reverse) == ("b", True, False)
    assert {name: tensor[0, 0] for name, tensor in joined.tensors.items()} == {"w_l0": 1, "w_l0_reverse": 2}
    assert sorted(joined.codes) == ["w_l0", "w_l0_reverse"]
    assert joined.notes == ("n", "m", "o")
    assert joined.h_0 is not None
    assert joined.h_0[:, :, 0].tolist() == [[1, 2], [3, 3]]
    assert joined.c_0 is None
    assert joined.config.activations is None
    other = join_directions("b", replace(forward, h_0=None, c_0=None), replace(reverse, c_0=states(5, 6)))
    assert other.c_0 is not None
    assert other.c_0[:, :, 0].tolist() == [[0, 0], [5, 6]]


def test_a_state_for_any_batch_is_one_of_both_directions() -> None:
    """Of the sides with a state each must be; a side without any says nothing, and neither do two of them."""
    some, fixed, none = (layer("x", h_0=states(1), any_batch=True), layer("x", h_0=states(1)), layer("x"))
    pairs = ((some, some, True), (some, none, True), (none, some, True), (some, fixed, False), (fixed, none, False))
    for first, second, expected in (*pairs, (none, none, False)):
        assert join_directions("b", first, second).any_batch is expected
    cells = layer("x", c_0=states(1), any_batch=True)
    assert join_directions("b", none, cells).any_batch
    assert not join_directions("b", fixed, cells).any_batch


def test_directions_with_functions_of_their_own_keep_them() -> None:
    functions = tuple(FunctionConfig(name=name) for name in ("sigmoid", "relu", "relu"))
    joined = join_directions("b", layer("f"), layer("r", reverse=True, activations=functions))
    assert joined.config.activations is not None
    names = [function.name for function in joined.config.activations]
    assert names == ["sigmoid", "tanh", "tanh", "sigmoid", "relu", "relu"]
    gate, new = FunctionConfig(name="hardsigmoid", alpha=0.25, beta=0.75), FunctionConfig(name="elu", alpha=2.0)
    scaled = (gate, FunctionConfig(name="tanh"), new)
    joined = join_directions("b", layer("f", activations=scaled), layer("r"))
    assert joined.config.activations is not None
    first, _, third = joined.config.activations[:3]
    assert (first.alpha, first.beta, third.alpha) == (0.25, 0.75, 2.0)
    rnn: dict[str, Any] = {"kind": CellKind.RNN}
    joined = join_directions("b", layer("f", **rnn, nonlinearity="relu"), layer("r", **rnn, nonlinearity="tanh"))
    assert joined.config.activations is not None
    assert [function.name for function in joined.config.activations] == ["relu", "tanh"]
    alike = join_directions("b", layer("f", **rnn, nonlinearity="relu"), layer("r", **rnn, nonlinearity="relu"))
    assert (alike.config.activations, alike.config.nonlinearity) == (None, "relu")


def test_the_tensors_of_a_stack_are_numbered_from_the_bottom() -> None:
    """A module of two layers below, then one of both directions: layers 0 and 1, then 2."""
    one = np.ones(1, np.float32)
    names = ("weight_ih_l0", "weight_ih_l1")
    codes = {"weight_ih_l0_reverse": Codes(np.ones(1, np.int8), np.array(0.5), np.array(0))}
    low = layer("low", num_layers=2, tensors=dict.fromkeys(names, one))
    top = layer("top", tensors={"weight_ih_l0": 2 * one, "weight_ih_l0_reverse": 3 * one}, codes=codes)
    found = stack_tensors((low, top))
    assert {name: float(tensor[0]) for name, tensor in found.items()} == {
        "weight_ih_l0": 1,
        "weight_ih_l1": 1,
        "weight_ih_l2": 2,
        "weight_ih_l2_reverse": 3,
    }
    assert list(stack_codes((low, top))) == ["weight_ih_l2_reverse"]
    assert list(stack_tensors((top, low))) == ["weight_ih_l0", "weight_ih_l0_reverse", "weight_ih_l1", "weight_ih_l2"]


def test_the_range_of_x_is_the_first_layers() -> None:
    def ranges(end: float) -> dict[str, Range]:
        return {name: Range(-end, end, "int8") for name in ("x", "h_l0", "sums_i_l0")}

    found = stack_ranges((layer("a", ranges=ranges(1.0)), layer("b", ranges=ranges(2.0))))
    highest = {name: one.high for name, one in found.items()}
    assert highest == {"x": 1.0, "h_l0": 1.0, "sums_i_l0": 1.0, "h_l1": 2.0, "sums_i_l1": 2.0}


def test_the_states_of_a_stack() -> None:
    """(cells, B, size): those of a layer without any are zeros; one for any batch is repeated."""
    low = layer("low", h_0=states(1), any_batch=True)
    top = layer("top", c_0=states(5, 6))
    found = stack_states((low, top), 2)
    assert {name: state[:, :, 0].tolist() for name, state in found.items()} == {
        "h_0": [[1, 1], [0, 0]],
        "c_0": [[0, 0], [5, 6]],
    }
    assert stack_states((layer("a"), layer("b")), 2) == {}
    with pytest.raises(Refused, match="^its initial state is for a batch of 2, but the input has 3$"):
        stack_states((low, top), 3)
    with pytest.raises(Refused, match="for a batch of 1, but the input has 2"):
        stack_states((replace(low, any_batch=False),), 2)
    assert stack_states((replace(low, any_batch=False),), 1)["h_0"].shape == (1, 1, 4)


def test_states_have_the_projections_size_and_only_an_lstm_has_c() -> None:
    both = layer("p", proj_size=2, bidirectional=True, h_0=np.ones((2, 3, 2), np.float32))
    found = stack_states((both,), 3)
    assert {name: state.shape for name, state in found.items()} == {"h_0": (2, 3, 2), "c_0": (2, 3, 4)}
    cells = layer("p", proj_size=2, num_layers=3, c_0=np.ones((3, 1, 4), np.float32))
    assert {name: state.shape for name, state in stack_states((cells,), 1).items()} == {
        "h_0": (3, 1, 2),
        "c_0": (3, 1, 4),
    }
    assert list(stack_states((layer("g", kind=CellKind.GRU, h_0=states(1)),), 1)) == ["h_0"]


@pytest.mark.parametrize("other", [{"hidden": 5}, {"proj_size": 2}, {"kind": CellKind.GRU}])
def test_states_of_other_sizes_or_kinds_cannot_be_stacked(other: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="their initial states are of different sizes and cannot be stacked"):
        stack_states((layer("a", h_0=states(1)), layer("b", 4, **other)), 1)


def test_a_stack_in_words() -> None:
    low = layer("a", 64, 128, num_layers=2, bidirectional=True)
    top = layer("b", 256, 32, kind=CellKind.GRU, reverse=True)
    assert described((low, top)) == "LSTM(64, 128), 2 layers, bidirectional, then GRU(256, 32), reverse"
    assert described((layer("c", 1, 2),)) == "LSTM(1, 2)"
