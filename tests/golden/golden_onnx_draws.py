"""What hypothesis draws of an ONNX operator's options."""

from __future__ import annotations

from hypothesis import strategies as st

from archsim.golden import Activation
from tests.golden.golden_onnx import FUNCTIONS, SPELLING, OnnxCase

PARAMETERS: dict[str, dict[str, tuple[float, float]]] = {
    "affine": {"alpha": (0.25, 0.75), "beta": (-0.5, 0.5)},
    "leakyrelu": {"alpha": (0.0, 0.5)},
    "thresholdedrelu": {"alpha": (-0.25, 0.5)},
    "scaledtanh": {"alpha": (0.5, 1.5), "beta": (0.5, 1.5)},
    "hardsigmoid": {"alpha": (0.125, 0.5), "beta": (0.25, 0.75)},
    "elu": {"alpha": (0.5, 1.5)},
}
"""The functions with parameters, and the range of each."""
SAME_DEFAULTS = ("sigmoid", "tanh", "relu", "leakyrelu", "hardsigmoid", "elu", "softsign", "softplus")
"""Where onnxruntime's LSTM and GRU have ONNX's defaults; for the others see test_golden_onnx_deviations."""


@st.composite
def activations(draw: st.DrawFn, name: str) -> Activation:
    """The function with every parameter given, in sixty-fourths so that float32 holds it exactly."""
    drawn = {
        parameter: draw(st.integers(int(64 * low), int(64 * high))) / 64
        for parameter, (low, high) in PARAMETERS.get(name, {}).items()
    }
    return Activation(name, **drawn)


@st.composite
def functions_of(draw: st.DrawFn, op: str, directions: int) -> tuple[Activation, ...] | None:
    """The operator's defaults; or any functions with all parameters given; or functions with their default ones."""
    kind = draw(st.sampled_from(["none", "given", "given", "default"]))
    count = len(FUNCTIONS[op]) * directions
    if kind == "none":
        return None
    names = draw(
        st.lists(
            st.sampled_from(SAME_DEFAULTS if kind == "default" else tuple(SPELLING)), min_size=count, max_size=count
        )
    )
    return tuple(Activation(name) if kind == "default" else draw(activations(name)) for name in names)


@st.composite
def onnx_cases(draw: st.DrawFn, op: str) -> OnnxCase:
    steps, batch = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    direction = draw(st.sampled_from(["forward", "reverse", "bidirectional"]))
    lengths = st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(tuple)
    return OnnxCase(
        op=op,
        steps=steps,
        batch=batch,
        inputs=draw(st.integers(1, 5)),
        hidden=draw(st.integers(1, 6)),
        direction=direction,
        bias=draw(st.booleans()),
        states=draw(st.booleans()),
        lengths=draw(st.none() | lengths),
        activations=draw(functions_of(op, 2 if direction == "bidirectional" else 1)),
        clip=draw(st.none() | st.integers(8, 64).map(lambda n: n / 64)),
        peepholes=op == "LSTM" and draw(st.booleans()),
        input_forget=op == "LSTM" and draw(st.booleans()),
        linear_before_reset=op == "GRU" and draw(st.booleans()),
        seed=draw(st.integers(0, 2**32 - 1)),
    )
