"""Writes how long the run takes, what limits a step, and what that means as throughput."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.families.registry import family_of
from archsim.metrics import Stats, declared
from archsim.program.ir import PhaseKind
from archsim.report.text.binding import binding_sentence, gap_sentence, is_alone
from archsim.report.text.explain_text import composition
from archsim.report.text.figures_as_text import cycles, part, percent, plural, significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_SHARES = ("mac_utilization", "steady_state_mac_utilization")
_COLD = 0.8
"""A run of which so much is loading is called a cold start."""
UNSTEADY = 2
"""With so many time steps or fewer there is no steady state."""
_THROUGHPUT = ("throughput_gops", "steady_state_throughput_gops", "peak_throughput_gops")


def latency(simulation: Simulation) -> list[RenderableType]:
    """The section on latency: cycles and us of the run and its phases."""
    stats, clock = simulation.stats, simulation.arch.config.clock_mhz
    about = declared(Stats)
    parts = (
        ("prologue", stats.prologue_cycles, about["prologue_cycles"].meaning),
        ("time steps", stats.body_cycles, f"{about['body_cycles'].meaning} (T = {simulation.workload.spec.steps:,})"),
        *(
            [("handover", stats.handover_cycles, about["handover_cycles"].meaning)]
            if simulation.program.of_kind(PhaseKind.HANDOVER)
            else []
        ),
        ("epilogue", stats.epilogue_cycles, about["epilogue_cycles"].meaning),
        ("whole run", stats.latency_cycles, about["latency_cycles"].meaning),
    )
    rows = [
        (name, f"{length:,}", significant(length / clock), part(length, stats.latency_cycles), meaning)
        for name, length, meaning in parts
    ]
    headers = ("phase", about["latency_cycles"].unit, about["latency_us"].unit, "share", "what it is")
    found = [heading("Latency"), table(("<", ">", ">", ">", "<~"), headers, rows, strong=(len(rows) - 1,))]
    note = cold_start(simulation)
    return [*found, sentence(note)] if note else found


def cold_start(simulation: Simulation) -> str:
    """The words for a run that is nearly all loading: what it answers, and how the other question is asked."""
    stats, spec = simulation.stats, simulation.workload.spec
    if spec.streaming or stats.prologue_cycles < _COLD * stats.latency_cycles:
        return ""
    other = ""
    if simulation.schedule.streams and not spec.runs_in_reverse and spec.lengths is None:
        other = " Of a machine that is on, to which the steps come as frames: streaming=1 (--set streaming=true)."
    return (
        f"This run is a cold start: {part(stats.prologue_cycles, stats.latency_cycles)} of it loads what stays.{other}"
    )


def step(simulation: Simulation, findings: Findings) -> list[RenderableType]:
    """The section on a step: the steady-state step beside every bound, and what its cycles are."""
    stats, clock = simulation.stats, simulation.arch.config.clock_mhz
    about = declared(Stats)["cycles_per_step"]
    family = family_of(simulation.arch.config)
    meanings = family.bounds
    steady = simulation.workload.spec.steps > UNSTEADY
    which = "in the steady state" if steady else "the last one, since there are too few for a steady state"
    alone = is_alone(simulation.workload.spec)
    rows = [("simulated", cycles(stats.cycles_per_step), percent(1), about.meaning)]
    for name in sorted(stats.bounds, key=lambda name: -stats.bounds[name]):
        mark = "<-- binds: " if name == stats.binding_bound else ""
        share = stats.bounds[name] / stats.cycles_per_step
        rows.append((name, cycles(stats.bounds[name]), percent(share), mark + meanings[name]))
    found = [
        heading("One time step", f"{which}: {significant(stats.cycles_per_step / clock)} us"),
        table(("<", ">", ">", "<~"), ("bound", "cycles/step", "of step", "what it is"), rows, strong=(0, 1)),
        sentence(binding_sentence(stats, alone=alone, steps_differ=simulation.activity is not None)),
        *(sentence(f"{text}.") for text in step_compositions(simulation, findings)),
    ]
    gap = gap_sentence(stats, simulation.arch.config.multipliers.title, family.explained)
    return [*found, sentence(gap)] if gap else found


def step_compositions(simulation: Simulation, findings: Findings) -> Iterator[str]:
    """What a step's cycles are in the long run, for each body that is repeated: the critical cycle, largest first."""
    for of_body in findings.steps:
        phase = simulation.program.phases[of_body.phase]
        which = f" of {phase.name}" if len(findings.steps) > 1 else ""
        span = "a step" if of_body.steps == 1 else plural(of_body.steps, "step")
        yield f"In the long run {span}{which} is, {composition(of_body.stack, of_body.cycle.cycles)}"


def throughput(simulation: Simulation) -> list[RenderableType]:
    """The section on throughput: GOPS and the useful share of the MAC array."""
    stats, about = simulation.stats, declared(Stats)
    peak = stats.peak_throughput_gops
    rows = [
        (name.removesuffix("_gops"), f"{significant(getattr(stats, name))} {about[name].unit}", about[name].meaning)
        for name in _THROUGHPUT
    ]
    rows += [(name, percent(getattr(stats, name)), about[name].meaning) for name in _SHARES]
    steady = stats.steady_state_throughput_gops / peak if peak else 0
    return [
        heading("Throughput and MAC utilization", f"steady state: {percent(steady)} of the peak"),
        table(("<", ">", "<~"), None, rows),
    ]
