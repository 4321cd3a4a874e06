"""docs/delta.md, frames on a MAC array: the table is what is simulated."""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.report.text.figures_as_text import cycles
from archsim.workload import load_workload
from tests.present import present
from tests.rings import exhaustive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "delta.md").read_text()
TABLE = re.search(r"^\| θ \| mean of a frame .*\n\|[-:|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in present(TABLE)[1].splitlines()]
(COMMAND,) = re.findall(r"^archsim run .* streaming=true .*$", PAGE, re.MULTILINE)
SETS = [word for flag, word in itertools.pairwise(shlex.split(COMMAND)) if flag == "--set"]
OF_WORKLOAD = ("delta=", "streaming=", "period_us=")


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0], marks=exhaustive) for row in ROWS])
def test_frames_of_silero_vad(row: list[str]) -> None:
    arch = load_arch("edge_16x16", [s for s in SETS if not s.startswith(OF_WORKLOAD)])
    sets = [s for s in SETS if s.startswith(OF_WORKLOAD[1:])]
    sets += [] if row[0] == "ordinary cell" else [f"delta={row[0]}"]
    found = present(simulate(arch, load_workload("silero_vad", sets), "split_interleaved", timing_only=True).frames)
    each, latency = found.differing_frames, found.frame_latency_cycles
    spread = [latency] * 4 if each is None else [each.mean_cycles, each.p50_cycles, each.p95_cycles, each.max_cycles]
    assert row[1:] == [cycles(number) for number in (*spread, found.frame_interval_cycles)]
