"""The golden models against torch, float32 and float64, on drawn shapes, options and weights."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.golden import lstm, run_direction
from tests.golden.golden_compare import FLOAT32, FLOAT64, worst_error
from tests.golden.golden_torch import KINDS, TorchCase, filled, golden_direction, golden_stack, run_golden, run_torch
from tests.golden.golden_torch import torch_cases as cases
from tests.golden.golden_torch import torch_module as module_of
from tests.rings import examples


def agrees(torch: ModuleType, case: TorchCase) -> None:
    module = module_of(torch, case)
    got, want = run_golden(golden_stack(module, case), case), run_torch(torch, module, case)
    assert worst_error(got, want) <= (FLOAT64 if case.double else FLOAT32)


@settings(max_examples=examples(200))
@given(case=cases(packed=False))
def test_modules(torch: ModuleType, case: TorchCase) -> None:
    """nn.LSTM (with proj_size), nn.GRU, nn.RNN: layers, bias, directions, batch_first, states, dropout in inference."""
    agrees(torch, case)


@settings(max_examples=examples(200))
@given(case=cases(packed=True))
def test_packed_sequences(torch: ModuleType, case: TorchCase) -> None:
    """Rows of different lengths, in any order: each ends, and backwards begins, at its own last step."""
    agrees(torch, case)


@given(
    kind=st.sampled_from(KINDS),
    bias=st.booleans(),
    sizes=st.tuples(*[st.integers(1, 6)] * 3),
    seed=st.integers(0, 2**32 - 1),
)
def test_cells(torch: ModuleType, kind: str, bias: bool, sizes: tuple[int, int, int], seed: int) -> None:
    """nn.LSTMCell, nn.GRUCell, nn.RNNCell: one step of the layer."""
    batch, inputs, hidden = sizes
    extra = {"nonlinearity": kind.removeprefix("RNN-")} if kind.startswith("RNN") else {}
    case = TorchCase(kind, 1, batch, inputs, hidden, seed=seed)
    cell = filled(torch, getattr(torch.nn, f"{kind.split('-')[0]}Cell")(inputs, hidden, bias=bias, **extra), case)
    x, h_0, c_0 = case.tensors()
    states = tuple(torch.from_numpy(state[0]) for state in (h_0, c_0))
    with torch.no_grad():
        want = cell(torch.from_numpy(x[0]), states if kind == "LSTM" else states[0])
    named = {name: tensor.detach().numpy() for name, tensor in cell.state_dict().items()}
    output, *last = run_direction(x, golden_direction(kind, named, h_0[0], c_0[0], reverse=False))
    got = [tensor for tensor in last if tensor is not None]
    assert worst_error(got, [state.numpy() for state in (want if kind == "LSTM" else (want,))]) <= FLOAT32
    assert np.array_equal(output[0], got[0])


@pytest.mark.parametrize("kind", KINDS)
def test_unbatched(torch: ModuleType, kind: str) -> None:
    """torch's input (T, I) is a batch of one."""
    case = TorchCase(kind, steps=5, batch=1, inputs=3, hidden=4, layers=2, bidirectional=True, states=False, seed=3)
    module = module_of(torch, case)
    with torch.no_grad():
        output, _ = module(torch.from_numpy(case.tensors()[0][:, 0]))
    got = run_golden(golden_stack(module, case), case)
    assert worst_error([got[0][:, 0]], [output.numpy()]) <= FLOAT32


def test_float16_weights_are_widened_once(torch: ModuleType) -> None:
    """Inputs of any float type: the golden model computes in float64 with the values that they have."""
    case = TorchCase("LSTM", steps=4, batch=2, inputs=3, hidden=5, double=True, seed=9)
    module = module_of(torch, case).half().double()
    named = {name: tensor.detach().numpy().astype(np.float16) for name, tensor in module.state_dict().items()}
    x, h_0, c_0 = (tensor.astype(np.float16) for tensor in case.tensors())
    weights = (named["weight_ih_l0"], named["weight_hh_l0"], named["bias_ih_l0"], named["bias_hh_l0"])
    got = lstm(x, *weights, h_0, c_0)
    with torch.no_grad():
        wide = [torch.from_numpy(tensor.astype(np.float64)) for tensor in (x, h_0, c_0)]
        output, (h_n, c_n) = module(wide[0], (wide[1], wide[2]))
    assert all(tensor.dtype == np.float64 for tensor in got)
    assert worst_error(got, [output.numpy(), h_n.numpy(), c_n.numpy()]) <= FLOAT64


def test_more_steps_than_a_toy(torch: ModuleType) -> None:
    """Rounding does not pile up over a long sequence, with weights as wide as torch's initial ones.

    With much wider ones a recurrent network is chaotic: any two roundings of it part, and no comparison is possible.
    """
    for kind in KINDS:
        case = TorchCase(kind, steps=200, batch=2, inputs=40, hidden=64, layers=2, bidirectional=True, spread=0.1)
        agrees(torch, case)
