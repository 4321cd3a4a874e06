"""The map: which test reaches which blocks, and what it costs."""

from __future__ import annotations

import builtins
import json
import os
import random
import signal
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType

import pytest

from tools.faults.blocks import TABLE
from tools.faults.forks import Place, cpu_seconds

LONG_SECONDS = 4.0
"""A test function whose cases have taken this long runs no further cases for the map."""

BROKEN_OFF_TIMES = 3.0
"""How much longer than it ran a case is taken to be that was broken off."""


@dataclass(frozen=True)
class Case:
    """One case of a test. What it reaches is known if it ran (`seconds` is given); bits of `reached` are blocks."""

    nodeid: str
    markers: tuple[str, ...] = ()
    seconds: float | None = None
    passed: bool = True
    reached: int = 0

    @property
    def function(self) -> str:
        """The test without the case's name."""
        return self.nodeid.partition("[")[0]

    @property
    def file(self) -> str:
        """The file that the test stands in."""
        return self.nodeid.partition("::")[0]


@dataclass(frozen=True)
class CaseFile:
    """The tests of one file; `seconds` is what collecting them costs, imports included."""

    path: str
    seconds: float
    collected: bool
    reached: int = 0
    tests: tuple[Case, ...] = ()

    def to_json(self) -> str:
        """One line."""
        data = asdict(self)
        data["reached"] = hex(self.reached)
        data["tests"] = [{**asdict(test), "reached": hex(test.reached)} for test in self.tests]
        return json.dumps(data)

    @classmethod
    def from_json(cls, line: str) -> CaseFile:
        """What `to_json` wrote."""
        data = json.loads(line)
        tests = tuple(
            Case(t["nodeid"], tuple(t["markers"]), t["seconds"], t["passed"], int(t["reached"], 16))
            for t in data["tests"]
        )
        return cls(data["path"], data["seconds"], data["collected"], int(data["reached"], 16), tests)


def pytest_arguments(tree: Path, temporary: Path, marker: str) -> list[str]:
    """The options of every pytest run: of the project's own only what stands in its ini keys counts.

    The marker expression, "" for none, says which ring runs and so how long its laws are.
    """
    plugins = [part for name in ("cacheprovider", "xdist", "cov", "randomly") for part in ("-p", f"no:{name}")]
    place = ["--rootdir", str(tree), "-c", str(tree / "pyproject.toml"), "--basetemp", str(temporary / "pytest")]
    selected = ["-m", marker] if marker else []
    return ["-q", "--no-header", "--tb=short", "-o", "addopts=", *plugins, *place, *selected]


@dataclass(frozen=True)
class Effort:
    """What a map may cost: cases of each test function that run, and CPU seconds after which one is broken off.

    `marker`: tests that this expression does not select, as in pytest -m, are no part of the map.
    """

    cases: int
    case_seconds: float
    marker: str = ""


def map_file(path: str, place: Place, blocks: int, effort: Effort, out: Path) -> None:
    """Run some cases of each test of a file, in a child whose imports count blocks; one line is written."""
    table = bytearray(blocks)
    setattr(builtins, TABLE, table)
    plugin = _Mapper(table, effort)
    pytest.main([*pytest_arguments(place.tree, place.temporary, effort.marker), path], plugins=[plugin])
    found = CaseFile(path, plugin.collecting, plugin.collected, plugin.at_import, tuple(plugin.results()))
    part = out.with_suffix(".part")
    part.write_text(found.to_json(), encoding="utf-8")
    os.replace(part, out)


@dataclass(eq=False)  # pytest keeps plugins in sets
class _Mapper:
    """The pytest plugin that fills one file of the map."""

    table: bytearray
    effort: Effort
    started: float = field(default_factory=cpu_seconds)
    collecting: float = 0.0
    collected: bool = True
    at_import: int = 0
    every: list[Case] = field(default_factory=list)
    ran: dict[str, Case] = field(default_factory=dict)
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    failed: set[str] = field(default_factory=set)
    broken_off: bool = False

    def results(self) -> Iterator[Case]:
        """All cases, in pytest's order."""
        for test in self.every:
            yield self.ran.get(test.nodeid, test)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected judges nothing."""
        self.collected = self.collected and not report.failed

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Note all cases that are selected, and keep some of each test."""
        self.collecting = cpu_seconds() - self.started
        self.at_import = self._take()
        cases: dict[str, list[pytest.Item]] = defaultdict(list)
        for item in items:
            test = Case(item.nodeid, tuple(sorted({mark.name for mark in item.iter_markers()})))
            self.every.append(test)
            cases[test.function].append(item)
        kept = set()
        for function, some in cases.items():
            chosen = random.Random(function).sample(some, min(self.effort.cases, len(some)))
            kept |= {item.nodeid for item in chosen}
        items[:] = [item for item in items if item.nodeid in kept]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Note what a case reaches, fixtures included."""
        function = item.nodeid.partition("[")[0]
        if self.spent[function] > LONG_SECONDS:
            item.add_marker(pytest.mark.skip)
        self._take()
        before = cpu_seconds()
        self.broken_off = False
        signal.signal(signal.SIGPROF, self._break_off)
        signal.setitimer(signal.ITIMER_PROF, self.effort.case_seconds)
        result = yield
        signal.setitimer(signal.ITIMER_PROF, 0)
        seconds = (cpu_seconds() - before) * (BROKEN_OFF_TIMES if self.broken_off else 1)
        if self.spent[function] <= LONG_SECONDS:
            markers = tuple(sorted({mark.name for mark in item.iter_markers()}))
            passed = self.broken_off or item.nodeid not in self.failed
            self.ran[item.nodeid] = Case(item.nodeid, markers, round(seconds, 4), passed, self._take())
        self.spent[function] += seconds
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails without a fault judges nothing."""
        if report.failed:
            self.failed.add(report.nodeid)

    def _break_off(self, number: int, frame: FrameType | None) -> None:
        """What a case that runs for long has reached so far is enough."""
        self.broken_off = True
        pytest.skip("long")

    def _take(self) -> int:
        """The blocks entered since the last call."""
        reached = int.from_bytes(_packed(self.table), "little")
        self.table[:] = bytes(len(self.table))
        return reached


def _packed(table: bytearray) -> bytes:
    """A bit for each byte of the table."""
    digits = bytes(table).translate(bytes([48, 49]) + bytes(254))[::-1].decode()
    return int(digits or "0", 2).to_bytes(len(table) // 8 + 1, "little")
