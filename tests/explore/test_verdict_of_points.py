"""What a constraint, an objective and a bound make of a point, by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from archsim.explore import Space, Status
from archsim.explore.results.study import Point
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.search.constraints import Constraints
from archsim.explore.search.objective_values import ObjectiveValues
from archsim.explore.search.point_classifier import PointClassifier, violation
from archsim.explore.search.result_bounds import ResultBounds
from archsim.explore.space.design import Design, Reason
from archsim.explore.space.expression import Scalar, parse_expression
from archsim.explore.space.objectives import Objective, aggregated, named
from archsim.explore.space.space_config import Aggregate
from archsim.families.load import Arch
from tests.explore.conftest import Write

FIELDS: Mapping[str, Scalar] = {"a": 10, "b": 4, "f": "int8", "zero": 0}
DESIGN = Design(0, FIELDS, "fused", "key")


def refused(constraint: str, streams: bool = False) -> Reason | None:
    return Constraints([parse_expression(constraint)], streams).before(DESIGN)


@pytest.mark.parametrize(
    ("constraint", "need", "have"),
    [
        ("a <= 8", 10, 8),  # at most: what is there is needed, the limit is had
        ("a < 10", 10, 10),
        ("b >= 6", 6, 4),  # at least: the limit is needed
        ("b > 4", 4, 4),
        ("a + b <= 2 * b", 14, 8),
        ("9 <= b", 9, 4),
        ("b == 5", 5, 4),
        ("1 < b < 3", None, None),  # two comparisons
        ("a <= 8 and b >= 2", None, None),
        ("f == 'int4'", None, None),
        ("not a > b", None, None),
    ],
)
def test_what_is_needed_and_what_there_is(constraint: str, need: float | None, have: float | None) -> None:
    assert refused(constraint) == Reason("constraint", constraint, need, have)


@pytest.mark.parametrize("constraint", ["a <= 10", "a < 11", "b >= 4", "b == 4", "f == 'int8'", "1 < b < 5"])
def test_a_constraint_that_holds(constraint: str) -> None:
    assert refused(constraint) is None


def test_a_constraint_without_a_value_is_not_kept() -> None:
    assert refused("a / zero > 1") == Reason("constraint", "a / zero > 1: division by zero")
    assert refused("a") == Reason("constraint", "10 is neither true nor false; compare it with something")


def test_the_first_constraint_that_is_not_kept_is_said() -> None:
    found = Constraints([parse_expression(text) for text in ("a <= 20", "b <= 3", "a <= 1")], False)
    assert found.before(DESIGN) == Reason("constraint", "b <= 3", 4, 3)


def test_constraints_on_results_are_judged_after() -> None:
    """Of one workload without its name, of two with that of the first that does not keep it."""
    constraints = Constraints(
        [parse_expression(text) for text in ("a <= 20", "latency_us <= 4", "total(traffic_bytes) < 9")], True
    )
    assert constraints.before(DESIGN) is None
    good: dict[str, float | str] = {"latency_us": 4, "traffic_bytes.one": 3, "traffic_bytes.two": 5}
    good |= {"traffic_bytes_each.one": 100, "traffic_bytes": 50, "traffic_bytes.word": "w"}
    assert constraints.after(DESIGN, {"w": good, "v": good}) is None
    slow, large = good | {"latency_us": 5}, good | {"traffic_bytes.two": 6.5}
    assert constraints.after(DESIGN, {"w": slow}) == Reason("constraint", "latency_us <= 4 (cold start)", 5, 4)
    reason = constraints.after(DESIGN, {"w": good, "v": slow})
    assert constraints.after(DESIGN, {"w": good, "v": slow, "u": large}) == reason
    assert reason == Reason("constraint", "latency_us <= 4 (cold start) (on v)", 5, 4)
    assert constraints.after(DESIGN, {"w": large}) == Reason(
        "constraint", "total(traffic_bytes) < 9 (cold start)", 9.5, 9
    )
    nothing = constraints.after(DESIGN, {"w": {"latency_us": 1}})
    assert nothing == Reason("constraint", "this design has no traffic_bytes")
    assert constraints.after(DESIGN, {"w": {"traffic_bytes.one": 1}}) == Reason(
        "constraint", "this design has no latency_us"
    )


def test_only_of_streams_a_run_is_a_cold_start() -> None:
    late = {"w": {"latency_us": 5, "frame_latency_us": 3}}
    for streams, name, text in (
        (False, "latency_us", "latency_us <= 1"),
        (True, "latency_us", "latency_us <= 1 (cold start)"),
        (True, "frame_latency_us", "frame_latency_us <= 1"),
    ):
        found = Constraints([parse_expression(f"{name} <= 1")], streams).after(DESIGN, late)
        assert found is not None
        assert found.what == text
    assert named("mine (cold start)", True) == "mine (cold start)"
    assert (named("mine", True), named("mine", False)) == ("mine (cold start)", "mine")


@pytest.mark.parametrize(
    ("how", "sign", "expected"),
    [
        (Aggregate.GEOMEAN, 1, 4.0),  # (2 x 8) ** (1 / 2), whatever the weights
        (Aggregate.MAX, 1, 8.0),
        (Aggregate.MAX, -1, 2.0),  # the worst of what is to be large
        (Aggregate.WEIGHTED, 1, (2 * 1 + 8 * 3) / 4),
    ],
)
def test_several_workloads_become_one_number(how: Aggregate, sign: int, expected: float) -> None:
    assert aggregated([2.0, 8.0], [1.0, 3.0], how, sign) == pytest.approx(expected)
    assert aggregated([-3.0, -3.0], [1.0, 3.0], how, sign) == -3, "equal ones are the number itself"


def test_a_geometric_mean_is_of_numbers_above_0() -> None:
    assert aggregated([1e-9, 1.0], [1, 1], Aggregate.GEOMEAN, 1) == pytest.approx(10**-4.5)
    for least in (0.0, -2.5):
        with pytest.raises(ValueError, match=f"the geometric mean needs numbers above 0, got {least:g}"):
            aggregated([7.0, least], [1, 1], Aggregate.GEOMEAN, 1)


def objectives(*texts: str) -> ObjectiveValues:
    found = [Objective(text, parse_expression(text), -1 if place else 1) for place, text in enumerate(texts)]
    return ObjectiveValues(found, {"w": 1.0, "v": 3.0}, Aggregate.MAX)


def test_an_objective_is_a_number_of_each_workload() -> None:
    outputs: dict[str, dict[str, float | str | None]] = {
        "v": {"body_us": 5, "word": "mac", "y": 1.5},
        "w": {"body_us": 2, "word": "mac", "y": 2.5},
    }
    assert objectives("body_us * a", "y").of(DESIGN, outputs) == (50, 1.5)
    assert objectives("word").of(DESIGN, outputs) == Reason("objective", "word: 'mac' is no number")
    endless = {"v": {"x": 1.0}, "w": {"x": float("inf")}}
    assert objectives("x").of(DESIGN, endless) == Reason("objective", "x: inf is no number")


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason("capacity", "", 36, 30), 6 / 30),
        (Reason("constraint", "", 4, 10), 6 / 10),
        (Reason("constraint", "", -2, -10), 8 / 10),
        (Reason("constraint", "", 3, 0.5), 2.5),  # relative to 1 at least
        (Reason("constraint", "", 3, 3), 1e-9),  # never 0: it is not feasible
        (Reason("constraint", "", None, 3), 1.0),
        (Reason("constraint", "", 3, None), 1.0),
        (None, 0.0),
    ],
)
def test_how_far_a_point_is_from_feasible(reason: Reason | None, expected: float) -> None:
    point = Point(0, {}, "fused", Status.INFEASIBLE, reason=reason)
    assert violation(point) == pytest.approx(expected)
    assert violation(replace(point, status=Status.EVALUATED)) == 0


def test_a_gap_is_what_is_missing() -> None:
    assert Reason("capacity", "", 36, 30).gap == 6
    assert Reason("capacity", "", 36).gap is Reason("capacity", "", None, 30).gap is None


def test_the_best_that_a_design_can_be(write: Write) -> None:
    """As its bounds say, but for 1e-12 of them: times at least, the utilization at most, fields exactly, others -inf.

    Of two workloads the mean has the bounds of both: geometric, of 3 and 6 steps with the same step.
    """
    wanted = (
        "  - maximize: mac_utilization\n  - minimize: body_us - latency_us\n  - maximize: latency_us\n"
        "  - minimize: edp\n  - maximize: mac_array.rows\n  - minimize: body_us - 1000\n"
    )
    more = ("    name: macs_per_cycle\n", f"    name: macs_per_cycle\n{wanted}")
    space = Space.load(write(more, ('["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "lstm:3,4,t=6"]')))
    found = space.resolve([29])
    (best,) = PointClassifier(space).best_possible(found).values()
    (design,) = found.designs
    assert design.config is not None
    arch = Arch("", design.config)
    three, six = (ResultBounds().bounds_of(arch, use.workload.spec) for use in space.workloads)

    def mean(name: str, end: str) -> float:
        return float((getattr(three[name], end) * getattr(six[name], end)) ** 0.5)

    body, utilization = mean("body_us", "least"), mean("mac_utilization", "most")
    assert best[0] == pytest.approx(body, rel=1e-11)
    assert best[0] < body
    assert best[1] == 8 * 3
    assert best[2] == pytest.approx(-utilization, rel=1e-11)
    assert best[2] < -utilization
    assert best[3] == best[4] == -float("inf")
    assert best[5] == pytest.approx(mean("energy.total_uj", "least") * mean("latency_us", "least"), rel=1e-11)
    assert best[6] == -8
    assert best[7] == -float("inf"), "numbers below 0 have no geometric mean"


def test_what_becomes_of_a_design(write: Write) -> None:
    """Of each kind of outcome one; figures are kept of a design that was evaluated, whatever is said of it."""
    space = Space.load(write(("constraints:\n", "constraints:\n  - latency_cycles <= 20\n")))
    classifier, design = PointClassifier(space), space.design(1)
    figures = {"lstm_3_4_t3_b1": {"body_us": 1.5, "latency_cycles": 20}}
    done = Outcome("key", Kind.DONE, figures, "fast")
    point = classifier.after(design, done)
    assert (point.status, point.objectives, point.executor) == (Status.EVALUATED, (1.5, 2), "fast")
    assert point.outputs == figures
    slow = classifier.after(design, Outcome("key", Kind.DONE, {"lstm_3_4_t3_b1": {"latency_cycles": 21}}, "fast"))
    assert (slow.status, slow.objectives) == (Status.INFEASIBLE, None)
    assert slow.reason == Reason("constraint", "latency_cycles <= 20", 21, 20)
    assert (slow.outputs, slow.executor) == ({"lstm_3_4_t3_b1": {"latency_cycles": 21}}, "fast")
    without = classifier.after(design, Outcome("key", Kind.DONE, {"lstm_3_4_t3_b1": {"latency_cycles": 1}}, "fast"))
    assert without.status is Status.INFEASIBLE
    assert without.reason == Reason("objective", "this design has no body_us")
    why = Reason("capacity", "sram", 3, 2)
    for kind, status in ((Kind.INFEASIBLE, Status.INFEASIBLE), (Kind.FAILED, Status.FAILED)):
        other = classifier.after(design, Outcome("key", kind, {}, reason=why))
        assert (other.status, other.reason, other.outputs) == (status, why, None)
    pruned = classifier.pruned(design, 7)
    assert (pruned.status, pruned.reason) == (Status.PRUNED, Reason("bounds", "dominated by point 7 at best"))
    assert classifier.before(design) is None
    wide = classifier.before(space.design(47))  # 16 x 5 > 64
    assert wide is not None
    assert wide.reason == Reason("constraint", "mac_array.rows * mac_array.columns <= 64", 80, 64)
