"""A run that takes more memory than there is ends in one line that says what was asked for, and leaves nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rings import exhaustive

ROOT = Path(__file__).resolve().parents[2]
RUN = """
import resource, sys
from archsim.cli.main import main
def run(*words):
    sys.argv = ["archsim", "run", *words, "--no-plots"]
    try:
        main()
    except SystemExit as end:
        return end.code
assert run("tiny_2x2", "lstm_3_2_t4", "--json") == 0  # everything is loaded
pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (24 << 20),) * 2)
sys.exit(run("edge_64x64", "lstm:1500,1500,t=3", "--set", "weight_sram.capacity_bytes=64MiB", "--out", "large"))
"""


@exhaustive
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits the memory of processes as Linux does")
def test_a_run_without_enough_memory_is_one_line(tmp_path: Path) -> None:
    """4 gates of 1,500 x 1,500 weights of 4 bytes are 6,000 x 1,500 x 4 / 2^20 = 34.3 MiB, and there are 24 MiB."""
    run = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    [line] = run.stderr.splitlines()
    assert re.match(r"archsim: error: out of memory in archsim\.[\w.]+ \(Unable to allocate 34\.3 MiB .*\): ", line), (
        line
    )
    assert not list(tmp_path.iterdir())
