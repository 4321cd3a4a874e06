"""Writes the tables and the picture of docs/formats.md: `python -m tools.docs.formats_table`; the prose is kept.

Silero VAD is in the repository; the other two models come from PyPI (pinned wheels, downloaded once into a cache or
into --models DIR) and need torch. --check computes all again and fails where the page has other figures.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from tools.docs import DOCS

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the processes are what runs side by side

from tests.importers.trained_models import Unavailable
from tools.docs.formats_figure import draw
from tools.docs.formats_models import MODELS, Model
from tools.docs.formats_rows import FIXED, Cell, Result, Row, largest_cells, result, rows

PAGE = DOCS / "formats.md"
PICTURE = DOCS / "formats.png"
LARGEST, OVERFLOWS = "largest magnitudes", "overflows of q4.12"

Table = dict[tuple[str, str], dict[str, Cell]]
"""The cells of a row by column, by the row's group and name."""
Printed = dict[tuple[str, str], dict[str, str]]
"""The same as text."""


def table(results: Mapping[Row, Result]) -> Table:
    """A model's table."""
    return {(row.group, row.name): found.cells for row, found in results.items()}


def overflow_table(results: Mapping[str, Mapping[Row, Result]]) -> Table:
    """Overflows of q4.12 by model and kind of data."""
    return {
        ("", model): {
            kind: Cell(f"{beyond:,} of {values:,}")
            for row, found in by_row.items()
            if (row.group, row.name) == (FIXED, "q4.12")
            for kind, beyond, values in found.overflows
        }
        for model, by_row in results.items()
    }


def written(made: Table) -> str:
    """As Markdown; a line of its own for each group."""
    columns = list(next(iter(made.values())))
    lines = [f"| | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    last = ""
    for (group, name), cells in made.items():
        if group != last:
            lines.append(f"| **{group}** |" + " |" * len(columns))
            last = group
        lines.append(f"| {name} | {' | '.join(cells[column].text for column in columns)} |")
    return "\n".join(lines) + "\n"


def read(text: str) -> Printed:
    """What `written` wrote."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]
    found: Printed = {}
    group = ""
    for name, *values in lines[2:]:
        if name.startswith("**"):
            group = name.strip("*")
        else:
            found[group, name] = dict(zip(lines[0][1:], values, strict=True))
    return found


def tables_of(page: str) -> dict[str, str]:
    """The tables between the markers of a page, by their names."""
    return dict(_MARKED.findall(page))


def without_tables(page: str) -> str:
    """The prose alone."""
    return _MARKED.sub("", page)


_MARKED = re.compile(r"<!-- table:([^>]+?) -->\n(.*?)<!-- end -->\n", re.DOTALL)


def replaced(page: str, name: str, text: str) -> str:
    """The page with another table between the markers of that name."""
    start, end = f"<!-- table:{name} -->\n", "<!-- end -->\n"
    before, found, rest = page.partition(start)
    if not found or end not in rest:
        raise SystemExit(f"{PAGE}: has no place for the table {name}: {start}{end}")
    return before + start + text + rest[rest.index(end) :]


def differences(name: str, made: Table, found: Printed) -> list[str]:
    """Where a printed table has other figures."""
    wrong = [f"{name}: no row {key}" for key in made.keys() - found.keys()]
    wrong += [f"{name}: a row too many, {key}" for key in found.keys() - made.keys()]
    for key in made.keys() & found.keys():
        if made[key].keys() != found[key].keys():
            wrong.append(f"{name}, {key}: other columns")
            continue
        for column, cell in made[key].items():
            if not cell.agrees(found[key][column]):
                wrong.append(f"{name}, {key[0]}, {key[1]}, {column}: {found[key][column]} printed, {cell.text} found")
    return sorted(wrong)


def compute(models: Sequence[Model], jobs: int) -> dict[str, dict[Row, Result]]:
    """Every row of every model, some at a time."""
    tasks = [(model, row) for model in models for row in rows(model)]
    found: dict[str, dict[Row, Result]] = {model.name: {} for model in models}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for (model, row), got in zip(tasks, pool.map(result, *zip(*tasks, strict=True)), strict=True):
            found[model.name][row] = got
    return found


def main() -> None:
    """Compute, and write or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page has other figures")
    parser.add_argument("--models", type=Path, metavar="DIR", help="where the wheels are, or are downloaded to")
    parser.add_argument("--only", choices=MODELS, action="append", metavar="MODEL", help=f"one of {', '.join(MODELS)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes [default: %(default)s]")
    options = parser.parse_args()
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        wanted = options.only or list(MODELS)
        try:
            models = [make(Path(folder), options.models) for name, make in MODELS.items() if name in wanted]
        except (Unavailable, ModuleNotFoundError) as error:
            raise SystemExit(f"{error}; --only silero_vad needs nothing more") from error
        results = compute(models, options.jobs)
        made = {name: table(found) for name, found in results.items()}
        if not options.only:
            made[LARGEST] = {("", model.name): largest_cells(model) for model in models}
            made[OVERFLOWS] = overflow_table(results)
    page = PAGE.read_text(encoding="utf-8")
    wrong = [
        f"{name}, {row.group}, {row.name}: the machine disagrees with the integer reference"
        for name, by_row in results.items()
        for row, found in by_row.items()
        if found.passed is False
    ]
    if options.check:
        printed = {name: read(text) for name, text in tables_of(page).items()}
        wrong += [text for name in made for text in differences(name, made[name], printed.get(name, {}))]
    else:
        for name, rows_of in made.items():
            page = replaced(page, name, written(rows_of))
        PAGE.write_text(page, encoding="utf-8")
        draw({name: read(text) for name, text in tables_of(page).items() if name in MODELS}, PICTURE)
    print(f"{sum(map(len, results.values()))} runs in {time.perf_counter() - begin:.0f} s", file=sys.stderr)
    if wrong:
        raise SystemExit("\n".join(wrong))


if __name__ == "__main__":
    main()
