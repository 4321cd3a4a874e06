"""Reading YAML: lines, plain values, and every fault of a text at once."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from archsim.config import Document, load_document, parse_document
from archsim.errors import ArchError, Fault, WorkloadError


def read(text: str) -> Document:
    return parse_document(text, "a.yaml", ArchError)


def faults(text: str) -> list[str]:
    with pytest.raises(ArchError) as caught:
        read(text)
    return str(caught.value).splitlines()


def test_data_and_lines() -> None:
    document = read("# top\nname: edge\nmac:\n  rows: 4\n  modes: [a,\n    b]\nlevels:\n- size: 1\n-\n  size: 2\n")
    assert document.source == "a.yaml"
    assert document.data == {
        "name": "edge",
        "mac": {"rows": 4, "modes": ["a", "b"]},
        "levels": [{"size": 1}, {"size": 2}],
    }
    assert dict(document.lines) == {
        (): 2,
        ("name",): 2,
        ("mac",): 3,
        ("mac", "rows"): 4,
        ("mac", "modes"): 5,
        ("mac", "modes", 0): 5,
        ("mac", "modes", 1): 6,
        ("levels",): 7,
        ("levels", 0): 8,
        ("levels", 0, "size"): 8,
        ("levels", 1): 10,
        ("levels", 1, "size"): 10,
    }


def test_a_document_is_frozen() -> None:
    document = read("a: 1")
    with pytest.raises(dataclasses.FrozenInstanceError):
        document.source = "b"  # type: ignore[misc]
    with pytest.raises(TypeError):
        document.lines[()] = 2  # type: ignore[index]


def test_all_faults_at_once_in_order_of_lines() -> None:
    assert faults(
        "a: 1\n"
        "a: 2\n"
        "1: x\n"
        "? [k]\n"
        ": 010\n"
        "b: &anchor 1\n"
        "c: *anchor\n"
        "d: !mine {x: .inf}\n"
        "<<: {e: 1}\n"
        "f: [!!set {}, !!binary aGk=]\n"
        'g: "\\0"\n'
        "null: 3\n"
        "*anchor : 3\n"
        "&k h: 3\n"
        "h: 3\n"
    ) == [
        "a.yaml:2: a: duplicate key, first given on line 1",
        "a.yaml:3: a key must be a string, found the integer 1; put it in quotes",
        "a.yaml:4: a key must be a string, found a list or mapping",
        "a.yaml:5: '?': '010' is ambiguous: an integer must not start with 0 "
        "(write it without the 0, or in quotes when it is a string)",
        "a.yaml:6: b: anchors and aliases are not allowed, found '&anchor'",
        "a.yaml:7: c: anchors and aliases are not allowed, found '*anchor'",
        "a.yaml:8: d: the tag '!mine' is not allowed; remove it",
        "a.yaml:8: d.x: numbers must be finite, got .inf",
        "a.yaml:9: merge keys ('<<') are not allowed",
        "a.yaml:10: f[0]: the tag '!!set' is not allowed; remove it",
        "a.yaml:10: f[1]: the tag '!!binary' is not allowed; remove it",
        "a.yaml:11: g: control characters are not allowed, found U+0000",
        "a.yaml:12: a key must be a string, found null (no value); put it in quotes",
        "a.yaml:13: '?': anchors and aliases are not allowed, found '*anchor'",
        "a.yaml:14: anchors and aliases are not allowed, found '&k'",
    ]


def test_each_duplicate_names_the_first_line() -> None:
    assert faults("m:\n  x: 1\n\n  x: {y: 1, y: 2}\n  x: 3\n") == [
        "a.yaml:4: m.x: duplicate key, first given on line 2",
        "a.yaml:4: m.x.y: duplicate key, first given on line 4",
        "a.yaml:5: m.x: duplicate key, first given on line 2",
    ]


def test_equal_faults_of_one_line_are_given_once() -> None:
    assert faults("m: {x, x, x}\n") == ["a.yaml:1: m.x: duplicate key, first given on line 1"]


def test_quoted_keys_are_strings() -> None:
    assert read("'1': a\n'<<': b\n'': c\non: d\n").data == {"1": "a", "<<": "b", "": "c", "on": "d"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml: the file is empty; expected a mapping of keys to values"),
        ("# nothing\n", "a.yaml: the file is empty; expected a mapping of keys to values"),
        ("---\n", "a.yaml: the file is empty; expected a mapping of keys to values"),
        ("\n- 1\n", "a.yaml:2: the top level must be a mapping of keys to values, got the list [1]"),
        ("hello", "a.yaml:1: the top level must be a mapping of keys to values, got the string 'hello'"),
        ("''", "a.yaml:1: the top level must be a mapping of keys to values, got the string ''"),
        ("~", "a.yaml:1: the top level must be a mapping of keys to values, got null (no value)"),
        ("a: 1\n---\nb: 2\n", "a.yaml:2: only one YAML document is allowed, another starts here"),
        ("%YAML 1.1\n---\na: 1\n", "a.yaml:2: only YAML 1.2 is read; remove the %YAML line"),
        (
            "a: {\nb: 1,\n\n",
            "a.yaml:2: not valid YAML: while parsing a flow node, expected the node content, but found '<stream end>'",
        ),
        (
            'a: 1\nb: "x\n\ny\n',
            "a.yaml:2: not valid YAML: while scanning a quoted scalar, found unexpected end of stream",
        ),
        ("a: 1\nb: c: d\n", "a.yaml:2: not valid YAML: mapping values are not allowed here"),
        (
            "a: 1\nb: [1\n",
            "a.yaml:2: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
        ),
        ('a: 1\nb: "\\UFFFFFFFF"', "a.yaml:2: not valid YAML: it cannot be parsed from here on"),
        ('a: "\\ud800"', "a.yaml:1: a: control characters are not allowed, found U+D800"),
        ("a: 1\r\nb: \x07", "a.yaml:2: control characters are not allowed, found U+0007"),
        ("a: 1\rb: \x85", "a.yaml:2: control characters are not allowed, found U+0085"),
        ("a: \u2028", "a.yaml:1: control characters are not allowed, found U+2028"),
        ("a: \ud800", "a.yaml:1: control characters are not allowed, found U+D800"),
    ],
)
def test_one_fault_for_the_whole_text(text: str, message: str) -> None:
    assert faults(text) == [message]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "a: [", "[{a: "])
def test_deep_nesting_is_a_fault(opening: str) -> None:
    assert faults(opening * 50_000) == ["a.yaml:1: nested deeper than 20 levels"]


def test_deep_nesting_of_keys_is_a_fault() -> None:
    assert faults("? " * 100_000)[-1] == "a.yaml:1: nested deeper than 20 levels"


def test_twenty_levels_are_read() -> None:
    assert read("a: " + "[" * 19 + "]" * 19).data
    assert faults("a: " + "[" * 20 + "]" * 20) == ["a.yaml:1: nested deeper than 20 levels"]


def test_faults_before_the_end_of_reading_are_kept() -> None:
    assert faults("a: 1\na: 2\nb: [1\n") == [
        "a.yaml:2: a: duplicate key, first given on line 1",
        "a.yaml:3: not valid YAML: while parsing a flow sequence, expected ',' or ']', but got '<stream end>'",
    ]


def test_an_alias_bomb_is_refused_unexpanded() -> None:
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40)]
    found = faults("\n".join(lines))
    assert len(found) == 40 + 39 * 9
    assert all("anchors and aliases are not allowed" in line for line in found)


def test_the_error_class_is_the_callers() -> None:
    with pytest.raises(WorkloadError) as caught:
        parse_document("", "w.yaml", WorkloadError)
    assert caught.value.faults == (Fault("w.yaml", "", "the file is empty; expected a mapping of keys to values"),)


def load_faults(path: Path) -> list[str]:
    with pytest.raises(ArchError) as caught:
        load_document(path, ArchError)
    return str(caught.value).replace(str(path.parent), "DIR").splitlines()


def test_load(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfname: \xc3\xa9\r\n")
    document = load_document(path, ArchError)
    assert (document.source, document.data) == (str(path), {"name": "é"})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "DIR/a.yaml: the file is empty; expected a mapping of keys to values"),
        (b"a: 1\na: 2", "DIR/a.yaml:2: a: duplicate key, first given on line 1"),
        (b"a: 1\nb: \xff", "DIR/a.yaml:2: not UTF-8 text"),
        (b"a: 1\n\x00", "DIR/a.yaml:2: control characters are not allowed, found U+0000"),
        pytest.param(
            b"a: 1\n" + b"#" * (1 << 18),
            "DIR/a.yaml: larger than 262,144 bytes, the most that is read",
            id="too large",
        ),
    ],
)
def test_load_faults(tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    assert load_faults(path) == [message]


def test_a_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\n".ljust(1 << 18, b"#"))
    assert load_document(path, ArchError).data == {"a": 1}


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert load_faults(tmp_path / "none.yaml") == ["DIR/none.yaml: cannot be read: No such file or directory"]
    (tmp_path / "folder").mkdir()
    assert load_faults(tmp_path / "folder") == ["DIR/folder: cannot be read: is a directory, expected a file"]
    assert load_faults(tmp_path / "a\0b") == ["DIR/a\\x00b: cannot be read: embedded null byte"]
    assert load_faults(tmp_path / "a\nb") == ["DIR/a\\nb: cannot be read: No such file or directory"]
    assert load_faults(tmp_path / ("x" * 300))[0].endswith(": cannot be read: File name too long")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("a: 1")
    path.chmod(0)
    assert load_faults(path) == ["DIR/a.yaml: cannot be read: Permission denied"]
