"""Everything that a float64 run passes through: states, gates and pre-activations at every time step.

Where the range of each kind of data comes from, when integer formats are calibrated. A trace holds about 14 float64
numbers for each hidden unit, time step and sequence of an LSTM.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from archsim.golden.functions import Float, Float64
from archsim.golden.lstm import LstmOptions
from archsim.golden.sequence import Inside, Lengths, State
from archsim.golden.stack import Direction, merged, run_direction


@dataclass(frozen=True)
class DirectionTrace:
    """What one direction of one layer passed through; index t is the time of the sequence, in reverse too.

    output (T, B, P), h_n (B, P), c_n (B, H) of an LSTM: as run_direction gives them, in every bit.
    h (T, B, P): the state after the step at t. c (T, B, H): the same of an LSTM.
    vector (T, B, H): what goes through a matrix inside the step: o * tanh(c) of an LSTM with a projection, r * h_(t-1)
    of a GRU that resets before the product; else None.
    gates, each (T, B, H): activated: i, f, g, o (f = 1 - i where they are coupled); r, z, n; none of an RNN, whose
    activation gives h.
    tanh_c (T, B, H): the activated cell of an LSTM.
    pre, each (T, B, H): what the activations see, before any clip, under the gates' names; "h" of an RNN; no "f" of a
    coupled LSTM. Further sums that a machine keeps: "n_x" and "n_h" of a GRU that resets after the product,
    W_in x + b_in and W_hn h + b_hn; "i_sum", "f_sum", "o_sum" of an LSTM with peepholes, before those are added.
    sums, each (T, B, H): with layer normalization what is normalized, under the names of all four gates, and "i_sum",
    "f_sum" and "o_sum", which are not among `pre` then; else none.

    At the times from a row's length on the states stay as they were and everything else is 0.
    """

    output: Float64
    h_n: Float64
    c_n: Float64 | None
    h: Float64
    c: Float64 | None
    vector: Float64 | None
    gates: Mapping[str, Float64]
    tanh_c: Float64 | None
    pre: Mapping[str, Float64]
    sums: Mapping[str, Float64] = field(default_factory=dict)


Traces = tuple[tuple[DirectionTrace, ...], ...]
"""For each layer, the trace of each of its directions."""


def trace_stack(
    x: Float, layers: Sequence[Sequence[Direction]], lengths: Lengths | None = None, modes: Sequence[str] = ()
) -> Traces:
    """The traces of all layers over x (T, B, I); unlike those of run_stack they may be of different kinds."""
    below = np.asarray(x, np.float64)
    traces = []
    for number, layer in enumerate(layers):
        traces.append(tuple(trace_direction(below, direction, lengths) for direction in layer))
        below = merged([trace.output for trace in traces[-1]], modes[number] if modes else "concat")
    return tuple(traces)


def trace_direction(x: Float, direction: Direction, lengths: Lengths | None = None) -> DirectionTrace:
    """The trace of one direction over x (T, B, I), T >= 1."""
    record = _Recorder(x.shape[0])
    output, h_n, c_n = run_direction(x, direction, lengths, record)
    coupled = isinstance(direction.options, LstmOptions) and direction.options.input_forget
    found = record.found
    return DirectionTrace(
        output=output,
        h_n=h_n,
        c_n=c_n,
        h=found[("h", "")],
        c=found.get(("c", "")),
        vector=found.get(("vector", "")),
        gates=record.named("gates"),
        tanh_c=found.get(("tanh_c", "")),
        pre={name: part for name, part in record.named("pre").items() if not (coupled and name.startswith("f"))},
        sums=record.named("sums"),
    )


class _Recorder:
    """Collects what scan shows, by what it is and its name, each (T, B, H or P)."""

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self.found: dict[tuple[str, str], Float64] = {}

    def __call__(self, t: int, state: State, inside: Inside, valid: npt.NDArray[np.bool_] | None) -> None:
        for name, part in zip(("h", "c"), state, strict=False):
            self._keep(t, (name, ""), part, None)
        for name, part in inside.gates.items():
            self._keep(t, ("gates", name), part, valid)
        for name, part in inside.pre.items():
            self._keep(t, ("pre", name), part, valid)
        for name, part in inside.sums.items():
            self._keep(t, ("sums", name), part, valid)
        if inside.vector is not None:
            self._keep(t, ("vector", ""), inside.vector, valid)
        if inside.tanh_c is not None:
            self._keep(t, ("tanh_c", ""), inside.tanh_c, valid)

    def _keep(self, t: int, key: tuple[str, str], part: Float64, valid: npt.NDArray[np.bool_] | None) -> None:
        if key not in self.found:
            self.found[key] = np.zeros((self._steps, *part.shape))
        self.found[key][t] = part if valid is None else np.where(valid, part, 0.0)

    def named(self, what: str) -> dict[str, Float64]:
        """The parts of that sort by their names."""
        return {name: part for (sort, name), part in self.found.items() if sort == what}
