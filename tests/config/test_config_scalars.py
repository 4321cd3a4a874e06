"""What an unquoted scalar means."""

from __future__ import annotations

import pytest

from archsim.config import parse_document
from archsim.errors import ArchError


def value_of(text: str) -> object:
    return parse_document(f"a: {text}\n", "a.yaml", ArchError).data["a"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("0x1F", 31),
        ("0o17", 15),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        (".5", 0.5),
        ("2.", 2.0),
        ("0.10", 0.1),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("on", "on"),
        ("yes", "yes"),
        ("No", "No"),
        ("tRUE", "tRUE"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("0b11", "0b11"),
        ("0o9", "0o9"),
        ("1e", "1e"),
        ("2020-01-01", "2020-01-01"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z"),
        ("=", "="),
        ("<<", "<<"),
        ("512KiB", "512KiB"),
        ("'3'", "3"),
        ('"010"', "010"),
        ("'null'", "null"),
        ("|\n  3\n", "3\n"),
        ("!!str 3", "3"),
        ("!!int '3'", 3),
        ("!!float 3", 3.0),
        ("!!bool true", True),
        ("!!null ''", None),
        ("!!seq [1]", [1]),
        ("!!map {b: 1}", {"b": 1}),
        ("9" * 40, int("9" * 40)),
    ],
)
def test_values(text: str, value: float | bool | str | list[int] | dict[str, int] | None) -> None:
    found = value_of(text)
    assert found == value
    assert type(found) is type(value)


AMBIGUOUS = "is ambiguous: an integer must not start with 0 (write it without the 0, or in quotes when it is a string)"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("010", f"'010' {AMBIGUOUS}"),
        ("-08", f"'-08' {AMBIGUOUS}"),
        ("00", f"'00' {AMBIGUOUS}"),
        (".inf", "numbers must be finite, got .inf"),
        ("-.INF", "numbers must be finite, got -.INF"),
        (".nan", "numbers must be finite, got .nan"),
        ("1e999", "numbers must be finite, and '1e999' is too large"),
        ("9" * 41, "an integer may have at most 40 characters, got one of 41"),
        pytest.param("9" * 100_000, "an integer may have at most 40 characters, got one of 100,000", id="decimal"),
        pytest.param("0x" + "f" * 100_000, "an integer may have at most 40 characters, got one of 100,002", id="hex"),
        ("!!int x", "'x' does not fit its tag !!int"),
        ("!!int true", "'true' does not fit its tag !!int"),
        ("!!map 3", "the tag '!!map' is not allowed; remove it"),
        ("!!str [1]", "the tag '!!str' is not allowed; remove it"),
        ("!!timestamp 2020-01-01", "the tag '!!timestamp' is not allowed; remove it"),
        ("!!binary aGk=", "the tag '!!binary' is not allowed; remove it"),
        ("!!python/name:os.system x", "the tag '!!python/name:os.system' is not allowed; remove it"),
        ("!include x", "the tag '!include' is not allowed; remove it"),
        ("! x", "the tag '!' is not allowed; remove it"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(ArchError) as caught:
        value_of(text)
    assert str(caught.value) == f"a.yaml:1: a: {message}"
