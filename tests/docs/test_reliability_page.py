"""docs/reliability.md: each promise has a test, which exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROWS = [
    row
    for row in (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8").splitlines()
    if row.startswith("| ") and not row.startswith("| promise")
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2:50].strip())
def test_a_promise_names_tests_that_exist(row: str) -> None:
    named = re.findall(r"`(tests/[^`]+\.py)::(\w+)`", row)
    assert named
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, (file, name)
