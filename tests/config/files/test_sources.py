"""The digest of sources: another one whenever a file changes, moves or is new; without files each is another."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archsim.config.files.sources import sources_digest, sources_of


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for name, text in (("a.py", "one"), ("b.py", "two"), ("inner/c.py", "three"), ("notes.md", "four")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digest(package: Path) -> str:
    return sources_digest(sources_of(package), package)


def test_modules_alone_are_sources_those_of_inner_folders_too(package: Path) -> None:
    assert [path.name for path in sources_of(package)] == ["a.py", "b.py", "c.py"]
    assert [path.name for path in sources_of(package / "inner", package)] == ["c.py", "a.py", "b.py", "c.py"]


def test_what_a_digest_depends_on(package: Path) -> None:
    before = digest(package)
    os.utime(package / "a.py", (0, 0))
    (package / "notes.md").write_text("five")
    assert digest(package) == before, "neither times nor what is no module"
    found = {before}
    for rename, texts in (
        ("", ("One", "two")),
        ("", ("onet", "wo")),
        ("inner/b.py", ("one", "two")),
        ("new.py", ("one", "two")),
    ):
        (package / "a.py").write_text(texts[0])
        (package / "b.py").write_text(texts[1])
        if rename:
            (package / "b.py").rename(package / rename)
        found.add(digest(package))
    assert len(found) == 5


def test_where_files_lie_does_not_count(package: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    before = digest(package)
    assert digest(package.rename(tmp_path_factory.mktemp("other") / "place")) == before


def test_without_files_nothing_is_known(tmp_path: Path) -> None:
    assert digest(tmp_path) != digest(tmp_path)
