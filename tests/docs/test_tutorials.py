"""Tutorials and how-tos, walked from an empty folder: files as pages have them, commands, and what is shown."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from tests.extending.outside import Block, commands, run, shows
from tests.extending.outside import blocks as blocks_of
from tests.optional import need
from tests.rings import exhaustive

DOCS = Path(__file__).resolve().parents[2] / "docs"
TUTORIALS = ("tutorial_explore.md", "tutorial_model.md", "tutorial_schedule.md")
"""Those of docs/ with files of their own; the first one, streaming.md, has none: test_streaming_page.py walks it."""
HOW_TOS = ("howto_import.md", "howto_formats.md", "howto_fidelity.md", "howto_cluster.md")


@contextmanager
def beside(line: str, folder: Path) -> Iterator[None]:
    """Run `dask ... &` as long as the page is walked."""
    program, what, *arguments = shlex.split(line.removesuffix("&"))
    assert program == "dask"
    command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def walk(blocks: tuple[Block, ...], folder: Path) -> int:
    """Do what a page says, block by block; return how many of its commands showed something."""
    shown = 0
    with ExitStack() as started:
        for place, block in enumerate(blocks):
            if block.path is not None:
                (folder / block.path).write_text(block.text, encoding="utf-8")
            for command in commands(blocks[place : place + 2]) if block.language == "sh" else ():
                if command.line.endswith("&"):
                    started.enter_context(beside(command.line, folder))
                    continue
                ran = run(command.line, folder)
                assert ran.returncode == 0, f"{command.line}\n{ran.stdout}"
                assert not command.shown or shows(command.shown, ran.stdout), f"{command.line}\n{ran.stdout}"
                shown += bool(command.shown)
    return shown


@exhaustive
@pytest.mark.parametrize("page", [*TUTORIALS, *HOW_TOS])
def test_a_page_is_what_happens(page: str, tmp_path: Path) -> None:
    """Each command in a process of its own, which ends with 0."""
    if page == "howto_cluster.md":
        need("distributed")
    assert walk(blocks_of(DOCS / page), tmp_path) >= (1 if page == "howto_cluster.md" else 2)


def test_what_is_not_printed_is_noticed(tmp_path: Path) -> None:
    blocks = (
        Block("python", "# say.py\nprint('one', 1)\n"),
        Block("sh", "python say.py\n"),
        Block("text", "one 1\n"),
    )
    assert walk(blocks, tmp_path) == 1
    with pytest.raises(AssertionError):
        walk((*blocks[:2], Block("text", "one 2\n")), tmp_path)


@pytest.mark.parametrize("page", [*TUTORIALS, *HOW_TOS])
def test_every_command_shows_something_or_prepares(page: str) -> None:
    """A block of commands is followed by what the last of them prints."""
    blocks = blocks_of(DOCS / page)
    for block, following in pairwise(blocks):
        assert block.language != "sh" or following.language == "text", block.text


def test_they_are_numbered() -> None:
    titles = [(DOCS / page).read_text(encoding="utf-8").partition("\n")[0] for page in ("streaming.md", *TUTORIALS)]
    assert [title.partition(":")[0] for title in titles] == [f"# Tutorial {number}" for number in range(1, 5)]
