"""The fields of a workload file by themselves: what they are if left out, their ends, and which go together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.formats.scaling import Method
from archsim.workload import CellKind
from archsim.workload.config import (
    CalibrationConfig,
    CalibrationInput,
    ExpectedSource,
    FunctionConfig,
    LayerConfig,
    TaskSource,
    ThresholdsConfig,
    WorkloadConfig,
)
from archsim.workload.network import FunctionSpec, MergeMode

SMALL: dict[str, Any] = {
    "summary": "small",
    "kind": "lstm",
    "input_size": 3,
    "hidden_size": 2,
    "steps": 4,
    "weights": {"seed": 0},
    "input": {"seed": 1},
}
STREAM = SMALL | {"streaming": True}


def workload(**fields: Any) -> WorkloadConfig:
    return WorkloadConfig.model_validate_json(_json(SMALL | fields))


def layer(**fields: Any) -> LayerConfig:
    return LayerConfig.model_validate_json(_json({"kind": "lstm", "hidden_size": 4} | fields))


def _json(fields: dict[str, Any]) -> str:
    return json.dumps(fields)


def refused(made: Any, *arguments: Any, **fields: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        made(*arguments, **fields)
    return str(caught.value)


def test_what_is_left_out_is_as_in_torch() -> None:
    """One layer of one direction with biases, one sequence, time first, and no option of another framework."""
    found = workload()
    assert (found.num_layers, found.batch, found.bias, found.batched) == (1, 1, True, True)
    assert (found.proj_size, found.dropout, found.nonlinearity) == (0, 0.0, "tanh")
    assert found.merge_mode is MergeMode.CONCAT
    assert found.linear_before_reset
    off = ("bidirectional", "reverse", "input_forget", "peepholes", "layer_norm", "batch_first", "streaming")
    assert [name for name in off if getattr(found, name)] == []
    nothing = [
        *("activations", "clip", "sequence_lens", "delta", "activity", "initial_state", "expected", "task"),
        *("period_us", "offset_us", "arrivals_us", "deadline_us"),
    ]
    assert [name for name in nothing if getattr(found, name) is not None] == []
    assert (found.streams, found.jitter_us, found.jitter_seed, found.next_layers) == (1, 0.0, 0, ())
    assert found.calibration == CalibrationConfig()
    section = found.calibration
    assert (section.method, section.weight_method, section.percentile) == (Method.MAX, Method.MAX, 99.9)
    assert (section.input, section.file) == (None, None)
    (cell,) = found.layers()[0]
    assert (cell.bias, cell.reverse, cell.linear_before_reset, cell.proj_size, cell.clip) == (
        True,
        False,
        True,
        0,
        None,
    )


LARGEST_SEED = 2**63 - 1
ENDS: tuple[tuple[dict[str, Any], str, list[Any], list[Any]], ...] = (
    (SMALL, "num_layers", [1, 64], [0, 65]),
    (SMALL | {"hidden_size": 1_048_576}, "proj_size", [0, 1, 1_048_575], [-1]),
    (SMALL, "dropout", [0, 1], [-0.001, 1.001]),
    (SMALL, "weights", [{"seed": 0}, {"seed": LARGEST_SEED}], [{"seed": -1}, {"seed": LARGEST_SEED + 1}]),
    (STREAM | {"period_us": 10}, "jitter_seed", [0, LARGEST_SEED], [-1, LARGEST_SEED + 1]),
    (STREAM | {"steps": 2000}, "streams", [1, 1024], [0, 1025]),
    (STREAM | {"period_us": 1e18}, "offset_us", [0, 1e9], [-1e-9, 1.001e9]),
    (STREAM | {"period_us": 1e18}, "jitter_us", [0, 1e9], [-1e-9, 1.001e9]),
    (STREAM | {"steps": 1}, "arrivals_us", [[0], [1e12]], [[-1e-9], [1.001e12]]),
    (SMALL, "delta", [0, 1e6, {"x": 1e6, "h": 0}], [-1e-9, 1.001e6, {"x": 0, "h": 1.001e6}, True]),
)


@pytest.mark.parametrize(("base", "field", "allowed", "not_allowed"), ENDS, ids=lambda value: str(value)[:12])
def test_the_ends_of_a_field(base: dict[str, Any], field: str, allowed: list[Any], not_allowed: list[Any]) -> None:
    """The least and the largest value are taken, the next ones beyond are not."""
    for value in allowed:
        WorkloadConfig.model_validate_json(_json(base | {field: value}))
    for value in not_allowed:
        with pytest.raises(ValidationError, match=field):
            WorkloadConfig.model_validate_json(_json(base | {field: value}))


@pytest.mark.parametrize(
    ("model", "base", "field", "allowed", "not_allowed"),
    [
        (CalibrationConfig, {}, "percentile", [50, 100], [49.99, 100.01]),
        (ExpectedSource, {"file": "f"}, "tolerance", [1e-300, 1e6], [0, 1.001e6]),
        (ExpectedSource, {"file": "f"}, "within_codes", [0, 2**31], [-1, 2**31 + 1]),
        (TaskSource, {"file": "f", "summary": "s"}, "threshold", [-1e6, 1e6], [-1.001e6, 1.001e6]),
        (FunctionConfig, {"name": "elu"}, "alpha", [-1e6, 1e6], [-1.001e6, 1.001e6]),
        (ThresholdsConfig, {"x": 1}, "h", [0, 1e6], [-1e-9, 1.001e6]),
        (CalibrationInput, {"seed": 1}, "steps", [1], [0]),
    ],
)
def test_the_ends_of_a_sections_field(
    model: Any, base: dict[str, Any], field: str, allowed: list[Any], not_allowed: list[Any]
) -> None:
    for value in allowed:
        assert getattr(model.model_validate_json(_json(base | {field: value})), field) == value
    for value in not_allowed:
        with pytest.raises(ValidationError, match=field):
            model.model_validate_json(_json(base | {field: value}))


def test_names_that_a_section_takes_if_left_out() -> None:
    task = TaskSource(summary="s", file="f", threshold=0.5)
    assert (task.weight, task.bias, task.before, task.after) == ("weight", "bias", "identity", "sigmoid")
    assert task.expected is None
    found = ExpectedSource(file="f")
    assert (found.tolerance, found.within_codes, found.tensors) == (None, None, None)
    assert ThresholdsConfig.model_validate({"h": 0.5}) == ThresholdsConfig(x=0.0, h=0.5)
    assert ThresholdsConfig.model_validate({"x": 0.5}) == ThresholdsConfig(x=0.5, h=0.0)
    assert ThresholdsConfig.model_validate(0.25) == ThresholdsConfig(x=0.25, h=0.25)


ONLY = {
    "proj_size": (1, ("lstm",)),
    "input_forget": (True, ("lstm",)),
    "peepholes": (True, ("lstm",)),
    "layer_norm": (True, ("lstm",)),
    "linear_before_reset": (False, ("gru",)),
    "nonlinearity": ("relu", ("rnn",)),
    "bidirectional": (True, ("lstm", "gru", "rnn")),
    "reverse": (True, ("lstm", "gru", "rnn")),
}


@pytest.mark.parametrize("field", ONLY)
def test_which_kinds_have_an_option(field: str) -> None:
    value, kinds = ONLY[field]
    for kind in CellKind:
        if kind.value in kinds:
            assert getattr(layer(kind=kind.value, **{field: value}), field) == value
        else:
            assert f"a layer of kind {kind} has no {field}" in refused(layer, kind=kind.value, **{field: value})


def test_a_projection_is_smaller_than_h() -> None:
    assert layer(proj_size=3).output_size == 3
    assert "proj_size must be smaller than hidden_size" in refused(layer, proj_size=4)


def test_directions() -> None:
    """Side by side two directions of 4 elements are 8, merged they are 4; only two can be merged."""
    both = layer(bidirectional=True)
    assert (both.output_size, layer().output_size, layer(reverse=True).output_size) == (8, 4, 4)
    assert layer(bidirectional=True, merge_mode="sum").output_size == 4
    assert layer(bidirectional=True, proj_size=3).output_size == 6
    assert [cell.reverse for cell in both.cells(3)] == [False, True]
    assert [cell.reverse for cell in layer(reverse=True).cells(3)] == [True]
    assert "either bidirectional or reverse" in refused(layer, bidirectional=True, reverse=True)
    for fields in ({}, {"reverse": True}):
        assert "merge_mode ave is for a bidirectional layer" in refused(layer, merge_mode="ave", **fields)
    assert layer(merge_mode="concat").merge_mode is MergeMode.CONCAT


def named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_activations_of_one_direction_or_of_both() -> None:
    """An LSTM takes three functions a direction, a GRU two; of six the second three are those of the reverse one."""
    six = named("relu", "tanh", "elu", "sigmoid", "softsign", "softplus")
    forward, reverse = layer(bidirectional=True, activations=six).cells(3)
    assert [function.name for function in forward.functions] == ["relu", "tanh", "elu"]
    assert [function.name for function in reverse.functions] == ["sigmoid", "softsign", "softplus"]
    for cell in layer(bidirectional=True, activations=six[:3]).cells(3):
        assert [function.name for function in cell.functions] == ["relu", "tanh", "elu"]
    assert "expected 3 activations, got 6" in refused(layer, activations=six)
    assert "expected 3 activations, got 2" in refused(layer, activations=six[:2])
    assert "expected 3 or 6 activations, got 4" in refused(layer, bidirectional=True, activations=six[:4])
    assert "expected 2 activations, got 3" in refused(layer, kind="gru", activations=six[:3])
    assert [cell.functions for cell in layer(kind="rnn", nonlinearity="relu").cells(3)] == [(FunctionSpec("relu"),)]
    assert [cell.functions for cell in layer(kind="gru").cells(3)] == [(FunctionSpec("sigmoid"), FunctionSpec("tanh"))]


def test_parameters_of_activation_functions() -> None:
    """ONNX: HardSigmoid 0.2 and 0.5, LeakyRelu 0.01 alone, ScaledTanh has no defaults, and Tanh no parameters."""
    function = FunctionConfig
    assert function(name="hardsigmoid").spec() == FunctionSpec("hardsigmoid", 0.2, 0.5)
    assert function(name="hardsigmoid", alpha=0.0).spec() == FunctionSpec("hardsigmoid", 0.0, 0.5)
    assert function(name="hardsigmoid", beta=0.25).spec() == FunctionSpec("hardsigmoid", 0.2, 0.25)
    assert function(name="leakyrelu").spec() == FunctionSpec("leakyrelu", 0.01)
    assert function(name="affine").spec() == FunctionSpec("affine", 1.0, 0.0)
    assert function(name="elu").spec() == FunctionSpec("elu", 1.0)
    assert function(name="thresholdedrelu").spec() == FunctionSpec("thresholdedrelu", 1.0)
    assert function(name="tanh").spec() == FunctionSpec("tanh")
    assert function(name="scaledtanh", alpha=2, beta=3).spec() == FunctionSpec("scaledtanh", 2, 3)
    assert "scaledtanh needs beta" in refused(function, name="scaledtanh", alpha=1)
    assert "scaledtanh needs alpha" in refused(function, name="scaledtanh", beta=1)
    assert "leakyrelu has no beta" in refused(function, name="leakyrelu", alpha=1, beta=0)
    assert "tanh has no alpha" in refused(function, name="tanh", alpha=0)


def stream(**fields: Any) -> WorkloadConfig:
    return workload(**({"streaming": True} | fields))


@pytest.mark.parametrize(
    ("allowed", "more", "said"),
    [
        ({"streams": 4}, {"streams": 5}, "each of 5 needs a frame, and there are 4 (steps)"),
        ({"period_us": 2, "jitter_us": 2}, {"jitter_us": 2.01}, "later than a period"),
        ({"period_us": 2, "streams": 4, "offset_us": 0.5}, {"offset_us": 0.51}, "offset_us: needs period_us"),
        ({"period_us": 2, "offset_us": 2}, {"period_us": None}, "offset_us: needs period_us"),
        ({"arrivals_us": [0, 1, 1, 2]}, {"arrivals_us": [0, 1, 0.9, 2]}, "does not come before the one before it"),
        ({"arrivals_us": [0, 1, 1, 2]}, {"arrivals_us": [0, 1, 2]}, "for each of the 4 frames, got 3"),
        ({"arrivals_us": [0, 1, 1, 2]}, {"jitter_us": 0.1}, "either one by one or by period_us and jitter_us"),
        ({"arrivals_us": [0, 1, 1, 2]}, {"period_us": 1}, "either one by one or by period_us and jitter_us"),
        ({"arrivals_us": [0, 1, 1, 2], "deadline_us": 1}, {"arrivals_us": None}, "deadline_us: needs period_us or"),
        ({"period_us": 1, "deadline_us": 1}, {"period_us": None}, "deadline_us: needs period_us or arrivals_us"),
        ({"period_us": 1, "jitter_us": 1}, {"period_us": None}, "jitter_us: how late a frame is"),
        ({}, {"sequence_lens": [4]}, "sequences that end (sequence_lens) are no streams"),
        ({}, {"bidirectional": True}, "a layer in reverse begins with the last frame"),
        ({}, {"reverse": True}, "a layer in reverse begins with the last frame"),
        (
            {},
            {"next_layers": [{"kind": "gru", "hidden_size": 2, "reverse": True}]},
            "a layer in reverse begins with the last frame",
        ),
        ({"expected": {"file": "f"}}, {"streams": 2}, "outside results (expected) and tasks are of one stream"),
        (
            {"task": {"summary": "s", "file": "f", "threshold": 0}},
            {"streams": 2},
            "outside results (expected) and tasks are of one stream",
        ),
    ],
    ids=str,
)
def test_what_frames_allow_and_what_one_step_beyond_does_not(
    allowed: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    stream(**allowed)
    assert said in refused(stream, **(allowed | more))


@pytest.mark.parametrize(
    "fields",
    [
        {"streams": 2},
        {"offset_us": 0},
        {"period_us": 1},
        {"jitter_us": 1},
        {"arrivals_us": [0] * 4},
        {"deadline_us": 1},
    ],
    ids=str,
)
def test_what_only_streams_have(fields: dict[str, Any]) -> None:
    (name,) = fields
    assert f"{name} is for a workload with streaming: true" in refused(workload, **fields)


def test_lengths_and_batches() -> None:
    """A length may be all of the steps, and there is one for each sequence."""
    assert workload(batch=2, sequence_lens=[4, 1]).sequence_lens == (4, 1)
    assert "expected 2 numbers from 1 to 4" in refused(workload, batch=2, sequence_lens=[4, 5])
    assert "expected 2 numbers from 1 to 4" in refused(workload, batch=2, sequence_lens=[4])
    assert "expected 1 numbers from 1 to 4" in refused(workload, sequence_lens=[4, 4])
    assert not workload(batched=False, batch=1).batched
    assert "a workload that is not batched has batch 1" in refused(workload, batched=False, batch=2)


def test_sources() -> None:
    """Exactly one of seed and file; sizes of a calibration's input only of a drawn one; scores with the results."""
    for weights in ({}, {"seed": 0, "file": "f"}):
        assert "expected exactly one of 'seed' and 'file'" in refused(workload, weights=weights)
    for field in ("steps", "batch"):
        CalibrationInput(seed=1, **{field: 2})  # type: ignore[arg-type]
        assert "steps and batch are for a drawn input" in refused(CalibrationInput, file="f", **{field: 2})
    CalibrationInput(file="f")
    task = {"summary": "s", "file": "f", "threshold": 0, "expected": "scores"}
    assert "task.expected names a tensor of the file" in refused(workload, task=task)
    workload(task=task, expected={"file": "f"})


def test_layers_take_the_outputs_of_those_before() -> None:
    """3 inputs; two layers of twice 2, so 4; a GRU of 5 merged in both directions; a linear layer of 6."""
    found = workload(
        num_layers=2,
        bidirectional=True,
        next_layers=[
            {"kind": "gru", "hidden_size": 5, "bidirectional": True, "merge_mode": "sum"},
            {"kind": "linear", "hidden_size": 6},
        ],
    )
    assert [[cell.input_size for cell in layer] for layer in found.layers()] == [[3, 3], [4, 4], [4, 4], [5]]
    assert found.merge_modes() == (MergeMode.CONCAT, MergeMode.CONCAT, MergeMode.SUM, MergeMode.CONCAT)
    assert workload(num_layers=2, bidirectional=True).merge_modes() == ()
