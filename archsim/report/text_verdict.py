"""What was run, and whether it computed the right numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.report.layout import facts, heading, sentence, table, title
from archsim.report.numbers import error, plural, significant
from archsim.schedules import find_schedule
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    from rich.console import RenderableType

TIMING_ONLY = "timing only: nothing was computed"


def header(simulation: Simulation) -> list[RenderableType]:
    """Machine, workload, schedule and the verdict in a word."""
    stats, arch, spec = simulation.stats, simulation.arch.config, simulation.workload.spec
    array = arch.mac_array
    formats = ", ".join(dict.fromkeys(arch.formats.model_dump().values()))
    return [
        title(f"{stats.workload} on {stats.arch}, schedule {stats.schedule}"),
        facts(
            [
                ("machine", f"{stats.arch}: {arch.summary}"),
                *([("changed", f"with --set: {', '.join(stats.overrides)}")] if stats.overrides else []),
                ("clock", f"{significant(arch.clock_mhz)} MHz (1 cycle = {significant(1000 / arch.clock_mhz)} ns)"),
                (
                    "MAC array",
                    f"{array.rows} rows x {array.columns} columns = {array.rows * array.columns:,} MACs a cycle, "
                    f"{formats}",
                ),
                ("workload", f"{stats.workload}: {simulation.workload.config.summary}"),
                (
                    "sizes",
                    f"{_layers(spec)}, "
                    f"T = {plural(spec.steps, 'time step')}, B = {plural(spec.batch, 'sequence')}; "
                    f"{stats.macs:,} MACs in all",
                ),
                ("schedule", f"{stats.schedule}: {find_schedule(stats.schedule).summary}"),
                ("program", f"{stats.program_ops:,} ops executed"),
                ("arithmetic", _verdict(simulation)),
            ]
        ),
    ]


def validation(simulation: Simulation) -> list[RenderableType]:
    """Each comparison with its error, the bound on it, and the reference."""
    verdict = simulation.validation
    head = heading("Validation", "does the machine compute what the model computes?")
    if verdict.passed is None:
        return [head, sentence(TIMING_ONLY)]
    rows = [
        (
            check.name,
            check.reference,
            error(check.max_abs_error),
            error(check.max_rel_error),
            "passed" if check.passed else "FAILED",
        )
        for check in verdict.checks
    ]
    return [
        head,
        table(("<", "<~", ">", ">", "<"), ("tensor", "reference", "max error", "relative", "verdict"), rows),
        sentence(
            "max error: of any element, absolute; relative: that error over the tensor's largest magnitude, allowed "
            f"up to {error(verdict.tolerance)}. The golden model is a functional LSTM in float64 that shares no code "
            "with the simulator."
        ),
        sentence("PASSED" if verdict.passed else "FAILED: do not trust these results", "bold"),
    ]


def _verdict(simulation: Simulation) -> str:
    verdict = simulation.validation
    if verdict.passed is None or verdict.max_rel_error is None:
        return TIMING_ONLY
    word = "PASSED" if verdict.passed else "FAILED"
    return f"{word}: largest relative error {error(verdict.max_rel_error)}, allowed {error(verdict.tolerance)}"


def _layers(spec: NetworkSpec) -> str:
    """What the network is made of: each layer's kind, inputs and hidden units."""
    parts = []
    for layer in spec.layers:
        cell = layer[0]
        projected = f" -> {cell.proj_size}" if cell.proj_size else ""
        way = " both ways" if len(layer) > 1 else " in reverse" if cell.reverse else ""
        parts.append(
            f"{cell.kind.upper()}{way} of I = {plural(cell.input_size, 'input')}, "
            f"H = {plural(cell.hidden_size, 'hidden unit')}{projected}"
        )
    return "; ".join(parts)
