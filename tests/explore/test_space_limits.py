"""The limits of a space file, each at the last value that is taken and the first that is not; ranges by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from archsim.config import parse_override
from archsim.errors import SpaceError
from archsim.explore import Space
from archsim.explore.space.expression import parse_expression
from archsim.explore.space.grid import derived_value
from archsim.explore.space.names import Names, check_names, is_accuracy, is_result, not_of_frames, of_cold_start
from archsim.explore.space.parameters import Choice, Parameter, label_of, range_values
from archsim.explore.space.space_config import Linear, Log2, Range, SamplerName, SpaceConfig, constant_as_text
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.explore.conftest import Write

LEAST: dict[str, Any] = {
    "summary": "a space",
    "architecture": "tiny_2x2",
    "workloads": ["w"],
    "parameters": {"a": [1]},
    "objectives": [{"minimize": "latency"}],
}


def config(**changes: object) -> SpaceConfig:
    return SpaceConfig.model_validate_json(json.dumps(LEAST | changes))


@pytest.mark.parametrize(
    ("key", "taken", "refused"),
    [
        ("population", [4, 10_000], [3, 10_001]),
        ("budget", [1, 10_000_000], [0, 10_000_001]),
        ("seed", [0, (1 << 32) - 1], [-1, 1 << 32]),
        ("workloads", [["w"], ["w"] * 32], [[], ["w"] * 33]),
        ("objectives", [LEAST["objectives"] * 8], [[], LEAST["objectives"] * 9]),
        ("constraints", [[], ["a"] * 64], [["a"] * 65, ["a" * 501], [""]]),
        ("derived", [{str(n): "a" for n in range(64)}], [{str(n): "a" for n in range(65)}]),
        ("parameters", [{str(n): [1] for n in range(64)}], [{}, {str(n): [1] for n in range(65)}]),
        ("parameters", [{"a": list(range(4096))}], [{"a": []}, {"a": list(range(4097))}]),
        ("parameters", [{"a": {"log2": {"from": 1, "to": 1}}}], [{"a": {"log2": {"from": 0, "to": 1}}}, {"a": {}}]),
        (
            "parameters",
            [{"a": {"linear": {"from": -1e18, "to": 1e18, "step": 1}}}],
            [{"a": {"linear": {"from": -1.1e18, "to": 0, "step": 1.0}}}],
        ),
        ("objectives", [[{"maximize": "a"}]], [[{}], [{"minimize": "a", "maximize": "a"}]]),
        ("prune", [True, False], ["maybe"]),
    ],
)
def test_limits(key: str, taken: list[Any], refused: list[Any]) -> None:
    for value in taken:
        config(**{key: value})
    for value in refused:
        with pytest.raises(ValidationError):
            config(**{key: value})


def test_what_is_left_out() -> None:
    found = config()
    assert (found.population, found.budget, found.seed, found.prune) == (64, None, 0, True)
    assert (found.sampler, found.aggregate.value, found.schedule) == (SamplerName.GRID, "geomean", None)
    assert config(workloads=[{"workload": "w"}]).model_dump()["workloads"][0]["weight"] == 1


def test_only_a_grid_needs_no_budget() -> None:
    """And what learns is asked by its results."""
    learning = {name for name in SamplerName if config(sampler=name.value, budget=9).sampler_learns}
    assert learning == {SamplerName.NSGA2, SamplerName.NSGA3, SamplerName.TPE}
    config(sampler="grid")
    for name in set(SamplerName) - {SamplerName.GRID}:
        with pytest.raises(ValidationError, match=f"the sampler {name} needs a budget"):
            config(sampler=name.value)


def test_a_range_is_of_one_kind() -> None:
    for both in (True, False):
        found = {"linear": {"from": 1, "to": 2, "step": 1}, "log2": {"from": 1, "to": 2}} if both else {}
        with pytest.raises(ValidationError, match="expected exactly one of 'linear' and 'log2'"):
            Range.model_validate(found)


@pytest.mark.parametrize(
    ("first", "last", "step", "values"),
    [
        (1, 5, 2, (1, 3, 5)),
        (1, 6, 2, (1, 3, 5)),
        (5, 5, 9, (5,)),
        (-2, 1, 1, (-2, -1, 0, 1)),
        (0.1, 0.3, 0.1, (0.1, 0.2, 0.3)),  # exactly, though 0.1 + 0.1 + 0.1 > 0.3
        (0.5, 2, 0.5, (0.5, 1, 1.5, 2)),
    ],
)
def test_equidistant_values(first: float, last: float, step: float, values: tuple[float, ...]) -> None:
    found = range_values(Range(linear=Linear.model_validate({"from": first, "to": last, "step": step})))
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("first", "last", "values"), [(1, 1, (1,)), (3, 11, (3, 6)), (3, 12, (3, 6, 12)), (0.5, 2, (0.5, 1, 2))]
)
def test_a_value_and_its_doubles(first: float, last: float, values: tuple[float, ...]) -> None:
    found = range_values(Range(log2=Log2.model_validate({"from": first, "to": last})))
    assert found == values
    assert [type(value) for value in found] == [type(value) for value in values]


def test_ranges_without_values_or_with_too_many() -> None:
    def values(first: float, last: float, step: float) -> int:
        return len(range_values(Range(linear=Linear.model_validate({"from": first, "to": last, "step": step}))))

    assert values(1, 4096, 1) == 4096
    with pytest.raises(ValueError, match="has 4,097 values; at most 4,096 are taken"):
        values(0, 4096, 1)
    for wrong in (
        lambda: values(3, 2, 1),
        lambda: range_values(Range(log2=Log2.model_validate({"from": 3, "to": 2}))),
    ):
        with pytest.raises(ValueError, match="there is no value from 'from' to 'to'"):
            wrong()


def test_labels_and_kinds_of_parameters() -> None:
    assert [label_of(value) for value in (True, 3, 2.5, "int8")] == [True, 3, 2.5, "int8"]
    assert label_of({"a": [1, 2], "b": None}) == '{"a":[1,2],"b":null}'

    def parameter(*labels: Any, path: str = "a", of_workloads: bool = False) -> Parameter:
        return Parameter(path, tuple(Choice(label, label) for label in labels), of_workloads)

    assert parameter(1, 2.5).numeric
    assert not parameter(1, True).numeric
    assert not parameter(1, "2").numeric
    assert parameter(1).of_machine
    assert not parameter(1, of_workloads=True).of_machine
    assert not parameter("fused", path="schedule").of_machine


def test_constants_of_derived_fields() -> None:
    values = (3, 2.5, True, "4MiB", " 2 KiB ", "4 * rows", None)
    assert [constant_as_text(value) for value in values] == ["3", "2.5", "True", "4194304", "2048", "4 * rows", None]
    assert [derived_value(value) for value in (4.0, 4.5, 4, True, "4.0")] == [4, 4.5, 4, True, "4.0"]
    assert type(derived_value(4.0)) is int


def said(text: str, *, results: bool = True, varied: tuple[str, ...] = ("mac_array.rows",)) -> list[str]:
    names = Names(load_arch("tiny_2x2").config, varied, frozenset({"steps"}))
    return list(check_names(parse_expression(text), names, results=results))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("latency_us", ""),
        ("energy.total_uj + mac_array.rows", ""),
        ("accuracy.output.sqnr_db", ""),
        ("frame_latency_us", ""),
        ("schedule == 'fused' and steps > 1", ""),
        ("total(traffic_bytes.dram)", ""),
        ("energy", "energy has several entries; write energy.ENTRY, or total(energy)"),
        ("latency_us.mean", "latency_us is one number; nothing is named below it"),
        (
            "energy.totl_uj",
            "energy.totl_uj is not a field of the architecture or a result; did you mean energy.total_uj?",
        ),
        ("latency_uz", "latency_uz is not a field of the architecture or a result; did you mean latency_us?"),
        ("qqqq", "qqqq is not a field of the architecture or a result"),
        ("accuracy", "accuracy: write accuracy.output.sqnr_db, accuracy.task.rms_difference or the like"),
        ("accuracy.output", "accuracy.output: write accuracy.output.sqnr_db, accuracy.task.rms_difference or the like"),
        ("dram.device", "dram.device: no machine of this space has it: its dram is of another kind"),
    ],
)
def test_names_of_an_objective(text: str, message: str) -> None:
    assert said(text) == ([message] if message else [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mac_array.rows", ""),
        ("latency_us", "latency_us is a result; a derived field follows from fields alone"),
        ("frame_latency_us", "frame_latency_us is a result; a derived field follows from fields alone"),
        ("accuracy.output.x", "accuracy.output.x is a result; a derived field follows from fields alone"),
        ("total(x)", "total(x) is a result; a derived field follows from fields alone"),
        ("rowz + 1", "rowz is not a field of the architecture"),
        ("rowz", "rowz is not a field of the architecture; a word stands in quotes of its own: \"'rowz'\""),
    ],
)
def test_names_of_a_derived_field(text: str, message: str) -> None:
    assert said(text, results=False) == ([message] if message else [])


def test_a_total_is_of_what_has_entries() -> None:
    for name in ("latency_us", "nothing"):
        (message,) = said(f"total({name})")
        assert message.startswith(f"total({name}): no result of that name has entries; there are ")
        assert "traffic_bytes" in message
        assert "latency_us" not in message.partition("there are ")[2].split(", ")


@pytest.mark.parametrize(
    ("varied", "there"),
    [(("dram",), True), (("dram.kind",), True), (("mac_array.rows",), False), (("dram.kind.x",), False), ((), False)],
)
def test_a_field_of_a_section_that_is_varied_may_be_there(varied: tuple[str, ...], there: bool) -> None:
    """tiny_2x2 has a DRAM without a device; where the DRAM, or a field of it, is varied, it may have one."""
    assert (said("dram.device", varied=varied) == []) is there


def test_what_is_a_result() -> None:
    assert [is_result(name) for name in ("latency_us", "energy.total_uj", "frame_latency_us", "accuracy.x.y")] == [
        True
    ] * 4
    assert not is_result("mac_array.rows")
    assert is_accuracy("accuracy.output.sqnr_db")
    assert not is_accuracy("output.accuracy")
    colds = {
        text: of_cold_start(parse_expression(text)) for text in ("latency_us", "frame_latency_us", "mac_array.rows")
    }
    assert colds == {"latency_us": True, "frame_latency_us": False, "mac_array.rows": False}
    assert of_cold_start(parse_expression("total(traffic_bytes.dram)"))


def test_figures_of_frames_are_of_streams() -> None:
    run = load_workload("lstm:3,4,t=3")
    stream = load_workload("lstm:3,4,t=3,streaming=1")
    expression = parse_expression("frame_latency_us + latency_us")
    assert list(not_of_frames(expression, [stream])) == []
    (message,) = not_of_frames(expression, [stream, run])
    assert message == f"frame_latency_us is a figure of a frame, and {run.name} is no stream (streaming: true)"


def test_figures_of_arrivals_and_of_frames_that_differ() -> None:
    """Arrivals have a period or times of their own; frames of a network that skips nothing are alike."""
    without = load_workload("lstm:3,4,t=3,streaming=1")
    period = load_workload("lstm:3,4,t=3,streaming=1", [parse_override("period_us=1")])
    times = load_workload("lstm:3,4,t=3,streaming=1", [parse_override("arrivals_us=[0, 1, 5]")])
    arrivals = parse_expression("arrivals.x")
    assert list(not_of_frames(arrivals, [period, times])) == []
    (message,) = not_of_frames(arrivals, [without])
    assert (
        message == f"arrivals.x needs frames that come at some time, and {without.name} has no period_us or arrivals_us"
    )
    (message,) = not_of_frames(parse_expression("differing_frames.mean"), [without])
    assert message == (
        f"differing_frames.mean is of frames that differ, and those of {without.name}, no delta network, are alike"
    )


def test_every_fault_of_names_is_one_of_the_file(write: Write) -> None:
    with pytest.raises(SpaceError) as caught:
        Space.load(write(("  - minimize: body_us\n", "  - minimize: body_us + qqqq + rrrr\n")))
    assert [fault.message.partition(" ")[0] for fault in caught.value.faults] == ["qqqq", "rrrr"]
