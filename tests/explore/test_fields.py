"""Fields by their paths, points by their numbers, workloads by what is set in them: by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from archsim.config import Override
from archsim.errors import ArchError, CapacityError
from archsim.explore.space import workload_variants
from archsim.explore.space.design import Reason, capacity_reason, design_key
from archsim.explore.space.expression import ExpressionError, parse_expression
from archsim.explore.space.fields import (
    apply_value,
    config_of,
    field_value,
    get_field,
    known_path,
    normalized,
    plain_value,
    set_field,
    technology_digest,
)
from archsim.explore.space.grid import Grid
from archsim.explore.space.parameters import Choice, Parameter
from archsim.explore.space.section_models import section_value
from archsim.explore.space.workload_variants import WorkloadVariants, is_workload_field
from archsim.families.load import load_arch
from archsim.workload import load_workload

TINY = load_arch("tiny_2x2").config


def test_which_paths_there_are() -> None:
    """Also below a section that may be of another kind; nothing below a number."""
    model = type(TINY)
    there = ("mac_array", "mac_array.rows", "dram.device", "dram.latency_cycles", "formats.weight", "clock_mhz")
    assert [path for path in there if not known_path(model, path)] == []
    none = ("rows", "mac_array.rowz", "mac_array.rows.x", "clock_mhz.x", "")
    assert [path for path in none if known_path(model, path)] == []
    assert [is_workload_field(path) for path in ("steps", "batch", "calibration.file", "hidden_size")] == [True] * 4
    assert [is_workload_field(path) for path in ("mac_array.rows", "steps.x", "stepz", "calibration.filez")] == [
        False
    ] * 4


def test_a_field_is_set_and_looked_up() -> None:
    data = normalized(TINY)
    set_field(data, "mac_array.rows", 8)
    set_field(data, "new.section.field", [1])
    assert data["mac_array"]["rows"] == 8
    assert data["new"] == {"section": {"field": [1]}}
    value = {"a": [1]}
    set_field(data, "copied", value)
    value["a"].append(2)
    assert data["copied"] == {"a": [1]}
    with pytest.raises(ArchError, match="clock_mhz has one value as a whole in this design"):
        set_field(data, "clock_mhz.x", 1)
    assert get_field(TINY, "mac_array.rows") == TINY.mac_array.rows  # type: ignore[attr-defined]
    for path in ("mac_array.rowz", "mac_array.rows.real", "nothing", "mac_array.model_fields"):
        with pytest.raises(KeyError):
            get_field(TINY, path)


def test_a_value_as_an_expression_sees_it() -> None:
    assert field_value(TINY, "split", "schedule") == "split"
    assert field_value(TINY, "split", "mac_array.rows") == 2
    assert field_value(TINY, "split", "formats.weight") == "float32"
    with pytest.raises(ExpressionError, match=r"this design has no dram\.device"):
        field_value(TINY, "split", "dram.device")
    with pytest.raises(ExpressionError, match="mac_array is a section, not a value"):
        field_value(TINY, "split", "mac_array")
    with pytest.raises(ExpressionError, match="x is empty, not a value"):
        plain_value(None, "x")
    assert [plain_value(value, "x") for value in (True, 3, 2.5, "w")] == [True, 3, 2.5, "w"]


def test_machines_of_data() -> None:
    data = normalized(TINY)
    assert config_of(data) == TINY
    set_field(data, "mac_array.rows", 0)
    with pytest.raises(ArchError, match=r"mac_array\.rows: expected an integer"):
        config_of(data)
    assert apply_value(normalized(TINY), "weight_sram.capacity_bytes", "2KiB").weight_sram.capacity_bytes == 2048  # type: ignore[attr-defined]
    assert section_value(TINY, "weight_sram.capacity_bytes", "2KiB") == 2048
    assert section_value(TINY, "weight_sram.capacity_bytes", "2 parsecs") == "2 parsecs"
    assert section_value(TINY, "clock_mhz.x", 7) == 7


def grid(*derived: tuple[str, str], base: dict[str, Any] | None = None) -> Grid:
    """Rows 2, 4, 8; two schedules; steps 3, 5."""
    parameters = (
        Parameter("mac_array.rows", tuple(Choice(n, n) for n in (2, 4, 8))),
        Parameter("schedule", tuple(Choice(name, name) for name in ("fused_interleaved", "split"))),
        Parameter("steps", tuple(Choice(n, n) for n in (3, 5)), of_workloads=True),
    )
    expressions = tuple((path, parse_expression(text)) for path, text in derived)
    return Grid(json.dumps(base or normalized(TINY)), "hoisted", parameters, expressions)


def test_points_are_numbered_with_the_last_parameter_fastest() -> None:
    """7 = (1 x 2 + 1) x 2 + 1: four rows, split, 5 steps."""
    found = grid()
    assert (found.size, found.sizes) == (12, (3, 2, 2))
    assert [choice.value for choice in found.choices(7)] == [4, "split", 5]
    assert found.number((1, 1, 1)) == 7
    assert [found.number([*map(int, places)]) for places in ("000", "001", "010", "100", "211")] == [0, 1, 2, 4, 11]
    resolved = found.resolve(7)
    assert resolved.inputs == {"mac_array.rows": 4, "schedule": "split", "steps": 5}
    assert (resolved.schedule, resolved.reason) == ("split", None)
    assert resolved.config is not None
    assert resolved.config.mac_array.rows == 4  # type: ignore[attr-defined]
    assert found.overrides(7) == (Override("steps", "5"),)
    assert found.varies_workloads
    without = Grid(found.base_json, "split", found.parameters[:2], ())
    assert (without.overrides(3), without.varies_workloads) == ((), False)
    assert Grid(found.base_json, "split", found.parameters[:1], ()).resolve(1).schedule == "split"


def test_derived_fields_see_those_before_them() -> None:
    chain = (("weight_sram.banks", "2 * mac_array.rows"), ("accumulators.entries", "weight_sram.banks + 1"))
    found = grid(*chain)
    assert found.derives_from_parameters
    inputs = found.resolve(4).inputs
    assert (inputs["weight_sram.banks"], inputs["accumulators.entries"]) == (8, 9)
    assert not grid(("weight_sram.banks", "accumulators.entries"), *chain[1:]).derives_from_parameters
    assert not grid(("accumulators.entries", "weight_sram.banks"), ("weight_sram.banks", "4")).derives_from_parameters
    undefined = grid(("weight_sram.banks", "1 / (mac_array.rows - 4)")).resolve(4)
    assert undefined.config is None
    assert undefined.reason == Reason("expression", "1 / (mac_array.rows - 4): division by zero")
    invalid = grid(("weight_sram.banks", "mac_array.rows - 4")).resolve(4)
    assert invalid.reason is not None
    assert invalid.reason.kind == "architecture"
    assert invalid.reason.what.startswith("weight_sram.banks: expected an integer")


@pytest.mark.parametrize("base", ["[]", "3", "{}", '{"family": "nope"}'])
def test_a_grid_of_no_machine_is_refused(base: str) -> None:
    data = json.loads(grid().to_json())
    assert Grid.from_json(json.dumps(data)) == grid()
    with pytest.raises(ValueError, match="a machine's data are fields with values, its family among them"):
        Grid.from_json(json.dumps([base, *data[1:]]))


def test_variants_of_workloads_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of three values two are kept: the one that was asked for longest ago is loaded again."""
    monkeypatch.setattr(workload_variants, "KEPT", 2)
    loaded: list[str] = []
    real = load_workload

    def counted(reference: str, overrides: tuple[Override, ...]) -> Any:
        loaded.append(overrides[0].value)
        return real(reference, overrides)

    monkeypatch.setattr(workload_variants, "load_workload", counted)
    variants = WorkloadVariants(["lstm:3,4,t=3"], with_files=False)
    for steps in "3435343":
        (workload,) = variants.of((Override("steps", steps),)).workloads
        assert workload.spec.steps == int(steps)
    assert loaded == ["3", "4", "5", "4"]
    wrong = variants.of((Override("steps", "0"),))
    assert wrong.workloads == ()
    assert wrong.reason is not None
    assert wrong.reason.kind == "workload"
    assert "\n" not in wrong.reason.what


