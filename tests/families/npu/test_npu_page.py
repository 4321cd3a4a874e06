"""docs/npu.md says what the machine does: its table of published and simulated cycles."""

from __future__ import annotations

import re
from pathlib import Path

from tests.families.npu.machines import timed
from tests.families.npu.test_npu_published import CPP_MODEL, RTL

PAGE = Path(__file__).resolve().parents[3] / "docs" / "npu.md"
ROW = r"^\| (LSTM|RNN|GRU) (\d+) \| (\d) \| (C\+\+ model|RTL) \| (\d+) \| (\d+) \| ([+-][\d.]+) % \|$"


def test_the_table_is_what_comes_out() -> None:
    shown: dict[str, dict[str, int]] = {"C++ model": {}, "RTL": {}}
    for kind, size, steps, source, published, here, error in re.findall(ROW, PAGE.read_text(), re.M):
        workload = f"{kind.lower()}:{size},{size},t={steps},b=6"
        shown[source][workload] = int(published)
        assert int(here) == timed(workload).stats.latency_cycles
        assert error == f"{100 * (int(here) / int(published) - 1):+.1f}"
    assert shown == {"C++ model": CPP_MODEL, "RTL": RTL}
