"""docs/streaming.md: every command runs, and prints what the page shows of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archsim.workload import load_workload
from tests.rings import exhaustive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "streaming.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```\n(.*?)(?=^```sh|\Z)", PAGE, flags=re.MULTILINE | re.DOTALL)
COMMANDS = [
    (command, shown if command == commands.splitlines()[-1] else "")
    for commands, shown in BLOCKS
    for command in commands.splitlines()
]


def marks_of(command: str) -> tuple[pytest.MarkDecorator, ...]:
    """What takes seconds is for the exhaustive ring; the fast one has smaller machines and shorter streams."""
    return () if "explain" in command or command == COMMANDS[0][0] else (exhaustive,)


@pytest.mark.parametrize(
    ("command", "shown"),
    [pytest.param(command, shown, id=command, marks=marks_of(command)) for command, shown in COMMANDS],
)
def test_a_command_prints_what_the_page_shows(
    command: str, shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each indented line behind a block begins a line of what its last command prints, but for the spaces."""
    from archsim.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", shlex.split(command))
    with pytest.raises(SystemExit) as caught:
        main()
    printed = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert caught.value.code == 0
    for line in re.findall(r"^ {4,}(\S.*)$", shown, flags=re.MULTILINE):
        words = " ".join(line.split())
        assert any(found.startswith(words) for found in printed), line


def test_figures_in_the_text() -> None:
    """Those that tests/families/gemv/test_frames.py derives by hand, and those of the commands."""
    for figure in ("takes 49 cycles", "the interval is 43", "49 + 31 = 80", "49 + 3 x 9 = 76", "49 + 3 x 18 = 103"):
        assert figure in " ".join(PAGE.split())


def test_there_are_commands() -> None:
    assert [command.split()[1] for command, _ in COMMANDS] == [
        "run",
        "explain",
        "whatif",
        "whatif",
        "compare",
        "run",
        "run",
        "run",
    ]


def test_the_file_of_the_page_is_its_inline_form(tmp_path: Path) -> None:
    """The workload file that the page shows says what the page's commands say inline."""
    [(name, text)] = re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / name).write_text(text, encoding="utf-8")
    file, inline = load_workload(str(tmp_path / name)), load_workload(COMMANDS[0][0].split()[3])
    assert file.config.model_copy(update={"summary": ""}) == inline.config.model_copy(update={"summary": ""})
    assert file.spec == inline.spec
