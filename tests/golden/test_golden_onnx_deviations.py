"""Where onnxruntime (seen with 1.32.0) does otherwise than ONNX says, and what the golden models do there.

The drawn cases of test_golden_onnx keep away from these places. Should a test here fail with a newer onnxruntime
because it now follows ONNX, widen the draws there and remove the test.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from archsim.golden import Activation
from tests.golden.golden_compare import FLOAT32, NOTICED, worst_error
from tests.golden.golden_onnx import (
    BLOCKS,
    FUNCTIONS,
    OnnxCase,
    onnx_model,
    run_golden,
    run_model,
    run_onnxruntime,
    run_reference,
)

OPERATORS = tuple(BLOCKS)


def ending_in(op: str, last: Activation, **options: Any) -> OnnxCase:
    """An operator whose last function, that of the cell, candidate or output, is the given one."""
    before = tuple(Activation(name) for name in FUNCTIONS[op][:-1])
    return OnnxCase(op, steps=3, batch=3, inputs=3, hidden=4, activations=(*before, last), **options)


@pytest.mark.parametrize("op", OPERATORS)
@pytest.mark.parametrize(
    ("onnx_default", "onnxruntime_default"),
    [
        (Activation("thresholdedrelu"), Activation("thresholdedrelu", alpha=0.0)),
        (Activation("affine"), Activation("affine", alpha=0.0, beta=0.0)),
    ],
    ids=lambda activation: activation.name,
)
def test_defaults_of_zero(
    onnx: ModuleType, onnxruntime: ModuleType, op: str, onnx_default: Activation, onnxruntime_default: Activation
) -> None:
    """ONNX takes the defaults of the operators of the same names: ThresholdedRelu 1.0, Affine 1.0 and 0.0.

    onnxruntime has a table of defaults for LeakyRelu, HardSigmoid and Elu, and zero for whatever is not in it.
    """
    case = ending_in(op, onnx_default)
    theirs = run_onnxruntime(onnx, onnxruntime, case)
    assert worst_error(run_golden(ending_in(op, onnxruntime_default)), theirs) <= FLOAT32
    assert worst_error(run_golden(case), theirs) > NOTICED


def test_scaledtanh_has_no_default(onnx: ModuleType, onnxruntime: ModuleType) -> None:
    """ONNX names none, and onnxruntime takes zero, which makes every output zero: the golden model asks for both."""
    case = ending_in("RNN", Activation("scaledtanh", alpha=1.0, beta=1.0))
    model = onnx.load_model_from_string(onnx_model(onnx, case))
    (node,) = model.graph.node
    kept = [attribute for attribute in node.attribute if attribute.name not in ("activation_alpha", "activation_beta")]
    assert len(kept) == len(node.attribute) - 2
    del node.attribute[:]
    node.attribute.extend(kept)
    assert not any(np.any(tensor) for tensor in run_model(onnxruntime, model.SerializeToString(), case))
    with pytest.raises(ValueError, match="no default alpha"):
        Activation("scaledtanh")
    with pytest.raises(ValueError, match="no default beta"):
        Activation("scaledtanh", alpha=1.0)


@pytest.mark.parametrize("op", ["RNN", "GRU"])
def test_thresholdedrelu_at_its_threshold(onnx: ModuleType, onnxruntime: ModuleType, op: str) -> None:
    """The recurrent operators say "x if x >= alpha else 0"; onnxruntime takes ThresholdedRelu's own "x > alpha".

    A clip at alpha puts every larger input there.
    """
    case = ending_in(op, Activation("thresholdedrelu", alpha=0.125), clip=0.125)
    theirs = run_onnxruntime(onnx, onnxruntime, case)
    assert worst_error(run_golden(case), theirs) > NOTICED
    if op == "RNN":
        assert not np.any(theirs[0])
        assert set(np.unique(run_golden(case)[0])) == {0.0, 0.125}


@pytest.mark.parametrize("direction", ["forward", "reverse"])
@pytest.mark.parametrize("op", OPERATORS)
def test_a_row_of_length_zero(onnx: ModuleType, onnxruntime: ModuleType, op: str, direction: str) -> None:
    """ONNX does not say what Y_h and Y_c of a row with no step are (torch refuses such a row).

    The golden model leaves the row its initial state, onnxruntime gives zero. All else agrees.
    """
    case = OnnxCase(op, 3, 3, 3, 4, direction=direction, lengths=(2, 0, 3))
    got, theirs = run_golden(case), run_onnxruntime(onnx, onnxruntime, case)
    initial = [case.tensors()[name][0, 1] for name in ("initial_h", "initial_c") if name in case.tensors()]
    for state, their_state, start in zip(got[1:], theirs[1:], initial, strict=True):
        assert np.array_equal(state[0, 1], start)
        assert not np.any(their_state[0, 1])
        state[0, 1] = 0.0
    assert worst_error(got, theirs) <= FLOAT32


def test_softplus_overflows(onnx: ModuleType, onnxruntime: ModuleType) -> None:
    """Above 88.7, onnxruntime's log(1 + exp(x)) is infinite in float32, where the function is x."""
    huge = ending_in("RNN", Activation("softplus"), spread=20.0)
    theirs = run_onnxruntime(onnx, onnxruntime, huge)
    assert np.isinf(theirs[0]).any()
    assert np.isfinite(run_golden(huge)[0]).all()


@pytest.mark.parametrize("op", OPERATORS)
def test_layout_1_is_refused(onnx: ModuleType, onnxruntime: ModuleType, op: str) -> None:
    """Which is why onnx's own evaluator is the witness for it."""
    with pytest.raises(Exception, match="layout == 1"):
        run_onnxruntime(onnx, onnxruntime, OnnxCase(op, 3, 2, 3, 4, layout=1))


@pytest.mark.parametrize(
    "options",
    [{"lengths": (2, 1)}, {"clip": 0.125}, {"input_forget": True}],
    ids=["sequence_lens", "clip", "input_forget"],
)
def test_the_reference_evaluator_ignores(onnx: ModuleType, onnxruntime: ModuleType, options: dict[str, Any]) -> None:
    """onnx's own evaluator (seen with 1.23.2) takes these without a word and computes as if they were not there."""
    case = OnnxCase("LSTM", 3, 2, 3, 4, **options)
    wrong = run_reference(onnx, case)
    assert worst_error(wrong, run_golden(OnnxCase("LSTM", 3, 2, 3, 4))) <= FLOAT32
    assert worst_error(run_golden(case), run_onnxruntime(onnx, onnxruntime, case)) <= FLOAT32
    assert worst_error(run_golden(case), wrong) > NOTICED
