"""Writes a run on one screen: what was asked, the answer, what it costs, what is lost, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.api.near_changes import NearChanges
from archsim.metrics.activity import ActivityFigures
from archsim.metrics.stacks import BUCKETS
from archsim.report.text.binding import is_alone, what_binds
from archsim.report.text.explain_text import stack_rows
from archsim.report.text.figures_as_text import behind, cycles, part, percent, plural, significant, span
from archsim.report.text.layout import facts, print_parts, title
from archsim.report.text.sections.changes_section import best_changes
from archsim.report.text.sections.energy_section import not_modelled
from archsim.report.text.sections.time_section import UNSTEADY, cold_start
from archsim.report.text.sections.verdict_section import note_rows, saturation_rows, verdict_in_a_line
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    from rich.console import Console

NAME = len("utilization")
"""Characters of the longest name of a line, where steps or frames do not differ."""
LOSSES = 3
"""How many losses are named."""
USEFUL = "useful"
MORE = "archsim explain, archsim whatif, with the same arguments"
"""What says more of a run than its report."""
PARTS = 3
"""How many parts of a step are named."""

Line = tuple[str, str]


def print_summary(simulation: Simulation, findings: Findings, console: Console) -> None:
    """Print what was asked and the answer, without the changes; colours and width are the console's."""
    stats = simulation.stats
    name = title(f"{stats.workload} on {stats.arch}, schedule {stats.schedule}")
    print_parts([name, facts(summary_rows(simulation, findings))], console)


def summary_rows(simulation: Simulation, findings: Findings) -> list[Line]:
    """The lines of the summary: what each is about, and what is to be said."""
    rows = [*_asked(simulation), *_answer(simulation, findings), *_costs(simulation), *_losses(simulation, findings)]
    return [*rows, ("numbers", verdict_in_a_line(simulation)), *saturation_rows(simulation), *note_rows(simulation)]


def width_of_names(simulation: Simulation, findings: Findings) -> int:
    """Characters of the longest name of the summary's lines."""
    return max(len(name) for name, _ in summary_rows(simulation, findings))


def print_changes(changes: NearChanges, console: Console, width: int = NAME) -> None:
    """Print the best changes measured, and what measures the others; names as wide as those of the summary above."""
    rows = [(name.ljust(width) if name == "changes" else name, text) for name, text in change_rows(changes)]
    print_parts([facts([*rows, ("more", f"--full; {MORE}")])], console)


def change_rows(changes: NearChanges) -> list[Line]:
    """The lines of the summary on the best changes measured."""
    found = list(best_changes(changes))
    if changes.left_out:
        found = [f"not measured here: {changes.left_out}"]
    elif not found:
        found = ["of a single number, by a notch: none makes it faster"]
    return [("" if place else "changes", text) for place, text in enumerate(found)]


def _asked(simulation: Simulation) -> Iterator[Line]:
    spec, config = simulation.workload.spec, simulation.arch.config
    what = "frames on a machine that is on" if spec.streaming else "from cold, loading included"
    steps = plural(spec.steps, "frame" if spec.streaming else "time step")
    sequences = "" if spec.batch == 1 else f", {spec.batch:,} sequences"
    workload = _with(simulation.workload.overrides)
    yield "asked", f"{_network(spec)}, {steps}{sequences}: {what}{workload}"
    array = config.multipliers
    clock = f"{significant(config.clock_mhz)} MHz"
    changed = _with(simulation.arch.overrides)
    yield "machine", f"{array.size} = {array.macs_per_cycle:,} MACs a cycle at {clock}{changed}"
    idealized = len(simulation.stats.idealizations)
    if idealized:
        yield "idealized", f"{plural(idealized, 'thing')} that no chip has: --full names them"


def _with(overrides: Sequence[str]) -> str:
    """The words for what was set beside a file."""
    return f", with {', '.join(overrides)}" if overrides else ""


def _network(spec: NetworkSpec) -> str:
    """The network in a few words, layers that are alike counted."""
    found: list[list[str | int]] = []
    for number, layer in enumerate(spec.layers):
        cell = layer[0]
        way = (
            f", both ways{spec.merge_mode(number).words}" if len(layer) > 1 else ", in reverse" if cell.reverse else ""
        )
        text = f"{cell.kind.upper()}({cell.input_size:,}, {cell.hidden_size:,}{way})"
        if found and found[-1][0] == text:
            found[-1][1] = int(found[-1][1]) + 1
        else:
            found.append([text, 1])
    return " + ".join(str(text) if count == 1 else f"{count} x {text}" for text, count in found)


def _answer(simulation: Simulation, findings: Findings) -> Iterator[Line]:
    stats, frames, clock = simulation.stats, simulation.frames, simulation.arch.config.clock_mhz
    if frames is not None:
        yield "latency", f"{frames.frame_latency_cycles:,} cycles a frame, {significant(frames.frame_latency_us)} us"
        if (each := frames.differing_frames) is not None:
            spread = f"mean {cycles(each.mean_cycles)}, p95 {each.p95_cycles:,}, max {each.max_cycles:,} cycles"
            yield "frames differ", f"{spread} of {plural(each.frames, 'frame')}"
        interval = f"{cycles(frames.frame_interval_cycles)} cycles, {significant(frames.frame_interval_us)} us"
        yield "interval", f"{interval}: a frame can come so often"
        if frames.headroom is not None and frames.period_us is not None:
            yield "headroom", f"{significant(frames.headroom)} times in a period of {significant(frames.period_us)} us"
        if frames.arrivals is not None:
            found = frames.arrivals
            missed = found.missed_deadlines
            late = "" if missed is None else f"; {missed:,} of {plural(found.frames, 'frame')} too late"
            three = f"p50 {found.p50_cycles:,}, p99 {found.p99_cycles:,}, max {found.max_cycles:,} cycles"
            yield "arrivals", f"{three}{late}"
        loaded = plural(simulation.workload.spec.steps, "frame")
        yield "cold start", f"another question: {stats.latency_cycles:,} cycles for {loaded}, loading included"
        return
    loading = f"; {part(stats.prologue_cycles, stats.latency_cycles)} of it loads weights and states"
    yield "latency", f"{stats.latency_cycles:,} cycles, {significant(stats.latency_us)} us{loading}"
    if cold := cold_start(simulation):
        yield "cold start", cold
    step_us = significant(stats.cycles_per_step / clock)
    yield "a time step", f"{cycles(stats.cycles_per_step)} cycles, {step_us} us; {_binds(simulation, findings)}"
    if simulation.activity is not None:
        steps = simulation.workload.spec.steps
        mean = stats.body_cycles / steps
        yield "steps differ", f"mean of all {steps:,}: {cycles(mean)} cycles, {significant(mean / clock)} us"


