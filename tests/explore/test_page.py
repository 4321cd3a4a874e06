"""docs/explore.md: its table of designs is what the machine says."""

import re
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.arch import Arch
from archsim.explore import Space

PAGE = (Path(__file__).parent.parent.parent / "docs" / "explore.md").read_text()
ROW = re.compile(r"^\| ([0-9,]+) \| (\d+) x (\d+) \| (\S+) \| (\S+) \| (\d+) \+ (\d+) \| ([0-9.]+) \|$", re.MULTILINE)


@pytest.mark.parametrize("row", ROW.findall(PAGE), ids=lambda row: row[0])
def test_the_designs_of_the_table(row) -> None:
    multipliers, rows, columns, formats, schedule, activation, elementwise, body_us = row
    assert int(rows) * int(columns) == int(multipliers.replace(",", ""))
    space = Space.load("edge")
    wanted = {
        "mac_array.rows": int(rows),
        "mac_array.columns": int(columns),
        "formats": formats,
        "schedule": schedule,
        "activation.lanes": int(activation),
        "elementwise.lanes": int(elementwise),
        "state_buffer.port_bits": 1024,
    }
    places = tuple([c.label for c in p.choices].index(wanted[p.path]) for p in space.parameters)
    design = space.design(space.number(places))
    workload = space.workloads[0].workload
    stats = simulate(Arch("edge", design.config), workload, design.schedule, timing_only=True).stats
    assert stats.body_us == float(body_us)


def test_the_table_is_found() -> None:
    assert len(ROW.findall(PAGE)) == 7


def test_sizes_of_the_shipped_spaces() -> None:
    for name in ("edge", "cloud", "formats"):
        assert f"| `{name}` | {Space.load(name).size:,} |" in PAGE
