"""Writes where the cycles went: the MAC array's stack, and how busy every unit is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics.stacks import BUCKETS
from archsim.report.text.figures_as_text import part, percent
from archsim.report.text.layout import heading, sentence, table
from archsim.report.text.steps import STEP_BUCKETS, busy_cycles, step_stacks

if TYPE_CHECKING:
    from rich.console import RenderableType

_BAR_CELLS = 10
_WORK = ("useful", "padding", "wait_port")


def mac_stack(simulation: Simulation) -> list[RenderableType]:
    """The section on the MAC array's stack: every bucket with a cycle, and the names of the others."""
    multipliers = simulation.arch.config.multipliers
    stats, steps = simulation.stats, step_stacks(simulation)[multipliers.unit]
    rows = [
        (
            bucket,
            f"{amount:,}",
            part(amount, stats.latency_cycles),
            part(steps[bucket], stats.body_cycles) if bucket in STEP_BUCKETS else "-",
            BUCKETS[bucket],
        )
        for bucket, amount in stats.cycle_stack.items()
        if amount
    ]
    rows.append(("sum", f"{stats.latency_cycles:,}", percent(1), percent(1), ""))
    empty = [bucket for bucket, amount in stats.cycle_stack.items() if not amount]
    found = [
        heading(f"Cycle stack of the {multipliers.title}", "every cycle of the run is in one bucket"),
        table(
            ("<", ">", ">", ">", "<~"),
            ("bucket", "cycles", "of run", "of steps", "what it is"),
            rows,
            strong=(len(rows) - 1,),
        ),
    ]
    return [*found, sentence(f"0 cycles in: {', '.join(empty)}")] if empty else found


def units(simulation: Simulation) -> list[RenderableType]:
    """The section on units: how much of the time steps each holds an op, and what it waits for most."""
    length = simulation.stats.body_cycles
    stacks = step_stacks(simulation)
    rows = []
    for name, busy in busy_cycles(simulation).items():
        share = busy / length if length else 0.0
        bar = "#" * round(share * _BAR_CELLS)
        waits = {bucket: n for bucket, n in stacks[name].items() if bucket not in _WORK and n}
        worst = max(waits, key=lambda bucket: waits[bucket], default="")
        most = f"{worst} {part(waits[worst], length)}" if worst else "nothing"
        rows.append((name, f"{busy:,}", percent(share), f"[{bar:.<{_BAR_CELLS}}]", most))
    return [
        heading("Units during the time steps", f"busy: holds an op; of {length:,} cycles"),
        table(("<", ">", ">", "<", "<~"), ("unit", "busy cycles", "busy", "0 .. 100 %", "otherwise mostly"), rows),
    ]
