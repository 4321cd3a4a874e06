"""Writes the verdict of `archsim validate` as text and as JSON."""

from __future__ import annotations

import dataclasses
import json

from archsim.api.verdict import ExecutorCheck, Outcome, Verdict
from archsim.checking.validation import WITNESS, Check


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
    lines += [_line(check.passed, _check_text(check)) for check in verdict.checks]
    if verdict.not_judged and not verdict.hazards:
        lines.append(f"---- numbers against a reference: not judged: {verdict.not_judged}")
    if verdict.output_sqnr_db is not None:
        lines.append(
            f"---- output against golden model: SQNR {verdict.output_sqnr_db:.1f} dB, which is what the number formats "
            "cost; there is no bound on it"
        )
    if verdict.witness_left_out:
        lines.append(f"---- {WITNESS}: not compared: these number formats are meant to differ from it")
    lines.append(_outcome_text(verdict))
    return "\n".join(lines) + "\n"


def _outcome_text(verdict: Verdict) -> str:
    """The verdict in a line, which claims no more than was judged."""
    match verdict.outcome:
        case Outcome.NOT_VALID:
            return "NOT VALID"
        case Outcome.NUMBERS_NOT_JUDGED:
            return "SCHEDULE VALID, NUMBERS NOT JUDGED"
    exact = all(check.differing_numbers is not None for check in verdict.checks)
    return f"VALID: the schedule, and the numbers {'in every bit' if exact else 'within the bound'}"


def _executors_text(executors: ExecutorCheck) -> str:
    if executors.passed:
        return f"machine against the second executor: every cycle the same, {executors.machine_cycles:,} in all"
    return (
        f"machine against the second executor: {executors.machine_cycles:,} and {executors.fast_cycles:,} cycles; "
        f"they differ in {', '.join(executors.differing)}"
    )


def _check_text(check: Check) -> str:
    if check.differing_numbers is None:
        return (
            f"{check.name} against {check.reference}: max error {check.max_abs_error:.2e} absolute, "
            f"{check.max_rel_error:.2e} of the largest magnitude (allowed {check.tolerance:.0e})"
        )
    return (
        f"{check.name}: {check.differing_numbers:,} of {check.compared_numbers:,} numbers differ in any bit from the "
        "independent integer reference"
    )


def _line(passed: bool, text: str) -> str:
    return f"{'ok  ' if passed else 'FAIL'} {text}"