def _binds(simulation: Simulation, findings: Findings) -> str:
    """Which bound binds a step and, if one body is repeated, what the step's cycles are."""
    alone = is_alone(simulation.workload.spec)
    binds = f"{what_binds(simulation.stats, alone=alone)} binds{', no step comes before' if alone else ''}"
    if len(findings.steps) != 1:
        return binds
    [step] = findings.steps
    parts = sorted(stack_rows(step.stack), key=lambda row: -row[2])
    named = ", ".join(f"{amount:,} {unit} {cause}" for unit, cause, amount in parts[:PARTS])
    rest = sum(amount for *_, amount in parts[PARTS:])
    return f"{binds}: {named}" + (f", {rest:,} others" if rest else "")


def _costs(simulation: Simulation) -> Iterator[Line]:
    """Utilization, energy and area: of a stream those of a frame, else of the run."""
    stats, frames = simulation.stats, simulation.frames
    if frames is not None:
        share = percent(frames.frame_mac_utilization)
        yield "utilization", f"{share} of the multipliers, {_behind(simulation.activity)}"
        if frames.frame_energy_uj is not None:
            idle = frames.frame_idle_energy_uj
            waiting = "" if idle is None else f"; {significant(idle)} uJ of it idle"
            ends = behind(frames.frame_energy_low_uj, frames.frame_energy_high_uj)
            yield "energy", f"{significant(frames.frame_energy_uj)} uJ{ends} a frame{waiting}"
    else:
        whole, steady = percent(stats.mac_utilization), percent(stats.steady_state_mac_utilization)
        columns = simulation.activity
        if columns is None:
            where = "in the steady state" if simulation.workload.spec.steps > UNSTEADY else "in the last step"
            yield "utilization", f"{whole} of the multipliers over the run, {steady} {where}"
        else:
            done, skipped = percent(columns.multiplied_utilization), percent(columns.skipped_share)
            yield "utilization", f"{done} of the multipliers, on what has changed; {skipped} of the model is skipped"
            yield "skipping", _skipping(columns, stats.latency_cycles)
        if stats.energy is not None:
            each, power = significant(stats.energy.pj_per_mac), significant(stats.energy.power_mw)
            ends = span(stats.energy.total_low_uj, stats.energy.total_high_uj)
            total = f"{significant(stats.energy.total_uj)} uJ ({ends})"
            yield "energy", f"{total}: {each} pJ/MAC, {power} mW on average"
    if stats.energy is None:
        yield "energy", not_modelled(simulation)
    if stats.area is not None:
        ends = span(stats.area.area_low_mm2, stats.area.area_high_mm2)
        yield "area", f"{significant(stats.area.area_mm2)} mm2 ({ends})"


def _behind(columns: ActivityFigures | None) -> str:
    """What the utilization of a stream counts: of a delta network also what is skipped, so that it may pass 100 %."""
    counted = "" if columns is None else f", counting the {percent(columns.skipped_share)} of the model that is skipped"
    return f"frame behind frame{counted}"


def _skipping(columns: ActivityFigures, latency_cycles: int) -> str:
    """What a delta network's run takes less than one that skips no column."""
    share = percent(1 - latency_cycles / columns.dense_latency_cycles)
    saved = f"saves {columns.dense_latency_cycles - latency_cycles:,} cycles, {share}"
    if columns.skipped_uj is None or columns.dense_energy_uj is None:
        return saved
    return f"{saved}, and {significant(columns.skipped_uj)} uJ, {percent(columns.skipped_uj / columns.dense_energy_uj)}"


def _losses(simulation: Simulation, findings: Findings) -> Iterator[Line]:
    """The largest parts of the latency but useful work of the multipliers; of a very long run those of their stack."""
    multipliers, stats = simulation.arch.config.multipliers, simulation.stats
    if findings.stack is not None:
        whole = stats.latency_cycles if simulation.frames is None else simulation.frames.frame_latency_cycles
        found = [
            (f"{unit} {'at work' if cause == USEFUL else cause}", amount)
            for unit, cause, amount in stack_rows(findings.stack)
            if (unit, cause) != (multipliers.unit, USEFUL)
        ]
    else:
        whole = stats.latency_cycles
        found = [(f"{multipliers.unit} {BUCKETS[name]}", n) for name, n in stats.cycle_stack.items() if name != USEFUL]
    largest = sorted((row for row in found if row[1]), key=lambda row: -row[1])[:LOSSES]
    for place, (name, amount) in enumerate(largest):
        yield ("" if place else "losses"), f"{amount:,} cycles, {part(amount, whole)}: {name}"
