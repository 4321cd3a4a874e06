"""Counts the sums of a delta network that its formats have cut off, and says which format would hold them.

The sums of a delta network stay in the accumulators from step to step, and each step adds what the changes bring. What
saturation cuts off of one is missing in all later ones, where an ordinary cell begins anew in every step. A format that
wraps loses nothing: additions modulo 2^n end with the same sum as soon as that is in the range again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from archsim.checking.calibrate import Observed
from archsim.checking.numbers import Numbers
from archsim.formats import Fixed, IntegerFormat
from archsim.formats.parse import MAX_ACCUMULATOR_BITS, MAX_BITS
from archsim.hardware.numerics import Overflows
from archsim.hardware.products import ACCUMULATOR
from archsim.program.ir import DataKind
from archsim.workload.calibration import range_kinds


@dataclass(frozen=True, slots=True)
class SaturatedKind:
    """The sums in one format: how many additions were brought into it, and how many were cut off.

    `reached`: the sum of the largest magnitude in the golden model. `remedy`: the setting of a format that holds that;
    "" if there is none, or nothing was cut off.
    """

    kind: str
    number_format: str
    saturated: int
    sums: int
    reached: float
    remedy: str


def saturated_sums(numbers: Numbers, overflows: Overflows) -> tuple[SaturatedKind, ...]:
    """The sums of a delta network in each format that they pass and that saturates; none of another network."""
    kinds = stored_sums(numbers)
    if not kinds:
        return ()
    reached, cut = _reached(numbers), overflows.overflowed
    return tuple(
        SaturatedKind(
            kind,
            found.name,
            cut.get(kind, 0),
            overflows.values.get(kind, 0),
            reached,
            _remedy(kind, found, reached) if cut.get(kind) else "",
        )
        for kind, found in kinds.items()
    )


def stored_sums(numbers: Numbers) -> Mapping[str, IntegerFormat]:
    """The formats, by kind of data, that the sums of a delta network are brought into and that saturate."""
    program = numbers.program
    if not any(op.sent is not None for phase in program.phases for op in phase.ops):
        return {}
    stored = {buffer.format_kind for buffer in program.buffers if buffer.kind is DataKind.PARTIAL_SUM}
    formats = {kind: numbers.formats.format(kind) for kind in sorted({ACCUMULATOR, *stored})}
    return {kind: found for kind, found in formats.items() if isinstance(found, IntegerFormat) and not found.wraps}


def _reached(numbers: Numbers) -> float:
    """The complete sum of the largest magnitude in the golden model."""
    traces = numbers.golden.traces
    assert traces is not None
    observed = Observed(numbers.spec, np.asarray(numbers.tensors.x, np.float64), traces, numbers.tensors.cells)
    return max(_extremes(numbers, observed), key=abs)


def _extremes(numbers: Numbers, observed: Observed) -> Iterator[float]:
    for name, kind in range_kinds(numbers.spec).items():
        if kind == "gate":
            samples = observed.samples(name)
            yield from (float(samples.min()), float(samples.max()))


def _remedy(kind: str, found: IntegerFormat, reached: float) -> str:
    """The setting of a format that holds a sum: more bits in front of the point; of scaled integers twice the bits."""
    if not isinstance(found, Fixed):
        wider = found.name.replace(f"int{found.bits}", f"int{2 * found.bits}")
        return f"formats.{kind}={wider}" if 2 * found.bits <= _most(kind) else ""
    bits = found.integer_bits
    while not -(2.0 ** (bits - 1)) <= reached < 2.0 ** (bits - 1):
        bits += 1
    if bits == found.integer_bits:  # complete sums fit: it is partial ones that do not
        bits += 1
    fraction = min(found.fraction_bits, _most(kind) - bits)
    _, slash, rounding = found.name.partition("/")
    return f"formats.{kind}=q{bits}.{fraction}{slash}{rounding}" if fraction >= 0 else ""


def _most(kind: str) -> int:
    return MAX_ACCUMULATOR_BITS if kind == ACCUMULATOR else MAX_BITS
