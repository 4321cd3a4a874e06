"""The golden models against onnxruntime, or onnx's own evaluator where onnxruntime refuses, on drawn operators.

Where onnxruntime deviates from ONNX the cases here keep away; test_golden_onnx_deviations shows each such place.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.golden.golden_compare import FLOAT32, worst_error
from tests.golden.golden_onnx import BLOCKS, OnnxCase, run_golden, run_onnxruntime, run_reference
from tests.golden.golden_onnx_draws import onnx_cases
from tests.rings import examples

OPERATORS = tuple(BLOCKS)


def agrees(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase) -> None:
    """Skips cases that are no test of float32.

    A clip at the very threshold of a ThresholdedRelu puts inputs on its jump, where onnxruntime takes the other side;
    and with unbounded gates (relu, affine, softplus) the cell may grow as exp(exp(t)), and every rounding with it.
    """
    assume(not any(f.name == "thresholdedrelu" and f.alpha == case.clip for f in case.activations or ()))
    got = run_golden(case)
    assume(max(float(np.max(np.abs(tensor))) for tensor in got) <= 16.0)
    assert worst_error(got, run_onnxruntime(onnx, onnxruntime, case)) <= FLOAT32


@settings(max_examples=examples(300))
@given(case=onnx_cases("LSTM"))
def test_lstm(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase) -> None:
    agrees(onnx, onnxruntime, case)


@settings(max_examples=examples(200))
@given(case=onnx_cases("GRU"))
def test_gru(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase) -> None:
    agrees(onnx, onnxruntime, case)


@settings(max_examples=examples(150))
@given(case=onnx_cases("RNN"))
def test_rnn(onnx: ModuleType, onnxruntime: ModuleType, case: OnnxCase) -> None:
    agrees(onnx, onnxruntime, case)


@given(
    op=st.sampled_from(OPERATORS),
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    direction=st.sampled_from(["forward", "reverse", "bidirectional"]),
    bias=st.booleans(),
    states=st.booleans(),
    option=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_layout_1(
    onnx: ModuleType,
    op: str,
    sizes: tuple[int, int, int, int],
    direction: str,
    bias: bool,
    states: bool,
    option: bool,
    seed: int,
) -> None:
    """The batch first in X, Y and all states. onnxruntime refuses it; onnx's evaluator is right in these options."""
    case = OnnxCase(
        op,
        *sizes,
        direction=direction,
        bias=bias,
        states=states,
        layout=1,
        peepholes=option and op == "LSTM",
        linear_before_reset=option and op == "GRU",
        seed=seed,
    )
    assert worst_error(run_golden(case), run_reference(onnx, case)) <= FLOAT32


@pytest.mark.parametrize("op", OPERATORS)
def test_layout_1_is_layout_0_turned(onnx: ModuleType, onnxruntime: ModuleType, op: str) -> None:
    """The evaluator's word on the layout fits what onnxruntime computes in the other."""
    shape: dict[str, Any] = {"steps": 4, "batch": 3, "inputs": 2, "hidden": 5, "direction": "bidirectional", "seed": 2}
    y, *last = run_onnxruntime(onnx, onnxruntime, OnnxCase(op, **shape))
    want = [np.moveaxis(y, 2, 0), *(np.swapaxes(state, 0, 1) for state in last)]
    assert worst_error(run_reference(onnx, OnnxCase(op, **shape, layout=1)), want) <= FLOAT32
