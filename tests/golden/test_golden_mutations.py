"""The comparison of the other tests notices every mistake of golden_mutations, made in the last direction alone."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.golden import Activation, Direction, LstmWeights
from tests.golden import golden_onnx, golden_torch
from tests.golden.golden_compare import FLOAT32, NOTICED, worst_error
from tests.golden.golden_mutations import (
    Mutation,
    exchanged_candidate_biases,
    mutations_of,
    stepwise,
    with_option,
    without,
)
from tests.golden.golden_onnx import OnnxCase
from tests.golden.golden_torch import KINDS, TorchCase
from tests.present import present

SEEDS = range(3)


def peepholes_swapped(direction: Direction) -> Direction:
    weights = direction.weights
    assert isinstance(weights, LstmWeights)
    p_i, p_f, p_o = present(weights.peephole).reshape(3, -1)
    return replace(direction, weights=replace(weights, peephole=np.concatenate([p_f, p_i, p_o])))


def onnx_case(op: str, **options: Any) -> OnnxCase:
    return OnnxCase(op, 4, 3, 2, 5, lengths=(4, 2, 3), **{"direction": "bidirectional", **options})


SIGMOID, TANH = Activation("sigmoid"), Activation("tanh")
ONNX_MISTAKES: dict[str, tuple[OnnxCase, Mutation]] = {
    **{f"{op}: {name}": (onnx_case(op), m) for op in golden_onnx.BLOCKS for name, m in mutations_of(op).items()},
    "LSTM: no peepholes": (onnx_case("LSTM", peepholes=True), without("peephole")),
    "LSTM: no input_forget": (onnx_case("LSTM", input_forget=True), with_option(input_forget=False)),
    "LSTM: input_forget": (onnx_case("LSTM"), with_option(input_forget=True)),
    "LSTM: hidden and gate": (onnx_case("LSTM"), with_option(activations=(SIGMOID, TANH, SIGMOID))),
    "GRU: candidate and gate": (onnx_case("GRU"), with_option(activations=(SIGMOID, SIGMOID))),
    "GRU: linear before reset": (onnx_case("GRU"), with_option(linear_before_reset=True)),
    "GRU: linear after reset": (onnx_case("GRU", linear_before_reset=True), with_option(linear_before_reset=False)),
    "GRU: biases exchanged": (onnx_case("GRU", linear_before_reset=True), exchanged_candidate_biases),
    **{f"{op}: no clip": (onnx_case(op, clip=0.25), with_option(clip=None)) for op in golden_onnx.BLOCKS},
}


@pytest.mark.parametrize(("case", "mutation"), ONNX_MISTAKES.values(), ids=ONNX_MISTAKES)
def test_onnxruntime_notices(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase, mutation: Mutation) -> None:
    for seed in SEEDS:
        drawn = replace(case, seed=seed)
        theirs = golden_onnx.run_onnxruntime(onnx, onnxruntime, drawn)
        first, last = golden_onnx.golden_directions(drawn)
        assert worst_error(golden_onnx.run_golden(drawn, [first, last]), theirs) <= FLOAT32
        assert worst_error(golden_onnx.run_golden(drawn, [first, mutation(last)]), theirs) > NOTICED


@pytest.mark.parametrize("op", golden_onnx.BLOCKS)
def test_onnxruntime_notices_lengths_and_directions(onnx: ModuleType, onnxruntime: ModuleType, op: str) -> None:
    """Lengths not heeded, and the weights of the two directions exchanged."""
    for seed in SEEDS:
        case = replace(onnx_case(op), seed=seed)
        theirs = golden_onnx.run_onnxruntime(onnx, onnxruntime, case)
        assert worst_error(golden_onnx.run_golden(replace(case, lengths=None)), theirs) > NOTICED
        first, last = golden_onnx.golden_directions(case)
        exchanged = [replace(first, weights=last.weights), replace(last, weights=first.weights)]
        assert worst_error(golden_onnx.run_golden(case, exchanged), theirs) > NOTICED


def test_onnxruntime_notices_the_old_cell(onnx: ModuleType, onnxruntime: ModuleType) -> None:
    """The output peephole sees the new cell. The same walk with the new cell is right: the old one is noticed."""
    for seed in SEEDS:
        case = OnnxCase("LSTM", 4, 3, 2, 5, peepholes=True, seed=seed)
        theirs = golden_onnx.run_onnxruntime(onnx, onnxruntime, case)
        assert worst_error(golden_onnx.run_golden(case, run=stepwise(old_cell=False)), theirs) <= FLOAT32
        assert worst_error(golden_onnx.run_golden(case, run=stepwise(old_cell=True)), theirs) > NOTICED


TORCH_MISTAKES = [(kind, name) for kind in KINDS for name in mutations_of(kind.split("-")[0])]


@pytest.mark.parametrize(("kind", "name"), [*TORCH_MISTAKES, ("GRU", "biases exchanged")])
def test_torch_notices(torch: ModuleType, kind: str, name: str) -> None:
    """In the last direction of the upper of two layers."""
    mutation = exchanged_candidate_biases if name == "biases exchanged" else mutations_of(kind.split("-")[0])[name]
    for seed in SEEDS:
        case = TorchCase(kind, 4, 3, 2, 5, layers=2, bidirectional=True, lengths=(2, 4, 3), seed=seed)
        module = golden_torch.torch_module(torch, case)
        theirs = golden_torch.run_torch(torch, module, case)
        below, (first, last) = golden_torch.golden_stack(module, case)
        assert worst_error(golden_torch.run_golden([below, [first, last]], case), theirs) <= FLOAT32
        assert worst_error(golden_torch.run_golden([below, [first, mutation(last)]], case), theirs) > NOTICED


def test_torch_notices_the_projection(torch: ModuleType) -> None:
    """The rows of weight_hr in another order."""
    for seed in SEEDS:
        case = TorchCase("LSTM", 4, 3, 2, 5, projection=3, seed=seed)
        module = golden_torch.torch_module(torch, case)
        ((only,),) = golden_torch.golden_stack(module, case)
        weights = only.weights
        assert isinstance(weights, LstmWeights)
        turned = replace(only, weights=replace(weights, weight_hr=present(weights.weight_hr)[::-1]))
        theirs = golden_torch.run_torch(torch, module, case)
        assert worst_error(golden_torch.run_golden([[only]], case), theirs) <= FLOAT32
        assert worst_error(golden_torch.run_golden([[turned]], case), theirs) > NOTICED
