"""Writes what was run, and whether it computed the right numbers: in a bound, in every bit, or not judged."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.checking.validation import GOLDEN, INTEGER_REFERENCE, Check, Validation
from archsim.formats import KINDS, Formats
from archsim.report.text.check_text import difference_text
from archsim.report.text.figures_as_text import error, plural, significant
from archsim.report.text.layout import facts, heading, sentence, table, title
from archsim.report.text.saturation_text import saturation_lines
from archsim.workload import NetworkSpec

if TYPE_CHECKING:
    from rich.console import RenderableType


def header(simulation: Simulation) -> list[RenderableType]:
    """The header: machine, workload, schedule and the verdict in a word."""
    stats = simulation.stats
    return [title(f"{stats.workload} on {stats.arch}, schedule {stats.schedule}"), facts(header_rows(simulation))]


def header_rows(simulation: Simulation) -> list[tuple[str, str]]:
    """The facts of the header, each with its name; "" of a line that goes on from the one before."""
    stats, arch, spec = simulation.stats, simulation.arch.config, simulation.workload.spec
    array = arch.multipliers
    return [
        ("machine", f"{stats.arch}: {arch.summary}"),
        *([("changed", f"with --set: {', '.join(stats.overrides)}")] if stats.overrides else []),
        ("clock", f"{significant(arch.clock_mhz)} MHz (1 cycle = {significant(1000 / arch.clock_mhz)} ns)"),
        (array.title, f"{array.size} = {array.macs_per_cycle:,} MACs a cycle, {formats_text(arch.formats)}"),
        ("workload", f"{stats.workload}: {simulation.workload.config.summary}"),
        (
            "sizes",
            f"{_layers(spec)}, T = {plural(spec.steps, 'time step')}{_of_file(simulation)}, "
            f"B = {plural(spec.batch, 'sequence')}; "
            f"{stats.macs:,} MACs in all",
        ),
        ("schedule", f"{stats.schedule}: {simulation.schedule.summary}"),
        *_blocks(simulation),
        ("program", f"{stats.program_ops:,} ops executed"),
        *_idealized(stats.idealizations),
        ("timed by", _executor(simulation)),
        ("arithmetic", verdict_in_a_line(simulation)),
        *saturation_rows(simulation),
        *note_rows(simulation),
    ]


def _idealized(lines: Sequence[str]) -> list[tuple[str, str]]:
    """What the machine grants that no chip has, a line each."""
    return [("" if place else "idealized", line) for place, line in enumerate(lines)]


def _of_file(simulation: Simulation) -> str:
    """The words for a run of the first steps of its input's file; nothing if it takes all."""
    steps = None if simulation.numbers is None else simulation.numbers.tensors.steps_in_file
    if steps is None or steps == simulation.workload.spec.steps:
        return ""
    return f" (the first of the {steps:,} in {simulation.workload.config.input.file})"


def _blocks(simulation: Simulation) -> list[tuple[str, str]]:
    """The words on the blocks of a hoisted schedule: steps of a block, and what to do if that is one."""
    steps = max((op.block_steps for phase in simulation.program.phases for op in phase.ops), default=0)
    if not steps:
        return []
    return [("blocks", f"W_ih x of {plural(steps, 'time step')} at once, for which W_ih is read once")]


def _executor(simulation: Simulation) -> str:
    used = simulation.executor
    joint = used.name == "machine" and not used.reason  # asked for by name
    numbers = "" if simulation.numbers is None or joint else "; the numbers are the untimed program's"
    if used.name == "machine":
        return "the machine" + (f" ({used.reason})" if used.reason else "") + numbers
    return f"the second executor, by recurrence{numbers}"


