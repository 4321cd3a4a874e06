"""Draws the figures of docs/explore.md: `python docs/explore_figures.py`. Explores the whole space `edge`."""

from __future__ import annotations

from pathlib import Path

from archsim.explore import Space, explore
from archsim.explore.figures import figures

FIGURES = {"pairs.png": "explore_edge.png", "importance.png": "explore_edge_importance.png"}


def main() -> None:
    """Write the figures beside this file."""
    drawn = figures(explore(Space.load("edge"), prune=False))
    for name, target in FIGURES.items():
        Path(__file__).with_name(target).write_bytes(drawn[name])


if __name__ == "__main__":
    main()
