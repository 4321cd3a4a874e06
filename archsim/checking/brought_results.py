"""Compares what a run computed with results that the user brings along: of a file, or of a model of their own.

Every tensor is compared. Real numbers: with a tolerance relative to the tensor's largest magnitude, which the user
states. Without one, the numbers of a float32 machine must agree within 1e-5, as with the golden model. Other formats
are meant to differ from a model in floating point by what they cost, which no bound foretells: there the results must
agree within 1e-5 with the machine's numbers, or else with the golden model's. In that case they are those of the model
that the machine is quantized from, the check is of the golden model, and the machine's distance is said beside it.
Results that agree with neither fail: of another quantized implementation, how near they must be is the user's to say.

Integer codes: equal, or within so many codes as the user states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.checking.numbers import Numbers
from archsim.checking.task import task_scores
from archsim.checking.validation import (
    GOLDEN,
    TOLERANCE,
    Check,
    Difference,
    difference_at,
    first_beyond,
    scale_of,
)
from archsim.families.cells.streams import cell_prefixes
from archsim.formats import Encoding
from archsim.lowering.tensors import Results
from archsim.workload.expected import Expected, ExpectedTensor
from archsim.workload.network import suffixes

Array = npt.NDArray[Any]
Recorded = Sequence[Mapping[str, npt.NDArray[np.floating]]]
"""What a run passed through, for each cell: "c" and the gates' names to (T, B, H)."""

SAME_SCALE = 1e-6
"""Largest relative difference of two scales that mean the same: float32 has 6e-8."""


@dataclass(frozen=True, slots=True)
class Run:
    """What of a run can be compared: results, and what it passed through, if that was recorded.

    `float32`: the machine computes the golden model's functions in float32, so that it is held to its bound.
    """

    numbers: Numbers
    computed: Results
    recorded: Recorded | None
    float32: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """The checks of all that was brought, and what could not be compared, a reason each."""

    checks: tuple[Check, ...]
    not_compared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sides:
    """A tensor's values (T, B, n) or, of states, (B, n), for each cell: the machine's and the golden model's.

    `golden` is None where the golden model's run was not kept.
    """

    machine: tuple[Array, ...]
    golden: tuple[Array, ...] | None
    encodings: tuple[Encoding, ...]


def compare_brought(brought: Expected, run: Run, reference: str) -> Comparison:
    """Compare all that was brought with a run; `reference` is its name in the checks."""
    checks: list[Check] = []
    not_compared = list(brought.left_out)
    for tensor in brought.tensors:
        sides = _sides(tensor, run)
        if isinstance(sides, str):
            not_compared.append(f"{tensor.name}: {sides}")
            continue
        tensor, sides = _within(tensor, sides, run)
        found = _codes(tensor, sides, brought, reference, run) if _by_code(tensor, brought, sides) else None
        if found is None and tensor.codes:
            kept = sides.encodings[0].format
            not_compared.append(f"{tensor.name}: holds integer codes, and the machine has {kept} there")
            continue
        checks.append(found or _reals(tensor, sides, brought, reference, run))
        scales = _scales(tensor, sides, reference)
        if isinstance(scales, str):
            not_compared.append(scales)
        else:
            checks += scales
    return Comparison(tuple(checks), tuple(not_compared))


def _by_code(tensor: ExpectedTensor, brought: Expected, sides: _Sides) -> bool:
    """Whether codes are compared: those of the file, or real numbers as the machine's codes, if the user says so."""
    if not all(encoding.is_integer for encoding in sides.encodings):
        return False
    return tensor.codes or (brought.tolerance is None and brought.within_codes is not None)


