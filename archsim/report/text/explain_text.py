"""Writes why a run takes as long as it does: its latency by unit and cause, and what a step waits for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from archsim.api.explain import Explanation, Step
from archsim.critical import CAUSES, LatencyStack, Link
from archsim.program.ir import Op
from archsim.report.text.figures_as_text import cycles, part, plural
from archsim.report.text.layout import facts, heading, sentence, table, title

if TYPE_CHECKING:
    from rich.console import Console, RenderableType


def print_explanation(found: Explanation, console: Console) -> None:
    """Print an explanation; colours and width are the console's."""
    name = f"{found.workload.name} on {found.arch.name}, schedule {found.program.schedule}"
    parts = [title(f"{name}: {found.latency_cycles:,} cycles"), *latency_by_cause(found.stack, found.latency_cycles)]
    for step in found.steps:
        parts += _step(found, step)
    if not found.steps:
        parts.append(sentence(_no_steps(found)))
    console.print(*parts, sep="\n", soft_wrap=False, markup=False, highlight=False, emoji=False)


def composition(stack: LatencyStack, whole: float) -> str:
    """A stack as a line, largest first: "of 1,298 cycles: 1,192 mac_array useful, ..."."""
    parts = sorted(stack_rows(stack), key=lambda row: -row[2])
    return f"of {cycles(whole)} cycles: " + ", ".join(f"{amount:,} {unit} {cause}" for unit, cause, amount in parts)


def stack_rows(stack: LatencyStack) -> list[tuple[str, str, int]]:
    """(unit, cause, cycles) of a stack."""
    return [(unit, cause, amount) for unit, causes in stack.items() for cause, amount in causes.items()]


def latency_by_cause(stack: LatencyStack, latency_cycles: int) -> list[RenderableType]:
    """The latency by unit and cause, largest first, and what the causes are."""
    rows = [
        (unit, cause, f"{amount:,}", part(amount, latency_cycles))
        for unit, cause, amount in sorted(stack_rows(stack), key=lambda row: -row[2])
    ]
    rows.append(("sum", "", f"{latency_cycles:,}", part(1, 1)))
    note = "the critical path: each cycle is one op's or a wait's, and they sum to the latency"
    headers = ("unit", "cause", "cycles", "share")
    found_causes = {cause for causes in stack.values() for cause in causes}
    meanings = [(cause, meaning) for cause, meaning in CAUSES.items() if cause in found_causes]
    return [
        heading("Where the latency goes", note),
        table(("<", "<", ">", ">"), headers, rows, strong=(len(rows) - 1,)),
        heading("What the causes are"),
        facts(meanings),
    ]


def _step(found: Explanation, step: Step) -> list[RenderableType]:
    """A step: its cycles, what they are, and the chain op by op."""
    phase = found.program.phases[step.phase]
    which = f" of {phase.name}" if len(found.steps) > 1 else ""
    span = "" if step.steps == 1 else f"; the chain spans {plural(step.steps, 'step')}"
    note = f"in the long run{span}: the cycle of dependencies, units and issue that takes longest a step"
    parts = [
        heading(f"One time step{which}: {cycles(float(step.cycles_per_step))} cycles", note),
        sentence(f"{composition(step.stack, step.cycle.cycles)}."),
    ]
    if step.recurrence is not None:
        alone = cycles(float(step.recurrence))
        parts.append(sentence(f"Dependencies alone, with units and a sequencer for each step: {alone} cycles."))
    rows, at = [], 0
    for ops, unit, cause, length in _chain(step.links, phase.ops):
        rows.append((f"{at:,}", f"{at + length:,}", f"{length:,}", unit, cause, ops))
        at += length
    headers = ("from", "to", "cycles", "unit", "cause", "ops")
    return [*parts, table((">", ">", ">", "<", "<", "<~"), headers, rows)]


def _chain(links: Sequence[Link], ops: Sequence[Op]) -> Iterator[tuple[str, str, str, int]]:
    """(ops, unit, cause, cycles) of links of a unit and cause that follow each other."""

    def kind(link: Link) -> tuple[str, str]:
        return ("sequencer" if link.cause == "issue" else ops[link.op].unit), link.cause.value

    for (unit, cause), group in groupby(links, key=kind):
        together = list(group)
        labels = [ops[link.op].label for link in together]
        text = labels[0] if len(labels) == 1 else f"{labels[0]} to {labels[-1]} ({len(labels)} ops)"
        yield text, unit, cause, sum(link.cycles for link in together)


def _no_steps(found: Explanation) -> str:
    if all(phase.repeat <= 1 for phase in found.program.phases):
        return "There is one time step: nothing is passed on to another."
    used = {op.unit for phase in found.program.phases for op in phase.ops}
    varying = [unit for name, unit in found.units.items() if name in used and not unit.static]
    by_data = sorted(unit.name for unit in varying if unit.recorded)
    by_history = [unit.name for unit in varying if not unit.recorded]
    by_history += [f"the one port of {memory}" for memory in found.arch.config.single_ported]
    why = []
    if by_data:
        why.append(f"here a step's times follow from its own data ({', '.join(by_data)}: columns that have changed)")
    if by_history:
        why.append(f"here times depend on when ops start ({', '.join(sorted(by_history))})")
    return f"What a step waits for in the long run is not said: {'; '.join(why) or 'no step waits for the one before'}."
