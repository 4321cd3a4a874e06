"""The families of machines: what each is described by, and which units it is built of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.units import GEMV_KINDS, gemv_units
from archsim.families.machine_config import MachineConfig
from archsim.families.npu.config import NpuConfig
from archsim.families.npu.units import NPU_KINDS, npu_units
from archsim.families.systolic.config import SystolicConfig
from archsim.families.systolic.units import SYSTOLIC_KINDS, systolic_units
from archsim.hardware.unit import Unit, Units, unit_name

DEFAULT_FAMILY = "gemv"
"""The family of an architecture file that names none."""


@dataclass(frozen=True, slots=True)
class Family:
    """A family of machines.

    `unit_kinds`: every kind of unit that executes ops; `units`: the units of a machine of this family, in the order in
    which reports show them. Its schedules stand in archsim.schedules, its bounds in archsim.metrics.bounds, and what to
    do about them in archsim.report.text.advice, each under the family's name.
    """

    name: str
    summary: str
    config: type[MachineConfig]
    unit_kinds: tuple[type[Unit[Any]], ...]
    units: Callable[[Any], tuple[Unit[Any], ...]]


FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        family.name: family
        for family in (
            Family(
                "gemv",
                "one MAC array for tiles of a GEMV, activation and element-wise units behind it, weights behind DRAM",
                GemvConfig,
                GEMV_KINDS,
                gemv_units,
            ),
            Family(
                "npu",
                "chains of vector units behind a matrix-vector unit of tiles; weights resident, VLIW instructions",
                NpuConfig,
                NPU_KINDS,
                npu_units,
            ),
            Family(
                "systolic",
                "a weight-stationary systolic array; weights stream from DRAM through a FIFO every time step",
                SystolicConfig,
                SYSTOLIC_KINDS,
                systolic_units,
            ),
        )
    }
)
"""Every family, by its name."""


def build_units(config: MachineConfig) -> Units:
    """Every unit of a machine that executes ops, by its name, in the order in which reports show them.

    Of several units of a kind the first has the kind's name, the others that with a number from 1 on.
    """
    built: dict[str, Unit[Any]] = {}
    for unit in FAMILIES[config.family].units(config):
        number = sum(unit.name == other.name for other in built.values())
        built[unit_name(unit.name, number)] = unit
    return MappingProxyType(built)
