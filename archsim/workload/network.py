"""Describes what a recurrent network computes: kinds, sizes and options of its cells; no numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archsim.workload.activity import Activity


class CellKind(StrEnum):
    """The kinds of layers, by the name of PyTorch's module in lower case (of recurrent ones ONNX's operator, too)."""

    LSTM = "lstm"
    GRU = "gru"
    RNN = "rnn"
    LINEAR = "linear"
    """W x + b at each time step, with or without a function: a layer before, between or behind recurrent ones."""

    @property
    def recurrent(self) -> bool:
        """Whether a step takes the h of the step before."""
        return self is not CellKind.LINEAR

    @property
    def has_gates(self) -> bool:
        """Whether activated gates become h by element-wise ops; else the activation of the sums is h."""
        return self in (CellKind.LSTM, CellKind.GRU)

    @property
    def gates(self) -> int:
        """The number of row blocks of the weight matrices: i, f, g, o; r, z, n; or one."""
        return {CellKind.LSTM: 4, CellKind.GRU: 3, CellKind.RNN: 1, CellKind.LINEAR: 1}[self]

    @property
    def functions(self) -> tuple[FunctionSpec, ...]:
        """The activation functions of PyTorch, and ONNX's defaults: gates, candidate (and, LSTM, output)."""
        sigmoid, tanh = FunctionSpec("sigmoid"), FunctionSpec("tanh")
        return {
            CellKind.LSTM: (sigmoid, tanh, tanh),
            CellKind.GRU: (sigmoid, tanh),
            CellKind.RNN: (tanh,),
            CellKind.LINEAR: (FunctionSpec("identity"),),
        }[self]


RECURRENT_KINDS = tuple(kind for kind in CellKind if kind.recurrent)
"""The kinds of recurrent cells."""


class MergeMode(StrEnum):
    """The ways in which the outputs of a layer's two directions become one, by the names of Keras' Bidirectional.

    `concat` puts them side by side, as PyTorch and ONNX do; the others work element by element: forward + backward,
    forward * backward, (forward + backward) / 2.
    """

    CONCAT = "concat"
    SUM = "sum"
    MUL = "mul"
    AVE = "ave"

    @property
    def words(self) -> str:
        """What becomes of the two, as it stands behind "both ways"; "" where they stand side by side."""
        return {"concat": "", "sum": ", added up", "mul": ", multiplied", "ave": ", averaged"}[self.value]


FUNCTIONS: Mapping[str, tuple[float | None, ...]] = {
    "sigmoid": (),
    "tanh": (),
    "relu": (),
    "affine": (1.0, 0.0),
    "leakyrelu": (0.01,),
    "thresholdedrelu": (1.0,),
    "scaledtanh": (None, None),
    "hardsigmoid": (0.2, 0.5),
    "elu": (1.0,),
    "softsign": (),
    "softplus": (),
}
"""Activation functions of ONNX's LSTM, GRU and RNN, in lower case, with the defaults of alpha and beta as far as they
have them; None: it must be given. Source: the ONNX operators of the same names."""


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """An activation function and all the parameters it has."""

    name: str
    alpha: float | None = None
    beta: float | None = None

    def __str__(self) -> str:
        parameters = [f"{value:g}" for value in (self.alpha, self.beta) if value is not None]
        return self.name + (f"({', '.join(parameters)})" if parameters else "")


@dataclass(frozen=True, slots=True)
class CellSpec:
    """One direction of one layer.

    `input_size` I, `hidden_size` H; `proj_size` P projects h (LSTM; 0: none). `functions` as CellKind.functions. `clip`
    bounds the gates' pre-activations to [-clip, clip]. `input_forget` couples f = 1 - i, `peepholes` lets i, f see the
    old and o the new cell (LSTM, both). `layer_norm` normalizes each gate's sums over the hidden units, before the bias
    (LSTM). `linear_before_reset` applies r after the product W_hn h (GRU; True is
    PyTorch's form). `reverse` runs from the last time step to the first.
    """

    kind: CellKind
    input_size: int
    hidden_size: int
    functions: tuple[FunctionSpec, ...]
    proj_size: int = 0
    bias: bool = True
    clip: float | None = None
    input_forget: bool = False
    peepholes: bool = False
    layer_norm: bool = False
    linear_before_reset: bool = True
    reverse: bool = False

    @property
    def rows(self) -> int:
        """The number of rows of the gate matrices: gates x H."""
        return self.kind.gates * self.hidden_size

    @property
    def output_size(self) -> int:
        """The number of elements of h: P with a projection, else H."""
        return self.proj_size or self.hidden_size

    @property
    def macs(self) -> int:
        """The multiply-accumulates of a time step at batch 1: gates H (I + output) + P H."""
        return self.rows * (self.input_size + self.recurrent_size) + self.proj_size * self.hidden_size

    @property
    def recurrent_size(self) -> int:
        """The number of inputs of W_hh: the elements of h, or 0 of a layer that is not recurrent."""
        return self.output_size if self.kind.recurrent else 0


