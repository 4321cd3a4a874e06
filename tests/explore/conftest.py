"""A space of cheap points, written as a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

SMALL = """\
summary: cheap points
architecture: tiny_2x2
workloads: ["lstm:3,4,t=3"]
parameters:
  mac_array.rows: {log2: {from: 2, to: 16}}
  mac_array.columns: {linear: {from: 1, to: 5, step: 2}}
  schedule: [fused, split]
  weight_sram.capacity_bytes: [256, 2KiB]
derived:
  weight_sram.banks: mac_array.rows
  accumulators.entries: 4 * mac_array.rows
constraints:
  - mac_array.rows * mac_array.columns <= 64
objectives:
  - minimize: body_us
  - minimize: mac_array.rows * mac_array.columns
    name: macs_per_cycle
"""


Write = Callable[..., Path]
"""Writes a space: SMALL with pairs of texts replaced; the file is named `name`."""


def keys_in(journal: Path) -> list[str]:
    """The keys of all designs in a journal, as they stand there."""
    records = [json.loads(line[9:]) for line in journal.read_bytes().splitlines()[1:]]
    return [key for record in records for key in (record.get("keys") or [record["key"]])]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a space: SMALL with some pieces of text replaced."""

    def write(*changes: tuple[str, str], name: str = "small") -> Path:
        text = SMALL
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"{name}.yaml"
        path.write_text(text)
        return path

    return write
