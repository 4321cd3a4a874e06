"""The outputs of a layer's two directions made into one on integers and fixed point, bit for bit as the machine does.

Source: docs/numerics.md ("Element-wise unit"): each product, and each value that is added, is rounded to the target's
scale on its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from archsim.golden.functions import Float64
from archsim.golden.integer import Coded, Grid, Target, convert


def merge_integer(outputs: Sequence[Float64], mode: str, source: Grid, target: Grid) -> Float64:
    """The merged output (T, B, P) as real values, from the real values of the directions' codes on `source`."""
    to = Target("hidden", target, Counter())
    forward, backward = (_codes(output, source) for output in outputs)
    if mode == "mul":
        return to.narrow(to.product(forward, backward)).values
    weight = {"sum": 1.0, "ave": 0.5}[mode]
    ratio = float(source.scale) * weight / float(target.scale)
    parts = [convert(part.integers, source.magnitude, ratio, target.rounding) for part in (forward, backward)]
    return to.narrow(parts[0] + parts[1]).values


def _codes(values: Float64, grid: Grid) -> Coded:
    """The codes that exact values stand for."""
    return Coded(np.rint(values / grid.scale).astype(np.int64) + grid.zero, grid)
