"""Checks that the machine computes what it should, within a bound or in every bit.

The bound on a tensor is relative to its largest magnitude: max |machine - golden| <= 1e-5 max(|golden|, s). The golden
model computes in float64, the machine in float32 with unit roundoff u = 2^-24 = 6e-8, so the bound is 168 u. A
pre-activation is a sum of K products; its error is at most K u sum |w x| and, errors being independent, about
sqrt(K) u |z|; the gates' slopes (at most 1/4 for sigmoid, 1 for tanh) do not amplify it, and c adds one rounding a
step. With K = 1200 this is about 35 u. A relative bound on each single element would say nothing: outputs pass
through zero, where every rounding is large against the value. For the same reason the scale has a floor s: h and c come
from gates and products of magnitude up to 1, each rounded to within u, so a tensor that happens to hold but a few tiny
numbers still carries a few u of error; s = 8 u / 1e-5 allows 8 of them.

Other formats differ from the golden model by what they are, so that no such bound means anything: their accuracy is
measured (archsim/checking/format_error.py), not judged. Where all arithmetic is on integers there is something
sharper: an independent reference in 64-bit integers, with which every bit must agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.checking.golden_run import Golden
from archsim.lowering.tensors import Results

TOLERANCE = 1e-5
"""Largest error of a tensor, relative to its largest magnitude."""

SMALLEST_SCALE = 2.0**-21 / TOLERANCE
"""Magnitude below which a tensor's error is taken relative to this instead: 8 u over the tolerance, about 0.05."""

WITNESS = "expected (file)"
"""The reference that a workload brings along: results of another implementation."""

GOLDEN = "golden model"
INTEGER_REFERENCE = "integer reference"
MACHINE = "machine"
"""What is compared with a reference, if it is not the golden model itself."""

Float = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Difference:
    """A number that is further from its reference than allowed.

    `step` is None of a last state; `cell` (l0, l0_reverse, ...) of the output, or where a network has but one cell.
    `got_code` and `wanted_code` are the integer codes, None where real numbers were compared.
    """

    step: int | None
    sequence: int
    unit: int
    cell: str | None
    got: float
    wanted: float
    got_code: int | None = None
    wanted_code: int | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """The comparison of one tensor with a reference.

    `tolerance`: largest error allowed, relative to the tensor's largest magnitude; 0: every bit must agree, and
    `differing_numbers` says how many of `compared_numbers` do not (None where there is a bound instead).
    `within_codes`: integer codes were compared, and may differ by so much; then the errors are in codes' values, and
    `differing_numbers` are those beyond. `first`: the first number beyond what is allowed, by time step. `subject`:
    what was compared: the machine, or the golden model, where nothing bounds the machine's distance from the reference,
    which `unbounded_error` then is. `note`: what else there is to say, as why it failed; "" if nothing.
    """

    name: str
    reference: str
    max_abs_error: float
    max_rel_error: float
    passed: bool
    tolerance: float = TOLERANCE
    compared_numbers: int = 0
    differing_numbers: int | None = None
    within_codes: int | None = None
    first: Difference | None = None
    subject: str = MACHINE
    unbounded_error: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a run's numbers.

    `passed` is None if nothing was judged, and `not_judged` says why: nothing was computed, or in floating point
    narrower than float32 or mixed with integers, which has no exact reference. Errors and tolerance are those of the
    checks with archsim's own references; None without any. `not_compared`: what the workload brings along to be
    compared with and no check has looked at, a reason each.
    """

    passed: bool | None
    max_abs_error: float | None
    max_rel_error: float | None
    tolerance: float
    checks: tuple[Check, ...]
    not_judged: str = ""
    not_compared: tuple[str, ...] = ()

    @property
    def bitwise(self) -> bool:
        """Whether every bit had to agree with the integer reference."""
        return any(check.reference == INTEGER_REFERENCE for check in self.checks)

    @property
    def brought(self) -> tuple[Check, ...]:
        """The checks with what the user brings along: expected results, or a witness."""
        return tuple(check for check in self.checks if check.reference not in (GOLDEN, INTEGER_REFERENCE))

    @property
    def judged(self) -> bool:
        """Whether a reference judged the machine's numbers."""
        return any(check.subject == MACHINE for check in self.checks)


def not_validated(reason: str) -> Validation:
    """The verdict on a run of which nothing was judged."""
    return Validation(None, None, None, TOLERANCE, (), reason)


def compare(computed: Results, golden: Golden) -> Validation:
    """Compare output, h_n and c_n with the golden model."""
    return _validation(_checks(GOLDEN, _named(computed), _named(golden), TOLERANCE), TOLERANCE)


def compare_bits(computed: Results, reference: Golden) -> Validation:
    """Compare output, h_n and c_n with the integer reference: every number must be the same."""
    return _validation(_checks(INTEGER_REFERENCE, _named(computed), _named(reference), 0.0), 0.0)


