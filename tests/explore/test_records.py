"""Lines of outcomes that are not what was written: each change is refused; points that are shown, by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from archsim.api.batch import Column
from archsim.explore.results.shown_point import point_json, point_text
from archsim.explore.run.journal import sealed_line, unsealed
from archsim.explore.run.outcome import Kind, Outcome, read_outcomes, write_outcomes
from archsim.explore.run.outcome_lines import outcomes_of
from archsim.explore.run.output_table import OutputTable
from archsim.explore.run.show import ShownPoint
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar


def packed(values: list[Any], kind: str) -> str:
    return base64.b64encode(np.array(values, kind).tobytes()).decode()


def block() -> dict[str, Any]:
    """Three designs with columns of each kind."""
    figures = {
        "whole": {"i8": packed([1, 2, 3], "<i8")},
        "real": {"f8": packed([0.5, 1.5, 2.5], "<f8")},
        "word": {"values": ["x", None], "u2": packed([0, 1, 0], "<u2")},
        "same": {"values": [7]},
    }
    return {"keys": ["a", "b", "c"], "executor": "fast", "outputs": {"w": figures}}


def line(data: object) -> bytes:
    return json.dumps(data, separators=(",", ":")).encode()


def test_a_line_of_three() -> None:
    found = outcomes_of(line(block()))
    assert [outcome.key for outcome in found] == ["a", "b", "c"]
    assert {(outcome.kind, outcome.executor) for outcome in found} == {(Kind.DONE, "fast")}
    assert [dict(outcome.outputs["w"]) for outcome in found] == [
        {"whole": 1, "real": 0.5, "word": "x", "same": 7},
        {"whole": 2, "real": 1.5, "word": None, "same": 7},
        {"whole": 3, "real": 2.5, "word": "x", "same": 7},
    ]


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data.update(more=1),
        lambda data: data.pop("executor"),
        lambda data: data.update(executor=3),
        lambda data: data.update(outputs={}),
        lambda data: data.update(keys=[]),
        lambda data: data.update(keys=["a", "b", 3]),
        lambda data: data["keys"].append("d"),
        lambda data: data["keys"].pop(),
        lambda data: data["outputs"]["w"]["word"].update(u2=packed([0, 1, 2], "<u2")),
        lambda data: data["outputs"]["w"]["word"].update(u2=packed([0, 1], "<u2")),
        lambda data: data["outputs"]["w"]["word"].update(values=["x", [1]]),
        lambda data: data["outputs"]["w"]["word"].update(values=["x", True]),
        lambda data: data["outputs"]["w"]["same"].update(values=[]),
        lambda data: data["outputs"]["w"]["real"].update(f8=packed([0.5, 1.5], "<f8")),
        lambda data: data["outputs"]["w"]["real"].update(f8=packed([0.5, 1.5, np.inf], "<f8")),
        lambda data: data["outputs"]["w"]["real"].update(f8="#"),
        lambda data: data["outputs"]["w"].update(real={}),
        lambda data: data["outputs"].update(w=3),
    ],
)
def test_a_line_that_was_changed(change: Change) -> None:
    data = block()
    change(data)
    with pytest.raises(ValueError, match="."):
        outcomes_of(line(data))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        ('{"key":"a","kind":"done","outputs":{"w":{"x":1}},"executor":"fast"}', True),
        ('{"key":"a","kind":"infeasible","reason":["capacity","sram",3,2.5,"bytes"]}', True),
        ('{"key":"a","kind":"failed","reason":["bug","x",null,null,""]}', True),
        ('{"key":"a","kind":"done","outputs":{"w":{"x":1}},"reason":["bug","x",null,null,""]}', False),
        ('{"key":"a","kind":"done"}', False),
        ('{"key":"a","kind":"infeasible"}', False),
        ('{"key":"a","kind":"infeasible","outputs":{"w":{"x":1}},"reason":["bug","x",null,null,""]}', False),
        ('{"key":"a","kind":"failed","reason":["bug","x",null,null]}', False),
        ('{"key":"a","kind":"done","outputs":{"w":{"x":1}},"more":1}', False),
        ('{"key":"a","kind":"done","outputs":{"w":{"x":NaN}}}', False),
    ],
)
def test_a_line_of_one(text: str, good: bool) -> None:
    """Either figures or a reason."""
    if good:
        outcome = Outcome.from_json(text)
        assert Outcome.from_json(outcome.to_json()) == outcome
        return
    with pytest.raises(ValueError, match="."):
        Outcome.from_json(text)


def test_rows_of_a_table_travel_as_columns_and_each_table_once() -> None:
    """Rows 2, 0 of one table and 1 of another; one of both kinds, one that is no row, and a reason, as they are."""
    table, other = (OutputTable({"x": Column(np.array(values))}) for values in ([1, 2, 3], [4, 5, 6]))
    rows = [
        Outcome("a", Kind.DONE, {"w": table.row(2)}, "fast", alone="why"),
        Outcome("b", Kind.DONE, {"w": other.row(1)}, "fast"),
        Outcome("c", Kind.DONE, {"w": table.row(0), "v": other.row(0)}, "machine"),
    ]
    plain = [
        Outcome("d", Kind.DONE, {"w": table.row(1), "v": {"x": 9}}, "fast", alone="so"),
        Outcome("e", Kind.DONE, {"w": {"x": 7}}, "fast"),
        Outcome("f", Kind.INFEASIBLE, {}, reason=Reason("capacity", "sram", 3, 2, "bytes")),
    ]
    line = write_outcomes([*rows, *plain])
    data = json.loads(line)
    assert data["tables"] == [[["x", [1, 2, 3]]], [["x", [4, 5, 6]]]]
    assert data["outcomes"][:3] == [
        ["a", "fast", [["w", 0, 2]], "why"], ["b", "fast", [["w", 1, 1]], ""],
        ["c", "machine", [["w", 0, 0], ["v", 1, 0]], ""],
    ]  # fmt: skip
    assert [len(written) for written in data["outcomes"][3:]] == [2, 2, 2]
    found = read_outcomes(line)
    assert found == [*rows, *plain]
    assert [outcome.alone for outcome in found] == ["why", "", "", "so", "", ""]
    assert found[2].outputs["v"]["x"] == 4


def test_a_sealed_line_is_whole_or_nothing() -> None:
    """CRC-32 of "abc" is 352441c2."""
    whole = sealed_line("abc")
    assert whole == b"352441c2 abc\n"
    assert unsealed(whole) == b"abc"
    for torn in (whole[:-1], b"352441c2_abc\n", b"352441C2 abc\n", b"352441c2 abd\n", b"", b"\n", whole + b"\n"):
        assert unsealed(torn) is None
    assert unsealed(sealed_line("")) == b""


def shown(reason: Reason | None, outcome: Outcome | None, streams: frozenset[str] = frozenset()) -> ShownPoint:
    inputs: dict[str, Scalar] = {"mac_array.rows": 2048, "schedule": "split", "on": True, "share": 1234.5}
    return ShownPoint(12_345, inputs, "split", outcome, reason, streams)


def done(*workloads: str) -> Outcome:
    figures = {"latency_us": 1234567, "x": None, "frame_latency_us": 2.5, "on": True}
    return Outcome("key", Kind.DONE, dict.fromkeys(workloads, figures), "fast")


def test_a_point_as_text() -> None:
    assert point_text(shown(None, done("w", "v"), frozenset({"v"}))) == (
        "Point 12,345: schedule split\n"
        "  mac_array.rows = 2,048\n"
        "  on = True\n"
        "  share = 1234.5\n"
        "On w:\n"
        "  latency_us        1,234,567\n"
        "  x                 -\n"
        "  frame_latency_us  2.5\n"
        "  on                True\n"
        "On v:\n"
        "  cold start latency_us  1,234,567\n"
        "  x                      -\n"
        "  frame_latency_us       2.5\n"
        "  on                     True\n"
    )


@pytest.mark.parametrize(
    ("reason", "kind", "text"),
    [
        (Reason("constraint", "a <= 2", 3, 2), Kind.DONE, "infeasible: constraint a <= 2: needs 3, has 2"),
        (
            Reason("capacity", "sram: W", 4096, 1024, "bytes"),
            Kind.INFEASIBLE,
            "infeasible: sram: W: needs 4,096, has 1,024 bytes",
        ),
        (Reason("capacity", "sram", 4096), Kind.INFEASIBLE, "infeasible: sram"),
        (Reason("capacity", "sram", None, 3), Kind.INFEASIBLE, "infeasible: sram"),
        (Reason("bug", "KeyError: x"), Kind.FAILED, "failed: KeyError: x"),
    ],
)
def test_why_a_point_is_not_evaluated(reason: Reason, kind: Kind, text: str) -> None:
    point = shown(reason, Outcome("key", kind, {}, reason=reason))
    assert point_text(point).splitlines()[-1] == text
    data = json.loads(point_json(point))
    assert (data["status"], data["reason"], data["outputs"]) == (text.partition(":")[0], reason.what, {})


def test_a_point_as_json() -> None:
    data = json.loads(point_json(shown(None, done("w"), frozenset({"w"}))))
    assert (data["point"], data["status"], data["reason"]) == (12_345, "evaluated", None)
    assert data["inputs"] == {"mac_array.rows": 2048, "schedule": "split", "on": True, "share": 1234.5}
    assert data["outputs"]["w"]["cold start latency_us"] == 1234567
    invalid = json.loads(point_json(shown(Reason("architecture", "rows"), None)))
    assert (invalid["status"], invalid["reason"], invalid["outputs"]) == ("infeasible", "rows", {})
