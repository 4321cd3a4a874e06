"""Every schedule of the family gemv on the smallest machine, as text that a person reviews.

A change of a file is a change of what a schedule does. To write them anew: `python -m tests.expect.write`.
"""

from __future__ import annotations

import pytest

from archsim.families.gemv.schedules import GEMV_SCHEDULES
from tests.expect.write import FOLDER, expected_listing

NAMES = [schedule.name for schedule in GEMV_SCHEDULES]


@pytest.mark.parametrize("name", NAMES)
def test_the_program_is_the_expected_one(name: str) -> None:
    expected = (FOLDER / f"{name}.expect").read_text(encoding="utf-8")
    assert expected_listing(name) == expected, "if this is meant: python -m tests.expect.write, and review the diff"


def test_every_file_is_compared() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.expect")) == sorted(NAMES)
