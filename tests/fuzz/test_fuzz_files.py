"""A small fixed share of the mutated files; the script runs more: python -m tests.fuzz.fuzz_files --inputs 20000."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.optional import need
from tests.rings import exhaustive

ROOT = Path(__file__).resolve().parents[2]
INPUTS_A_FORMAT = 60


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of processes as Linux does")
def test_mutated_files_end_in_an_error_or_a_right_result(tmp_path: Path) -> None:
    for package in ("torch", "onnx", "h5py", "ai_edge_litert"):
        need(package)
    inputs = str(8 * INPUTS_A_FORMAT)
    command = [
        sys.executable,
        "-m",
        "tests.fuzz.fuzz_files",
        "--inputs",
        inputs,
        "--real-children",
        "3",
        "--keep",
        str(tmp_path),
    ]
    run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, cwd=ROOT)
    assert run.returncode == 0, run.stdout + run.stderr
    assert f"{inputs} inputs in" in run.stdout
    assert ", 0 failed" in run.stdout
    counts = [line for line in run.stdout.splitlines() if line.startswith(".")]
    kinds = [".safetensors", ".npz", ".onnx", ".pt", ".h5", ".keras", ".pt2", ".tflite"]
    assert [line.split()[0] for line in counts] == kinds
    assert all(" right" in line and " refused" in line for line in counts), (
        "mutations are neither too weak nor too strong"
    )


ENDS = """
import time
from pathlib import Path
from tests.fuzz import fuzz_runs

def check(path):
    began = time.process_time()
    while path.name == "spins":
        time.process_time()
    while path.name == "takes memory":
        bytearray(1 << 30)
    if path.name == "waits":
        time.sleep(2.5)
    return True

fuzz_runs.SECONDS = 1
names = ["waits", "spins", "takes memory", "goes on"]
for ended in fuzz_runs.run_all(names, lambda name: check(Path(name))):
    print(ended.words)
"""


@exhaustive
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of processes as Linux does")
def test_an_input_ends_by_its_time_on_a_processor_and_not_by_the_clock() -> None:
    """2.5 s of waiting are right; 1 s (or 2, as the process has used some) of computing ends it, and the next goes on."""
    run = subprocess.run(
        [sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=300, check=True, cwd=ROOT
    )
    assert run.stdout.split("\n")[:-1] == ["right", "signal 24", "failed", "right"]
