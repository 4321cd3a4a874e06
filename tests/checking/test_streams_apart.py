"""Streams in turn, and sequences of different lengths, taken apart and put together again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from archsim.checking.golden_run import Golden, golden_in_turn, golden_of_lengths
from archsim.checking.streams import in_turn, per_length, per_stream
from archsim.workload import load_tensors, load_workload


def test_every_so_many_frames_are_a_stream_s() -> None:
    """Seven frames of three streams: 0, 3, 6 of the first, 1 and 4, 2 and 5."""
    work = load_workload("lstm:2,3,t=7,streaming=1,streams=3")
    tensors = load_tensors(work)
    parts = list(per_stream(tensors, work.spec))
    assert [(spec.steps, spec.streams) for _, spec in parts] == [(3, 1), (2, 1), (2, 1)]
    for stream, (part, _) in enumerate(parts):
        assert np.array_equal(part.x, tensors.x[[n for n in range(7) if n % 3 == stream]])
    assert np.array_equal(in_turn([part.x.astype(np.float64) for part, _ in parts]), tensors.x)


def test_sequences_of_each_length_are_a_batch_the_shortest_first() -> None:
    """Lengths 4, 2, 4, 1: sequence 3 in one step, sequence 1 in two, sequences 0 and 2 in four."""
    work = load_workload("lstm:2,3,t=4,b=4")
    tensors, spec = load_tensors(work), replace(work.spec, lengths=(4, 2, 4, 1))
    [cell] = tensors.cells
    assert cell.c_0 is not None
    drawn = np.random.default_rng(3).normal(size=(2, 4, 3)).astype(np.float32)
    tensors = replace(tensors, cells=(replace(cell, h_0=drawn[0], c_0=drawn[1]),))
    parts = list(per_length(tensors, spec))
    assert [(one.steps, one.batch, one.lengths) for _, one in parts] == [(1, 1, None), (2, 1, None), (4, 2, None)]
    for (part, one), mine in zip(parts, ([3], [1], [0, 2]), strict=True):
        assert np.array_equal(part.x, tensors.x[: one.steps, mine])
        assert np.array_equal(part.cells[0].h_0, drawn[0, mine])
        assert np.array_equal(np.asarray(part.cells[0].c_0), drawn[1, mine])


def test_results_of_sequences_come_back_to_their_places() -> None:
    """Each sequence's numbers are its own: 10 times its place and the step; nothing stands behind its end."""
    lengths = (4, 2, 4, 1)
    spec = replace(load_workload("lstm:1,1,t=4,b=4").spec, lengths=lengths)

    def part(*places: int) -> Golden:
        steps = np.arange(lengths[places[0]], dtype=np.float64)[:, None, None]
        own = 10.0 * np.array(places)[:, None] + 1
        return Golden(steps + own, (own + 100,), (own + 200,), None)

    found = golden_of_lengths([part(3), part(1), part(0, 2)], spec)
    assert found.output[..., 0].tolist() == [[1, 11, 21, 31], [2, 12, 22, 0], [3, 0, 23, 0], [4, 0, 24, 0]]
    assert found.h_n[0].ravel().tolist() == [101, 111, 121, 131]
    assert found.c_n[0].ravel().tolist() == [201, 211, 221, 231]


def test_results_of_streams_stand_below_each_other() -> None:
    """Three frames of two streams: two of the first."""
    one, two = (
        Golden(np.full((steps, 1, 1), value), (np.full((1, 1), value + 1),), (np.full((1, 1), value + 2),), None)
        for steps, value in ((2, 10.0), (1, 20.0))
    )
    found = golden_in_turn([one, two])
    assert found.output.ravel().tolist() == [10, 20, 10]
    assert found.h_n[0].tolist() == [[11], [21]]
    assert found.c_n[0].tolist() == [[12], [22]]
    assert found.traces is None
