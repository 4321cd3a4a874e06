"""Names what an architecture file grants that no chip has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Idealization:
    """A setting of an architecture file that hardware cannot have as it is timed, computed or paid for."""

    setting: str
    """The field and its value, as "sequencer.issue_cycles 0"."""
    meaning: str
    """What it grants."""
    deviation: str = ""
    """The number in DEVIATIONS.md that says what it costs, as "D5"; "" where there is none."""

    def __str__(self) -> str:
        number = f" (DEVIATIONS.md, {self.deviation})" if self.deviation else ""
        return f"{self.setting}: {self.meaning}{number}"
