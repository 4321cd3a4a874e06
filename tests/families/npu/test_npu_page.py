"""docs/npu.md says what the machine does: its table of published and simulated cycles."""

from __future__ import annotations

import re
from pathlib import Path

from tests.families.npu.machines import timed
from tests.families.npu.test_npu_published import CPP_MODEL, RTL_T8

PAGE = Path(__file__).resolve().parents[3] / "docs" / "npu.md"


def test_the_table_is_what_comes_out() -> None:
    rows = re.findall(r"^\| (\d)(, RTL)? \| (\d+) \| (\d+) \| ([+-][\d.]+) % \|$", PAGE.read_text(), re.M)
    shown = [(int(steps), bool(rtl), int(published), int(here), error) for steps, rtl, published, here, error in rows]
    expected = [(steps, False, published) for steps, published in CPP_MODEL.items()] + [(8, True, RTL_T8)]
    assert [row[:3] for row in shown] == expected
    for steps, _, published, here, error in shown:
        assert here == timed(f"lstm:512,512,t={steps},b=6").stats.latency_cycles
        assert error == f"{100 * (here / published - 1):+.1f}"
