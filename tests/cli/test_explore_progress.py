"""What the progress bar of an exploration says."""

from __future__ import annotations

import io
import time
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from archsim.cli.explore_progress import ExploreProgress
from archsim.explore import Space, Status
from archsim.explore.results.study import Point
from tests.explore.conftest import SMALL


def point(number: int, *objectives: float) -> Point:
    status = Status.EVALUATED if objectives else Status.INFEASIBLE
    return Point(number, {}, "fused_interleaved", status, objectives or None)


def test_designs_a_second_and_the_best_so_far(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("space") / "small.yaml"
    path.write_text(SMALL.replace("minimize: mac_array", "maximize: mac_array"))
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = ExploreProgress(hidden=True)
    progress.begin(48, Space.load(path))
    now[0] = 102.0
    assert progress.note() == "0 designs/s"
    progress.counted([point(0)], 0)
    assert progress.note() == "0 designs/s"
    progress.counted([point(1, 5.0, 4.0), point(2, 3.0, 2.0)], 2)
    assert progress.note() == "1 designs/s; best so far: body_us 3, macs_per_cycle 4"
    now[0] = 104.0
    progress.counted([point(3, 4.0, 8.0), point(4, 4.0, 8.0)], 1000)
    assert progress.note() == "250 designs/s; best so far: body_us 3, macs_per_cycle 8"


def test_what_was_restored_is_learned_by_its_direction(tmp_path: Path) -> None:
    """Of rows from disk the least of what is minimized, the most of what is maximized; worse ones change nothing."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL.replace("minimize: mac_array", "maximize: mac_array"))
    progress = ExploreProgress(hidden=True)
    progress.begin(48, Space.load(path))
    progress.restored(3, np.array([[5.0, 4.0], [3.0, 2.0], [4.0, 8.0]]))
    assert progress.note().endswith("best so far: body_us 3, macs_per_cycle 8")
    progress.restored(2, np.empty((0, 2)))
    progress.restored(2, np.array([[6.0, 1.0], [7.0, 6.0]]))
    assert progress.note().endswith("best so far: body_us 3, macs_per_cycle 8")
    progress.counted([point(1, 2.0, 16.0)], 1)
    assert progress.note().endswith("best so far: body_us 2, macs_per_cycle 16")


def test_what_workers_report_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Fresh designs of the time since the beginning; what was on the disk is none of them."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    progress = ExploreProgress(hidden=True)
    progress.begin(48, Space.load(path))
    now[0] = 104.0
    progress.reported(9, 8, np.array([[5.0, 4.0], [3.0, 12.0]]))
    assert progress.note() == "2 designs/s; best so far: body_us 3, macs_per_cycle 4"
    progress.restored(100, np.array([[6.0, 3.5]]))
    assert progress.note() == "2 designs/s; best so far: body_us 3, macs_per_cycle 3.5"
    progress.reported(4000, 4000, np.empty((0, 2)))
    assert progress.note().startswith("1,002 designs/s; ")


@pytest.mark.parametrize(("hidden", "terminal"), [(True, True), (True, False), (False, False)])
def test_no_bar_where_nobody_looks(monkeypatch: pytest.MonkeyPatch, hidden: bool, terminal: bool) -> None:
    err = Terminal() if terminal else io.StringIO()
    monkeypatch.setattr("sys.stderr", err)
    with ExploreProgress(hidden=hidden) as progress:
        progress.begin(48, Space.load("edge"))
        progress.counted([point(0)], 0)
        progress.restored(3, np.empty((0, 3)))
    assert err.getvalue() == ""


def test_the_bar_counts_points_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two that count, three that were there, and five that workers report, of 48."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", Terminal())
    with ExploreProgress(hidden=False) as progress:
        progress.begin(48, Space.load("edge"))
        progress.counted([point(0), point(1)], 0)
        progress.restored(3, np.empty((0, 3)))
        progress.reported(5, 5, np.empty((0, 3)))
        (task,) = progress._bar.tasks
        assert (task.completed, task.total) == (10, 48)
        assert "designs/s" in task.fields["note"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_the_bar_is_whole_at_every_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    """Count, time left and rate are never cut; of the best so far what has room is there."""
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", Terminal())
    with ExploreProgress(hidden=False) as progress:
        progress.begin(5376, Space.load("edge"))
        progress.counted([point(number, 12345.67, 658.9, 23.79) for number in range(300)], 300)
        shown = Console(width=width, file=io.StringIO())
        shown.print(progress._bar.get_renderable())
    bar, note = shown.file.getvalue().splitlines()[:2]  # type: ignore[attr-defined]
    assert max(len(bar), len(note)) <= width
    assert bar.split()[0] == "points"
    assert "300/5376 -:--:--" in bar
    assert " designs/s; best so far: body_us 1.23" in note
    assert width < 100 or "area_mm2 23.79" in note
    assert width > 60 or note.endswith("\u2026")