def _sides(tensor: ExpectedTensor, run: Run) -> _Sides | str:
    """The results of the run that a tensor is compared with; or why there are none."""
    spec, computed, golden = run.numbers.spec, run.computed, run.numbers.golden
    encodings, prefixes = run.numbers.encodings, cell_prefixes(spec)
    cells, quantity = tensor.place.cells, tensor.place.quantity
    match quantity:
        case "output":
            return _Sides((computed.output,), (golden.output,), (encodings["dram.output"],))
        case "h_n":
            found = tuple(encodings[f"{prefixes[cell]}h"] for cell in cells)
            return _Sides(tuple(computed.h_n[cell] for cell in cells), tuple(golden.h_n[cell] for cell in cells), found)
        case "c_n":
            machine = tuple(state for cell in cells if (state := computed.c_n[cell]) is not None)
            if len(machine) < len(cells):
                return "this machine leaves no c_n behind"
            lstms = [number for number, state in enumerate(computed.c_n) if state is not None]
            known = tuple(golden.c_n[lstms.index(cell)] for cell in cells)
            return _Sides(machine, known, tuple(encodings[f"{prefixes[cell]}c"] for cell in cells))
    (cell,) = cells
    values = None if run.recorded is None else run.recorded[cell].get(quantity)
    if values is None:
        return f"this machine shows no {'c' if quantity == 'c' else 'gate ' + quantity} by step"
    encoding = encodings[prefixes[cell] + ("c" if quantity == "c" else "gates")]
    if golden.traces is None:
        return _Sides((values,), None, (encoding,))
    trace = [trace for layer in golden.traces for trace in layer][cell]
    want = trace.c if quantity == "c" else trace.gates[quantity]
    return _Sides((values,), None if want is None else (want,), (encoding,))


def _within(tensor: ExpectedTensor, sides: _Sides, run: Run) -> tuple[ExpectedTensor, _Sides]:
    """Set what lies beyond a sequence's end to 0 on both sides: nothing inside a cell means anything there."""
    lengths = run.numbers.spec.lengths
    if lengths is None or not tensor.place.by_step:
        return tensor, sides
    within = (np.arange(run.numbers.spec.steps)[:, None] < np.array(lengths))[:, :, None]

    def kept(parts: tuple[Array, ...]) -> tuple[Array, ...]:
        return tuple(np.where(within, part, 0) for part in parts)

    zero = sides.encodings[0].zero if tensor.codes else 0
    parts = tuple(np.where(within, part, zero) for part in tensor.parts)
    golden = None if sides.golden is None else kept(sides.golden)
    return replace(tensor, parts=parts), replace(sides, machine=kept(sides.machine), golden=golden)


def _names(tensor: ExpectedTensor, run: Run) -> list[str]:
    """The names of the parts' cells; none where there is but one, or of the output."""
    if len(tensor.parts) == 1:
        return []
    return [suffixes(run.numbers.spec)[cell].removeprefix("_") for cell in tensor.place.cells]


def _reals(tensor: ExpectedTensor, sides: _Sides, brought: Expected, reference: str, run: Run) -> Check:
    """The check of real numbers, by the rule at the top of this file."""
    states, cells = tensor.place.quantity in ("h_n", "c_n"), _names(tensor, run)
    tolerance = brought.tolerance or TOLERANCE
    machine = _check(tensor.name, reference, sides.machine, tensor.parts, tolerance, states, cells)
    if machine.passed or run.float32 or brought.tolerance is not None:
        return machine
    if sides.golden is not None:
        golden = _check(tensor.name, reference, sides.golden, tensor.parts, tolerance, states, cells)
        if golden.passed:
            return replace(golden, subject=GOLDEN, unbounded_error=machine.max_abs_error)
        other = f"from the model in float64 by up to {golden.max_abs_error:.2g}; "
    else:
        other = ""
    note = (
        f"no tolerance is stated, so that they should be the machine's numbers or the model's; they differ {other}if "
        "they are of another quantized implementation, say how near they must be: expected.tolerance, or "
        "expected.within_codes"
    )
    return replace(machine, note=note)


def _check(
    name: str,
    reference: str,
    got: Sequence[Array],
    want: Sequence[Array],
    tolerance: float,
    states: bool,
    cells: Sequence[str],
) -> Check:
    absolute = [float(np.max(np.abs(g - w))) for g, w in zip(got, want, strict=True)]
    relative = max(error / scale_of(w) for error, w in zip(absolute, want, strict=True))
    first = first_beyond(got, want, tolerance, states, cells)
    count = sum(part.size for part in got)
    return Check(name, reference, max(absolute), relative, first is None, tolerance, count, first=first)


