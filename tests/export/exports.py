"""Programs and traces as the command line exports them, loaded again."""

from __future__ import annotations

import io
import json
from typing import Any

from archsim.cli.options import load_inputs
from archsim.export.op_times import CycleWindow, TracedRun
from archsim.export.program_json import ExportedProgram


def exported_program(
    arch: str, workload: str, schedule: str | None, *sets: str, timing_only: bool = False, with_contents: bool = False
) -> dict[str, Any]:
    """What `archsim program --json` writes."""
    machine, work = load_inputs(arch, workload, list(sets))
    text = io.StringIO()
    ExportedProgram.make(machine, work, schedule, timing_only, with_contents).write(text.write, with_contents)
    found: dict[str, Any] = json.loads(text.getvalue())
    return found


def exported_trace(arch: str, workload: str, schedule: str | None, *sets: str) -> dict[str, Any]:
    """What `archsim trace --json` writes."""
    machine, work = load_inputs(arch, workload, list(sets))
    text = io.StringIO()
    TracedRun.make(machine, work, schedule).write_json(text.write, CycleWindow())
    found: dict[str, Any] = json.loads(text.getvalue())
    return found
