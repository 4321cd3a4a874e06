"""Writes the pages of docs/ that are made from the code: `python docs/generate.py`. A test checks them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archsim.metrics import Stats, declared
from archsim.metrics.bounds import BOUNDS
from archsim.metrics.stacks import BUCKETS

METRICS_HEAD = """# What each figure means

Made from the declarations in `archsim/metrics/` by `python docs/generate.py`. The keys are those of `stats.json`,
which is also what `archsim run --json` prints. R and C are the rows and columns of the MAC array; I, H, T and B the
input size, hidden size, time steps and batch of the workload. One MAC is 2 ops (a multiply and an add).

| key | unit | meaning | formula |
|---|---|---|---|
"""

VALIDATION = """
## validation

Does the machine compute what the model computes? `passed` (true, false, or null for a timing-only run);
`max_abs_error` (largest difference of any element of output, h_n and c_n from a reference); `max_rel_error` (largest
ratio, over the tensors, of that tensor's largest error to its largest magnitude); `tolerance` (the largest ratio
allowed, and why, is in `archsim/api/validation.py`); `checks` (one for each tensor and reference).
"""


def metrics_page() -> str:
    """docs/metrics.md."""
    rows = [f"| `{name}` | {m.unit or '-'} | {m.meaning} | {m.formula or '-'} |" for name, m in declared(Stats).items()]
    return "".join(
        (
            METRICS_HEAD,
            "\n".join(rows),
            "\n\n## Buckets of a cycle stack\n\nEvery cycle of a unit is in exactly one of them.\n\n",
            _table("bucket", BUCKETS),
            "\n## Bounds\n\nCycles a time step that each resource alone, or the recurrence alone, would need. "
            "The time steps together never take less than T times the largest.\n\n",
            _table("bound", BOUNDS),
            VALIDATION,
        )
    )


def _table(title: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {title} | meaning |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {meaning} |" for name, meaning in rows.items()]) + "\n"


PAGES = {"metrics.md": metrics_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        Path(__file__).with_name(name).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
