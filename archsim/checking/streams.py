"""Takes streams in turn, and sequences of different lengths, apart, and puts their results together again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.golden.trajectory import DirectionTrace
from archsim.workload import NetworkSpec, NetworkTensors

Float64 = npt.NDArray[np.float64]


def per_stream(tensors: NetworkTensors, spec: NetworkSpec) -> Iterator[tuple[NetworkTensors, NetworkSpec]]:
    """The tensors and the network of each stream: every `spec.streams`-th frame, from the stream's first on."""
    for stream in range(spec.streams):
        x = tensors.x[stream :: spec.streams]
        yield replace(tensors, x=x), replace(spec, steps=len(x), streams=1)


def per_length(tensors: NetworkTensors, spec: NetworkSpec) -> Iterator[tuple[NetworkTensors, NetworkSpec]]:
    """The tensors and the network of the sequences of each length, the shortest first; it is all the time they have."""
    assert spec.lengths is not None
    for length in sorted(set(spec.lengths)):
        mine = [place for place, its in enumerate(spec.lengths) if its == length]
        cells = tuple(
            replace(cell, h_0=cell.h_0[mine], c_0=None if cell.c_0 is None else cell.c_0[mine])
            for cell in tensors.cells
        )
        part = replace(tensors, x=tensors.x[:length, mine], cells=cells)
        yield part, replace(spec, steps=length, batch=len(mine), lengths=None)


def in_turn(parts: Sequence[Float64]) -> Float64:
    """Arrays with time as the first axis, one of each stream, as one in which the streams take turns."""
    whole = np.empty((sum(map(len, parts)), *parts[0].shape[1:]))
    for stream, part in enumerate(parts):
        whole[stream :: len(parts)] = part
    return whole


def traces_in_turn(traces: Sequence[DirectionTrace]) -> DirectionTrace:
    """The traces of a direction, one of each stream, as one; final states one below the other."""

    def joined(name: str, values: Sequence[Any]) -> Any:  # noqa: ANN401 - a field of a trace
        if values[0] is None:
            return None
        if isinstance(values[0], Mapping):
            return {key: joined(key, [value[key] for value in values]) for key in values[0]}
        return np.concatenate(values) if name in ("h_n", "c_n") else in_turn(values)

    names = [field.name for field in fields(DirectionTrace)]
    return DirectionTrace(**{name: joined(name, [getattr(trace, name) for trace in traces]) for name in names})
