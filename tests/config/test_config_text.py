"""How values and paths stand in messages, at the lengths where they are cut, and how much is read at most."""

from __future__ import annotations

import pytest

from archsim.config.document import parse_document
from archsim.config.events import MAX_BYTES
from archsim.config.overrides import Override, apply_overrides
from archsim.config.presets import PresetKind, find_file
from archsim.config.scalars import ScalarError, plain_scalar
from archsim.config.text import dotted, shorten, shown, shown_with_type
from archsim.errors import FaultsError


@pytest.mark.parametrize(
    ("text", "limit", "found"),
    [
        ("a" * 60, 60, "a" * 60),
        ("a" * 61, 60, "a" * 57 + "..."),
        ("a" * 1000, 60, "a" * 57 + "..."),
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc..."),
        ("ab\ncd", 6, "ab\\ncd"),
        ("ab\ncde", 6, "ab\\..."),
        ("", 6, ""),
    ],
)
def test_a_text_is_cut_to_its_limit(text: str, limit: int, found: str) -> None:
    """Three of the characters are the dots that mark the cut; what is escaped counts as it is shown."""
    assert shorten(text, limit) == found
    assert len(found) <= limit


def test_values_as_they_were_written() -> None:
    """A string has quotes, which count too: 58 characters of it are whole, 59 are cut."""
    assert shown("a" * 58) == f"'{'a' * 58}'"
    assert shown("a" * 59) == f"'{'a' * 55}...'"
    assert (shown(3), shown([1, 2]), shown(True), shown(None), shown("ü")) == ("3", "[1, 2]", "true", "null", "'ü'")
    assert shown(list(range(100))) == "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16..."
    values = {True: "boolean true", 3: "integer 3", 0.5: "decimal number 0.5", "x": "string 'x'"}
    assert {value: shown_with_type(value) for value in values} == {
        value: f"the {said}" for value, said in values.items()
    }
    assert (shown_with_type([1]), shown_with_type({"a": 1})) == ("the list [1]", 'the mapping {"a": 1}')
    assert shown_with_type(None) == "null (no value)"


def test_paths_as_the_user_reads_them() -> None:
    """Keys that are no plain names, or longer than 60 characters, are quoted."""
    assert dotted(("memory", "banks", 0, "ports")) == "memory.banks[0].ports"
    assert (dotted(()), dotted((0, "a", 1, 2)), dotted(("a b", "c"))) == ("", "[0].a[1][2]", "'a b'.c")
    assert dotted(("a" * 60,)) == "a" * 60
    assert dotted(("a" * 61,)) == f"'{'a' * 55}...'"


def test_the_longest_text_and_path_that_are_looked_at() -> None:
    """256 KiB of a file and of an override's value, 20 levels, 1,000 characters of a path, 40 of an integer."""
    assert MAX_BYTES == 256 * 1024
    text = "a: 1\n#" + "x" * (MAX_BYTES - 6)
    document = parse_document(text, "f.yaml", FaultsError)
    assert document.data == {"a": 1}
    with pytest.raises(FaultsError, match=r"f.yaml: larger than 262,144 bytes, the most that is read"):
        parse_document(text + "x", "f.yaml", FaultsError)
    value = "1 #" + "x" * (MAX_BYTES - 3)
    assert apply_overrides(document, [Override("a", value)]).faults == []
    (fault,) = apply_overrides(document, [Override("a", value + "x")]).faults
    assert fault.message == "longer than 262,144 characters"
    deep = ".".join("k" * 20)
    assert apply_overrides(document, [Override(deep, "1")]).faults == []
    (fault,) = apply_overrides(document, [Override(f"{deep}.k", "1")]).faults
    assert fault.message == "nested deeper than 20 levels"
    assert str(find_file(PresetKind.ARCH, "/" + "p" * 994 + ".yaml", FaultsError)).startswith("/ppp")
    with pytest.raises(FaultsError, match="is longer than the 1000 characters of a path"):
        find_file(PresetKind.ARCH, "/" + "p" * 995 + ".yaml", FaultsError)
    assert plain_scalar("1" * 40) == int("1" * 40)
    with pytest.raises(ScalarError, match="an integer may have at most 40 characters, got one of 41"):
        plain_scalar("1" * 41)


def test_where_a_value_came_from() -> None:
    """The nearest override on the way to it, or the line of the nearest thing that the file has."""
    document = parse_document("a:\n  b: 1\n  c:\n    d: 2\ne: 3\n", "f.yaml", FaultsError)
    first, second = Override("a.c", "{d: 5}"), Override("x.y", "1")
    edited = apply_overrides(document, [first, second])
    assert edited.data == {"a": {"b": 1, "c": {"d": 5}}, "e": 3, "x": {"y": 1}}
    places = {("a", "b"): "f.yaml:2", ("e",): "f.yaml:5", ("e", "none"): "f.yaml:5", ("a", "none"): "f.yaml:1"}
    places |= {("a", "c"): str(first), ("a", "c", "d"): str(first), ("x",): str(second), ("x", "y", "z"): str(second)}
    assert {path: edited.where(path) for path in places} == places
    assert [edited.order(path) for path in (("a", "b"), ("e",), ("a", "c", "d"), ("x", "y"))] == [
        (0, 2),
        (0, 5),
        (1, 0),
        (1, 1),
    ]
    assert edited.set_inside(("a",)) == (first,)
    assert edited.set_inside(()) == (first, second)
    assert edited.set_inside(("e",)) == ()
    assert edited.where(()) == "f.yaml:1"
