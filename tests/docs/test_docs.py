"""The documentation does what it says: its commands run, its Python runs, its generated pages are fresh."""

import re
import shlex
from pathlib import Path

import pytest

from tests.rings import exhaustive
from tools.docs import generate

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
COMMAND_LINE = (ROOT / "docs" / "command_line.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)
ALL_BLOCKS = BLOCKS + re.findall(r"^```(\w*)\n(.*?)^```", COMMAND_LINE, flags=re.MULTILINE | re.DOTALL)


def test_the_first_two_blocks_are_the_set_up() -> None:
    assert BLOCKS[0] == ("sh", "pip install . && archsim run\n")
    assert BLOCKS[1] == ("sh", 'pip install -e ".[test]" && pytest\n')


@pytest.mark.parametrize("page", sorted(generate.PAGES.keys() - {"fidelity.md"}))
def test_generated_pages_are_fresh(page: str) -> None:
    """But fidelity.md, which tests/fidelity has, with the figures that it simulates."""
    assert (ROOT / "docs" / page).read_text() == generate.PAGES[page](), "run: python -m tools.docs.generate"


def commands() -> list[list[str]]:
    """The archsim commands of the README and of docs/command_line.md, each once, without the set-up."""
    lines = [line for _, text in ALL_BLOCKS[1:] for line in text.splitlines() if line.startswith("archsim ")]
    lines = [line for line in lines if "model.onnx" not in line and "my.yaml" not in line]  # tests/importers has them
    lines = [line for line in lines if not line.startswith("archsim report")]  # tests/docs/test_report_page.py
    lines = [line for line in lines if not line.startswith("archsim explore")]  # tests/explore has them
    found = {" ".join(line.split("  #")[0].split()): shlex.split(line, comments=True)[1:] for line in lines}
    return list(found.values())


def test_every_command_is_shown() -> None:
    assert {command[0] for command in commands()} == {
        *(
            "run",
            "validate",
            "program",
            "trace",
            "explain",
            "whatif",
            "compare",
            "rtl",
            "list",
            "calibrate",
            "docs",
            "fidelity",
            "technology",
        ),
    }


def marks_of(command: list[str]) -> tuple[pytest.MarkDecorator, ...]:
    """What takes seconds is for the exhaustive ring: tests/cli runs the same commands on smaller inputs."""
    light = command[0] in ("list", "program", "trace", "calibrate") or "--timing-only" in command
    return () if light else (exhaustive,)


@pytest.mark.parametrize(
    "arguments", [pytest.param(command, id=" ".join(command), marks=marks_of(command)) for command in commands()]
)
def test_a_command_that_is_shown_runs(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from archsim.cli.main import main

    monkeypatch.chdir(tmp_path)
    arguments = [str(tmp_path / "mine") if word == "/tmp/mine" else word for word in arguments]
    extra = ["--no-plots"] if arguments[0] == "run" else []
    monkeypatch.setattr("sys.argv", ["archsim", *arguments, *extra])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out


@exhaustive
@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_python_of_the_readme_runs(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(code, "README.md", "exec"), {})
    assert "True" in capsys.readouterr().out


def test_every_file_that_the_readme_links_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def test_python_of_the_executors_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "executors.md").read_text()
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    exec(code, {})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [["4", "fast"], ["8", "fast"], ["16", "fast"]]