@dataclass(frozen=True, slots=True)
class DeltaThresholds:
    """The least changes that a delta network passes on: of an element of x_t, and of h_{t-1}; 0: every change."""

    x: float = 0.0
    h: float = 0.0


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """A network: layers (one direction, or two) over `steps` time steps of `batch` sequences.

    The next layer's input are the outputs of the directions, side by side, or what `merge_modes` make of them.
    """

    layers: tuple[tuple[CellSpec, ...], ...]
    steps: int
    batch: int
    lengths: tuple[int, ...] | None = None
    """Time steps of each sequence; None if all have `steps`."""
    streaming: bool = False
    """Whether a time step is a frame: it comes when it comes, and goes through all layers."""
    streams: int = 1
    """Of frames: step t is one of stream t mod streams, each of which has states of its own."""
    activity: Activity | None = None
    """The columns that each step of each cell of a delta network multiplies, if they are known beforehand."""
    delta: DeltaThresholds | None = None
    """The thresholds of a delta network; None of one that takes every element in every step."""
    merge_modes: tuple[MergeMode, ...] = ()
    """For each layer how its directions become one output; () if they stand side by side in all."""

    @property
    def cells(self) -> tuple[CellSpec, ...]:
        """All directions of all layers, in torch's order of h_n."""
        return tuple(cell for layer in self.layers for cell in layer)

    @property
    def input_size(self) -> int:
        """The number of elements of x_t."""
        return self.layers[0][0].input_size

    @property
    def output_size(self) -> int:
        """The number of elements of the last layer's output."""
        return self.layer_output_size(len(self.layers) - 1)

    @property
    def merges(self) -> bool:
        """Whether some layer's directions become one by arithmetic."""
        return any(self.merge_mode(number) is not MergeMode.CONCAT for number in range(len(self.layers)))

    def merge_mode(self, number: int) -> MergeMode:
        """How the directions of a layer become one output."""
        return self.merge_modes[number] if self.merge_modes else MergeMode.CONCAT

    def layer_output_size(self, number: int) -> int:
        """The number of elements of a layer's output: of all directions, or of one where they are merged."""
        sizes = [cell.output_size for cell in self.layers[number]]
        return sum(sizes) if self.merge_mode(number) is MergeMode.CONCAT else sizes[0]

    @property
    def runs_in_reverse(self) -> bool:
        """Whether a cell runs from the last step to the first, so that the first results need all steps."""
        return any(cell.reverse for cell in self.cells)

    @property
    def skips(self) -> bool:
        """Whether the network is a delta network, of which not every column is multiplied in every step."""
        return self.delta is not None or self.activity is not None

    @property
    def macs(self) -> int:
        """The multiply-accumulates over all steps and sequences."""
        return sum(cell.macs for cell in self.cells) * self.steps * self.batch

    def __str__(self) -> str:
        cell = self.layers[0][0]
        size = f"{cell.kind.value.upper()}({cell.input_size}, {cell.hidden_size})"
        more = f", {len(self.layers)} layers" if len(self.layers) > 1 else ""
        both = f", bidirectional{self.merge_mode(0).words}" if len(self.layers[0]) > 1 else ""
        return f"{size}{more}{both}, T = {self.steps}, batch {self.batch}"


def one_layer(kind: CellKind, input_size: int, hidden_size: int, steps: int, batch: int) -> NetworkSpec:
    """A network of a single forward layer with PyTorch's defaults."""
    cell = CellSpec(kind, input_size, hidden_size, kind.functions)
    return NetworkSpec(((cell,),), steps, batch)


def suffixes(spec: NetworkSpec) -> tuple[str, ...]:
    """The suffix in torch of each cell's weights: _l0, _l0_reverse, _l1, ..."""
    return tuple(
        f"_l{number}" + ("_reverse" if place else "")
        for number, layer in enumerate(spec.layers)
        for place in range(len(layer))
    )


def cell_names(layers: Sequence[Sequence[CellSpec]]) -> tuple[str, ...]:
    """How reports name each cell: layer 0, layer 0 reverse, layer 1, ..."""
    return tuple(
        f"layer {number}" + (" reverse" if cell.reverse else "")
        for number, layer in enumerate(layers)
        for cell in layer
    )


def same_sizes(spec: NetworkSpec) -> bool:
    """Whether all cells have states of the same shape and kind, so that they can be stacked as torch does."""
    return len({(cell.kind is CellKind.LSTM, cell.output_size, cell.hidden_size) for cell in spec.cells}) == 1
