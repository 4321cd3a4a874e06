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
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.checking.golden_run import Golden
from archsim.lowering.tensors import Results
from archsim.workload.tensors import Expected

TOLERANCE = 1e-5
"""Largest error of a tensor, relative to its largest magnitude."""

SMALLEST_SCALE = 2.0**-21 / TOLERANCE
"""Magnitude below which a tensor's error is taken relative to this instead: 8 u over the tolerance, about 0.05."""

WITNESS = "expected (file)"
"""The reference that a workload brings along: results of another implementation."""

Float = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Check:
    """The comparison of one tensor with a reference.

    `tolerance`: largest error allowed, relative to the tensor's largest magnitude; 0: every bit must agree, and
    `differing_numbers` says how many of `compared_numbers` do not (None where there is a bound instead).
    """

    name: str
    reference: str
    max_abs_error: float
    max_rel_error: float
    passed: bool
    tolerance: float = TOLERANCE
    compared_numbers: int = 0
    differing_numbers: int | None = None


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a run's numbers.

    `passed` is None if nothing was judged, and `not_judged` says why: nothing was computed, or in floating point
    narrower than float32 or mixed with integers, which has no exact reference. Errors and tolerance are those of the
    checks; None without any.
    """

    passed: bool | None
    max_abs_error: float | None
    max_rel_error: float | None
    tolerance: float
    checks: tuple[Check, ...]
    not_judged: str = ""

    @property
    def bitwise(self) -> bool:
        """Whether every bit had to agree."""
        return any(check.differing_numbers is not None for check in self.checks)


def not_validated(reason: str) -> Validation:
    """The verdict on a run of which nothing was judged."""
    return Validation(None, None, None, TOLERANCE, (), reason)


def compare(computed: Results, golden: Golden, expected: Expected | None = None) -> Validation:
    """Compare output, h_n and c_n with the golden model and, if there is one, with the outside witness."""
    got, want = _named(computed), _named(golden)
    checks = _checks("golden model", got, want, TOLERANCE)
    if expected is not None:
        states = {"h_n": expected.h_n, "c_n": expected.c_n}
        witness: dict[str, Sequence[Float]] = {"output": [expected.output]}
        witness |= {name: list(state) for name, state in states.items() if state is not None}
        checks += _checks(WITNESS, got, witness, TOLERANCE)
    return _validation(checks, TOLERANCE)


def compare_bits(computed: Results, reference: Golden) -> Validation:
    """Compare output, h_n and c_n with the integer reference: every number must be the same."""
    return _validation(_checks("integer reference", _named(computed), _named(reference), 0.0), 0.0)


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
            checks.append(
                Check(name, reference, absolute, relative, relative <= tolerance, tolerance, numbers, differing)
            )
    return checks


def _differing(got: Sequence[Float], want: Sequence[Float]) -> int:
    """How many numbers differ between two arrays that hold integers' values, in which 0 has no sign."""
    return sum(int(np.count_nonzero(g != w)) for g, w in zip(got, want, strict=True))


def _errors(got: Float, want: Float) -> tuple[float, float]:
    """The largest difference, and the same relative to the largest wanted magnitude or SMALLEST_SCALE."""
    error = float(np.max(np.abs(got - want)))
    return error, error / max(float(np.max(np.abs(want))), SMALLEST_SCALE)
