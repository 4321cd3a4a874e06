"""Adds the figures of a run of the benchmarks to their history, a line each.

    python benchmarks/targets/history.py figures.json       # adds to benchmarks/targets/history.csv

Of the machine there is the processor's name alone. Ratios are to another way in the same run, which a slower or busier
machine changes little.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
COLUMNS = ("commit", "python", "processor", "figure", "seconds", "value", "unit", "ratio", "than", "asked")


def rows(figures: Path) -> list[dict[str, str]]:
    """A row for each benchmark of a file of pytest-benchmark (--benchmark-json)."""
    data = json.loads(figures.read_text())
    commit = subprocess.run(
        ("git", "rev-parse", "--short=8", "HEAD"), cwd=HERE, capture_output=True, text=True, check=True
    )
    machine = data["machine_info"]
    common = {
        "commit": commit.stdout.strip(),
        "python": machine["python_version"],
        "processor": machine["cpu"].get("brand_raw", ""),
    }
    found = []
    for one in data["benchmarks"]:
        extra = one["extra_info"]
        value = extra.get("value", extra.get("a_second", ""))
        unit = extra["unit"] if "value" in extra else f"{extra['unit']}/s" if extra["unit"] else ""
        found.append(
            common
            | {
                "figure": one["name"].removeprefix("bench_"),
                "seconds": f"{one['stats']['min']:.4g}",
                "value": f"{value:.4g}" if value != "" else "",
                "unit": unit,
                "ratio": f"{extra['ratio']:.4g}",
                "than": extra["than"],
                "asked": extra["asked"],
            }
        )
    return found


def main(figures: Path) -> None:
    """Add the rows, under a head if there is none."""
    history = HERE / "history.csv"
    new = not history.exists()
    with history.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
