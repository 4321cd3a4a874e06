"""The command `archsim docs`: the documentation, which an installed package carries."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from archsim.cli.options import DebugOption
from archsim.config.text import shorten

_PACKAGE = Path(__file__).resolve().parents[2]
_BESIDE = ("README.md", "README.zh-CN.md", "DEVIATIONS.md", "CHANGELOG.md")
"""Pages that lie beside docs/."""


def docs_command(
    page: Annotated[
        str,
        typer.Argument(
            metavar="[PAGE]", help="Print this page, e.g. energy or microarchitecture/rules.", show_default=False
        ),
    ] = "",
    debug: DebugOption = False,
) -> None:
    """List the pages of the documentation with their titles, or print one of them (Markdown)."""
    pages = find_pages(documentation_root())
    if not page:
        width = max(map(len, pages))
        sys.stdout.writelines(f"{name:<{width}}  {title_of(path)}\n" for name, path in pages.items())
        print(f"\narchsim docs PAGE prints one of them; the files lie in {documentation_root() / 'docs'}")
        return
    found = pages.get(page.removeprefix("docs/").removesuffix(".md"))
    if found is None:
        close = difflib.get_close_matches(page, pages, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        raise typer.BadParameter(f"there is no page '{shorten(page)}'; {hint}archsim docs lists all")
    sys.stdout.write(found.read_text(encoding="utf-8"))


def documentation_root() -> Path:
    """The folder that holds docs/ and the pages beside it: the package, or in a checkout the folder around it."""
    return _PACKAGE if (_PACKAGE / "docs").is_dir() else _PACKAGE.parent


def find_pages(root: Path) -> dict[str, Path]:
    """Every page by its name, the path below docs/ without its suffix: README first, then in order of the names."""
    docs = root / "docs"
    beside = {Path(name).stem: root / name for name in _BESIDE}
    own = {path.relative_to(docs).with_suffix("").as_posix(): path for path in sorted(docs.rglob("*.md"))}
    return beside | own


def title_of(page: Path) -> str:
    """The first heading of a page."""
    with page.open(encoding="utf-8") as lines:
        return next((line.lstrip("#").strip() for line in lines if line.startswith("#")), "")
