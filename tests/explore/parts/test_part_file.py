"""Columns of a part's file by hand: their types, their order, what is read of them, and which designs are looked at."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from archsim.errors import OutputError
from archsim.explore import Space, Status
from archsim.explore.parts.part_columns import keys_of, statuses_of
from archsim.explore.parts.part_file import PartFiles, outcome_of
from archsim.explore.parts.part_merge import Rows, merged
from archsim.explore.parts.part_rows import STATUSES, key_words
from archsim.explore.results.study import Point
from archsim.explore.run.declared import Declared
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar
from archsim.explore.space.parameters import Choice, Parameter
from tests.explore.conftest import Write
from tests.optional import need

need("pyarrow")
parquet: Any = need("pyarrow.parquet")

TWO = ('["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "lstm:3,4,t=6"]')
ONE, OTHER = "lstm_3_4_t3_b1", "lstm_3_4_t6_b1"


def files_of(write: Write, *changes: tuple[str, str]) -> PartFiles:
    space = Space.load(write(*changes))
    return PartFiles(space, Declared.of(space))


@pytest.mark.parametrize(
    ("labels", "values", "kind"),
    [
        ("[1, 2]", [2, 1], "int64"),
        ("[1, 2]", [2, None], "int64"),
        ("[0.5, 1]", [1, 0.5], "double"),
        ("[one, by_kind]", ["one", "by_kind"], "string"),
    ],
)
def test_the_type_of_a_parameter_is_that_of_the_space(write: Write, labels: str, values: list[Any], kind: str) -> None:
    """Whatever values a part has of it."""
    path = {"[1, 2]": "activation.lanes", "[0.5, 1]": "dram.efficiency"}.get(labels, "state_buffer.banks")
    files = files_of(write, ("schedule: [fused, split]", f"{path}: {labels}"))
    for some in (values, values[:1]):
        column = files.input_column(path, some)
        assert str(column.type) == kind
        assert column.to_pylist() == some


def test_the_type_of_a_derived_field_is_that_of_its_values(write: Write) -> None:
    files = files_of(write)
    kinds: dict[str, tuple[list[Any], list[Any]]] = {
        "double": ([1, 2.5, None], [1.0, 2.5, None]),
        "string": ([1, "a", None, True], ["1", "a", None, "True"]),
    }
    for kind, (values, found) in kinds.items():
        column = files.input_column("weight_sram.banks", values)
        assert str(column.type) == kind
        assert column.to_pylist() == found


@pytest.mark.parametrize(("size", "kind"), [(1 << 62, "int64"), ((1 << 63) - 1, "int64"), (1 << 63, "string")])
def test_points_of_spaces_that_no_64_bits_count_are_text(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int, kind: str
) -> None:
    """By the size of the space, whatever numbers a part has: all parts have the same type."""
    files = files_of(write)
    monkeypatch.setattr(Space, "size", size)
    table = parquet.read_table(io.BytesIO(files.write([Point(5, {}, "fused_interleaved", Status.FAILED)], {})))
    assert str(table.schema.field("point").type) == kind
    assert table["point"].to_pylist() == [5 if kind == "int64" else "5"]


@pytest.mark.parametrize("label", [(1 << 63) - 1, -(1 << 63), 1 << 63, -(1 << 63) - 1])
def test_labels_beyond_64_bits_are_floats(write: Write, label: int) -> None:
    fits = -(1 << 63) <= label < 1 << 63
    files = files_of(write)
    parameter = Parameter("huge", (Choice(1, (("huge", 1),)), Choice(label, (("huge", label),))))
    files.space = replace(files.space, parameters=(parameter,))
    column = files.input_column("huge", [1, label])
    assert str(column.type) == ("int64" if fits else "double")
    assert column.to_pylist() == ([1, label] if fits else [1.0, float(label)])


def points() -> list[Point]:
    """Of two workloads, in no order: one evaluated, one infeasible by its figures, one by its memory, one failed."""
    inputs: dict[str, Scalar] = {"mac_array.rows": 2, "schedule": "fused_interleaved", "weight_sram.banks": 2}
    figures = {ONE: {"body_us": 1.5, "x": 1}, OTHER: {"body_us": 3.5}}
    reason = Reason("constraint", "c", 5.0, 4.0)
    small, failed = Reason("capacity", "sram: W", 3.0, 2.0, "bytes"), Reason("bug", "x", None, None)
    return [
        Point(7, inputs, "fused_interleaved", Status.EVALUATED, (1.5, 2.0), figures, "fast"),
        Point(3, inputs, "fused_interleaved", Status.INFEASIBLE, None, figures, "machine", reason),
        Point(5, inputs, "fused_interleaved", Status.INFEASIBLE, None, None, "", small),
        Point(0, inputs, "fused_interleaved", Status.FAILED, None, None, "", failed),
    ]


KEYS = {7: "0a" * 32, 3: "ff" * 32, 0: "10" * 32}


def test_rows_of_a_file(write: Write) -> None:
    """Statuses, objectives, how far they are from feasible: a gap of 1 of 4, 1 of 2, and 1 where there is no number."""
    files = files_of(write, TWO)
    rows = files.read_rows(files.write(points(), KEYS))
    assert rows.numbers.tolist() == [7, 3, 5, 0]
    assert [STATUSES[place] for place in rows.statuses] == [
        Status.EVALUATED, Status.INFEASIBLE, Status.INFEASIBLE, Status.FAILED,
    ]  # fmt: skip
    assert rows.objectives[0].tolist() == [1.5, 2]
    assert np.isnan(rows.objectives[1:]).all()
    assert rows.violations.tolist() == [0, 0.25, 0.5, 1]
    assert rows.keys.tolist() == key_words([KEYS[7], KEYS[3], None, KEYS[0]]).tolist()
    reasons = files.read_reasons(files.write(points(), KEYS))
    assert reasons == [(p.number, p.status, p.reason and Reason(*_words(p.reason))) for p in points()]


def _words(reason: Reason) -> tuple[Any, ...]:
    return reason.kind, reason.what, reason.need, reason.have, reason.unit


def test_columns_stand_in_their_order(write: Write) -> None:
    """Of two workloads figures have the name before them; what is not declared is not among them."""
    files = files_of(write, TWO)
    names = ["key", f"{OTHER}:body_us", "weight_sram.banks", "point", f"{ONE}:body_us", f"{ONE}:x", "mac_array.rows"]
    assert files.column_order(names) == [
        *("point", "status", "schedule", "mac_array.rows", "weight_sram.banks"),
        *("objective body_us", "objective macs_per_cycle", f"{ONE}:body_us", f"{OTHER}:body_us"),
        *("executor", "reason", "reason_what", "reason_need", "reason_have", "reason_unit", "key"),
    ]
    one = files_of(write)
    assert "body_us" in one.column_order(["body_us", "latency_us"])
    assert "latency_us" not in one.column_order(["body_us", "latency_us"])


def test_points_of_a_file(write: Write) -> None:
    """Those asked for, in that order; figures of designs that were evaluated alone, and of these what is declared."""
    files = files_of(write, TWO)
    found = files.read_points(files.write(points(), KEYS), [2, 0, 1])
    assert [point.number for point in found] == [5, 7, 3]
    assert [point.status for point in found] == [Status.INFEASIBLE, Status.EVALUATED, Status.INFEASIBLE]
    assert [point.objectives for point in found] == [None, (1.5, 2), None]
    assert [point.executor for point in found] == ["", "fast", "machine"]
    assert found[0].outputs is None
    assert found[1].outputs == found[2].outputs == {ONE: {"body_us": 1.5}, OTHER: {"body_us": 3.5}}
    assert found[1].inputs == files.space.design(7).inputs
    outcomes = files.read_outcomes(files.write(points(), KEYS))
    keys = {number: files.space.design(number).key for number in (7, 3)}
    assert set(outcomes) == set(keys.values()), "the one that failed is not among them"
    done = outcome_of("key", found[1])
    assert (done.kind, done.executor, done.reason) == (Kind.DONE, "fast", None)
    assert outcome_of("key", found[0]) == Outcome("key", Kind.INFEASIBLE, {}, reason=found[0].reason)


def test_designs_of_another_machine_are_refused(write: Write) -> None:
    """One design for each value is looked at: a key that is wrong where a value comes first is found."""
    files = files_of(write)
    some = [0, 4, 13, 31]
    designs = files.space.designs(some)
    inputs = {design.number: design for design in designs}
    made = [
        Point(n, inputs[n].inputs, inputs[n].schedule, Status.EVALUATED, (1.0, 1.0), {ONE: {"body_us": 1.0}}, "fast")
        for n in some
    ]
    keys = {design.number: design.key for design in designs}
    data = files.write(made, keys)
    files.check_designs(data, files.read_rows(data), 3)
    for number in some:
        wrong = files.write(made, keys | {number: "12" * 32})
        with pytest.raises(OutputError, match="part 3 was explored with other numbers than the technology has now"):
            files.check_designs(wrong, files.read_rows(wrong), 3)


def test_a_part_of_pieces_is_what_would_have_been_written_at_once(write: Write) -> None:
    """Rows come from whichever piece has them, of two the first; failed ones of an earlier exploration do not count."""
    files = files_of(write, TWO)
    declared = {ONE: {"body_us": 1.5}, OTHER: {"body_us": 3.5}}
    one, bad, small, failed = (replace(point, outputs=point.outputs and declared) for point in points())
    numbers = np.array([0, 3, 5, 7])
    whole = files.write([failed, bad, small, one], KEYS)
    first, second = files.write([one, failed], KEYS), files.write([small, bad], KEYS)
    assert merged(files, numbers, [Rows(first), Rows(second)]) == whole
    assert merged(files, numbers, [Rows(second), Rows(first)]) == whole
    again = replace(one, number=0, objectives=(2.5, 2.0))
    newer = files.write([again], KEYS)
    expected = files.write([again, bad, small, one], KEYS)
    assert merged(files, numbers, [Rows(first, without_failed=True), Rows(second), Rows(newer)]) == expected
    assert merged(files, numbers, [Rows(first), Rows(second), Rows(newer)]) == whole
    with pytest.raises(OutputError, match="no piece of the exploration has point 3; choose another --out"):
        merged(files, numbers, [Rows(first)])
    part = files.write([one, bad], KEYS)
    assert merged(files, np.array([7, 3]), [Rows(whole)]) == part


def test_keys_and_words_of_a_table_that_is_a_slice(write: Write) -> None:
    files = files_of(write, TWO)
    table = files.table(files.write(points(), KEYS), ["status", "key"])
    assert keys_of(table.slice(1, 2)).tolist() == key_words([KEYS[3], None]).tolist()
    assert keys_of(table.slice(2, 1)).tolist() == [[0, 0]]
    assert keys_of(table.slice(3)).tolist() == key_words([KEYS[0]]).tolist()
    assert [STATUSES[place] for place in statuses_of(table.slice(3))] == [Status.FAILED]
    assert len(statuses_of(table.slice(4))) == 0