def validation(simulation: Simulation) -> list[RenderableType]:
    """The section on the numbers: each comparison with error, bound and reference; or why there is none."""
    verdict = simulation.validation
    if verdict.bitwise:
        return _bit_for_bit(verdict)
    head = heading("Validation", "does the machine compute what the model computes?")
    if not any(check.reference == GOLDEN for check in verdict.checks):
        word = [] if verdict.passed is None else [_word(verdict)]
        return [head, sentence(_not_judged(simulation)), *_brought(verdict), *word]
    rows = [
        (
            check.name,
            check.reference,
            error(check.max_abs_error),
            error(check.max_rel_error),
            "passed" if check.passed else "FAILED",
        )
        for check in verdict.checks
        if check.reference == GOLDEN
    ]
    return [
        head,
        table(("<", "<~", ">", ">", "<"), ("tensor", "reference", "max error", "relative", "verdict"), rows),
        sentence(
            "max error: of any element, absolute; relative: that error over the tensor's largest magnitude, allowed "
            f"up to {error(verdict.tolerance)}. The golden model is a functional LSTM in float64 that shares no code "
            "with the simulator."
        ),
        *(_firsts([check for check in verdict.checks if check.reference == GOLDEN])),
        *_brought(verdict),
        _word(verdict),
    ]


def _brought(verdict: Validation) -> list[RenderableType]:
    """The table of what the user brought along to be compared with, and what of that was not."""
    checks = verdict.brought
    rows = [
        (
            check.name,
            check.reference,
            check.subject,
            error(check.max_abs_error),
            error(check.max_rel_error),
            _allowed(check),
            "passed" if check.passed else "FAILED",
        )
        for check in checks
    ]
    found: list[RenderableType] = []
    if rows:
        names = ("tensor", "reference", "compared", "max error", "relative", "allowed", "verdict")
        found.append(table(("<", "<~", "<", ">", ">", ">", "<"), names, rows))
    distances = [check for check in checks if check.unbounded_error is not None]
    if distances:
        listed = ", ".join(f"{check.name} {error(check.unbounded_error or 0.0)}" for check in distances)
        found.append(
            sentence(
                f"What was expected of {', '.join(check.name for check in distances)} is what the golden model gives "
                f"in float64. The machine's numbers differ from it by up to ({listed}), on which no bound is stated "
                "(expected.tolerance)."
            )
        )
    found += _firsts(checks)
    found += [sentence(f"NOT VALIDATED: not compared: {reason}", "bold") for reason in verdict.not_compared]
    return found


def _allowed(check: Check) -> str:
    if check.within_codes is None:
        return error(check.tolerance)
    return plural(check.within_codes, "code") if check.within_codes else "equal codes"


def _firsts(checks: Sequence[Check]) -> list[RenderableType]:
    """The first difference of each check that failed, and why."""
    found: list[RenderableType] = []
    for check in checks:
        if not check.passed:
            where = "" if check.first is None else f"first difference at {difference_text(check.first)}. "
            found.append(sentence(f"{check.name} against {check.reference}: {where}{check.note}".rstrip(": ")))
    return found


def formats_text(formats: Formats) -> str:
    """The text of the formats of each kind of data; kinds that have the same are named together."""
    kinds: dict[str, list[str]] = {}
    for kind in KINDS:
        kinds.setdefault(formats.format(kind).name, []).append(kind)
    if len(kinds) == 1:
        return next(iter(kinds))
    return "; ".join(f"{', '.join(names)} {name}" for name, names in kinds.items())


def _bit_for_bit(verdict: Validation) -> list[RenderableType]:
    """The sentence on the comparison with the integer reference."""
    rows = [
        (
            check.name,
            check.reference,
            f"{check.compared_numbers:,}",
            f"{check.differing_numbers:,}",
            error(check.max_abs_error),
            "passed" if check.passed else "FAILED",
        )
        for check in verdict.checks
        if check.reference == INTEGER_REFERENCE
    ]
    return [
        heading("Validation", "does the machine compute what its number formats say?"),
        table(
            ("<", "<~", ">", ">", ">", "<"),
            ("tensor", "reference", "numbers", "that differ", "max error", "verdict"),
            rows,
        ),
        sentence(
            "Every number must be bit for bit equal to the integer reference: the same network on the same codes in "
            "64-bit integers, which shares no code with the simulator. How far that is from the model in float64 is "
            "not judged; it is under Accuracy."
        ),
        *_firsts([check for check in verdict.checks if check.reference == INTEGER_REFERENCE]),
        *_brought(verdict),
        _word(verdict),
    ]


