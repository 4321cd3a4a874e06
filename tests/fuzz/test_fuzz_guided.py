"""The guided fuzzing runs where atheris is, says so where it is not, and ends failures as it should."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from archsim.errors import Fault, FaultsError
from tests.fuzz.fuzz_guided import Harness

ROOT = Path(__file__).resolve().parents[2]
GUIDED = (sys.executable, "-m", "tests.fuzz.fuzz_guided", "tflite", "--seconds", "30")


def check(path: Path) -> bool:
    """What becomes of an input is its text."""
    match path.read_bytes():
        case b"right":
            return True
        case b"refused":
            raise FaultsError((Fault("a", "", "b"),))
        case b"two lines":
            raise FaultsError((Fault("a", "", "b"), Fault("c", "", "d")))
        case b"nothing":
            return False
    raise KeyError(path.suffix)


def test_a_failure_is_whatever_is_no_result_and_no_line(tmp_path: Path) -> None:
    """Failures are counted by their place, and the first of each is kept with its traceback."""
    keep = tmp_path / "keep"
    keep.mkdir()
    harness = Harness(lambda _: ".x", check, FaultsError, 1 << 20, tmp_path, keep)
    for data in (b"right", b"refused", b"two lines", b"nothing", b"bad", b"worse"):
        harness.try_one(data)
    assert harness.ended == {"right": 1, "refused": 2, "failed": 3}
    [lines, place] = harness.failures
    assert (lines, place.startswith("KeyError at test_fuzz_guided.py:")) == ("more than one line", True)
    assert list(harness.failures.values()) == [1, 2]
    assert {path.name for path in keep.iterdir()} == {
        *("failure-1.x", "failure-1.txt", "failure-2.x", "failure-2.txt"),
    }
    assert (keep / "failure-2.x").read_bytes() == b"bad"
    assert "KeyError: '.x'" in (keep / "failure-2.txt").read_text()


@pytest.mark.skipif(importlib.util.find_spec("atheris") is not None, reason="atheris is there")
def test_where_atheris_is_missing_a_line_says_how_to_get_it() -> None:
    run = subprocess.run(GUIDED, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.splitlines()[-1].endswith(
        "error: the package atheris is missing; install it: pip install 'archsim[fuzz]'"
    )