def test_digests_of_workloads_are_of_their_settings(tmp_path: Path) -> None:
    def digest(text: str, *, files: bool = False, steps: str | None = None) -> str:
        overrides = () if steps is None else (Override("steps", steps),)
        return WorkloadVariants([text], with_files=files).digest(overrides)

    one = digest("lstm:3,4,t=3")
    assert one == digest("lstm:3,4,t=3")
    assert len({one, digest("lstm:3,4,t=4"), digest("lstm:3,4,t=3", files=True), digest("gru:3,4,t=3")}) == 4
    assert digest("lstm:3,4,t=3", steps="4") != one


def test_keys_are_of_all_that_results_depend_on() -> None:
    keys = {design_key(*words) for words in (("a", "b", "c", "d"), ("x", "b", "c", "d"), ("a", "x", "c", "d"))}
    keys |= {design_key("a", "b", "x", "d"), design_key("a", "b", "c", "x"), design_key("b", "a", "c", "d")}
    assert len(keys) == 6
    assert technology_digest(TINY) == technology_digest(load_arch("tiny_2x2").config)


def test_the_reason_of_a_memory_that_is_too_small() -> None:
    error = CapacityError("sram", 36, 30, "bytes", "W of layer 0", ())
    assert capacity_reason(error) == Reason("capacity", "sram: W of layer 0", 36, 30, "bytes")
