"""Says what a run's overflows and errors mean for its formats: only what follows from the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from math import exp

import numpy as np

from archsim.api import Simulation
from archsim.checking.format_error import Accuracy
from archsim.checking.numbers import Numbers
from archsim.formats import BlockFloat, Fixed, Scaled
from archsim.formats.parse import MAX_ACCUMULATOR_BITS, MAX_BITS
from archsim.hardware.functions.methods import ADDRESS
from archsim.report.text.figures_as_text import part, significant
from archsim.report.text.values import golden_values, reach

_SEEN_AS = {"accumulator": "gate"}
"""The kind whose values in the golden model say what another one must hold: complete sums of the same products."""


def overflow_advice(simulation: Simulation) -> list[str]:
    """Sentences on each kind of data that overflows, of which something follows."""
    numbers, accuracy = simulation.numbers, simulation.accuracy
    return [] if numbers is None or accuracy is None else list(_on_overflows(numbers, accuracy))


def output_advice(simulation: Simulation) -> list[str]:
    """The sentence on how much of the output's noise its own format makes; nothing if that cannot be said."""
    numbers, accuracy = simulation.numbers, simulation.accuracy
    return [] if numbers is None or accuracy is None else list(_on_output(numbers, accuracy))


def one_is_beyond(numbers: Numbers) -> bool:
    """Whether the format of the activations ends below 1, which a sigmoid and tanh reach."""
    found = numbers.formats.format("activation")
    return isinstance(found, Fixed) and found.integer_bits == 1


def _on_overflows(numbers: Numbers, accuracy: Accuracy) -> Iterator[str]:
    for count in accuracy.overflows:
        if not count.overflowed or count.kind in (ADDRESS, "activation", "weight"):
            continue
        found, parts = numbers.formats.format(count.kind), golden_values(numbers, _SEEN_AS.get(count.kind, count.kind))
        low, high = reach(parts)
        whose = "sums reach" if count.kind == "accumulator" else f"{count.kind} reaches"
        reached = f"in the golden model {whose} {significant(low if -low > high else high)}"
        if isinstance(found, Fixed):
            yield _wider(count.kind, found, low, high, reached) + _harmless(numbers, count.kind, found)
        elif isinstance(found, Scaled) and count.kind != "accumulator":
            ends = [part.ends(part.scales[0]) for part in parts]
            inside = all(
                end[0] <= part.values.min() and part.values.max() <= end[1]
                for part, end in zip(parts, ends, strict=True)
            )
            why = (
                "the golden model stays within that range, the machine's own errors do not"
                if inside
                else f"{reached}, beyond the range that calibration chose; the method max, on this input, covers all"
            )
            yield f"{count.kind} {found}: {why}."


def _wider(kind: str, found: Fixed, low: float, high: float, reached: str) -> str:
    """The words for what it takes to hold low .. high."""
    needed, most = _integer_bits(low, high), MAX_ACCUMULATOR_BITS if kind == "accumulator" else MAX_BITS
    if needed <= found.integer_bits:
        return f"{kind} {found}: {reached}, which it holds; what it does not are partial sums or the machine's errors."
    texts = []
    if found.bits >= needed:
        texts.append(f"q{needed}.{found.bits - needed} (as many bits, coarser steps)")
    if needed + found.fraction_bits <= most:
        texts.append(f"q{needed}.{found.fraction_bits} (the same steps)")
    end = significant(2.0 ** (found.integer_bits - 1) * (-1 if -low > high else 1))
    return f"{kind} {found}: {reached}, beyond its end at {end}; {' or '.join(texts) or 'no q format'} would hold that."


def _integer_bits(low: float, high: float) -> int:
    """The fewest integer bits, the sign among them, of a q format with low .. high in its range."""
    bits = 1
    while bits <= MAX_ACCUMULATOR_BITS and (low < -(2.0 ** (bits - 1)) or high >= 2.0 ** (bits - 1)):
        bits += 1
    return bits


def _harmless(numbers: Numbers, kind: str, found: Fixed) -> str:
    """The words for what saturated sums do to a sigmoid and tanh."""
    curves = {function.name for cell in numbers.spec.cells for function in cell.functions}
    if kind != "gate" or found.wraps or not curves <= {"sigmoid", "tanh"}:
        return ""
    end = 2.0 ** (found.integer_bits - 1)
    sigmoid, tanh = 1 / (1 + exp(end)), 2 / (1 + exp(2 * end))
    return (
        f" At that end a sigmoid is within {sigmoid:.1e} of its limit, tanh within {tanh:.1e}: only partial sums that "
        "saturate lose more."
    )


def _on_output(numbers: Numbers, accuracy: Accuracy) -> Iterator[str]:
    found, sqnr = numbers.formats.format("hidden"), accuracy.tensors[0].sqnr_db
    if isinstance(found, BlockFloat) or sqnr is None:
        return
    spec, golden, encoding = numbers.spec, numbers.golden.output, numbers.encodings["dram.output"]
    lengths = np.array(spec.lengths or (spec.steps,) * spec.batch)
    want = golden[np.arange(spec.steps)[:, None] < lengths]
    signal = float(np.square(want).sum())
    noise = float(np.square(encoding.decoded(encoding.encoded(want)[0]) - want).sum())
    if not noise or not signal:
        return
    share = min(1.0, noise / (signal / 10 ** (sqnr / 10)))
    alone = 10 * np.log10(signal / noise)
    yield (
        f"Rounding the golden output to hidden {found}, and nothing else, gives an SQNR of {alone:.1f} dB: that is "
        f"{part(share, 1)} of the output's noise."
    )
