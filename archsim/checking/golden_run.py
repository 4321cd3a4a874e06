"""Runs the golden model, and keeps what it passed through where that is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.checking.reference import golden_results, golden_traces
from archsim.checking.streams import in_turn, per_stream, traces_in_turn
from archsim.golden.stack import merged
from archsim.golden.trajectory import Traces
from archsim.workload import NetworkSpec, NetworkTensors

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Golden:
    """The golden model's results, float64.

    output (T, B, D P); h_n, a (B, P) for each cell; c_n, a (B, H) for each LSTM cell; traces if they were kept. Of an
    integer reference `overflows` has the values that each kind's range has changed; None if they were not counted.
    """

    output: Float64
    h_n: tuple[Float64, ...]
    c_n: tuple[Float64, ...]
    traces: Traces | None
    overflows: Mapping[str, int] | None = None


def golden_run(tensors: NetworkTensors, spec: NetworkSpec, *, traced: bool) -> Golden:
    """Run the golden model in float64, over streams in turn each for itself."""
    if spec.streams > 1:
        return golden_in_turn([golden_run(*one, traced=traced) for one in per_stream(tensors, spec)])
    if not traced:
        found = golden_results(tensors, spec)
        return Golden(found["output"][0], tuple(found["h_n"]), tuple(found["c_n"]), None)
    traces = golden_traces(tensors, spec)
    flat = [trace for layer in traces for trace in layer]
    output = merged([trace.output for trace in traces[-1]], spec.merge_mode(len(traces) - 1))
    c_n = tuple(trace.c_n for trace in flat if trace.c_n is not None)
    return Golden(output, tuple(trace.h_n for trace in flat), c_n, traces)


def golden_of_lengths(parts: Sequence[Golden], spec: NetworkSpec) -> Golden:
    """The results of the sequences of each length as those of one batch; an output is 0 beyond a sequence's end."""
    assert spec.lengths is not None
    output = np.zeros((spec.steps, spec.batch, *parts[0].output.shape[2:]))
    places: list[int] = []
    for golden, length in zip(parts, sorted(set(spec.lengths)), strict=True):
        mine = [place for place, its in enumerate(spec.lengths) if its == length]
        output[:length, mine] = golden.output
        places += mine
    order = np.argsort(places)
    h_n = tuple(np.concatenate(states)[order] for states in zip(*(golden.h_n for golden in parts), strict=True))
    c_n = tuple(np.concatenate(states)[order] for states in zip(*(golden.c_n for golden in parts), strict=True))
    return Golden(output, h_n, c_n, None)


def golden_in_turn(streams: Sequence[Golden]) -> Golden:
    """The results of several streams as those of frames in turn: h_n (S B, P) and c_n (S B, H)."""
    traces = [golden.traces for golden in streams if golden.traces is not None]
    return Golden(
        in_turn([golden.output for golden in streams]),
        tuple(np.concatenate(states) for states in zip(*(golden.h_n for golden in streams), strict=True)),
        tuple(np.concatenate(states) for states in zip(*(golden.c_n for golden in streams), strict=True)),
        tuple(
            tuple(traces_in_turn(directions) for directions in zip(*layers, strict=True))
            for layers in zip(*traces, strict=True)
        )
        if traces
        else None,
    )
