"""Says what is wrong with a family of machines that another package offers, before a machine of it is described."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, get_args

from archsim.config.extensions import not_text
from archsim.config.text import shown, shown_with_type
from archsim.families.family import Family
from archsim.families.machine_config import MachineConfig
from archsim.families.schedule import Schedule
from archsim.families.schedule_faults import schedule_fault
from archsim.hardware.unit import Unit

COMPUTED = ("compute", "recurrence", "sequencer", "weight_sram")
"""The bounds on a step that are no unit's occupancy."""


def family_fault(family: Family[Any]) -> str:
    """The first fault of a family, in words that name the attribute; "" if it has none."""
    return (
        not_text(family, "name", "summary")
        or _config_fault(family)
        or _units_fault(family)
        or _schedules_fault(family)
        or _bounds_fault(family)
        or _explained_fault(family)
    )


def _config_fault(family: Family[Any]) -> str:
    config: object = family.config
    if not (isinstance(config, type) and issubclass(config, MachineConfig)):
        return f"config must be a subclass of MachineConfig, got {shown_with_type(config)}"
    if inspect.isabstract(config):
        return f"{config.__name__} lacks {', '.join(sorted(config.__abstractmethods__))}"
    tags = get_args(config.model_fields["family"].annotation)
    if tags != (family.name,):
        return f"config must be a model whose field family is Literal[{family.name!r}], got {config.__name__}"
    return ""


def _units_fault(family: Family[Any]) -> str:
    kinds: object = family.unit_kinds
    if not (isinstance(kinds, tuple) and kinds and all(isinstance(k, type) and issubclass(k, Unit) for k in kinds)):
        return f"unit_kinds must be a tuple of at least one subclass of Unit, got {shown_with_type(kinds)}"
    for kind in kinds:
        fault = not_text(kind, "name", "summary", "item_name")
        if fault:
            return f"{kind.__name__}: {fault}"
    return "" if callable(family.units) else f"units must be a function, got {shown_with_type(family.units)}"


def _schedules_fault(family: Family[Any]) -> str:
    schedules: object = family.schedules
    if not (isinstance(schedules, tuple) and schedules and all(isinstance(found, Schedule) for found in schedules)):
        return f"schedules must be a tuple of at least one Schedule, got {shown_with_type(schedules)}"
    for schedule in schedules:
        fault = schedule_fault(schedule)
        if fault:
            return f"schedule {shown(getattr(schedule, 'name', type(schedule).__name__))}: {fault}"
        if schedule.family != family.name:
            return f"schedule {schedule.name} is for machines of the family {schedule.family}"
    return ""


def _bounds_fault(family: Family[Any]) -> str:
    bounds: object = family.bounds
    if not (isinstance(bounds, Mapping) and bounds and all(isinstance(text, str) for text in bounds.values())):
        return f"bounds must map at least one bound to what it is, got {shown_with_type(bounds)}"
    known = (*COMPUTED, *dict.fromkeys(kind.name for kind in family.unit_kinds))
    for name in bounds:
        if name not in known:
            return f"bounds: there is no bound {shown(name)}; expected some of {', '.join(known)}"
    return ""


def _explained_fault(family: Family[Any]) -> str:
    explained: object = family.explained
    if not isinstance(explained, Mapping):
        return f"explained must map bounds to losses, got {shown_with_type(explained)}"
    for name, losses in explained.items():
        if name not in family.bounds:
            return f"explained: {shown(name)} is none of the family's bounds: {', '.join(family.bounds)}"
        if not (isinstance(losses, tuple) and all(isinstance(loss, str) for loss in losses)):
            return f"explained: {name} must have a tuple of losses, got {shown_with_type(losses)}"
    return ""
