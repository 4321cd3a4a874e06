"""What decides which tests run, and what is said about those that are skipped."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path

import pytest
from hypothesis import settings

from tests.optional import how_to_get, need, skipped_in_one_line
from tests.ran import Passed
from tests.rings import (
    SHARES,
    SLOW_TESTS,
    covering,
    examples,
    law_examples,
    part_asked,
    selects_exhaustive,
    share,
    share_of,
)
from tools.slow_tests import chosen


@pytest.mark.parametrize(
    ("expression", "exhaustive"),
    [
        ("not exhaustive", False),
        ("exhaustive", True),
        ("exhaustive or not exhaustive", True),
        ("", True),
        ("law and not exhaustive", False),
        ("law and not  exhaustive or exhaustive", True),
    ],
)
def test_the_ring_is_read_from_the_marks_that_are_asked_for(expression: str, exhaustive: bool) -> None:
    assert selects_exhaustive(expression) is exhaustive


@pytest.fixture
def profile_of() -> Iterator[Callable[[int], None]]:
    """Loads a hypothesis profile of so many examples for one test."""

    def load(max_examples: int) -> None:
        settings.register_profile("one test's", max_examples=max_examples)
        settings.load_profile("one test's")

    yield load
    settings.load_profile("archsim")


@pytest.mark.parametrize(("of_profile", "found"), [(40, [1, 5, 40, 400]), (10, [1, 1, 10, 100])])
def test_examples_are_a_share_of_those_of_the_exhaustive_ring(
    profile_of: Callable[[int], None], of_profile: int, found: list[int]
) -> None:
    profile_of(of_profile)
    assert [examples(count) for count in (1, 5, 40, 400)] == found


@pytest.mark.parametrize(
    ("long", "given", "found"), [("", "0", 0), ("", "3", 3), ("1", "3", None)], ids=["first", "last", "all"]
)
def test_which_share_runs(monkeypatch: pytest.MonkeyPatch, long: str, given: str, found: int | None) -> None:
    monkeypatch.setenv("ARCHSIM_LONG", long)
    monkeypatch.setenv("ARCHSIM_SHARE", given)
    assert share() == found
    assert law_examples(thorough=True) == (40 if found is None else 10)


@pytest.mark.parametrize("given", [str(SHARES), "-1", "half", ""])
def test_no_such_share_is_one_line(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ARCHSIM_LONG", "")
    monkeypatch.setenv("ARCHSIM_SHARE", given)
    with pytest.raises(pytest.UsageError, match="0 to 23"):
        share()


def test_shares_are_about_as_large_and_together_all() -> None:
    found = [share_of(f"tests/test_x.py::test_y[{a}-{b}]") for a in range(80) for b in range(30)]
    counts = [found.count(number) for number in range(SHARES)]
    assert sum(counts) == 2400
    assert all(0.7 <= count / (2400 / SHARES) <= 1.3 for count in counts)


@pytest.mark.parametrize(("given", "found"), [("0/8", (0, 8)), ("7/8", (7, 8)), ("11/24", (11, 24))])
def test_which_part_runs(monkeypatch: pytest.MonkeyPatch, given: str, found: tuple[int, int]) -> None:
    monkeypatch.setenv("ARCHSIM_PART", given)
    assert part_asked() == found


@pytest.mark.parametrize("given", ["8/8", "1", "1/2/3", "-1/8", "0/0", ""])
def test_no_such_part_is_one_line(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("ARCHSIM_PART", given)
    with pytest.raises(pytest.UsageError, match="k/n, with k below n"):
        part_asked()


AXES = {"schedule": range(20), "machine": range(5), "network": range(10)}
ROWS = [dict(zip(AXES, values, strict=True)) for values in product(*AXES.values())]


@pytest.mark.parametrize(("strength", "fewest", "most"), [(1, 20, 20), (2, 200, 220)])
def test_a_cover_has_every_combination_and_few_rows(strength: int, fewest: int, most: int) -> None:
    chosen = covering(ROWS, strength)
    for names in combinations(AXES, strength):
        found = {tuple(ROWS[place][name] for name in names) for place in chosen}
        assert found == set(product(*(AXES[name] for name in names)))
    assert fewest <= len(chosen) <= most
    assert covering(ROWS, strength) == chosen


def test_a_cover_of_what_there_is() -> None:
    """Combinations that no row has are not asked for, and a strength beyond the axes takes each row."""
    rows = [{"a": 0, "b": 0}, {"a": 0, "b": 1}, {"a": 1, "b": 1}, {"a": 1, "b": 1}]
    assert covering(rows, 1) == [0, 2]
    assert covering(rows, 2) == covering(rows, 3) == [0, 1, 2]
    assert covering([], 2) == []


def test_what_is_skipped_is_said_in_one_line() -> None:
    reasons = ["Skipped: needs the package torch"] * 3 + ["Skipped: needs the package onnx", "Skipped: no wheel"]
    line = skipped_in_one_line(reasons)
    assert line == '5 tests skipped: need onnx, torch: pip install -e ".[models]"; no wheel'


@pytest.mark.parametrize(
    ("packages", "command"),
    [
        (["torch"], 'pip install -e ".[torch]"'),
        (["apytypes", "h5py", "onnx", "torch"], 'pip install -e ".[witness]"'),
        (["distributed", "onnx", "scipy"], 'pip install -e ".[dask,explore,onnx]"'),
        (["ai_edge_litert", "onnx"], 'pip install -e ".[witness]"'),
        (["distributed", "nowhere"], 'pip install -e ".[dask]" nowhere'),
    ],
)
def test_how_to_get_packages(packages: list[str], command: str) -> None:
    assert how_to_get(packages) == command


@pytest.mark.parametrize(("full", "outcome"), [("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_what_is_missing(monkeypatch: pytest.MonkeyPatch, full: str, outcome: type[BaseException]) -> None:
    """A skip with the reason on a user's machine; a failure with ARCHSIM_FULL=1."""
    monkeypatch.setenv("ARCHSIM_FULL", full)
    with pytest.raises(outcome, match="needs the package no_such_package"):
        need("no_such_package")


def test_passed_are_tests_of_which_no_phase_failed_or_was_skipped(tmp_path: Path) -> None:
    passed = Passed(tmp_path / "passed")
    for test, outcome in (("b", "passed"), ("a", "passed"), ("c", "passed"), ("c", "failed"), ("d", "skipped")):
        passed.add(test, outcome)
    passed.write()
    assert (tmp_path / "passed").read_text() == "a\nb\n"


def test_slow_tests_exist() -> None:
    """A name that no test has any more would be a test that nobody misses."""
    root = Path(__file__).resolve().parents[1]
    for test in SLOW_TESTS:
        file, _, name = test.partition("::")
        function = name.partition("[")[0].rpartition("::")[2]
        assert f"def {function}(" in (root / file).read_text(encoding="utf-8"), test


def test_what_takes_longest_is_left_out() -> None:
    times = [(3.0, "b"), (1.0, "a"), (5.0, "c"), (0.5, "d")]
    assert chosen(times, 100) == []
    assert chosen(times, 4.5) == ["c"]
    assert chosen(times, 4.4) == ["b", "c"]
    assert chosen(times, 4.4, frozenset({"c"})) == ["a", "b", "d"]
