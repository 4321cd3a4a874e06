"""Judges what a run has computed: by archsim's own references, and by what the workload brings along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archsim.checking.brought_results import Recorded, Run, compare_brought, compare_scores
from archsim.checking.integer_methods import unknown_ops, unknown_to_the_reference
from archsim.checking.integer_reference import integer_golden
from archsim.checking.numbers import Numbers
from archsim.checking.recorder import Recorder
from archsim.checking.saturated_sums import stored_sums
from archsim.checking.validation import (
    WITNESS,
    Validation,
    compare,
    compare_bits,
    not_validated,
    with_brought,
    with_saturations,
)
from archsim.families.load import Arch
from archsim.families.schedule import Schedule
from archsim.formats import KINDS, Formats, IntegerFormat
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.numerics import Overflows
from archsim.lowering.tensors import Results


def check_numbers(
    computed: Results,
    numbers: Numbers,
    arch: Arch,
    schedule: Schedule[Any],
    recorder: Recorder | None,
    overflows: Overflows,
) -> Validation:
    """The verdict on a run's results: by archsim's own references, and by what the workload brings along.

    `overflows`: those of the run; of a delta network its sums must have saturated as often as the reference's.
    """
    verdict = _by_references(computed, numbers, arch, schedule, overflows)
    expected = numbers.tensors.expected
    if expected is None:
        return verdict
    run = compared_run(numbers, computed, arch, None if recorder is None else recorder.values)
    if numbers.model is not numbers.golden:  # the file's results are those of the network that it has
        run = replace(run, numbers=replace(numbers, golden=numbers.model), float32=False)
    found = compare_brought(expected, run, WITNESS)
    return with_brought(verdict, (*found.checks, *compare_scores(expected, run, WITNESS)), found.not_compared)


def compared_run(numbers: Numbers, computed: Results, arch: Arch, recorded: Recorded | None) -> Run:
    """What of a run can be compared with what the user brings along."""
    return Run(numbers, computed, recorded, numbers.formats.float32 and arch.config.function_unit.method.exact)


def _by_references(
    computed: Results, numbers: Numbers, arch: Arch, schedule: Schedule[Any], overflows: Overflows
) -> Validation:
    """The verdict within a bound in float32, in every bit on integers; else none."""
    formats, method = numbers.formats, arch.config.function_unit.method
    if formats.float32 and method.exact:
        return compare(computed, numbers.golden)
    if formats.exact:
        unknown = unknown_to_the_reference(arch.config, numbers.spec) or unknown_ops(numbers.program, arch.config)
        if unknown:
            return not_validated(f"the integer reference does not know {unknown}")
        reference = integer_golden(numbers, arch.config, schedule)
        verdict = compare_bits(computed, reference)
        saturated = {kind: overflows.overflowed.get(kind, 0) for kind in stored_sums(numbers)}
        if not saturated or reference.overflows is None:
            return verdict
        return with_saturations(verdict, saturated, reference.overflows)
    return not_validated(_why_not_judged(formats, method))


def _why_not_judged(formats: Formats, method: MethodDefinition) -> str:
    kinds = [formats.format(kind) for kind in KINDS]
    if formats.float32:
        return f"float32 with activations by the method {method} is meant to differ from the golden model"
    if any(isinstance(found, IntegerFormat) for found in kinds):
        return "integers mixed with floating point have no exact reference"
    names = ", ".join(dict.fromkeys(found.name for found in kinds))
    return f"floating point other than float32 alone has no exact reference ({names})"
