"""Figures as text."""

from __future__ import annotations

import pytest

from archsim.report.text import figures_as_text as numbers


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1611.07, "1,611"),
        (108.2175, "108.2"),
        (0.5975, "0.5975"),
        (0.07, "0.07"),
        (1234567.8, "1,234,568"),
        (9.99996, "10"),
        (800, "800"),
        (1.25, "1.25"),
        (1e-9, "0.000000001"),
    ],
)
def test_significant(value: float, text: str) -> None:
    assert numbers.significant(value) == text


@pytest.mark.parametrize(("value", "text"), [(83, "83"), (1232, "1,232"), (63.7935, "63.8"), (40.0, "40")])
def test_cycles(value: float, text: str) -> None:
    assert numbers.cycles(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0 %"), (1, "100.0 %"), (0.95119, "95.1 %"), (0.001, "0.1 %"), (8.172e-5, "0.0082 %"), (12.5, "1,250.0 %")],
)
def test_percent(share: float, text: str) -> None:
    assert numbers.percent(share) == text


@pytest.mark.parametrize(
    ("amount", "whole", "text"), [(0, 5, "0 %"), (5, 5, "100.0 %"), (2, 1_288_856, "<0.1 %"), (1, 1000, "0.1 %")]
)
def test_part(amount: int, whole: int, text: str) -> None:
    assert numbers.part(amount, whole) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (19_568_000, "18.7 MiB"),
        (1 << 30, "1.0 GiB"),
        (5 << 60, "5.0 EiB"),
    ],
)
def test_binary_bytes(amount: int, text: str) -> None:
    assert numbers.binary_bytes(amount) == text


def test_errors_and_plurals() -> None:
    assert numbers.error(3.0234e-07) == "3.0e-07"
    assert numbers.error(0) == "0"
    assert numbers.plural(1, "step") == "1 step"
    assert numbers.plural(1070, "step") == "1,070 steps"
