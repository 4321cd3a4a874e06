"""What a long text holds is kept on disk, and is what the parser reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config import tree
from archsim.config.presets import PresetKind, preset_folder
from archsim.config.tree import FEWEST_KEPT, Tree, read_tree

LONG = "# " + "x" * FEWEST_KEPT + "\n"
TEXT = "a: [1, 2.5, 1e300, -0.0, 0x10]\nb: {c: null, 'd.e': true}\nf: 'µ ☃'\n"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    tree._read.cache_clear()


def read_twice(text: str, monkeypatch: pytest.MonkeyPatch, base: tuple[str | int, ...] = ()) -> tuple[Tree, Tree]:
    """By the parser, and then from the disk: the parser is not there the second time."""
    first = read_tree(text, base)
    tree._read.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(tree, "_parsed", None)
        return first, read_tree(text, base)


def test_what_is_kept_is_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = read_twice(TEXT + LONG, monkeypatch)
    assert first == second
    assert repr(first.value) == repr(second.value)
    assert second.value["a"][2] == 1e300
    assert second.lines["b", "d.e"] == 2
    assert second.lines["a", 4] == 1
    assert all(type(one) is type(other) for one, other in zip(first.value["a"], second.value["a"], strict=True))


@pytest.mark.parametrize(
    "path", sorted(preset_folder(PresetKind.TECHNOLOGY).glob("*.yaml")), ids=lambda path: path.stem
)
def test_presets_are_kept_as_they_are_read(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = path.read_text(encoding="utf-8")
    first, second = read_twice(text + LONG, monkeypatch)
    assert first == second
    assert list(first.lines.items()) == list(second.lines.items())


def test_another_place_or_text_is_another_result(monkeypatch: pytest.MonkeyPatch) -> None:
    here, _ = read_twice(TEXT + LONG, monkeypatch)
    there, kept = read_twice(TEXT + LONG, monkeypatch, ("units", 0))
    assert there == kept
    assert there.lines != here.lines
    assert read_tree(TEXT.replace("2.5", "2.6") + LONG).value["a"][1] == 2.6


def test_faults_are_found_each_time_and_short_texts_are_not_kept(tmp_path: Path) -> None:
    faulty = "a: 1\na: 2\n" + LONG
    faults = read_tree(faulty).faults
    assert faults
    tree._read.cache_clear()
    assert read_tree(faulty).faults == faults
    read_tree(TEXT)
    assert not list(tmp_path.rglob("*"))
    read_tree(TEXT + LONG)
    assert list((tmp_path / "archsim" / "documents").iterdir())
