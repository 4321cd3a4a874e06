"""What all tests share: the ring that runs, its hypothesis profile, and one line about what was skipped."""

from __future__ import annotations

import gc
import os
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.optional import skipped_in_one_line
from tests.pages import started_browser
from tests.ran import Passed, passed_elsewhere, writer
from tests.rings import (
    LAW_SHARES,
    SLOW_TESTS,
    covering,
    exhaustive,
    law_examples,
    part_asked,
    selects_exhaustive,
    share,
    share_of,
)


def pytest_configure(config: pytest.Config) -> None:
    """Laws have the same examples in every run, no clock, no database of failures; how many, the ring says."""
    thorough = selects_exhaustive(config.option.markexpr)
    settings.register_profile(
        "archsim",
        derandomize=True,
        deadline=None,
        database=None,
        max_examples=law_examples(thorough),
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("archsim")
    passed = writer()
    if passed is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_PassedPlugin(passed))


class _PassedPlugin:
    """Tells what writes passed tests down about each report; of processes side by side only in the one above them."""

    def __init__(self, passed: Passed) -> None:
        self._passed = passed

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._passed.add(report.nodeid, report.outcome)

    def pytest_sessionfinish(self) -> None:
        self._passed.write()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks as exhaustive what the fast ring's covers leave out and, if that ring runs, every law: it is longer there.

    The marks decide afterwards which tests -m selects.
    """
    thorough = selects_exhaustive(config.option.markexpr)
    products: defaultdict[str, list[pytest.Function]] = defaultdict(list)
    for item in items:
        if not isinstance(item, pytest.Function):
            continue
        if item.nodeid in SLOW_TESTS and not _is_law(item):
            item.add_marker(exhaustive)
        if item.get_closest_marker("covering"):
            products[item.nodeid.partition("[")[0]].append(item)
        if thorough and _is_law(item):
            item.add_marker(exhaustive)
    for found in products.values():
        marker = found[0].get_closest_marker("covering")
        assert marker is not None
        kept = set(covering([values_of(item) for item in found], marker.kwargs["strength"]))
        for place, item in enumerate(found):
            if place not in kept:
                item.add_marker(exhaustive)
    _leave_out(config, items, _outside_the_part(items) | (_outside_the_share(items) if thorough else set()))


def _leave_out(config: pytest.Config, items: list[pytest.Item], left_out: Collection[pytest.Item]) -> None:
    """Deselect tests, and say so."""
    if left_out:
        config.hook.pytest_deselected(items=[item for item in items if item in left_out])
        items[:] = [item for item in items if item not in left_out]


def _outside_the_part(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """What is not in the part that ARCHSIM_PART asks for."""
    asked = part_asked()
    if asked is None:
        return set()
    running, parts = asked
    return {item for item in items if share_of(item.nodeid, parts) != running}


def _outside_the_share(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """What only the exhaustive ring has, or has passed elsewhere, and is in another share; laws only if they passed."""
    running, passed = share(), passed_elsewhere()
    if running is None:
        return set()

    def in_another(item: pytest.Item) -> bool:
        if _is_law(item):
            return item.nodeid in passed and share_of(item.nodeid, LAW_SHARES) != running % LAW_SHARES
        again = item.get_closest_marker("exhaustive") or item.nodeid in passed
        return bool(again) and share_of(item.nodeid) != running

    return set(filter(in_another, items))


def _is_law(item: pytest.Item) -> bool:
    """Whether the test is a law, or has one inside."""
    return getattr(getattr(item, "obj", None), "is_hypothesis_test", False) or bool(item.get_closest_marker("law"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Notes the processor time of each test, with what it starts, in the file that ARCHSIM_TEST_SECONDS names."""
    file = os.environ.get("ARCHSIM_TEST_SECONDS")
    if not file:
        return (yield)
    before = _processor_seconds()
    try:
        return (yield)
    finally:
        with open(file, "a", encoding="utf-8") as notes:
            law = "law" if _is_law(item) else ""
            notes.write(f"{_processor_seconds() - before:.3f}\t{law}\t{item.nodeid}\n")


def _processor_seconds() -> float:
    return sum(os.times()[:4])


def pytest_collection_finish() -> None:
    """The garbage collector leaves out what collection has made, which stays to the end: a tenth of all time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def values_of(item: pytest.Function) -> dict[str, Hashable]:
    """The test's parameters: text and numbers as they are, others by which object they are."""
    return {
        name: value if isinstance(value, str | int | float) else id(value)
        for name, value in item.callspec.params.items()
    }


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """All that was skipped, in one line."""
    reasons = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())]
    if reasons:
        terminalreporter.write_line(skipped_in_one_line(reasons))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium off the network; its tests are skipped where there is none."""
    with started_browser() as found:
        yield found
