"""A small fixed share of the mutated files; the script runs more: python tests/fuzz/fuzz_files.py --inputs 20000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from optional import need

INPUTS_A_FORMAT = 60


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of processes as Linux does")
def test_mutated_files_end_in_an_error_or_a_right_result(tmp_path) -> None:
    for package in ("torch", "onnx", "h5py"):
        need(package)
    script = Path(__file__).with_name("fuzz_files.py")
    inputs = str(5 * INPUTS_A_FORMAT)
    command = [sys.executable, str(script), "--inputs", inputs, "--real-children", "3", "--keep", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{inputs} inputs in" in run.stdout
    assert ", 0 failed" in run.stdout
    counts = [line for line in run.stdout.splitlines() if line.startswith(".")]
    assert [line.split()[0] for line in counts] == [".safetensors", ".npz", ".onnx", ".pt", ".h5"]
    assert all(" right" in line and " refused" in line for line in counts), (
        "mutations are neither too weak nor too strong"
    )
