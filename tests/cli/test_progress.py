"""What a run shows while it works: only on a terminal, and only when it takes longer than a second."""

import io
import time

import pytest

from archsim.cli import progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_nothing_where_stdout_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", io.StringIO())
    with progress.step_progress(10) as report:
        assert report is None


def terminals(monkeypatch: pytest.MonkeyPatch) -> tuple[Terminal, Terminal]:
    """Stdout and stderr; pytest sets them itself between a fixture and its test."""
    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    return out, err


def test_a_short_run_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = terminals(monkeypatch)
    with progress.step_progress(10) as report:
        assert report is not None
        report(7)
    assert "time steps" not in err.getvalue()


@pytest.mark.parametrize(("steps", "said"), [(None, "preparing"), (7, "7/10"), (10, "checking")])
def test_a_long_run_says_what_it_does(monkeypatch: pytest.MonkeyPatch, steps: int | None, said: str) -> None:
    out, err = terminals(monkeypatch)
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.01)
    with progress.step_progress(10) as report:
        assert report is not None
        if steps is not None:
            report(steps)
        deadline = time.monotonic() + 30
        while said not in err.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert said in err.getvalue()
    assert out.getvalue() == "", "stdout belongs to the report"


def test_what_is_being_done_is_said_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = terminals(monkeypatch)
    with progress.working("measuring"):
        pass
    assert "measuring" in err.getvalue()
    assert out.getvalue() == ""


@pytest.mark.parametrize("width", [60, 80, 200])
def test_the_bar_fits_beside_its_words(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    _, err = terminals(monkeypatch)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.0)
    with progress.step_progress(1_000_000) as report:
        assert report is not None
        report(123_456)
        deadline = time.monotonic() + 30
        while "123456/1000000" not in err.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    shown = err.getvalue()
    assert "123456/1000000" in shown
    assert "time steps" in shown
    assert "\u2026" not in shown


def test_designs_are_counted_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = terminals(monkeypatch)
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.01)
    with progress.design_progress("schedules") as report:
        assert report is not None
        report(3, 28)
        deadline = time.monotonic() + 30
        while "3/28" not in err.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "schedules" in err.getvalue()
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress.design_progress("schedules") as report:
        assert report is None


def test_a_bar_takes_a_third_of_a_terminal_and_at_most_40_characters() -> None:
    assert [progress.bar_width(terminal) for terminal in (60, 61, 119, 120, 123, 300)] == [20, 20, 39, 40, 40, 40]


def test_of_what_is_done_nothing_is_said_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages go to stderr, which is no terminal here; words while something works need stdout to be one."""
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    with progress.stage_progress("Yosys") as stage, progress.working("measuring"):
        assert stage is None
    assert out.getvalue() == err.getvalue() == ""


def test_stages_are_named_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    _, err = terminals(monkeypatch)
    monkeypatch.setattr(progress, "SHOWN_AFTER_SECONDS", 0.01)
    with progress.stage_progress("Yosys") as stage:
        assert stage is not None
        stage("mapping")
        deadline = time.monotonic() + 30
        while "Yosys: mapping" not in err.getvalue() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert "Yosys: mapping" in err.getvalue()
