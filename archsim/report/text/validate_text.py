"""Writes the verdict of `archsim validate` as text and as JSON."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator

from archsim.api.verdict import ExecutorCheck, Outcome, Verdict
from archsim.checking.validation import INTEGER_REFERENCE, MACHINE, Check
from archsim.report.text.check_text import difference_text
from archsim.report.text.saturation_text import saturation_lines


def verdict_json(verdict: Verdict) -> str:
    """The verdict as one JSON object."""
    document = {"verdict": verdict.outcome, "passed": verdict.passed, **dataclasses.asdict(verdict)}
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def verdict_text(verdict: Verdict) -> str:
    """The verdict as text: a line a check, then the verdict itself."""
    lines = [f"{verdict.schedule} of {verdict.workload} on {verdict.arch}"]
    lines.append(
        _line(
            not verdict.hazards,
            f"schedule: {len(verdict.hazards)} hazards; every conflict between {verdict.ops:,} ops is checked against "
            f"{verdict.dependencies:,} dependencies and the units' order",
        )
    )
    lines += [f"     {hazard}" for hazard in verdict.hazards]
    if verdict.compared_numbers:
        lines.append(
            _line(
                not verdict.differing_numbers,
                f"machine against untimed program: {verdict.differing_numbers:,} of {verdict.compared_numbers:,} "
                "numbers differ in any bit",
            )
        )
    if verdict.executors is not None:
        lines.append(_line(verdict.executors.passed, _executors_text(verdict.executors)))
    for check in verdict.checks:
        lines += [_line(check.passed, _check_text(check)), *(f"     {text}" for text in _more(check))]
    if verdict.not_judged and not verdict.hazards:
        lines.append(f"---- numbers against a reference: not judged: {verdict.not_judged}")
    if verdict.output_sqnr_db is not None:
        lines.append(
            f"---- output against golden model: SQNR {verdict.output_sqnr_db:.1f} dB, which is what the number formats "
            "cost; there is no bound on it"
        )
    lines += [f"---- {line}" for line in saturation_lines(verdict.saturated)]
    lines += [f"---- not compared: {reason}" for reason in verdict.not_compared]
    lines.append(_outcome_text(verdict))
    return "\n".join(lines) + "\n"


def _outcome_text(verdict: Verdict) -> str:
    """The verdict in a line, which claims no more than was judged."""
    match verdict.outcome:
        case Outcome.NOT_VALID:
            return "NOT VALID"
        case Outcome.NUMBERS_NOT_JUDGED:
            return "SCHEDULE VALID, NUMBERS NOT JUDGED"
        case Outcome.NOT_VALIDATED:
            more = f", and {len(verdict.not_compared) - 1} more" if len(verdict.not_compared) > 1 else ""
            return f"NOT VALIDATED: not compared: {verdict.not_compared[0]}{more}"
    exact = any(check.reference == INTEGER_REFERENCE for check in verdict.checks)
    unbounded = any(check.subject != MACHINE for check in verdict.checks)
    but = "; what was expected is the float64 model's, the machine's distance from it has no bound" if unbounded else ""
    return f"VALID: the schedule, and the numbers {'in every bit' if exact else 'within the bound'}{but}"


def _executors_text(executors: ExecutorCheck) -> str:
    if executors.passed:
        return f"machine against the second executor: every cycle the same, {executors.machine_cycles:,} in all"
    return (
        f"machine against the second executor: {executors.machine_cycles:,} and {executors.fast_cycles:,} cycles; "
        f"they differ in {', '.join(executors.differing)}"
    )


def _check_text(check: Check) -> str:
    if check.reference == INTEGER_REFERENCE:
        return (
            f"{check.name}: {check.differing_numbers:,} of {check.compared_numbers:,} numbers differ in any bit from "
            "the independent integer reference"
        )
    if check.within_codes is not None:
        how = f"by more than {check.within_codes:,}" if check.within_codes else "at all"
        return (
            f"{check.name} against {check.reference}: {check.differing_numbers:,} of {check.compared_numbers:,} codes "
            f"differ {how}"
        )
    of = "" if check.subject == MACHINE else f"the {check.subject}'s "
    return (
        f"{of}{check.name} against {check.reference}: max error {check.max_abs_error:.2e} absolute, "
        f"{check.max_rel_error:.2e} of the largest magnitude (allowed {check.tolerance:.1g})"
    )


def _more(check: Check) -> Iterator[str]:
    """The lines below a check: the first difference, and what else there is to say."""
    if check.first is not None:
        yield f"first difference: {difference_text(check.first)}"
    if check.unbounded_error is not None:
        yield (
            f"the machine's numbers differ from it by up to {check.unbounded_error:.2e}, on which no bound is stated "
            "(expected.tolerance)"
        )
    if check.note:
        yield check.note


def _line(passed: bool, text: str) -> str:
    return f"{'ok  ' if passed else 'FAIL'} {text}"
