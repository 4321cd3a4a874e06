"""How many processes an exploration starts by itself, and when."""

from __future__ import annotations

import os
import subprocess

import pytest

from archsim.explore import Space
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.local import LocalProcesses
from archsim.explore.run.local_process import available_cores, early_process
from tests.explore.conftest import Write
from tests.rings import exhaustive


def test_the_cores_that_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the system allows where it says so; else all, and one where even that is not known."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    assert available_cores() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert available_cores() == 1


@pytest.mark.parametrize("dies", [False, pytest.param(True, marks=exhaustive)])
def test_a_process_that_was_started_early_is_the_first_worker(write: Write, dies: bool) -> None:
    """It has loaded what it needs when it is told what it works on, and is replaced like any other if it dies."""
    space = Space.load(write())
    setup, design = Setup.from_space(space, "auto"), space.design(26)
    task = Task(design.key, design.number, design.schedule)
    with early_process(2) as early:
        assert early is not None
        if dies:
            early.process.kill()
        workers = LocalProcesses(setup, 2, early)
        with workers:
            (found,) = (outcome for outcomes in workers.run([task]) for outcome in outcomes)
            assert (workers.process_ids == (early.process.pid,)) is not dies
    assert found == DesignEvaluator(setup).run(task)
    assert early.process.poll() is not None


def test_a_process_that_nobody_needs_is_stopped() -> None:
    with early_process(1) as early:
        assert early is None, "one worker is this process"
    with early_process(2) as early:
        assert early is not None
        assert early.process.poll() is None
    assert early.process.poll() is not None


def test_a_process_that_cannot_be_started_is_left_to_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refused)
    with early_process(2) as early:
        assert early is None
