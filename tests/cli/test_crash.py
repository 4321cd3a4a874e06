"""Errors have owners: one that is not ours by its type is a bug of ours, a line and a report; of files they name it."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest

from archsim.cli import crash
from archsim.cli.main import _by_interrupt
from archsim.config.presets import PresetKind, preset_file
from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4", "--json")


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """From now on building a program raises the error."""

    def raises(*_: object, **__: object) -> None:
        raise type(error)(*error.args) if not isinstance(error, OSError) else error

    monkeypatch.setattr("archsim.api.programs.program_cache.build_program", raises)


@pytest.mark.parametrize(
    "error", [KeyError("dram"), EOFError("short read"), ValueError("a\nb\x1b[31m"), RecursionError()]
)
def test_whatever_is_not_foreseen_is_a_bug_with_a_report(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, error)
    Path("mine.yaml").write_text("x")
    run = cli("run", *TINY, "--set", "technology=mine.yaml") if isinstance(error, KeyError) else cli("run", *TINY)
    if isinstance(error, KeyError):  # the file is no technology: that is said before anything breaks
        assert run.code == 2
        run = cli("run", *TINY)
    assert (run.code, run.out) == (3, "")
    [line] = run.err.strip().splitlines()
    assert line.isprintable()
    assert line.startswith(f"archsim: error: this is a bug in archsim (--debug shows where): {type(error).__name__}: ")
    [name] = re.findall(r"a report for its developers is in (archsim-crash-[0-9a-f]{12}\.txt)$", line)
    text = Path(name).read_text()
    assert "Traceback" in text
    assert "command: archsim 'run' 'tiny_2x2'" in text
    assert "numpy " in text


def test_the_report_has_the_hashes_of_the_inputs(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("x"))
    Path("w.yaml").write_text(preset_file(PresetKind.WORKLOAD, "lstm_3_2_t4").read_text())
    assert cli("run", "tiny_2x2", "w.yaml", "--json").code == 3
    [report] = Path().glob("archsim-crash-*.txt")
    import hashlib

    assert f"'w.yaml': sha256 {hashlib.sha256(Path('w.yaml').read_bytes()).hexdigest()}" in report.read_text()
    assert cli("run", "tiny_2x2", "w.yaml", "--json").code == 3
    assert len(list(Path().glob("archsim-crash-*.txt"))) == 1, "the same crash has one report"


def test_of_what_is_no_regular_file_a_report_has_no_hash() -> None:
    """A device opens and reads as any file does, and may never end; a pipe may never begin."""
    assert [crash._hash(path) for path in (Path("/dev/null"), Path("/"), Path("not there"))] == ["", "", ""]


NO_ROOM = "IMPORTANT: ...\\nlibopenblas.so: failed to map segment from shared object"


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "asked"),
    [
        (MemoryError("Unable to allocate 7.45 GiB\n for x"), " (Unable to allocate 7.45 GiB\\n for x)"),
        (MemoryError(), ""),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), ""),
        (ImportError(NO_ROOM), ""),
        (caused(ValueError("of a library"), MemoryError("std::bad_alloc")), " (std::bad_alloc)"),
    ],
)
def test_memory_that_ends_is_no_bug_and_a_line_says_where(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: Exception, asked: str
) -> None:
    """Exit code 2 as of any input that is too large; the function is the last one of archsim, and no report is left."""

    def raises(*_: object, **__: object) -> None:
        raise error from error.__cause__

    monkeypatch.setattr("archsim.api.programs.program_cache.build_program", raises)
    run = cli("run", *TINY)
    assert (run.code, run.out) == (2, "")
    [line] = run.err.splitlines()
    start = r"archsim: error: out of memory in archsim\.api\.programs\.program_cache\.[A-Za-z_.]+"
    assert re.fullmatch(start + re.escape(f"{asked}: ") + "a smaller model, .*", line), line
    assert not list(Path().glob("archsim-crash-*"))
    with pytest.raises(type(error)):
        cli("run", *TINY, "--debug")


def test_ctrl_c_is_found_behind_an_error() -> None:
    """Also where a library in C, which is interrupted while it is loaded, has made one of its own of it."""

    def behind(error: BaseException, cause: BaseException) -> BaseException:
        error.__cause__ = cause
        return error

    assert _by_interrupt(KeyboardInterrupt())
    assert _by_interrupt(behind(ImportError("no"), KeyboardInterrupt()))
    assert _by_interrupt(RuntimeError("initialization failed: KeyboardInterrupt"))
    assert not _by_interrupt(behind(ImportError("no"), ValueError("KeyboardInterrupt as a word")))


def test_debug_shows_where(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, KeyError("dram"))
    with pytest.raises(KeyError, match="dram"):
        cli("run", *TINY, "--debug")
    assert not list(Path().glob("archsim-crash-*"))


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (PermissionError(errno.EACCES, "Permission denied", "/data/x.npz"), 2, "/data/x.npz: Permission denied"),
        (
            OSError(errno.ENOSPC, "No space left on device"),
            2,
            "cannot write to the terminal, file or pipe: No",
        ),
        (OSError(errno.EINVAL, "Invalid argument"), 3, "this is a bug in archsim (--debug shows where): OSError: "),
    ],
)
def test_an_error_of_the_system_says_what_it_knows(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, error: OSError, code: int, said: str
) -> None:
    failing(monkeypatch, error)
    run = cli("run", *TINY)
    assert run.code == code
    assert run.err.startswith(f"archsim: error: {said}")
    assert len(run.err.splitlines()) == 1


def test_a_folder_that_cannot_be_written_has_its_report_elsewhere(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A read-only folder, made by hand here: permissions do not stop root."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(elsewhere))
    real = Path.open

    def refuse(self: Path, mode: str = "r", **more: str) -> object:
        if mode == "x" and self.parent == Path():
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return real(self, mode, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    failing(monkeypatch, KeyError("x"))
    assert cli("run", *TINY).code == 3
    assert len(list(elsewhere.glob("archsim-crash-*.txt"))) == 1
    assert not list(Path().glob("archsim-crash-*.txt"))


def test_bare_archsim_helps_and_ends_well(cli: Cli) -> None:
    bare = cli()
    assert (bare.code, bare.err) == (0, "")
    assert bare.out == cli("--help").out


def test_python_m_archsim() -> None:
    from archsim import __version__

    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "archsim", "--version"], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout == f"archsim {__version__}\n"


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_every_command_s_help_keeps_to_its_width(cli: Cli, monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    whole = cli("--help").out
    commands = re.findall(r"^  (\w+)  ", whole.split("Commands:")[1], flags=re.MULTILINE)
    assert len(commands) >= 14
    for command in ([], *([command] for command in commands)):
        text = cli(*command, "--help").out
        assert max(map(len, text.splitlines())) <= max(columns, 80)
        assert command or "..." not in text.split("\n", 1)[1]
        assert "<bool>" not in text
        assert " .]" not in text


@pytest.mark.parametrize("direct", [True, False])
def test_an_error_that_ctrl_c_caused_is_an_interruption(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    """Libraries in C make an error of their own of Ctrl-C while they are loaded: it is the cause, or in the text."""

    def stopped(*_: object, **__: object) -> None:
        if direct:
            raise ValueError('Error building "tagged-union" validator: KeyboardInterrupt')
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as stop:
            raise ImportError("initialization failed") from stop

    monkeypatch.setattr("archsim.families.registry.build_units", stopped)
    found = cli("run", "tiny_2x2", "lstm_3_2_t4", "--no-plots")
    assert found.code == 130
    assert found.err == "archsim: interrupted; no results were written\n"


@pytest.mark.parametrize(
    "words",
    [
        ("run", "tiny_2x2", "lstm:\x1b[31m,3\narchsim: error: forged"),
        ("run", "tiny_2x2\x07", "lstm_3_2_t4"),
        ("run", *TINY, "--set", "mac_array.rows=\x1b[31m\n2"),
        ("list", "\x1b[31m"),
        ("plot", "nowhere", "--kind", "\x1b[31m\nx"),
        ("run", *TINY, "--\x1b[31m"),
        ("report", "no\x1b[31mwhere"),
        ("compare", "tiny_2x2", "-w", "lstm:3,2", "--format", "\x1b[31m"),
    ],
)
def test_words_of_a_command_line_are_escaped(cli: Cli, words: tuple[str, ...]) -> None:
    run = cli(*words)
    assert run.code == 2
    lines = run.err.split("\n")[:-1]
    assert lines
    assert all(line.startswith("archsim: ") and line.isprintable() for line in lines), lines
    assert "archsim: error: forged" not in lines


@pytest.mark.parametrize("words", [("run", *TINY, "--no-plots", "--out", "y"), ("report", "x")])
def test_a_current_folder_that_is_gone_is_said(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    Path("gone").mkdir()
    monkeypatch.chdir("gone")
    Path("../gone").rmdir()
    run = cli(*words)
    assert run.code == 2
    assert run.err == "archsim: error: the folder that you are in is not there any more\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full is Linux's")
@pytest.mark.parametrize(("words", "code"), [(("run", "nope"), 2), (("compare", "tiny_2x2", "tiny_2x2"), 0)])
def test_messages_for_which_there_is_no_room_change_no_exit_code(words: tuple[str, ...], code: int) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "archsim", *words]
        assert subprocess.run(command, stdout=subprocess.DEVNULL, stderr=full, check=False).returncode == code
