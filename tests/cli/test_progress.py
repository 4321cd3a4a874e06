"""The progress bar: only on a terminal, and only when a run takes longer than a second."""

import io
import time

import pytest

from archsim.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that time.monotonic() gives; a test moves them on."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_nothing_where_stdout_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with progress.step_progress(10) as report:
        assert report is None


@pytest.mark.parametrize(("seconds", "shown"), [(0.9, False), (1.1, True)])
def test_the_bar_appears_after_a_second(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], seconds: float, shown: bool
) -> None:
    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    with progress.step_progress(10) as report:
        assert report is not None
        clock[0] = seconds
        report(7)
    assert ("7/10" in err.getvalue()) is shown
    assert out.getvalue() == "", "stdout belongs to the report"
