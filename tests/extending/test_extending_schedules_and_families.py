"""The schedule and the family of docs/extending.md, as packages outside archsim."""

from __future__ import annotations

from pathlib import Path

from tests.extending.outside import check_section
from tests.rings import exhaustive


@exhaustive
def test_the_schedule(tmp_path: Path) -> None:
    check_section("archsim_one_ahead", "A schedule", tmp_path)


@exhaustive
def test_the_family_runs_reports_and_explores(tmp_path: Path) -> None:
    check_section("archsim_dot", "A family of machines", tmp_path)