def _word(verdict: Validation) -> RenderableType:
    if verdict.not_compared and verdict.passed is not False:
        return sentence("Nothing is wrong in what was compared, but not all was.", "bold")
    return sentence("PASSED" if verdict.passed else "FAILED: do not trust these results", "bold")


def _not_judged(simulation: Simulation) -> str:
    why = simulation.validation.not_judged
    return why if simulation.accuracy is None else f"not judged: {why}. How large the errors are is under Accuracy."


def verdict_in_a_line(simulation: Simulation) -> str:
    """The text of the verdict in a line: judged by what, and how large the errors are."""
    verdict = simulation.validation
    sqnr = simulation.accuracy.tensors[0].sqnr_db if simulation.accuracy else None
    costs = "" if sqnr is None else f"; SQNR of the output {sqnr:.1f} dB"
    if verdict.not_compared and verdict.passed is not False:
        return f"NOT VALIDATED: not compared: {verdict.not_compared[0]}"
    failed = [check for check in verdict.brought if not check.passed]
    own = [check for check in verdict.checks if check.reference in (GOLDEN, INTEGER_REFERENCE)]
    if failed and all(check.passed for check in own):
        first = failed[0]
        where = "" if first.first is None else f": {difference_text(first.first)}"
        return f"FAILED: {first.name} differs from {first.reference}{where}"
    if verdict.max_rel_error is None:
        if verdict.passed:
            return (
                f"PASSED: agrees with {verdict.brought[0].reference}; not judged otherwise: {verdict.not_judged}{costs}"
            )
        return verdict.not_judged if simulation.accuracy is None else f"not judged: {verdict.not_judged}{costs}"
    word = "PASSED" if verdict.passed else "FAILED"
    if verdict.bitwise:
        bits = [check for check in own if check.reference == INTEGER_REFERENCE]
        differing = sum(check.differing_numbers or 0 for check in bits)
        compared = sum(check.compared_numbers for check in bits)
        if verdict.passed:
            return f"{word}: bit for bit equal to the integer reference{costs}"
        return f"{word}: {differing:,} of {compared:,} numbers differ from the integer reference"
    return f"{word}: largest relative error {error(verdict.max_rel_error)}, allowed {error(verdict.tolerance)}{costs}"


def saturation_rows(simulation: Simulation) -> list[tuple[str, str]]:
    """The lines beside the verdict on sums of a delta network that were cut off; none if none was."""
    found = () if simulation.accuracy is None else simulation.accuracy.saturated
    return [("" if place else "saturated", line) for place, line in enumerate(saturation_lines(found))]


def note_rows(simulation: Simulation) -> list[tuple[str, str]]:
    """The lines on what a reader of these figures must know; mostly none."""
    notes = simulation.arch.config.notes(simulation.workload.spec)
    return [("" if place else "note", note) for place, note in enumerate(notes)]


def _layers(spec: NetworkSpec) -> str:
    """The words for the network: each layer's kind, inputs and hidden units."""
    parts = []
    for number, layer in enumerate(spec.layers):
        cell = layer[0]
        projected = f" -> {cell.proj_size}" if cell.proj_size else ""
        way = f" both ways{spec.merge_mode(number).words}" if len(layer) > 1 else " in reverse" if cell.reverse else ""
        parts.append(
            f"{cell.kind.upper()}{way} of I = {plural(cell.input_size, 'input')}, "
            f"H = {plural(cell.hidden_size, 'hidden unit')}{projected}"
        )
    return "; ".join(parts)
