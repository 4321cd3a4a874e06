"""Explores the shipped spaces for their pages: draws figures, writes tables and the sizes of fronts; keeps the prose.

python -m tools.docs.explore_figures                  # all; `formats` and `delta` take minutes: they compute numbers
python -m tools.docs.explore_figures edge cloud       # some
"""

from __future__ import annotations

import sys

from archsim.explore import Space, explore
from archsim.explore.results.figures import figures
from tools.docs import explore_tables

FIGURES = {
    "edge": {"pairs.png": "explore_edge.png", "importance.png": "explore_edge_importance.png"},
    "cloud": {"pairs.png": "explore_cloud.png"},
    "formats": {"pairs.png": "explore_formats.png"},
    "delta": {"pairs.png": "explore_delta.png"},
}
"""Space -> picture of an exploration -> its name beside the page."""


def main(wanted: list[str]) -> None:
    """Write the figures beside this file, and the tables into the page."""
    for table in explore_tables.TABLES:
        if wanted and table.space not in wanted:
            continue
        # Importance describes all designs, so none of edge's may be skipped.
        study = explore(Space.load(table.space), prune=False)
        drawn = figures(study)
        for name, target in FIGURES[table.space].items():
            table.page.with_name(target).write_bytes(drawn[name])
        rows = table.rows(study.space, table.shown(study))
        page = explore_tables.filled(table.page.read_text(), {table.space: rows})
        table.page.write_text(explore_tables.counted(page, table.space, len(study.pareto())))
        print(
            f"{table.space}: {len(study.points):,} points, {len(study.pareto()):,} on the front, {study.seconds:.0f} s"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
