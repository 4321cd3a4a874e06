"""One published figure and the simulated one beside it."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = "% of cycles"
"""The unit of shares; their errors are differences, in percentage points."""


@dataclass(frozen=True, slots=True)
class Row:
    """A published figure beside the simulated one.

    `tolerance` is the largest error that a test allows, in the unit of `error`; None: shown, held to nothing. `inputs`:
    what of the machine the simulation is given; `predicted`: what it works out. `second_hand`: the figure is from notes
    on the source. `drawn`: it is from a run of the source's own tool for a network that was drawn after the machine was
    described.
    """

    machine: str
    workload: str
    figure: str
    unit: str
    published: float
    simulated: float
    tolerance: float | None
    source: str
    inputs: str
    predicted: str
    second_hand: bool = False
    drawn: bool = False

    @property
    def error_unit(self) -> str:
        """The unit of the error: percentage points for shares, else percent of the published figure."""
        return "percentage points" if self.unit == SHARE else "%"

    @property
    def error(self) -> float:
        """The difference simulated less published, in `error_unit`."""
        difference = self.simulated - self.published
        return difference if self.unit == SHARE else 100 * difference / self.published

    @property
    def passed(self) -> bool | None:
        """Whether the error is within its tolerance; None if it has none."""
        return None if self.tolerance is None else abs(self.error) <= self.tolerance
