"""The worked examples of docs/extending*.md as packages outside archsim: read, installed into a folder, and run.

A section of a page (its heading is of level 2) has these blocks:

- any block whose first line is a comment with a path, as `# archsim_cubic/method.py`: a file of the outside package;
- one ```toml block with [project.entry-points."..."]: what the package offers;
- ```sh blocks: commands, each followed by at most one ```text block with what it prints, where a line `...` stands for
  any lines that the page leaves out. `pip install` is not run: `install` puts the package's metadata beside it.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import archsim

DOCS = Path(__file__).resolve().parents[2] / "docs"
"""Where the pages are."""

LEFT_OUT = "..."
"""A line of a ```text block that stands for any number of lines."""

_HEADING = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"# ([\w./-]+\.\w+)")
_MAIN = "import sys; sys.argv[0] = 'archsim'; from archsim.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language and its lines, each with its line end."""

    language: str
    text: str

    @property
    def path(self) -> str | None:
        """The file that its first line says it is; None if it is none."""
        match = _FILE.fullmatch(self.text.partition("\n")[0])
        return None if match is None or self.language == "sh" else match[1]


@dataclass(frozen=True, slots=True)
class Command:
    """A command line of a ```sh block, and what the page shows of its output ("" if nothing)."""

    line: str
    shown: str


def sections(page: Path) -> dict[str, tuple[Block, ...]]:
    """The blocks of each section of a page by its heading."""
    _, *parts = _HEADING.split(page.read_text(encoding="utf-8"))
    return {title: _blocks(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}


def section(title: str) -> tuple[Block, ...]:
    """The blocks of the one section of that heading in docs/extending*.md."""
    (found,) = (blocks for page in sorted(DOCS.glob("extending*.md")) for name, blocks in sections(page).items()
                if name == title)  # fmt: skip
    return found


def install(name: str, blocks: Sequence[Block], folder: Path) -> None:
    """Write the files of a section into a folder, and beside them the metadata that `pip install` would make of it.

    With the folder on PYTHONPATH importlib.metadata finds the package `name`, version 1.0, and its entry points.
    """
    for block in blocks:
        if block.path is not None:
            file = folder / block.path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(_entry_points(blocks), encoding="utf-8")


def commands(blocks: Sequence[Block]) -> Iterator[Command]:
    """The commands of a section in their order; what a ```text block shows is the output of the last before it."""
    for block, following in zip(blocks, (*blocks[1:], Block("", "")), strict=True):
        if block.language == "sh":
            lines = [line for line in block.text.replace("\\\n", " ").splitlines() if line.strip()]
            for line in lines:
                shown = following.text if following.language == "text" and line is lines[-1] else ""
                yield Command(line, shown)


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command line in a folder where a package is installed; `archsim` and `python` are the tested ones.

    Standard error comes with the output, as a reader of a terminal sees it.
    """
    program, *arguments = shlex.split(line)
    own = {"archsim": [sys.executable, "-c", _MAIN], "python": [sys.executable]}
    here = os.pathsep.join((str(folder), str(Path(archsim.__file__).resolve().parents[1])))
    environment = os.environ | {"PYTHONPATH": here, "COLUMNS": "100"}
    return subprocess.run(
        [*own[program], *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )


def shows(shown: str, output: str) -> bool:
    """Whether the output is what a ```text block shows: all its lines in their order, others only at `...`.

    Spaces at the ends of lines do not count.
    """
    pattern = "".join(
        r"(?:.*\n)*" if line == LEFT_OUT else re.escape(line.rstrip()) + r" *\n"
        for line in shown.strip("\n").splitlines()
    )
    return re.fullmatch(pattern, output.strip("\n") + "\n") is not None


def check_section(name: str, title: str, folder: Path) -> None:
    """Install a section's package into a folder and run its commands: each must print what the page shows.

    A command ends with 0, or with 2 where the page shows an error.
    """
    blocks = section(title)
    install(name, blocks, folder)
    for command in commands(blocks):
        if command.line.startswith("pip install"):
            continue
        ran = run(command.line, folder)
        assert ran.returncode == (2 if "archsim: error:" in command.shown else 0), ran.stdout
        assert not command.shown or shows(command.shown, ran.stdout), f"{command.line}\n{ran.stdout}"


def blocks(page: Path) -> tuple[Block, ...]:
    """All blocks of a page."""
    return _blocks(page.read_text(encoding="utf-8"))


def _blocks(text: str) -> tuple[Block, ...]:
    return tuple(Block(language, body) for language, body in _BLOCK.findall(text))


def _entry_points(blocks: Sequence[Block]) -> str:
    """entry_points.txt of the ```toml blocks."""
    groups: dict[str, Mapping[str, str]] = {}
    for block in blocks:
        if block.language == "toml":
            groups |= tomllib.loads(block.text)["project"]["entry-points"]
    sections = ("\n".join([f"[{group}]", *(f"{n} = {v}" for n, v in found.items())]) for group, found in groups.items())
    return "\n\n".join(sections) + "\n"
