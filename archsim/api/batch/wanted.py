"""Says which figures somebody asks for: no others are made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wanted:
    """Figures by name, as `energy.total_uj`; one that has entries stands for all of them. None is every figure."""

    names: tuple[str, ...] | None = None

    def below(self, *figures: str) -> bool:
        """Whether one of these figures is asked for, or something below it, or something that it is below of."""
        if self.names is None:
            return True
        return any(_below(name, figure) or _below(figure, name) for name in self.names for figure in figures)


EVERYTHING = Wanted()
"""Asks for every figure."""


def _below(name: str, figure: str) -> bool:
    return name == figure or name.startswith(f"{figure}.")
