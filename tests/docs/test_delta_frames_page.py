"""docs/delta.md, frames and batches on a MAC array: the tables are what is simulated."""

from __future__ import annotations

import itertools
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.report.text.figures_as_text import cycles, percent
from archsim.workload import load_workload
from archsim.workload.activity import LayerActivity, StepColumns
from tests.present import present
from tests.rings import exhaustive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "delta.md").read_text()


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose head begins so."""
    table = re.search(rf"^\| {re.escape(head)} .*\n\|[-:|]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in present(table)[1].splitlines()]


(COMMAND,) = re.findall(r"^archsim run .* streaming=true .*$", PAGE, re.MULTILINE)
SETS = [word for flag, word in itertools.pairwise(shlex.split(COMMAND)) if flag == "--set"]
OF_WORKLOAD = ("delta=", "streaming=", "period_us=")


@pytest.mark.parametrize("row", [pytest.param(row, id=row[0], marks=exhaustive) for row in rows("θ | mean of a frame")])
def test_frames_of_silero_vad(row: list[str]) -> None:
    arch = load_arch("edge_16x16", [s for s in SETS if not s.startswith(OF_WORKLOAD)])
    sets = [s for s in SETS if s.startswith(OF_WORKLOAD[1:])]
    sets += [] if row[0] == "ordinary cell" else [f"delta={row[0]}"]
    found = present(simulate(arch, load_workload("silero_vad", sets), "split_interleaved", timing_only=True).frames)
    each, latency = found.differing_frames, found.frame_latency_cycles
    spread = [latency] * 4 if each is None else [each.mean_cycles, each.p50_cycles, each.p95_cycles, each.max_cycles]
    assert row[1:] == [cycles(number) for number in (*spread, found.frame_interval_cycles)]


OF_BATCHES = (
    *("formats=q4.12", "formats.weight=q2.6", "formats.input=q8.8", "formats.hidden=q8.8"),
    *("formats.gate=q8.14", "formats.accumulator=q8.14", "accumulators.entries=4096"),
    *("state_buffer.capacity_bytes=64KiB", "input_buffer.capacity_bytes=64KiB"),
    "delta_encoder={lanes: 16, latency_cycles: 2, capacity_bytes: 16KiB, port_bits: 272}",
)


def side_by_side(columns: Sequence[Sequence[int]], batch: int) -> list[tuple[int, ...]]:
    """The columns that change in any of so many sequences, which are a sequence cut in as many parts."""
    steps = len(columns) // batch
    parts = [columns[part * steps : (part + 1) * steps] for part in range(batch)]
    return [tuple(sorted({n for of_part in parts for n in of_part[step]})) for step in range(steps)]


@exhaustive
def test_batches_of_silero_vad() -> None:
    evaluator, schedule = Evaluator(), find_schedule("split_interleaved", "gemv")
    machines = [load_arch("edge_16x16", [*OF_BATCHES, f"mac_array.columns={columns}"]) for columns in (4, 1)]
    workload = evaluator.with_activity(machines[1], load_workload("silero_vad", ["delta=0.125"]), schedule)
    ((recorded,), found) = present(workload.activity), []
    for batch in (1, 2, 4, 8):
        x, h = (side_by_side([getattr(step, part) for step in recorded.steps], batch) for part in ("x", "h"))
        activity = LayerActivity(tuple(StepColumns(*step) for step in zip(x, h, strict=True)))
        given = replace(load_workload(f"lstm:128,128,t={len(x)},b={batch}"), activity=(activity,))
        stats = [evaluator.evaluate(arch, given, schedule).stats for arch in machines]
        share = (activity.columns - 1) / (256 * len(x))
        found.append([str(batch), percent(share), *(f"{each.body_cycles / len(x) / batch:,.0f}" for each in stats)])
    assert rows("B | columns multiplied") == found
