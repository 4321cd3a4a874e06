"""Random recurrent modules of torch, and the golden stack with the same weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from hypothesis import strategies as st

from archsim.golden import (
    Activation,
    Direction,
    GruOptions,
    GruWeights,
    LstmOptions,
    LstmWeights,
    RnnOptions,
    RnnWeights,
    run_stack,
)

KINDS = ("LSTM", "GRU", "RNN-tanh", "RNN-relu")


@dataclass(frozen=True)
class TorchCase:
    """What a module of torch.nn is made with and what it is given; lengths None is one tensor, else a packed sequence.

    spread is the standard deviation of the weights.
    """

    kind: str
    steps: int
    batch: int
    inputs: int
    hidden: int
    layers: int = 1
    bias: bool = True
    bidirectional: bool = False
    projection: int = 0
    batch_first: bool = False
    states: bool = True
    double: bool = False
    lengths: tuple[int, ...] | None = None
    spread: float = 0.7
    seed: int = 0

    @property
    def rows(self) -> int:
        return self.layers * (2 if self.bidirectional else 1)

    def tensors(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x (T, B, I), h_0 and c_0 (L * D, B, P or H); zero states where torch is given none."""
        random = np.random.default_rng([self.seed, 1])
        x = random.standard_normal((self.steps, self.batch, self.inputs))
        h_0 = random.standard_normal((self.rows, self.batch, self.projection or self.hidden)) * self.states
        c_0 = random.standard_normal((self.rows, self.batch, self.hidden)) * self.states
        rounded = [tensor.astype(np.float64 if self.double else np.float32) for tensor in (x, h_0, c_0)]
        return rounded[0], rounded[1], rounded[2]


@st.composite
def torch_cases(draw: st.DrawFn, *, packed: bool) -> TorchCase:
    kind, steps, batch = draw(st.sampled_from(KINDS)), draw(st.integers(1, 6)), draw(st.integers(1, 4))
    hidden = draw(st.integers(1, 6))
    projections = st.integers(0, hidden - 1) if kind == "LSTM" else st.just(0)
    lengths = st.lists(st.integers(1, steps), min_size=batch, max_size=batch).map(tuple)
    return TorchCase(
        kind=kind,
        steps=steps,
        batch=batch,
        inputs=draw(st.integers(1, 6)),
        hidden=hidden,
        layers=draw(st.integers(1, 3)),
        bias=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
        projection=draw(projections),
        batch_first=draw(st.booleans()),
        states=draw(st.booleans()),
        double=draw(st.booleans()),
        lengths=draw(lengths) if packed else None,
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def filled(torch: ModuleType, module: Any, case: TorchCase) -> Any:
    """The module with every parameter drawn anew, ready for inference."""
    random = np.random.default_rng([case.seed, 2])
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.copy_(torch.from_numpy(case.spread * random.standard_normal(tuple(parameter.shape))))
    return module.eval()


def torch_module(torch: ModuleType, case: TorchCase) -> Any:
    extra: dict[str, Any] = {"dropout": 0.5} if case.layers > 1 else {}
    if case.kind == "LSTM":
        extra["proj_size"] = case.projection
    if case.kind.startswith("RNN"):
        extra["nonlinearity"] = case.kind.removeprefix("RNN-")
    module = getattr(torch.nn, case.kind.split("-")[0])(
        case.inputs,
        case.hidden,
        num_layers=case.layers,
        bias=case.bias,
        batch_first=case.batch_first,
        bidirectional=case.bidirectional,
        dtype=torch.float64 if case.double else torch.float32,
        **extra,
    )
    return filled(torch, module, case)


def run_torch(torch: ModuleType, module: Any, case: TorchCase) -> list[np.ndarray]:
    """Output (T, B, D * P), h_n and, of the LSTM, c_n, as torch computes them."""
    x, h_0, c_0 = (torch.from_numpy(tensor) for tensor in case.tensors())
    states: Any = (h_0, c_0) if case.kind == "LSTM" else h_0
    given = x.transpose(0, 1) if case.batch_first else x
    rnn = torch.nn.utils.rnn
    if case.lengths is not None:
        lengths = torch.tensor(case.lengths)
        given = rnn.pack_padded_sequence(given, lengths, batch_first=case.batch_first, enforce_sorted=False)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")  # it takes its own code
        output, last = module(given, states) if case.states else module(given)
    if case.lengths is not None:
        output, _ = rnn.pad_packed_sequence(output, batch_first=case.batch_first, total_length=case.steps)
    output = output.transpose(0, 1) if case.batch_first else output
    return [output.numpy(), *(state.numpy() for state in (last if case.kind == "LSTM" else (last,)))]


def golden_stack(module: Any, case: TorchCase) -> list[list[Direction]]:
    """The module's own parameters as layers of golden directions."""
    _, h_0, c_0 = case.tensors()
    tensors = {name: tensor.detach().numpy() for name, tensor in module.state_dict().items()}
    suffixes = ("", "_reverse") if case.bidirectional else ("",)
    layers = []
    for layer in range(case.layers):
        directions: list[Direction] = []
        for suffix in suffixes:
            row = len(suffixes) * layer + len(directions)
            named = {
                field: tensors.get(f"{field}_l{layer}{suffix}")
                for field in ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
            }
            directions.append(golden_direction(case.kind, named, h_0[row], c_0[row], reverse=bool(suffix)))
        layers.append(directions)
    return layers


def golden_direction(kind: str, named: dict[str, Any], h_0: np.ndarray, c_0: np.ndarray, *, reverse: bool) -> Direction:
    if kind == "LSTM":
        return Direction(LstmWeights(**named), LstmOptions(reverse=reverse), h_0, c_0)
    plain = {field: tensor for field, tensor in named.items() if field != "weight_hr"}
    if kind == "GRU":
        return Direction(GruWeights(**plain), GruOptions(reverse=reverse), h_0)
    activation = Activation(kind.removeprefix("RNN-"))
    return Direction(RnnWeights(**plain), RnnOptions(activation, reverse=reverse), h_0)


def run_golden(layers: list[list[Direction]], case: TorchCase) -> list[np.ndarray]:
    lengths = None if case.lengths is None else np.array(case.lengths)
    return [tensor for tensor in run_stack(case.tensors()[0], layers, lengths) if tensor is not None]
