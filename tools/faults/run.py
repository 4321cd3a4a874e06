"""Judging a sample: a pool of children, each with its own copy of the tree, and a results file that grows."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tools.faults.fault import Fault
from tools.faults.forks import Place, fork
from tools.faults.judge import Budget, Diary, judge, kill_group
from tools.faults.plan import Batch, Planner, selection
from tools.faults.results import CAPPED, KILLED, SURVIVED, Result, append, number, read
from tools.faults.tree import copy_tree, planted

COMPILING_SECONDS = 60.0
"""More CPU time for a fault after which numba has to compile again."""

WALL_TIMES, WALL_SECONDS = 20.0, 300.0
"""Wall time after which a fault hangs: so many times its budget, and so many seconds more."""

ON_THE_WAY = ("case", "limit", "passed", "collecting")
"""Words of a diary that do not end it."""


@dataclass(frozen=True)
class Options:
    """How faults are judged: CPU seconds each, how many at once, by the tests that a marker expression selects."""

    cap_seconds: float
    jobs: int
    marker: str


@dataclass
class _Running:
    """A fault that is being judged."""

    fault: Fault
    slot: int
    diary: Diary
    passed: set[int]
    planned: int
    deadline: float
    budget: Budget
    stack: ExitStack = field(default_factory=ExitStack)


@dataclass(frozen=True)
class History:
    """What earlier runs say of a fault: killed, the tests passed, the CPU time spent with this marker expression."""

    killed: bool
    passed: frozenset[int]
    seconds: float


def run(root: Path, work: Path, out: Path, planner: Planner, faults: Sequence[Fault], options: Options) -> None:
    """Judge all faults that are not decided yet; one line each is added to `out` as it is decided."""
    earlier = read(out)
    pool = _Pool(root, work, out, planner, options)
    for at, fault in enumerate(faults, 1):
        history = _history(earlier, fault, options.marker)
        batches = planner.batches(fault, pool.selected, set(history.passed))
        budget = options.cap_seconds - history.seconds
        old = any(result.key == fault.key for result in earlier)
        if history.killed or (old and (not batches or budget < 1.0)):
            continue
        pool.start(fault, batches, budget, set(history.passed), f"{at}/{len(faults)}")
    pool.finish()


def _history(earlier: Sequence[Result], fault: Fault, marker: str) -> History:
    own = [result for result in earlier if result.key == fault.key]
    passed = frozenset(case for result in own for case in result.passed)
    seconds = sum(result.seconds for result in own if result.marker == marker)
    return History(any(result.verdict == KILLED for result in own), passed, seconds)


class _Pool:
    """The copies of the tree, and what runs in each."""

    def __init__(self, root: Path, work: Path, out: Path, planner: Planner, options: Options) -> None:
        self.work, self.out, self.planner, self.options = work, out, planner, options
        self.trees = [copy_tree(root, work / f"tree{slot}") for slot in range(options.jobs)]
        self.running: dict[int, _Running] = {}
        self.names = [case.nodeid for case in planner.cases]
        self.selected = selection(options.marker)

    def start(
        self, fault: Fault, batches: Sequence[Batch], budget: float, passed: set[int], shown: str, again: bool = False
    ) -> None:
        """Judge a fault in the first copy that is free; `again`: what hung may have been compiling."""
        while len(self.running) >= self.options.jobs:
            self._wait()
        slot = min(set(range(self.options.jobs)) - {running.slot for running in self.running.values()})
        recompiled = self.planner.blocks.needs_recompiling(fault.path)
        place = Place(self.trees[slot], self.work / f"temporary{slot}", self.work / f"numba{slot}")
        if recompiled:
            place = Place(place.tree, place.temporary, self.work / f"numba{slot}_once")
            shutil.rmtree(place.numba, ignore_errors=True)
        extra = COMPILING_SECONDS if recompiled or again else 0.0
        diary = Diary(self.work / f"diary{slot}.txt")
        diary.path.unlink(missing_ok=True)
        deadline = time.monotonic() + WALL_TIMES * (budget + extra) + WALL_SECONDS
        planned = sum(len(batch.cases) for batch in batches)
        given = Budget(budget, extra)
        running = _Running(fault, slot, diary, passed, planned, deadline, given)
        running.stack.enter_context(planted(fault, place.tree))
        task = self._task(batches, given, place, diary)
        self.running[fork(task, place, self.work / f"log{slot}.txt")] = running
        print(f"{shown} {fault.shown()}", flush=True)

    def _task(self, batches: Sequence[Batch], budget: Budget, place: Place, diary: Diary) -> Callable[[], None]:
        return lambda: judge(batches, self.names, budget, place, diary, self.options.marker)

    def finish(self) -> None:
        """Wait for all."""
        while self.running:
            self._wait()

    def _wait(self) -> None:
        """Until a child has ended, or a moment."""
        child, status, usage = os.wait4(-1, os.WNOHANG)
        if child:
            self._ended(child, status, usage.ru_utime + usage.ru_stime)
            return
        for child, running in self.running.items():
            if time.monotonic() > running.deadline:
                running.diary.note("hang", "wall time")
                kill_group(child)
        time.sleep(0.1)

    def _ended(self, child: int, status: int, seconds: float) -> None:
        running = self.running.pop(child)
        kill_group(child)
        running.stack.close()
        result = self._result(running, os.waitstatus_to_exitcode(status), seconds)
        if result.how == "hang" and not running.budget.compiling:
            passed = set(result.passed)
            batches = self.planner.batches(running.fault, self.selected, passed)
            self.start(running.fault, batches, running.budget.seconds, passed, "once more, a hang:", again=True)
            return
        append(self.out, result)
        print(
            f"  {result.verdict} {result.how} {result.test} {result.seconds:.0f} s: {running.fault.shown()}", flush=True
        )

    def _result(self, running: _Running, code: int, seconds: float) -> Result:
        """What the diary says, and what the end of the process says where the diary breaks off."""
        words = running.diary.lines()
        passed = running.passed | {number(self.names[int(rest)]) for word, rest in words if word == "passed"}
        left = max(running.planned - sum(word == "passed" for word, _ in words), 0)
        verdict, how, test, message = KILLED, "", "", ""
        ends = [(word, rest) for word, rest in words if word not in ON_THE_WAY]
        last = ends[-1] if ends else None
        current = [(word, rest) for word, rest in words if word in ("case", "collecting")][-1:]
        at = next((self.names[int(rest)] if word == "case" else rest for word, rest in current), "")
        if last is None and code == 70:
            raise RuntimeError(f"a child broke down: see {self.work / f'log{running.slot}.txt'}")
        if last is None and code == -signal.SIGPROF and ("limit", "cap") in words[-1:]:
            verdict = CAPPED
        elif last is None or last[0] == "hang":
            how, test, message = "hang", at, f"ended by {-code}"
        elif last[0] in ("failed", "import", "broken"):
            how = last[0]
            test, _, message = last[1].partition(" ") if how != "broken" else (at, "", last[1])
        else:
            verdict = CAPPED if last[0] == "capped" else SURVIVED
        fault = running.fault
        return Result(
            key=fault.key,
            path=fault.path,
            line=fault.line,
            kind=fault.kind,
            before=fault.before,
            after=fault.after,
            package=fault.package,
            verdict=verdict,
            how=how,
            test=test,
            message=message,
            marker=self.options.marker,
            seconds=round(seconds, 2),
            passed=tuple(sorted(passed)),
            left=left if verdict == CAPPED else 0,
        )
