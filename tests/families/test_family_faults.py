"""What the author of a family or a schedule forgot or mistyped, each said in words that name the attribute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest
from pydantic import Field

from archsim.errors import ExtensionError
from archsim.families.family import Family
from archsim.families.family_faults import family_fault
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.family import GEMV
from archsim.families.load import load_arch
from archsim.families.machine_config import MachineConfig, Multipliers
from archsim.families.registry import FAMILIES, build_units
from archsim.families.schedule import Schedule
from archsim.families.schedule_faults import schedule_fault
from archsim.families.schedules import find_schedule
from archsim.hardware.unit import Unit
from archsim.workload.network import NetworkSpec
from tests.extending.entries import offered


class MineConfig(GemvConfig):
    """A machine of the family mine."""

    family: Literal["mine"] = Field(description="kind of machine")  # type: ignore[assignment] # a tag of its own


class HalfConfig(MachineConfig):
    """A machine whose author forgot what a family must answer."""

    family: Literal["mine"] = Field(description="kind of machine")


class NamelessUnit(Unit[Any]):
    """A unit whose author forgot its name."""


@dataclass(frozen=True)
class MySchedule(Schedule[Any]):
    """A schedule of which a test sets what it says."""

    name: Any = "my_order"
    summary: Any = "an order"
    family: Any = "mine"
    splits_sums: Any = True
    interleaves_gates: Any = False

    def build(self, spec: NetworkSpec, config: Any) -> Any:
        raise NotImplementedError


class Unsaid(Schedule[Any]):
    """A schedule of which nothing is said but what it builds."""

    def build(self, spec: NetworkSpec, config: Any) -> Any:
        raise NotImplementedError


FINE = replace(GEMV, name="mine", config=MineConfig, schedules=(MySchedule(),))


@pytest.mark.parametrize("family", FAMILIES)
def test_families_of_archsim_itself_have_no_fault(family: str) -> None:
    assert family_fault(FAMILIES[family]) == ""
    assert [schedule_fault(schedule) for schedule in FAMILIES[family].schedules if schedule_fault(schedule)] == []


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("summary", None, "summary must be text, got null"),
        ("config", 3, "config must be a subclass of MachineConfig, got the integer 3"),
        ("config", GEMV.unit_kinds, "config must be a subclass of MachineConfig, got the value"),
        ("config", HalfConfig, "HalfConfig lacks compute_cycles_per_step, function_unit, "),
        ("config", GemvConfig, "config must be a model whose field family is Literal['mine'], got GemvConfig"),
        ("unit_kinds", (), "unit_kinds must be a tuple of at least one subclass of Unit"),
        ("unit_kinds", list(GEMV.unit_kinds), "unit_kinds must be a tuple"),
        ("unit_kinds", (NamelessUnit,), "NamelessUnit: name must be text, got null"),
        ("units", None, "units must be a function, got null"),
        ("schedules", (), "schedules must be a tuple of at least one Schedule"),
        ("schedules", MySchedule(), "schedules must be a tuple"),
        ("schedules", (MySchedule,), "schedules must be a tuple"),
        ("schedules", (MySchedule(family="gemv"),), "schedule my_order is for machines of the family gemv"),
        ("schedules", (MySchedule(splits_sums=1),), "schedule 'my_order': splits_sums must be True or False"),
        ("bounds", {}, "bounds must map at least one bound to what it is"),
        ("bounds", ["compute"], "bounds must map at least one bound to what it is, got the list"),
        ("bounds", {"compute": 3}, "bounds must map at least one bound to what it is"),
        ("bounds", {"recurence": "h"}, "bounds: there is no bound 'recurence'; expected some of compute, recurrence, "),
        ("explained", None, "explained must map bounds to losses, got null"),
        ("explained", {"flux": ("wait_port",)}, "explained: 'flux' is none of the family's bounds: compute, "),
        ("explained", {"compute": "wait_port"}, "explained: compute must have a tuple of losses, got the string"),
    ],
)
def test_a_family_s_fault_names_the_attribute(attribute: str, value: object, message: str) -> None:
    changes: Any = {attribute: value}
    family: Family[Any] = replace(FINE, **changes)
    assert family_fault(FINE) == ""
    assert family_fault(family).startswith(message)
    assert "\n" not in family_fault(family)


class Misnamed(MineConfig):
    """A machine whose author mistyped the unit that the multipliers are in."""

    @property
    def multipliers(self) -> Multipliers:
        return replace(super().multipliers, unit="mac_arry")


def test_multipliers_are_in_a_unit_that_the_machine_has() -> None:
    fields = load_arch("tiny_2x2").config.model_dump() | {"family": "mine"}
    with offered("archsim.families", mine=FINE):
        assert "mac_array" in build_units(MineConfig.model_validate(fields))
        misnamed = Misnamed.model_validate(fields)
        with pytest.raises(ExtensionError) as caught:
            build_units(misnamed)
    assert str(caught.value) == (
        "archsim.families: mine: multipliers are in the unit 'mac_arry', which the machine does not have; it has dram, "
        "mac_array, activation, elementwise"
    )


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (MySchedule(name=3), "schedule 3: name must be text, got the integer 3"),
        (MySchedule(family=None), "schedule 'my_order': family must be text, got null"),
        (MySchedule(splits_sums="yes"), "schedule 'my_order': splits_sums must be True or False, got the string 'yes'"),
        (MySchedule(interleaves_gates=None), "schedule 'my_order': interleaves_gates must be True or False, got null"),
        (Unsaid(), "schedule 'Unsaid': name must be text, got null"),
        # Words are joined by "_" alone: of "my-order" they would be looked for as "my" and "order", and never found.
        (MySchedule(name="my-order"), "schedule 'my-order': name must be words of letters and digits, joined by \"_\""),
        (MySchedule(name="my order"), "schedule 'my order': name must be words"),
        (MySchedule(name="_"), "schedule '_': name must be words"),
    ],
)
def test_a_schedule_that_is_given_says_what_it_must(schedule: Schedule[Any], message: str) -> None:
    with pytest.raises(ExtensionError) as caught:
        find_schedule(schedule, "mine")
    assert str(caught.value).startswith(message)
    assert find_schedule(MySchedule(), "mine") == MySchedule()
