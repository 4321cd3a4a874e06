"""A study by hand: its front, what comes to the same, reasons counted, and points evenly spaced."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from archsim.explore import Space, Status
from archsim.explore.results.reasons import MOST_KINDS, reasons_rows
from archsim.explore.results.study import Point, ReasonCount, Study, count_reasons, spaced
from archsim.explore.results.write_results import MOST_SHOWN, study_json, study_text
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write
from tests.explore.test_pages_and_figures import study_of

MORE = ("minimize: mac_array.rows * mac_array.columns", "maximize: mac_array.rows * mac_array.columns")


@pytest.mark.parametrize(
    ("count", "most", "places"),
    [
        (10, 4, [0, 3, 6, 9]),
        (10, 3, [0, 4, 9]),
        (5, 4, [0, 1, 2, 4]),
        (5, 5, [0, 1, 2, 3, 4]),
        (5, 2, [0, 4]),
        (5, 1, [0]),
        (5, 0, []),
        (0, 2, []),
    ],
)
def test_evenly_spaced_from_the_first_to_the_last(count: int, most: int, places: list[int]) -> None:
    assert list(spaced(range(count), most)) == places


def capacity(what: str, need: float = 3) -> Reason:
    return Reason("capacity", what, need, 2, "bytes")


def test_reasons_are_counted_by_status_kind_and_beginning() -> None:
    """The first is that of least number, whatever the order; whether all say the same is of all of them."""
    bad, failed = Status.INFEASIBLE, Status.FAILED
    found = count_reasons(
        [
            (5, bad, capacity("sram: one")),
            (3, bad, capacity("sram: two")),
            (9, bad, capacity("sram: one")),
            (7, Status.EVALUATED, None),
            (2, bad, capacity("dram", 4)),
            (1, bad, capacity("dram", 5)),
            (4, failed, Reason("bug", "x")),
            (6, bad, Reason("bug", "x")),
        ]
    )
    assert found == {
        (bad, "capacity", "sram"): ReasonCount(3, 3, capacity("sram: two"), False),
        (bad, "capacity", "dram"): ReasonCount(2, 1, capacity("dram", 5), True),
        (failed, "bug", "x"): ReasonCount(1, 4, Reason("bug", "x"), True),
        (bad, "bug", "x"): ReasonCount(1, 6, Reason("bug", "x"), True),
    }
    three = [(1, bad, capacity("sram: one")), (2, bad, capacity("sram: two")), (3, bad, capacity("sram: two"))]
    assert not count_reasons(three)[bad, "capacity", "sram"].same


def failing(space: Space, reasons: Sequence[tuple[Status, Reason]]) -> Study:
    """Points 1000, 1001, ... that have no figures."""
    points = [Point(1000 + n, {}, "fused", status, reason=reason) for n, (status, reason) in enumerate(reasons)]
    return Study(space, tuple(points), 0, 1.0)


def test_reasons_in_words(write: Write) -> None:
    """The most frequent first, then by the alphabet; of numbers what the first needs, of words those of all."""
    bad, space = Status.INFEASIBLE, Space.load(write())
    rows = [
        (bad, Reason("constraint", "a <= 2", 3, 2)),
        (bad, Reason("capacity", "sram: W_ih 16", 2048.5, 1024, "bytes")),
        (bad, Reason("capacity", "sram: W_ih 32", 9999, 1024, "bytes")),
        (bad, Reason("capacity", "slots: 3", 5, 4)),
        (bad, Reason("capacity", "unknown")),
        (bad, Reason("architecture", "rows: one")),
        (bad, Reason("architecture", "rows: two")),
        (bad, Reason("architecture", "rows: two")),
        (Status.FAILED, Reason("bug", "KeyError: x")),
        (Status.PRUNED, Reason("bounds", "dominated")),
    ]
    assert reasons_rows(failing(space, rows)) == [
        ("3", "infeasible, architecture: rows, as one"),
        ("2", "infeasible, capacity: sram (point 1,001 needs 2,048.5 bytes, and has 1,024)"),
        ("1", "failed, bug: KeyError: x"),
        ("1", "infeasible, capacity: slots (point 1,003 needs 5, and has 4)"),
        ("1", "infeasible, capacity: unknown"),
        ("1", "infeasible, constraint: a <= 2"),
    ]
    many = [(bad, Reason("architecture", f"r{n:02}")) for n in range(MOST_KINDS + 1)]
    found = reasons_rows(failing(space, many))
    assert [text.rpartition(" ")[2] for _, text in found] == [f"r{n:02}" for n in range(MOST_KINDS)]
    crowd = failing(space, [(bad, Reason("architecture", "r"))] * 1234)
    assert reasons_rows(crowd) == [("1,234", "infeasible, architecture: r")]


def test_a_reason_in_full_has_at_most_200_characters(write: Write) -> None:
    space = Space.load(write())
    for length in (200, 201):
        for words in ([f"{'x' * length}"], [f"r: {'x' * length}", "r: y"]):
            reasons = [(Status.INFEASIBLE, Reason("architecture", what)) for what in words]
            ((_, text),) = reasons_rows(failing(space, reasons))
            assert text.endswith("x" * length) is (length == 200)


def test_the_front_is_ordered_by_its_first_objective(write: Write) -> None:
    """The second is maximized: (3, 9) and (1, 5) stay, (2, 4) and (3, 8) are dominated; equal ones by their number."""
    study = study_of(Space.load(write(MORE)), [(3.0, 9.0), (2.0, 4.0), (1.0, 5.0), (3.0, 8.0), None, (3.0, 9.0)])
    assert [point.number for point in study.pareto()] == [2, 0, 5]
    assert study.front_values().tolist() == [[1, -5], [3, -9], [3, -9]]
    assert study.minimized((3, 9)) == (3, -9)
    # Up to (10, 2) the first dominates 9 x 3, the second 7 x 7, both 7 x 3.
    assert study.hypervolume((10, 2)) == 9 * 3 + 7 * 7 - 7 * 3
    assert [point.number for point in study.others(9)] == [1, 3]
    assert [point.number for point in study.others(1 + 1)] == [1, 3]
    assert study.values().tolist() == [[3, 9], [2, 4], [1, 5], [3, 8], [3, 9]]
    assert study.count(Status.EVALUATED) == 5
    assert [point.number for point in study.with_status(Status.INFEASIBLE)] == [4]
    assert study.places(0).tolist() == [0, 1, 2, 3, 1], "2, 4, 8, 16 and again 4 rows; the point without is left out"
    assert study.places(1).tolist() == [0] * 5
    assert repr(study) == "<study of small: 6 designs, 3 on the front>"
    assert list(study.extract(1)) == list(study.points)


def test_points_are_asked_for_in_an_order_of_their_own(write: Write) -> None:
    study = replace(study_of(Space.load(write()), [(3.0, 9.0), None, (1.0, 5.0)]), asked=(2, 1, 0))
    found = study.asked_values()
    assert found[[0, 2]].tolist() == [[1, 5], [3, 9]]
    assert np.isnan(found[1]).all()


def test_designs_a_second(write: Write) -> None:
    study = replace(study_of(Space.load(write()), [(1.0, 1.0)]), simulated=6, seconds=4.0)
    assert study.designs_per_second == 1.5
    assert replace(study, seconds=0.0).designs_per_second == 0


def by_schedule(write: Write) -> Study:
    """Points 0 to 2 are the same design by three schedules, 3 has another input, 4 and 5 are worse."""
    study = study_of(Space.load(write()), [(1.0, 1.0)] * 4 + [(1.0, 2.0), (2.0, 1.0)])
    points = []
    for point in study.points:
        rows = 4 if point.number == 3 else 2
        schedule = ("fused", "split", "wave")[point.number % 3]
        inputs = {**point.inputs, "mac_array.rows": rows, "schedule": schedule}
        points.append(replace(point, schedule=schedule, inputs=inputs))
    return replace(study, points=tuple(points))


def test_what_differs_in_its_schedule_alone_comes_to_the_same(write: Write) -> None:
    study = by_schedule(write)
    assert [point.number for point in study.pareto()] == [0, 3]
    assert {number: [p.number for p in others] for number, others in study.same_as().items()} == {0: [1, 2]}
    assert [point.number for point in study.others(9)] == [1, 2, 4, 5]
    front = json.loads(study_json(study, ["a note"]))
    assert front["notes"] == ["a note"]
    assert [found["same_as"] for found in front["front"]] == [["split", "wave"], []]
    assert front["front"][1]["inputs"]["schedule"] == "fused"
    assert front["front"][1]["objectives"] == {"body_us": 1, "macs_per_cycle": 1}


def test_the_study_as_json(write: Write) -> None:
    """Four counts that are all different."""
    study = study_of(Space.load(write()), [(1.0, 2.0)] * 4 + [None] * 6)
    other = [Status.INFEASIBLE] * 3 + [Status.PRUNED] * 2 + [Status.FAILED]
    points = [replace(point, status=status) for point, status in zip(study.points[4:], other, strict=True)]
    study = replace(study, points=(*study.points[:4], *points), seconds=2.0, simulated=5, alone={"why": 3})
    found = json.loads(study_json(study))
    assert [found[status.value] for status in Status] == [4, 3, 2, 1]
    assert (found["seconds"], found["designs_per_second"], found["one_by_one"]) == (2, 2.5, {"why": 3})
    head = study_text(study).splitlines()[0]
    assert head.strip() == "Space small: 10 points of 48 looked at: 4 evaluated, 3 infeasible, 2 pruned, 1 failed"


def test_of_a_long_front_the_first_forty_are_shown(write: Write) -> None:
    space = Space.load(write(MORE))
    for count in (MOST_SHOWN, MOST_SHOWN + 1):
        study = study_of(space, [(100.0 + n, 1000.5 + n) for n in range(count)])
        text = study_text(study, 200)
        note = f"the first {MOST_SHOWN} of {count}; pareto.csv has all"
        assert (note in text) is (count > MOST_SHOWN)
        assert "139" in text.split()
        assert "140" not in text.split()
        header = next(line for line in text.splitlines() if "body_us" in line)
        assert "body_us (min)" in header
        assert "macs_per_cycle (max)" in header
    assert "of a frame" not in text


def test_numbers_of_inputs_have_commas_and_flags_have_none(write: Write) -> None:
    space = Space.load(write(("[256, 2KiB]", "[256, 2KiB]\n  activation.lanes: [1, 2]")))
    study = study_of(space, [(1.2345678, 1.0)])
    (point,) = study.points
    wide = replace(point, inputs={**point.inputs, "weight_sram.capacity_bytes": 65536, "activation.lanes": True})
    words = study_text(replace(study, points=(wide,)), 200).split()
    assert {"65,536", "True", "1.23457"} <= set(words)


def test_a_study_of_nothing(write: Write) -> None:
    """An exploration of no point has a front of none, and a volume of 0."""
    study = Study(Space.load(write()), (), 0, 0.0)
    assert study.pareto() == ()
    assert study.front_values().shape == (0, 2)
    assert study.values().shape == (0, 2)
    assert study.hypervolume((1, 1)) == 0
    assert not math.isnan(study.designs_per_second)
