"""Says what is wrong with how a schedule of another package describes itself."""

from __future__ import annotations

import re
from typing import Any

from archsim.config.extensions import not_text
from archsim.config.text import shown, shown_with_type
from archsim.families.schedule import Schedule

_NAME = re.compile("[A-Za-z0-9]+(_[A-Za-z0-9]+)*")
"""A schedule's name: its words are found in any order, so that nothing but "_" may stand between them."""


def schedule_fault(schedule: Schedule[Any]) -> str:
    """What a schedule's attributes do not say as they must, in words; "" if all do."""
    texts = not_text(schedule, "name", "summary", "family")
    if texts:
        return texts
    if not _NAME.fullmatch(schedule.name):
        return f'name must be words of letters and digits, joined by "_", got {shown(schedule.name)}'
    for attribute in ("splits_sums", "interleaves_gates"):  # the numbers are judged by them
        declared = getattr(schedule, attribute, None)
        if not isinstance(declared, bool):
            return f"{attribute} must be True or False, got {shown_with_type(declared)}"
    return ""
