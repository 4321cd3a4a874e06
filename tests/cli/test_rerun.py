"""`archsim rerun`: a folder of results repeated, and what is not the same."""

from __future__ import annotations

import json
import os
import shlex
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4")


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--timing-only",),
        ("--timing-only", "--executor", "fast"),
        ("--schedule", "best-energy", "--timing-only"),
        ("--set", "formats=q4.12", "--set", "activation.method=table"),
        ("--set", "streaming=true", "--set", "period_us=1"),
    ],
)
def test_a_run_repeated_is_the_same(cli: Cli, options: tuple[str, ...]) -> None:
    assert cli("run", *TINY, *options, "--no-plots", "--out", "x").code == 0
    again = cli("rerun", "x")
    assert (again.code, again.err) == (0, "")
    assert again.out.startswith("SAME: ")
    numbers = 12 + (12 + 3 + 3) * ("formats=q4.12" in options)  # of integers their codes, scales and zero points, too
    assert (f"and {numbers} numbers" in again.out) == ("--timing-only" not in options)
    assert json.loads(cli("rerun", "x", "--json").out)["differences"] == []


def test_the_command_of_the_manifest_makes_the_same_figures(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli("run", *TINY, "--schedule", "split", "--no-plots", "--out", "x")
    manifest = json.loads(Path("x/manifest.json").read_text(encoding="utf-8"))
    monkeypatch.chdir("x")
    found = json.loads(cli(*shlex.split(" ".join(manifest["command"]))[1:], "--json", "--no-plots", "--out", "y").out)
    assert found["latency_cycles"] == json.loads(Path("stats.json").read_text(encoding="utf-8"))["latency_cycles"]


def test_the_same_run_has_the_same_manifest(cli: Cli) -> None:
    for name in ("x", "y"):
        cli("run", *TINY, "--no-plots", "--out", name)
    assert Path("x/manifest.json").read_bytes() == Path("y/manifest.json").read_bytes()


def test_what_is_not_the_same_is_named(cli: Cli) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    stats = json.loads(Path("x/stats.json").read_text(encoding="utf-8"))
    stats["cycle_stack"]["useful"] += 1
    Path("x/stats.json").write_text(json.dumps(stats), encoding="utf-8")
    with np.load("x/outputs.npz") as saved:
        outputs = dict(saved)
    outputs["output"][0, 0, 0] += 1
    np.savez("x/outputs.npz", **outputs)
    run = cli("rerun", "x")
    assert run.code == 1
    was = stats["cycle_stack"]["useful"]
    assert f"cycle_stack.useful: {was} -> {was - 1}" in run.out
    assert "outputs.npz: output is not the same" in run.out
    assert run.out.splitlines()[-1].startswith("DIFFERENT: 2 of ")


@pytest.mark.parametrize("as_other", [lambda array: array.transpose(1, 0, 2).copy(), lambda array: array.reshape(-1)])
def test_the_same_bytes_in_another_shape_are_not_the_same(
    cli: Cli, as_other: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]]
) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    with np.load("x/outputs.npz") as saved:
        outputs = dict(saved)
    before = outputs["output"]
    outputs["output"] = as_other(before)
    assert outputs["output"].tobytes() == before.tobytes()
    np.savez("x/outputs.npz", **outputs)
    run = cli("rerun", "x")
    assert run.code == 1
    assert "outputs.npz: output is not the same" in run.out


def test_an_input_that_has_changed_is_named(cli: Cli) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    arch = Path("x/arch.yaml")
    arch.write_text(arch.read_text(encoding="utf-8").replace("queue_depth: 8", "queue_depth: 1"), encoding="utf-8")
    run = cli("rerun", "x")
    assert run.code == 1
    assert run.out.splitlines()[0] == "changed: arch.yaml is another one"


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("manifest.json", None, "holds no results of archsim run: there is no manifest.json"),
        ("manifest.json", "{}", "is no manifest of a run of archsim"),
        ("manifest.json", "[", "is no manifest of a run of archsim"),
        ("stats.json", "7", "is no stats.json of archsim"),
        ("outputs.npz", "7", "outputs.npz: cannot be read"),
        ("arch.yaml", None, "holds no results of archsim run: there is no arch.yaml"),
    ],
)
def test_a_folder_that_is_broken_is_one_line(cli: Cli, file: str, content: str | None, said: str) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    if content is None:
        os.remove(f"x/{file}")
    else:
        Path("x", file).write_text(content, encoding="utf-8")
    run = cli("rerun", "x")
    assert (run.code, run.out) == (2, "")
    assert said in run.err
    assert run.err.count("\n") == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda data: data[: len(data) // 2], "is no outputs.npz of archsim, or is damaged"),
        (lambda data: b"", "is no outputs.npz of archsim, or is damaged"),
        (lambda data: data.replace(b"NUMPY", b"numpy"), "is no outputs.npz of archsim, or is damaged"),
        (lambda data: bytes((1 << 24) + 10_000), "cannot be read: larger than"),
    ],
)
def test_outputs_that_are_no_archive_are_one_line(cli: Cli, damage: Callable[[bytes], bytes], said: str) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    file = Path("x/outputs.npz")
    file.write_bytes(damage(file.read_bytes()))
    again = cli("rerun", "x")
    assert (again.code, again.out) == (2, "")
    assert again.err.startswith(f"archsim: error: x/outputs.npz: {said}")
    assert len(again.err.splitlines()) == 1


def test_outputs_that_are_a_pipe_are_not_waited_for(cli: Cli) -> None:
    cli("run", *TINY, "--no-plots", "--out", "x")
    Path("x/outputs.npz").unlink()
    os.mkfifo("x/outputs.npz")
    again = cli("rerun", "x")
    assert (again.code, "x/outputs.npz: cannot be read: is a pipe" in again.err) == (2, True)


def test_an_output_that_claims_to_expand_without_end_takes_no_memory(cli: Cli) -> None:
    """64 MiB of zeros in 64 KiB: what the run has is 12 numbers."""
    cli("run", *TINY, "--no-plots", "--out", "x")
    with np.load("x/outputs.npz") as saved:
        others = {name: saved[name] for name in saved.files if name != "output"}
    np.savez_compressed("x/outputs.npz", output=np.zeros(1 << 26, np.uint8), **others)
    tracemalloc.start()
    try:
        again = cli("rerun", "x")
        assert tracemalloc.get_traced_memory()[1] < 1 << 25
    finally:
        tracemalloc.stop()
    assert (again.code, "outputs.npz: output is not the same" in again.out) == (1, True)
