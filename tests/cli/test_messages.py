"""What the entry point makes of errors, by hand: each a line, long words shortened, notes said once."""

from __future__ import annotations

import errno
import io
import sys
import warnings
from typing import Any, NoReturn

import pytest
import typer

from archsim.cli import main as main_module
from archsim.cli.ending_signals import EndingSignals
from archsim.cli.main import _fail, _prepare_streams, _prepare_warnings, _run
from archsim.config.presets import MAX_PATH_CHARACTERS
from archsim.errors import ArchError, CacheWarning, Fault, Interrupted, SimulatorBug

STREAMS = "archsim: error: cannot write to the terminal, file or pipe: "


def ended(monkeypatch: pytest.MonkeyPatch, raised: BaseException | int | None, *words: str) -> int:
    """The exit code of a command that raises this, or returns it."""

    class App:
        registered_commands = main_module.app.registered_commands

        def __call__(self, **_: object) -> int | None:
            if isinstance(raised, BaseException):
                raise raised
            return raised

    monkeypatch.setattr(main_module, "app", App())
    monkeypatch.setattr(sys, "argv", ["archsim", *(words or ("run",))])
    try:
        return _run(EndingSignals())
    except SystemExit as stop:
        assert isinstance(stop.code, int)
        return stop.code


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (None, 0, ""),
        (0, 0, ""),
        (1, 1, ""),
        (130, 130, "archsim: interrupted; no results were written\n"),
        (KeyboardInterrupt(), 130, "archsim: interrupted; no results were written\n"),
        (Interrupted("stopped; 3 are kept"), 130, "archsim: stopped; 3 are kept\n"),
        (ArchError((Fault("a", "b", "c"), Fault("d", "", "e"))), 2, "archsim: error: a: b: c\narchsim: error: d: e\n"),
        (typer.BadParameter("no"), 2, "archsim: error: Invalid value: no. See archsim run --help.\n"),
        (typer.BadParameter("no."), 2, "archsim: error: Invalid value: no. See archsim run --help.\n"),
        (typer.BadParameter("what?"), 2, "archsim: error: Invalid value: what? See archsim run --help.\n"),
        (OSError(errno.ENOENT, "No such file", "x/y"), 2, "archsim: error: x/y: No such file\n"),
        (OSError(errno.EPIPE, "Broken pipe"), 2, f"{STREAMS}Broken pipe\n"),
        (OSError(errno.EIO, "Input/output error"), 2, f"{STREAMS}Input/output error\n"),
        (OSError(errno.EBADF, "Bad file descriptor"), 2, f"{STREAMS}Bad file descriptor\n"),
        (typer.Abort(), 130, "archsim: interrupted; no results were written\n"),
    ],
)  # fmt: skip
def test_each_error_has_its_code_and_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    raised: BaseException | int | None,
    code: int,
    said: str,
) -> None:
    assert ended(monkeypatch, raised) == code
    found = capsys.readouterr()
    assert found.out == ""
    assert found.err.startswith(said)
    assert found.err.count("\n") == max(1, said.count("\n")) * bool(said)


def test_bugs_have_code_3_and_debug_raises_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    for bug in (SimulatorBug("x"), KeyError("x"), EOFError("x"), OSError(errno.EINVAL, "Invalid argument")):
        assert ended(monkeypatch, bug) == 3
        line = capsys.readouterr().err
        assert line.startswith(
            f"archsim: error: this is a bug in archsim (--debug shows where): {type(bug).__name__}: "
        )
        with pytest.raises(type(bug)):
            ended(monkeypatch, bug, "run", "--debug")
    abort = typer.Abort()
    abort.__cause__ = EOFError("short")
    assert ended(monkeypatch, abort) == 3
    for mistake in (ArchError((Fault("a", "", "b"),)), typer.BadParameter("no"), OSError(2, "No such file", "x")):
        with pytest.raises(type(mistake)):
            ended(monkeypatch, mistake, "run", "--debug")


def test_output_that_cannot_be_written_at_the_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> NoReturn:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("sys.stdout", Full())
    assert ended(monkeypatch, 0) == 2
    assert capsys.readouterr().err == "archsim: error: cannot write the output: No space left on device\n"


def test_words_longer_than_a_path_are_shortened(capsys: pytest.CaptureFixture[str]) -> None:
    for length in (MAX_PATH_CHARACTERS, MAX_PATH_CHARACTERS + 1):
        with pytest.raises(SystemExit) as caught:
            _fail(ValueError("x"), f"before\n\nword {'7' * length} (end)", 2)
        assert caught.value.code == 2
        first, second = capsys.readouterr().err.splitlines()
        assert first == "archsim: error: before"
        assert ("7" * length in second) is (length == MAX_PATH_CHARACTERS)
        assert second.startswith("archsim: error: word 7777")
        assert second.endswith(" (end)")
        assert len(second) <= len("archsim: error: word  (end)") + MAX_PATH_CHARACTERS


def test_streams_that_a_caller_closed_go_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    monkeypatch.setattr("sys.stderr", None)
    _prepare_streams()
    assert isinstance(sys.stdout, io.StringIO)
    assert isinstance(sys.stderr, io.StringIO)
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", ascii_only)
    _prepare_streams()
    ascii_only.write("\u00b5")
    ascii_only.flush()
    assert ascii_only.buffer.getvalue() == b"\\xb5"


def test_notes_are_said_once_and_of_libraries_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def warned(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["archsim", *words])
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            _prepare_warnings()
            for _ in range(2):
                warnings.warn("a cache\nis full", CacheWarning, stacklevel=1)
                warnings.simplefilter("once", CacheWarning)  # as libraries change filters
            warnings.warn("of a library", DeprecationWarning, stacklevel=1)
            if "--debug" not in words:
                warnings.warn("another", CacheWarning, stacklevel=1)
        return capsys.readouterr().err

    assert warned("run") == "archsim: note: a cache\\nis full\narchsim: note: another\n"
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_: print(f"shown: {message}", file=sys.stderr))
    assert "shown: of a library" in warned("run", "--debug")