def _codes(tensor: ExpectedTensor, sides: _Sides, brought: Expected, reference: str, run: Run) -> Check:
    """The check of integer codes; real numbers are taken as the machine's nearest codes."""
    within = brought.within_codes or 0
    states, cells = tensor.place.quantity in ("h_n", "c_n"), _names(tensor, run)
    first: Difference | None = None
    beyond, largest, relative = 0, 0.0, 0.0
    for place, (got, want, encoding) in enumerate(zip(sides.machine, tensor.parts, sides.encodings, strict=True)):
        scale, zero = float(encoding.scale), encoding.zero
        own = np.rint(got / scale).astype(np.int64) + zero
        theirs = want if tensor.codes else np.rint(np.clip(want / scale, -(2.0**61), 2.0**61)).astype(np.int64) + zero
        off = np.abs(own - theirs) > within
        beyond += int(np.count_nonzero(off))
        values = (theirs - zero) * scale
        error = float(np.max(np.abs(got - values)))
        largest, relative = max(largest, error), max(relative, error / scale_of(values))
        if off.any() and first is None:
            index = np.argwhere(off)[0]
            found = difference_at(index, got, values, states, cells[place] if cells else None)
            where = tuple(index)
            first = replace(found, got_code=int(own[where]), wanted_code=int(theirs[where]))
    count = sum(part.size for part in tensor.parts)
    return Check(
        tensor.name, reference, largest, relative, not beyond, 0.0, count, beyond, within_codes=within, first=first
    )


def _scales(tensor: ExpectedTensor, sides: _Sides, reference: str) -> list[Check] | str:
    """The checks of scales and zero points that the file says beside a tensor."""
    if tensor.scales is None and tensor.zeros is None:
        return []
    base = tensor.name.removesuffix("_codes")
    if not all(encoding.is_integer for encoding in sides.encodings):
        return f"{base}_scale, {base}_zero: the machine's {sides.encodings[0].format} has none"
    checks = []
    if tensor.scales is not None:
        pairs = [(float(own.scale), want) for own, want in zip(sides.encodings, tensor.scales, strict=True)]
        mine, theirs = max(pairs, key=lambda pair: abs(pair[0] / pair[1] - 1))
        off = abs(mine / theirs - 1)
        note = "" if off <= SAME_SCALE else f"the machine's scale is {mine!r}, theirs {theirs!r}"
        error = abs(mine - theirs)
        checks.append(Check(f"{base}_scale", reference, error, off, not note, SAME_SCALE, len(pairs), note=note))
    if tensor.zeros is not None:
        zeros = [(own.zero, want) for own, want in zip(sides.encodings, tensor.zeros, strict=True)]
        differing = [(own, want) for own, want in zeros if own != want]
        note = f"the machine's zero point is {differing[0][0]}, theirs {differing[0][1]}" if differing else ""
        furthest = float(max(abs(own - want) for own, want in zeros))
        checks.append(
            Check(
                f"{base}_zero",
                reference,
                furthest,
                0.0,
                not differing,
                0.0,
                len(zeros),
                len(differing),
                within_codes=0,
                note=note,
            )
        )
    return checks


def compare_scores(brought: Expected, run: Run, reference: str) -> tuple[Check, ...]:
    """The check of the task's scores, if the workload has any that are expected: by the rule for real numbers.

    What is allowed of h grows on its way through the head: by the largest sum of the magnitudes of a score's weights,
    and by the function's slope, which is at most 1/4 of a sigmoid.
    """
    task = run.numbers.tensors.task
    if task is None or task.expected is None:
        return ()
    want = task.expected.astype(np.float64)
    lengths = run.numbers.spec.lengths
    within = np.ones(want.shape, np.bool_)
    if lengths is not None:
        within &= (np.arange(run.numbers.spec.steps)[:, None] < np.array(lengths))[:, :, None]
    want = np.where(within, want, 0.0)
    machine, golden = (
        np.where(within, task_scores(task, output), 0.0) for output in (run.computed.output, run.numbers.golden.output)
    )
    slope = 0.25 if task.after == "sigmoid" else 1.0
    gain = max(1.0, slope * float(np.abs(task.weight).sum(axis=1).max()))
    tolerance = brought.tolerance or TOLERANCE * gain
    check = _check("scores", reference, (machine,), (want,), tolerance, False, ())
    if check.passed or run.float32 or brought.tolerance is not None:
        return (check,)
    model = _check("scores", reference, (golden,), (want,), tolerance, False, ())
    if not model.passed:
        return (check,)
    return (replace(model, subject=GOLDEN, unbounded_error=check.max_abs_error),)
