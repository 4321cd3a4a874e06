"""Does the machine compute what the model computes?

The bound on a tensor is relative to its largest magnitude: max |machine - golden| <= 1e-5 max |golden|. The golden
model computes in float64, the machine in float32 with unit roundoff u = 2^-24 = 6e-8, so the bound is 168 u. A
pre-activation is a sum of K products; its error is at most K u sum |w x| and, errors being independent, about
sqrt(K) u |z|; the gates' slopes (at most 1/4 for sigmoid, 1 for tanh) do not amplify it, and c adds one rounding a
step. With K = 1200 this is about 35 u. A relative bound on each single element would say nothing: outputs pass
through zero, where every rounding is large against the value.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archsim.schedules.image import LstmResults
from archsim.workload import LstmTensors

TOLERANCE = 1e-5
"""Largest error of a tensor, relative to its largest magnitude."""

Float = npt.NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Check:
    """The comparison of one tensor with a reference."""

    name: str
    reference: str
    max_abs_error: float
    max_rel_error: float
    passed: bool


@dataclass(frozen=True, slots=True)
class Validation:
    """The verdict on a run's numbers; all None if nothing was computed."""

    passed: bool | None
    max_abs_error: float | None
    max_rel_error: float | None
    tolerance: float
    checks: tuple[Check, ...]


def not_validated() -> Validation:
    """The verdict on a run that computed nothing."""
    return Validation(None, None, None, TOLERANCE, ())


def compare(computed: LstmResults, tensors: LstmTensors) -> Validation:
    """Compare output, h_n and c_n with the golden model and, if there is one, with the outside witness."""
    from archsim.golden import lstm

    golden = lstm(
        tensors.x,
        tensors.weight_ih,
        tensors.weight_hh,
        tensors.bias_ih,
        tensors.bias_hh,
        tensors.h_0,
        tensors.c_0,
    )
    got = (computed.output, computed.h_n, computed.c_n)
    names = ("output", "h_n", "c_n")
    checks = [_check(n, "golden model", g, w) for n, g, w in zip(names, got, golden, strict=True)]
    if tensors.expected is not None:
        witness = (tensors.expected.output, tensors.expected.h_n, tensors.expected.c_n)
        checks += [_check(n, "expected (file)", g, w) for n, g, w in zip(names, got, witness, strict=True)]
    return Validation(
        passed=all(check.passed for check in checks),
        max_abs_error=max(check.max_abs_error for check in checks),
        max_rel_error=max(check.max_rel_error for check in checks),
        tolerance=TOLERANCE,
        checks=tuple(checks),
    )


def _check(name: str, reference: str, got: Float, want: Float) -> Check:
    error = float(np.max(np.abs(got - want)))
    scale = float(np.max(np.abs(want)))
    relative = error / scale if scale else error
    return Check(name, reference, error, relative, bool(relative <= TOLERANCE))
