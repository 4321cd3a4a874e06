"""What a method of another package may return, at the edges: the last that is taken and the first that is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.errors import ExtensionError, ScheduleError
from archsim.formats import Encoding, parse_format
from archsim.hardware.functions.methods import Hard
from archsim.hardware.functions.outside_method import OutsideMethod
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.workload.network import FunctionSpec

SIGMOID = FunctionSpec("sigmoid")
Q8 = Encoding(parse_format("q4.4"), 2.0**-4)
SINGLE = Encoding(parse_format("float32"))
X = np.zeros((2, 1), np.int64)


class Mine(Hard):
    """A method that returns what it is told to."""

    functions = frozenset({"sigmoid"})

    def __init__(self, found: Any, latency: object = 3) -> None:
        self.found = found
        self.latency_cycles = latency  # type: ignore[assignment]

    def curved(self, function: Any, source: Any, target: Any, overflows: Any) -> Any:
        return lambda x: self.found


def returned(found: object, target: Encoding = Q8) -> object:
    return OutsideMethod("mine", Mine(found)).curved(SIGMOID, Q8, target, Overflows())(X)


def codes(*values: int, kind: Any = np.int64) -> Any:
    return np.array(values, kind).reshape(-1, 1)


@pytest.mark.parametrize(
    ("found", "target"),
    [
        ((codes(-128, 127), 0), Q8),
        ((codes(1, 2, kind=np.int8), np.int64(2)), Q8),
        ((codes(1, 2, kind=np.float32), 1), SINGLE),
        ((codes(1, 2) * float("inf"), 0), SINGLE),  # infinity is a number
    ],
)
def test_results_that_are_taken(found: object, target: Encoding) -> None:
    assert returned(found, target) is found


@pytest.mark.parametrize(
    ("found", "target", "message"),
    [
        ((codes(-129, 127), 0), Q8, "codes from -128 to 127, got -129"),
        ((codes(-128, 128), 0), Q8, "codes from -128 to 127, got 128"),
        ((codes(1, 2, kind=np.uint8), 0), Q8, "codes of q4.4, got uint8"),
        ((codes(1, 2), 0), SINGLE, "numbers of float32, got int64"),
        ((codes(1, 2) * float("nan"), 0), SINGLE, r"a number that is none \(NaN\)"),
        ((codes(1), 0), Q8, r"an array of shape \(2, 1\), got shape \(1, 1\)"),
        (([[1], [2]], 0), Q8, r"an array of shape \(2, 1\), got a list"),
        ((codes(1, 2), True), Q8, "a whole number of overflows, got True"),
        ((codes(1, 2), 0.5), Q8, "a whole number of overflows, got 0.5"),
        ((codes(1, 2), -1), Q8, "a whole number of overflows, got -1"),
        ((codes(1, 2), 0, 0), Q8, "got "),
        ([codes(1, 2), 0], Q8, "got "),
    ],
)
def test_results_that_are_not(found: object, target: Encoding, message: str) -> None:
    with pytest.raises(ExtensionError, match=f"mine: sigmoid must return stored results .*: {message}"):
        returned(found, target)


def test_a_method_of_no_stages_is_one() -> None:
    made = OutsideMethod("mine", Mine(None, 0))
    assert (made.latency_cycles, made.functions) == (0, frozenset({"sigmoid"}))
    assert made.unsupported(frozenset({"sigmoid", "tanh", "relu"})) == ("tanh",)
    for latency in (-1, True, 1.0, None):
        with pytest.raises(ExtensionError, match="mine: latency_cycles must be a whole number, 0 or more"):
            OutsideMethod("mine", Mine(None, latency))
    with pytest.raises(ExtensionError, match="mine: made a int, which is no Method"):
        OutsideMethod("mine", 3)


@pytest.mark.parametrize("functions", ["sigmoid", ["sigmoid"], {3}, None])
def test_the_functions_that_it_stands_for_are_a_set_of_names(functions: object) -> None:
    method = Mine(None)
    setattr(method, "functions", {"sigmoid"})  # noqa: B010 any set is taken
    assert OutsideMethod("mine", method).functions == frozenset({"sigmoid"})
    setattr(method, "functions", functions)  # noqa: B010 the method's own type says otherwise
    with pytest.raises(ExtensionError, match="mine: functions must be a frozenset of names, got "):
        OutsideMethod("mine", method)


def test_what_it_raises_is_said_with_its_name_and_an_error_of_archsims_own_stays_as_it_is() -> None:
    method = Mine(None)
    outside = OutsideMethod("mine", method)
    assert outside.resources(Q8.format) == Hard().resources(Q8.format)
    for raised, told in ((ZeroDivisionError("none"), ExtensionError), (ScheduleError("too small"), ScheduleError)):

        def fails(*given: object, error: Exception = raised) -> Any:
            raise error

        for name in ("resources", "curved"):
            setattr(method, name, fails)
        with pytest.raises(told) as caught:
            outside.resources(Q8.format)
        wanted = "archsim.activation_methods: mine: resources: ZeroDivisionError: none"
        assert str(caught.value) == (wanted if told is ExtensionError else "too small")
        with pytest.raises(told):
            outside.curved(SIGMOID, Q8, Q8, Overflows())
        setattr(method, "curved", lambda *given: fails)  # noqa: B010 the very function of this turn
        with pytest.raises(told):
            outside.curved(SIGMOID, Q8, Q8, Overflows())(X)


def test_what_it_is_built_of_is_an_inventory() -> None:
    method = Mine(None)
    setattr(method, "resources", lambda target: {"bits": 3})  # noqa: B010 the method's own type says otherwise
    with pytest.raises(ExtensionError, match="mine: resources must return a LaneInventory, got dict"):
        OutsideMethod("mine", method).resources(Q8.format)
    assert isinstance(Hard().resources(Q8.format), LaneInventory)


def test_it_is_asked_what_archsim_is_asked() -> None:
    """Function, source, target and, to compute, where overflows are counted: each in its place."""
    asked: list[tuple[object, ...]] = []

    class Asked(Mine):
        def curved(self, *given: Any) -> Any:
            asked.append(given)
            return super().curved(*given)

        def curved_constants(self, *given: Any) -> Any:
            asked.append(given)
            return given

    outside, overflows = OutsideMethod("mine", Asked((codes(1, 2), 0))), Overflows()
    outside.curved(SIGMOID, Q8, SINGLE, overflows)
    outside.curved_constants(SIGMOID, Q8, SINGLE)
    assert asked == [(SIGMOID, Q8, SINGLE, overflows), (SIGMOID, Q8, SINGLE)]
