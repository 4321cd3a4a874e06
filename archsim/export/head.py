"""A run that has not begun, and the fields with which every export of it begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from archsim import __version__
from archsim.api.machine_spec import machine_spec
from archsim.api.own_activity import with_own_activity
from archsim.engines.events import MachineSpec
from archsim.export.plain import ObjectWriter
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import AskedSchedule, build_program, check_units, find_schedule
from archsim.hardware.unit import Units
from archsim.program.ir import Program
from archsim.program.verifier import verify
from archsim.workload import Workload


@dataclass(frozen=True, slots=True)
class VerifiedRun:
    """A verified program with the machine and the workload that it is for."""

    arch: Arch
    workload: Workload
    schedule: Schedule[Any]
    program: Program
    units: Units
    spec: MachineSpec

    @classmethod
    def make(cls, arch: Arch, workload: Workload, schedule: AskedSchedule) -> VerifiedRun:
        """Build and verify the program; raises what `simulate` raises before it executes anything."""
        units = build_units(arch.config)
        found = find_schedule(schedule, arch.config.family)
        workload = with_own_activity(workload, found, arch)
        program = build_program(found, workload.spec, arch.config)
        check_units(program, units)
        verify(program)
        return cls(arch, workload, found, program, units, machine_spec(program, arch, units))

    def write_head(self, out: ObjectWriter, file_format: str, version: int) -> None:
        """Write the fields that say what the file is, and of which run."""
        out.field("format", file_format)
        out.field("version", version)
        out.field("generator", f"archsim {__version__}")
        out.field("architecture", self.arch.name)
        out.field("workload", self.workload.name)
        out.field("schedule", self.schedule.name)
