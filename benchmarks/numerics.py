"""Measures steps of the numbers of a run against the plain way to compute the same, each as a ratio in one process.

    python benchmarks/numerics.py

Both ways give the same integers, which is checked. Times are processor time, the best of several.
"""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from archsim.formats import Encoding, parse_format
from archsim.formats.rounding import Conversion, Rounding, multiplied, shifted, shifter
from archsim.lowering.tensor_codes import stored_by_rows

ROWS, WIDTH = 4096, 1024
LANES = 64


def best(function: Callable[[], object], repeats: int, times: int = 5) -> float:
    """The least seconds that a call takes."""
    found = []
    for _ in range(times):
        begun = time.process_time()
        for _ in range(repeats):
            function()
        found.append((time.process_time() - begun) / repeats)
    return min(found)


def peak_bytes(function: Callable[[], object]) -> int:
    """Most bytes that a call has at once, what it returns included."""
    tracemalloc.start()
    function()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def compare(what: str, plain: Callable[[], np.ndarray], quick: Callable[[], np.ndarray], repeats: int) -> None:
    """Print how long both ways take."""
    if not np.array_equal(plain(), quick()):
        raise SystemExit(f"{what}: the two ways differ")
    before, after = best(plain, repeats), best(quick, repeats)
    print(f"{what}: {1e6 * before:,.1f} us -> {1e6 * after:,.1f} us, ratio {before / after:.1f}")


def main() -> None:
    """Print all ratios."""
    random = np.random.default_rng(1)
    values = random.integers(-(1 << 28), 1 << 28, (LANES, 1))
    by_20, rounding = shifter(20, Rounding.EVEN), Rounding.EVEN
    compare(f"shift of {LANES} values", lambda: shifted(values, 20, rounding), lambda: by_20(values), 2000)
    convert = Conversion(3.3, rounding)
    (multiplier,), (shift,) = convert.integers()
    factor, exponent = np.array(multiplier), np.array(31 - shift)
    compare(
        f"multiplication of {LANES} values by a ratio above 1",
        lambda: multiplied(values, factor, exponent, rounding),
        lambda: convert(values),
        2000,
    )
    weights = random.standard_normal((1, ROWS, WIDTH)).astype(np.float32)
    encoding = Encoding(parse_format("int8"), random.uniform(0.01, 0.02, (ROWS, 1)))

    def at_once() -> np.ndarray:
        return encoding.encoded(weights)[0].astype(encoding.stored_type, copy=False)

    def by_rows() -> np.ndarray:
        return stored_by_rows(weights, encoding)[0]

    compare(f"int8 codes of {ROWS} x {WIDTH} weights", at_once, by_rows, 1)
    most = [peak_bytes(way) / weights.size for way in (at_once, by_rows)]
    print(f"memory of that: {most[0]:.1f} -> {most[1]:.1f} bytes a weight, the real numbers left out")


if __name__ == "__main__":
    main()
