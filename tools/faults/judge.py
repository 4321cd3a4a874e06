"""Judging one fault: its tests in one process, batch after batch, and a diary that outlives the process."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.faults.coverage import pytest_arguments
from tools.faults.forks import Place, cpu_seconds
from tools.faults.plan import Batch

HANG_SECONDS, HANG_TIMES = 15.0, 10.0
"""A test hangs after this much more CPU time, and this many times as much, as it took for the map."""

OVERTIME_SECONDS = 15.0
"""CPU time beyond the budget after which a test that may still go on is broken off."""

COLLECT_SECONDS = 60.0
"""CPU time after which collecting a batch hangs."""


@dataclass(frozen=True)
class Diary:
    """What the child tells: a line for each thing that happened, the first word says which."""

    path: Path

    def note(self, *words: object) -> None:
        """Append a line; it is there even if the process dies the next moment."""
        line = " ".join(" ".join(str(word) for word in words).split()) + "\n"
        with self.path.open("a", encoding="utf-8") as file:
            file.write(line)

    def lines(self) -> list[tuple[str, str]]:
        """All lines as (first word, rest)."""
        if not self.path.exists():
            return []
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines())]


@dataclass(frozen=True)
class Budget:
    """CPU seconds of a fault, and what compiling may take on top."""

    seconds: float
    compiling: float


def judge(
    batches: Sequence[Batch], names: Sequence[str], budget: Budget, place: Place, diary: Diary, marker: str = ""
) -> None:
    """Run batches until a test fails or the budget is spent; `names` are the tests by their places in the map.

    `marker`: which tests, as in pytest -m.
    """
    runner = _Runner(names, cpu_seconds() + budget.seconds + budget.compiling, budget.compiling, diary)
    for batch in batches:
        if runner.out_of_time():
            diary.note("capped")
            return
        runner.start(batch)
        options = pytest_arguments(place.tree, place.temporary, marker)
        code = pytest.main(["-x", *options, *batch.files], plugins=[runner])
        signal.setitimer(signal.ITIMER_PROF, 0)
        if runner.ended:
            return
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            diary.note("broken", "pytest ended with", int(code))
            return
    diary.note("capped" if runner.too_long else "all")


class _Runner:
    """The pytest plugin that runs the cases of a batch in order."""

    def __init__(self, names: Sequence[str], stop_at: float, extra: float, diary: Diary) -> None:
        self.names, self.stop_at, self.extra, self.diary = names, stop_at, extra, diary
        self.order: dict[str, tuple[int, int, float]] = {}
        self.ended = self.too_long = False
        self.failure = ""

    def start(self, batch: Batch) -> None:
        """The cases that come next."""
        self.order = {self.names[c]: (at, c, batch.seconds[at]) for at, c in enumerate(batch.cases)}
        self._limit(COLLECT_SECONDS)
        self.diary.note("collecting", batch.files[0])

    def out_of_time(self) -> bool:
        """Whether the budget is spent."""
        return cpu_seconds() > self.stop_at

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported any more finds the fault."""
        if report.failed and not self.ended:
            self._end("import", report.nodeid, str(report.longrepr)[-300:])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only the cases of the batch, in its order; a case that is there no more cannot fail."""
        found = {item.nodeid for item in items}
        for name, (_, case, _) in self.order.items():
            if name not in found:
                self.diary.note("passed", case)
        items[:] = sorted(
            (item for item in items if item.nodeid in self.order), key=lambda item: self.order[item.nodeid][0]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Start the clock of a case."""
        _, case, seconds = self.order[item.nodeid]
        if self.out_of_time() and not self.ended:
            self.ended = True
            self.diary.note("capped")
            item.session.shouldstop = "the budget is spent"
            item.add_marker(pytest.mark.skip)
            return (yield)
        if seconds > self.stop_at - cpu_seconds():
            self.too_long = True
            item.add_marker(pytest.mark.skip)
            return (yield)
        self.failure = ""
        hang = max(HANG_SECONDS + seconds, HANG_TIMES * seconds) + self.extra
        left = self.stop_at - cpu_seconds() + OVERTIME_SECONDS
        self.diary.note("case", case)
        self.diary.note("limit", "hang" if hang <= left else "cap")
        self._limit(min(hang, left))
        result = yield
        if self.failure and not self.ended:
            self._end("failed", item.nodeid, self.failure)
        elif not self.failure:
            self.diary.note("passed", case)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what failed, in a line."""
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failure = str(crash.message if crash else report.longrepr)[:200] or "failed"

    def _end(self, word: str, nodeid: str, message: str) -> None:
        self.ended = True
        self.diary.note(word, nodeid.replace(" ", "_"), message)

    def _limit(self, seconds: float) -> None:
        """Die by SIGPROF after so much CPU time, in compiled code too."""
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, seconds)


def kill_group(child: int) -> None:
    """End a child and what it started."""
    try:
        os.killpg(child, signal.SIGKILL)
    except ProcessLookupError:
        return
