"""Defines a family of machines: one value that names its description, units, schedules and bounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from archsim.families.machine_config import MachineConfig
    from archsim.families.rtl import RtlDesign, RtlSource
    from archsim.families.schedule import Schedule
    from archsim.hardware.unit import Unit
    from archsim.program.ir import Op

ConfigT = TypeVar("ConfigT", bound="MachineConfig")


@dataclass(frozen=True, slots=True)
class Family(Generic[ConfigT]):
    """A family of machines: everything that the layers above need to know of it.

    `config`: the model that architecture files of the family are validated with; its field `family` is a Literal of
    `name`. `unit_kinds`: every kind of unit that executes ops of its programs. `units`: the units of one machine, in
    the order in which reports show them. `schedules`: at least one; the first runs if none is asked for. `bounds`:
    name of each lower bound on a time step -> what it is, in the order in which reports show them; "compute",
    "recurrence" and "sequencer" are computed for every family, "weight_sram" where the config says how many bits of
    weights a cycle brings, and the name of a unit stands for its occupancy. `explained`: the losses of the
    multipliers (buckets of metrics.stacks) that follow from a bound where it binds.
    `reference_ops`: the kinds of op whose arithmetic is, in every bit, that of archsim's integer reference; a program
    with any other kind, be it derived from one of these, is not judged by it. `rtl`: makes the RTL of a program, if the
    family has any.
    """

    name: str
    summary: str
    config: type[ConfigT]
    unit_kinds: tuple[type[Unit[Any]], ...]
    units: Callable[[ConfigT], tuple[Unit[Any], ...]]
    schedules: tuple[Schedule[ConfigT], ...]
    bounds: Mapping[str, str]
    explained: Mapping[str, tuple[str, ...]]
    reference_ops: frozenset[type[Op]] = frozenset()
    rtl: Callable[[RtlSource], RtlDesign] | None = None
