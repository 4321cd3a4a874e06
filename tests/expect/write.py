"""Writes the expected programs: `python -m tests.expect.write`."""

from __future__ import annotations

from pathlib import Path

from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.report import program_listing
from archsim.workload import load_workload

FOLDER = Path(__file__).parent

ARCH, WORKLOAD = "tiny_2x2", "lstm_3_2_t4"


def expected_listing(schedule: str) -> str:
    """What `archsim program tiny_2x2 lstm_3_2_t4 --schedule SCHEDULE` prints."""
    config = load_arch(ARCH).config
    program = find_schedule(schedule).build(load_workload(WORKLOAD).spec, config)
    units = build_units(config)
    services = tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)
    return program_listing(program, services)


if __name__ == "__main__":
    for found in GEMV_SCHEDULES:
        (FOLDER / f"{found.name}.expect").write_text(expected_listing(found.name), encoding="utf-8")
