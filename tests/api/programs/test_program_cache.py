"""The programs that a cache keeps: as many as it may, also where one set of fields has several."""

from __future__ import annotations

from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.config.read_tracking import read_only_as
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.families.schedule import Schedule
from archsim.families.schedules import find_schedule
from archsim.program.ir import Program
from archsim.workload import NetworkSpec, load_workload

UNITS = ("dram", "mac_array", "activation", "elementwise")
SPEC = load_workload("lstm:3,2,t=4").spec


class Asking(Schedule[GemvConfig]):
    """fused, which besides asks how many MiB the weight SRAM has: a program for each answer."""

    name = "asking"
    summary = "asks"
    family = "gemv"
    splits_sums = False
    interleaves_gates = True

    def build(self, spec: NetworkSpec, config: GemvConfig) -> Program:
        read_only_as(config.weight_sram, "capacity_bytes", lambda found: found >> 20)
        return find_schedule("fused").build(spec, config)


def config(mebibytes: int) -> GemvConfig:
    found = load_arch("edge_16x16", [parse_override(f"weight_sram.capacity_bytes={mebibytes}MiB")]).config
    assert isinstance(found, GemvConfig)
    return found


def test_of_one_set_of_fields_it_keeps_as_many_programs_as_it_may() -> None:
    """Machines that differ in the answer alone stand under one key; the oldest of three is dropped, no other."""
    cache, schedule = ProgramCache(2), Asking()
    for mebibytes, built in ((1, 1), (1, 1), (2, 2), (1, 2), (3, 3), (2, 3), (3, 3), (1, 4), (3, 4), (2, 5)):
        cache.get(config(mebibytes), SPEC, schedule, UNITS)
        assert cache.built == built
