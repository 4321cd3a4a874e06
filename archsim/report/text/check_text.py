"""Writes where a number differs from what it is compared with."""

from __future__ import annotations

from archsim.checking.validation import Difference


def difference_text(found: Difference) -> str:
    """The place and both numbers, as "step 3, sequence 0, unit 5: got 0.25, expected 0.3"."""
    step = "after the last step" if found.step is None else f"step {found.step:,}"
    cell = "" if found.cell is None else f", {found.cell}"
    got, wanted = f"{found.got:.7g}", f"{found.wanted:.7g}"
    if found.got_code is not None:
        got, wanted = f"code {found.got_code:,} ({got})", f"code {found.wanted_code:,} ({wanted})"
    return f"{step}{cell}, sequence {found.sequence:,}, unit {found.unit:,}: got {got}, expected {wanted}"
