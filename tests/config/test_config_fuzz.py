"""Whatever the user gives, the answer is a value or the error asked for, each fault on one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from archsim.config import Document, Override, load_document, parse_document, parse_override, validate
from archsim.errors import ArchError
from tests.config.conftest import Machine
from tests.rings import examples

quick = settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

PIECES = st.sampled_from(
    [
        *"[]{},:-?&*!|>'\"%@`#\n\t ~<=ab01.",
        "\\U",
        "\\x",
        "a: ",
        "- ",
        "\n  ",
        "010",
        ".inf",
        "!!int ",
        "&a ",
        "*a",
    ]
)
YAMLISH = st.lists(PIECES, max_size=40).map("".join)

SCALARS = st.sampled_from(
    [
        "0",
        "1",
        "-1",
        "8",
        "1.0",
        "true",
        "null",
        "''",
        "x",
        "'1'",
        "2KiB",
        "auto",
        "sram",
        "dram",
        "1e30",
        "9" * 39,
    ]
)
T = TypeVar("T")

KEYS = st.sampled_from(
    [
        "mac_array",
        "rows",
        "columns",
        "dtype",
        "memory",
        "kind",
        "size",
        "rate",
        "levels",
        "latency",
        "clock",
        "buffer",
        "order",
        "bits",
        "lanes",
        "shape",
        "banks",
        "units",
        "pipelined",
        "op",
        "even",
        "zzz",
        "'0'",
    ]
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda items: f"[{', '.join(items)}]"),
        st.dictionaries(KEYS, inner, max_size=4).map(
            lambda items: "{" + ", ".join(f"{key}: {value}" for key, value in items.items()) + "}"
        ),
    ),
    max_leaves=8,
)
FILES = st.dictionaries(KEYS, VALUES, max_size=8).map(
    lambda items: "".join(f"{key}: {value}\n" for key, value in items.items()) or "{}"
)
OVERRIDES = st.builds(Override, st.lists(KEYS, min_size=1, max_size=3).map(".".join), VALUES | YAMLISH)


def result_of(read: Callable[[], T]) -> T | None:
    """What `read` returns, or None after a look at the faults it raises."""
    try:
        return read()
    except ArchError as error:
        raised = error
    assert type(raised) is ArchError
    assert raised.faults
    assert len(set(raised.faults)) == len(raised.faults)
    for fault in raised.faults:
        assert fault.message
        assert len(str(fault).splitlines()) == 1
        assert str(fault).isprintable()
    return None


@quick
@given(st.text() | YAMLISH, st.text(max_size=5))
@example("? [a]\n: 1\n? [b]\n: 2\n", "a\nb")
@example("%TAG ! tag:yaml.org,2002:\n---\n!int a: 1", "")
def test_any_text(text: str, source: str) -> None:
    document = result_of(lambda: parse_document(text, source, ArchError))
    if document is not None:
        assert isinstance(document, Document)
        assert isinstance(document.data, dict)
        assert all(line >= 1 for line in document.lines.values())


@quick
@given(st.binary() | YAMLISH.map(str.encode) | st.text().map(lambda text: text.encode("utf-16")))
def test_any_file(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(raw)
    result_of(lambda: load_document(path, ArchError))


@quick
@given(st.text())
def test_any_override(text: str) -> None:
    result_of(lambda: parse_override(text, ArchError))


@settings(quick, max_examples=examples(500))
@given(FILES, st.lists(OVERRIDES, max_size=3))
def test_any_values(machine_type: type[Machine], text: str, overrides: list[Override]) -> None:
    document = parse_document(text, "a.yaml", ArchError)
    found = result_of(lambda: validate(machine_type, document, overrides, ArchError))
    assert found is None or isinstance(found, machine_type)


@quick
@given(st.text(), st.text())
def test_any_override_is_applied_or_refused(machine_type: type[Machine], path: str, value: str) -> None:
    document = parse_document("mac_array: {rows: 1, columns: 1}", "a.yaml", ArchError)
    result_of(lambda: validate(machine_type, document, [Override(path, value)], ArchError))


def test_a_fault_is_looked_at() -> None:
    with pytest.raises(AssertionError):
        result_of(lambda: (_ for _ in ()).throw(ArchError(())))