def with_saturations(verdict: Validation, saturated: Mapping[str, int], reference: Mapping[str, int]) -> Validation:
    """The verdict with a check for each kind of sums of a delta network: as many must have saturated as there.

    Where none has in either there is nothing to be said.
    """
    counts = [(kind, found, reference.get(kind, 0)) for kind, found in saturated.items()]
    checks = [_saturations(kind, found, wanted) for kind, found, wanted in counts if found or wanted]
    found = replace(verdict, checks=(*verdict.checks, *checks))
    return replace(found, passed=all(check.passed for check in found.checks))


def _saturations(kind: str, found: int, wanted: int) -> Check:
    error = float(abs(found - wanted))
    note = "" if found == wanted else f"{found:,} saturated, in the reference {wanted:,}."
    name, most, differing = f"saturated sums ({kind})", max(found, wanted), abs(found - wanted)
    relative = error / max(1, wanted)
    return Check(name, INTEGER_REFERENCE, error, relative, not differing, 0.0, most, differing, note=note)


def with_brought(verdict: Validation, checks: Sequence[Check], not_compared: Sequence[str]) -> Validation:
    """The verdict with checks of what the user brings along, and what of that could not be compared."""
    found = replace(verdict, checks=(*verdict.checks, *checks), not_compared=(*verdict.not_compared, *not_compared))
    failed = not all(check.passed for check in found.checks)
    return replace(found, passed=False if failed else True if found.judged else None)


def _validation(checks: list[Check], tolerance: float) -> Validation:
    return Validation(
        passed=all(check.passed for check in checks),
        max_abs_error=max(check.max_abs_error for check in checks),
        max_rel_error=max(check.max_rel_error for check in checks),
        tolerance=tolerance,
        checks=tuple(checks),
    )


def _named(results: Results | Golden) -> dict[str, Sequence[Float]]:
    c_n = [c for c in results.c_n if c is not None]
    return {"output": [results.output], "h_n": list(results.h_n), "c_n": c_n}


def _checks(
    reference: str, got: Mapping[str, Sequence[Float]], want: Mapping[str, Sequence[Float]], tolerance: float
) -> list[Check]:
    """A check for each name that is wanted; its error is the largest of any of the tensors under it."""
    checks = []
    for name, tensors in got.items():
        errors = [_errors(g, w) for g, w in zip(tensors, want[name], strict=True)] if name in want else []
        if errors:
            absolute, relative = (max(column) for column in zip(*errors, strict=True))
            numbers = sum(g.size for g in tensors)
            differing = None if tolerance else _differing(tensors, want[name])
            first = first_beyond(tensors, want[name], tolerance, name != "output")
            checks.append(
                Check(
                    name,
                    reference,
                    absolute,
                    relative,
                    relative <= tolerance,
                    tolerance,
                    numbers,
                    differing,
                    first=first,
                )
            )
    return checks


def first_beyond(
    got: Sequence[Float], want: Sequence[Float], tolerance: float, states: bool, cells: Sequence[str] = ()
) -> Difference | None:
    """The first number, by time step, sequence and unit, that is off by more than the tolerance; None if none is.

    `states`: the arrays are (B, n), one for each cell; else (T, B, n). `cells`: the names of theirs.
    """
    for place, (g, w) in enumerate(zip(got, want, strict=True)):
        beyond = ~(np.abs(g - w) <= tolerance * scale_of(w))
        if beyond.any():
            return difference_at(np.argwhere(beyond)[0], g, w, states, _cell(cells, place, len(got)))
    return None


def difference_at(
    index: npt.NDArray[np.intp], got: npt.NDArray[Any], want: npt.NDArray[Any], states: bool, cell: str | None
) -> Difference:
    """The difference of two arrays of real numbers at an index."""
    where = tuple(int(number) for number in index)
    step = None if states else where[0]
    return Difference(step, where[-2], where[-1], cell, float(got[where]), float(want[where]))


def scale_of(want: Float) -> float:
    """What errors of a tensor are taken relative to: its largest magnitude, at least SMALLEST_SCALE."""
    return max(float(np.max(np.abs(want))), SMALLEST_SCALE)


def _cell(cells: Sequence[str], place: int, count: int) -> str | None:
    if cells:
        return cells[place]
    return None if count == 1 else f"cell {place}"


def _differing(got: Sequence[Float], want: Sequence[Float]) -> int:
    """How many numbers differ between two arrays that hold integers' values, in which 0 has no sign."""
    return sum(int(np.count_nonzero(g != w)) for g, w in zip(got, want, strict=True))


def _errors(got: Float, want: Float) -> tuple[float, float]:
    """The largest difference, and the same relative to the largest wanted magnitude or SMALLEST_SCALE."""
    error = float(np.max(np.abs(got - want)))
    return error, error / scale_of(want)
