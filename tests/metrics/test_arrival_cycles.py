"""The cycle at which each frame is there."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from archsim.config import parse_override
from archsim.metrics.arrivals import arrival_cycles
from archsim.workload import load_workload


def cycles(*sets: str) -> tuple[int, ...]:
    work = load_workload("lstm:3,2,t=6,streaming=1", [parse_override(text) for text in sets])
    found = arrival_cycles(work.config, Fraction(100))
    assert found is not None
    return found


def test_a_frame_is_late_by_up_to_the_jitter_and_never_early() -> None:
    """At 100 MHz a period of 5 us is 500 cycles, and a jitter of 2 us up to 200 more, in the order that is drawn."""
    late = np.random.Generator(np.random.PCG64(7)).random(6)
    found = cycles("period_us=5", "jitter_us=2", "jitter_seed=7")
    assert found == tuple(-int(-(500 * frame + 200 * share) // 1) for frame, share in enumerate(late))
    assert all(500 * frame <= cycle <= 500 * frame + 200 for frame, cycle in enumerate(found))
    assert cycles("period_us=5") == (0, 500, 1000, 1500, 2000, 2500)
