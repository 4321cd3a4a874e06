"""The first steps of an input from a file: what is taken, what is compared, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from archsim.api.simulate import simulate
from archsim.cli.options import load_inputs
from archsim.config import parse_override
from archsim.errors import WorkloadError
from archsim.report.text.sections.verdict_section import _of_file
from archsim.workload import Workload, load_tensors, load_workload
from archsim.workload.layout import Layout
from archsim.workload.sequences import read_sequence

LAYOUTS = {"steps first": Layout(False, True), "batch first": Layout(True, True), "one": Layout(False, False)}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_the_first_steps_in_every_layout(layout: Layout, tmp_path: Path) -> None:
    """The number at step t is 100 t + 10 b + i, wherever its axes are."""
    batch = 2 if layout.batched else 1
    t, b, i = np.meshgrid(np.arange(5), np.arange(batch), np.arange(3), indexing="ij")
    whole = (100 * t + 10 * b + i).astype(np.float32)
    np.savez(tmp_path / "x.npz", input=layout.sequence_out(whole))
    found = read_sequence(tmp_path / "x.npz", "input", layout, 2, batch, 3)
    assert (found.steps_in_file, found.whole) == (5, False)
    assert np.array_equal(found.values, whole[:2])
    assert read_sequence(tmp_path / "x.npz", "input", layout, 5, batch, 3).whole


def test_more_steps_than_the_file_has() -> None:
    with pytest.raises(WorkloadError, match=r"input: expected shape \(311, 1, 128\), got \(310, 1, 128\)"):
        load_tensors(_silero("steps=311"))


def test_other_sizes_still_have_to_fit() -> None:
    with pytest.raises(WorkloadError, match=r"input: expected shape \(310, 2, 128\), got \(310, 1, 128\)"):
        load_tensors(_silero("steps=8", "batch=2"))


def test_the_witness_of_the_first_steps() -> None:
    """The output and the scores of 8 steps are the first 8 of 310; the states are not those of step 8."""
    part, whole = load_tensors(_silero("steps=8")), load_tensors(_silero())
    assert (part.steps_in_file, whole.steps_in_file) == (310, 310)
    assert np.array_equal(part.x, whole.x[:8])
    assert part.expected is not None
    assert whole.expected is not None
    assert [tensor.name for tensor in part.expected.tensors] == ["output"]
    assert [tensor.name for tensor in whole.expected.tensors] == ["output", "h_n", "c_n"]
    assert np.array_equal(part.expected.tensors[0].parts[0], whole.expected.tensors[0].parts[0][:8])
    assert part.expected.left_out == tuple(
        f"{name}: it is of the last of the 310 steps, the run takes the first" for name in ("h_n", "c_n")
    )
    assert part.task is not None
    assert whole.task is not None
    assert part.task.expected is not None
    assert whole.task.expected is not None
    assert np.array_equal(part.task.expected, whole.task.expected[:8])


def test_no_witness_of_a_reverse_run() -> None:
    tensors = load_tensors(_silero("steps=8", "reverse=true"))
    assert tensors.expected is not None
    assert (tensors.expected.tensors, len(tensors.expected.left_out)) == ((), 3)
    assert tensors.task is not None
    assert tensors.task.expected is None


def test_it_is_compared_and_said() -> None:
    found = simulate(
        *load_inputs("edge_64x64", "silero_vad", ["steps=8", "formats=float32", "activation.method=exact"])
    )
    checks = [check.name for check in found.validation.checks if check.reference == "expected (file)"]
    assert (checks, found.validation.passed) == (["output", "scores"], True)
    assert [reason.partition(":")[0] for reason in found.validation.not_compared] == ["h_n", "c_n"]
    assert _of_file(found) == " (the first of the 310 in silero_vad_features.safetensors)"


def _silero(*sets: str) -> Workload:
    return load_workload("silero_vad", [parse_override(text) for text in sets])
