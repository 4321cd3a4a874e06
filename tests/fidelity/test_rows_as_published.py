"""What rows say beside the simulated figure, held to the page that was written from them; nothing is simulated."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace

import pytest

from archsim.fidelity import Row
from tools.docs import DOCS


def cells(line: str) -> tuple[str, ...]:
    """The cells of a line of the page's table, but for what was simulated and its error."""
    parts = [part.strip() for part in line.strip("| \n").split(" | ")]
    return (*parts[:4], *parts[6:])


def as_written(row: Row) -> tuple[str, ...]:
    """The same of a row: what the columns say, in words of this test."""
    held = "not held to it" if row.tolerance is None else f"{row.tolerance:g} %"
    marks = "".join(text for text, on in ((" (second-hand)", row.second_hand), (" (drawn run)", row.drawn)) if on)
    published = f"{row.published:,g}" if row.published < 1e5 else f"{row.published:,.0f}"
    return (
        row.machine,
        row.workload,
        row.figure,
        f"{published} {row.unit}",
        held,
        row.inputs,
        row.predicted,
        f"{row.source}{marks}",
    )


@pytest.mark.parametrize("machine", ["brainwave", "elasticai", "ethosu", "npu"])
def test_every_row_stands_on_the_page(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two swapped columns, another size or another cycle of a source would not be found on it."""
    page = {cells(line) for line in (DOCS / "fidelity.md").read_text().splitlines() if line.startswith("| ")}
    found = SimpleNamespace(stats=SimpleNamespace(latency_cycles=1, cycles_per_step=1))
    module = import_module(f"archsim.fidelity.{machine}")
    monkeypatch.setattr(module, "simulate", lambda *asked, **how: found)
    written = [as_written(row) for row in getattr(module, machine)()]
    assert written
    assert [row for row in written if row not in page] == []
