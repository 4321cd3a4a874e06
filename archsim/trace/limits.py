"""How long a run may be: times are 64-bit integers, in each executor."""

from __future__ import annotations

from archsim.errors import LengthError

LARGEST_CYCLE = 1 << 62
"""A run that is not over in this cycle is refused: 4.6e18 cycles, 146 years at 1 GHz."""


def too_long() -> LengthError:
    """The error of a run that takes longer."""
    return LengthError(
        f"the run takes more than {LARGEST_CYCLE:,} cycles (2^62), the most that are counted; "
        "a bandwidth, a latency or the number of time steps is out of all proportion"
    )
