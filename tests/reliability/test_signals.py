"""Processes that are killed, ended, stopped and continued at random moments, and clocks that jump: the same points."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest import mock

import pytest

from archsim.cli.main import main
from archsim.explore import Space, Status, explore
from archsim.explore.results.write_results import write_results
from archsim.explore.run.evaluation import Task
from archsim.explore.run.local import LocalProcesses
from archsim.explore.run.outcome import Outcome
from archsim.explore.run.outcome_lines import outcomes_of
from tests.explore.conftest import SMALL
from tests.explore.test_cluster import cluster
from tests.explore.test_journal import MANY
from tests.optional import need
from tests.reliability.forked_cli import files
from tests.rings import examples, exhaustive

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="signals and /proc as Linux has them")

KILL, TERM, HUP, INT = signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT
STOP, CONT = signal.SIGSTOP, signal.SIGCONT
ENDINGS = {(KILL,): -KILL, (TERM,): 128 + TERM, (HUP,): 128 + HUP, (INT, INT): 128 + INT, (STOP, CONT): 0}
"""Signals that a process gets one after the other -> its exit code; minus a signal: it was ended by that."""
RESULTS = ("points.csv", "pareto.csv", "index.html")


def space_file(folder: Path) -> Path:
    text = SMALL
    for old, new in MANY:
        text = text.replace(old, new)
    path = folder / "small.yaml"
    path.write_text(text)
    return path


class Exploration:
    """`archsim explore` under way, in a fork of this process, so that it takes no time to start."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.process = os.fork()
        if self.process == 0:
            try:
                os.setsid()
                signal.signal(INT, signal.default_int_handler)  # a shell's background job would ignore it
                os.chdir(folder)
                said = open("said.txt", "w", buffering=1)  # noqa: SIM115 it ends with the process
                os.dup2(said.fileno(), 2)
                sys.stdout = sys.stderr = said
                words = ("explore", "small.yaml", "--out", "found", "--resume", "--no-plots", "--no-prune", "--quiet")
                sys.argv = ["archsim", *words, "--executor", "machine", *options]  # one by one, a line each
                main()
            except SystemExit as end:
                os._exit(int(end.code or 0))
            finally:
                os._exit(99)

    def reach(self, size: int) -> None:
        """Wait until the journal has so many bytes, or the exploration is finished."""
        deadline = time.monotonic() + 120
        while journal_size(self.folder) < size and self.runs and time.monotonic() < deadline:
            time.sleep(0.002)

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"

    def workers(self) -> list[int]:
        """The processes that it has started."""
        found = subprocess.run(["ps", "--ppid", str(self.process), "-o", "pid="], capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def end(self) -> int:
        """Its exit code, when it has ended."""
        _, status = os.waitpid(self.process, 0)
        return os.waitstatus_to_exitcode(status)

    @property
    def said(self) -> str:
        return (self.folder / "said.txt").read_text()


def journal_size(folder: Path) -> int:
    journal = folder / "found" / "journal.jsonl"
    return journal.stat().st_size if journal.exists() else 0


def send(process: int, signals: tuple[signal.Signals, ...], moments: random.Random) -> None:
    for number in signals:
        os.kill(process, number)
        time.sleep(moments.uniform(0, 0.02))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The results of an exploration that nothing happened to; it also loads what forks need."""
    folder = tmp_path_factory.mktemp("whole")
    space = Space.load(str(space_file(folder)))
    study = explore(space, out=folder / "found", workers=1, prune=False, executor="machine")
    write_results(study, folder / "found", plots=False)
    return {name: (folder / "found" / name).read_bytes() for name in RESULTS}


def finish(folder: Path, expected: dict[str, bytes]) -> None:
    """Resume, and compare: the same results, each design once in the journal, nothing half-written."""
    last = Exploration(folder, "--workers", "1")
    assert last.end() == 0, last.said
    assert {name: (folder / "found" / name).read_bytes() for name in RESULTS} == expected
    lines = (folder / "found" / "journal.jsonl").read_bytes().splitlines()[1:]
    keys = [outcome.key for line in lines for outcome in outcomes_of(line[9:])]  # behind the checksum
    assert len(keys) == len(set(keys)), "no design was evaluated twice"
    assert not [name for name in files(folder) if "partial" in name]


@pytest.mark.parametrize(
    "signals", [(TERM,), (INT, INT), pytest.param((HUP,), marks=exhaustive), pytest.param((KILL,), marks=exhaustive)]
)
def test_a_signal_ends_an_exploration_cleanly(
    signals: tuple[signal.Signals, ...], expected: dict[str, bytes], tmp_path: Path
) -> None:
    """A line that names --resume, the exit code of the signal, no traceback, and the same points then."""
    here = tmp_path / "here"
    here.mkdir()
    space_file(here)
    running = Exploration(here, "--workers", "1")
    running.reach(3_000)
    send(running.process, signals, random.Random(1))
    assert running.end() == ENDINGS[signals]
    if KILL not in signals:
        note, line = running.said.splitlines()
        assert note == "archsim: note: found: has no journal to go on from; a new exploration begins"
        assert re.fullmatch(r"archsim: stopped; [\d,]+ finished designs are on disk in found, .* --resume", line)
    finish(here, expected)


@exhaustive
def test_many_signals_at_random_moments(expected: dict[str, bytes], tmp_path: Path) -> None:
    """50 of them, to the exploration or to one of its two workers, whatever they are doing."""
    here, moments, hit = tmp_path / "here", random.Random(7), 0
    here.mkdir()
    space_file(here)
    for round_ in range(examples(50)):
        if round_ % 10 == 0:  # from the beginning, now and then
            for name in files(here / "found") if (here / "found").exists() else ():
                (here / "found" / name).unlink()
        running = Exploration(here, "--workers", "2")
        running.reach(journal_size(here) + moments.randrange(6_000))
        time.sleep(moments.uniform(0, 0.05))
        signals = moments.choice(list(ENDINGS))
        workers = running.workers() if running.runs else []
        of_worker = bool(workers) and moments.random() < 0.5
        hit += running.runs
        if of_worker:
            send(moments.choice(workers), signals, moments)
            time.sleep(moments.uniform(0, 0.1))
            signals = (TERM,) if running.runs else (CONT,)
        if running.runs:
            send(running.process, signals, moments)
        code = running.end()
        assert code in (ENDINGS.get(signals, 0), 0), (round_, signals, code, running.said)
        assert "Traceback" not in running.said, (round_, running.said)
    assert hit > examples(50) // 2, "most signals must hit an exploration that is under way"
    finish(here, expected)


@exhaustive
@pytest.mark.parametrize("signals", [(KILL,), (TERM,), (HUP,), (INT, INT), (STOP, CONT)])
def test_a_scheduler_gets_signals(
    tmp_path: Path, expected: dict[str, bytes], signals: tuple[signal.Signals, ...]
) -> None:
    """What is lost is said; stopped and continued, nothing is."""
    need("distributed")
    here, moments = tmp_path / "here", random.Random(3)
    here.mkdir()
    space_file(here)
    with cluster() as (address, processes):
        running = Exploration(here, "--dask", address)
        running.reach(2_000)
        send(processes[0].pid, signals, moments)
        code = running.end()
    assert code == 0 if STOP in signals else code in (0, 2), running.said
    assert "Traceback" not in running.said
    if code == 2:
        assert "finished designs are on disk in found, and --resume goes on from them" in running.said
    finish(here, expected)


@exhaustive
@pytest.mark.parametrize("signals", [(KILL,), (TERM,), (HUP,), (INT, INT), (STOP, CONT)])
def test_a_worker_of_a_cluster_gets_signals(
    tmp_path: Path, expected: dict[str, bytes], signals: tuple[signal.Signals, ...]
) -> None:
    """The other one does its work."""
    need("distributed")
    here, moments = tmp_path / "here", random.Random(4)
    here.mkdir()
    space_file(here)
    with cluster() as (address, processes):
        running = Exploration(here, "--dask", address)
        running.reach(2_000)
        send(processes[1].pid, signals, moments)
        assert running.end() == 0, running.said
    assert "Traceback" not in running.said
    finish(here, expected)


JUMPING = """\
import os, random, time
moments = random.Random(os.getpid())
for name in os.environ["ARCHSIM_TEST_JUMPING_CLOCKS"].split():
    setattr(time, name, lambda: moments.uniform(-1e9, 1e9))
open(os.path.join(os.path.dirname(__file__), f"{os.getpid()}.jumps"), "w").close()
"""
"""What Python runs first in a process whose PYTHONPATH has a sitecustomize.py."""


@exhaustive
def test_clocks_of_workers_that_jump_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: dict[str, bytes]
) -> None:
    """Years ahead, and back, at every look; this process' clocks are right, so its chunks have all sizes."""
    here, odd = tmp_path / "here", tmp_path / "odd"
    here.mkdir()
    odd.mkdir()
    space_file(here)
    (odd / "sitecustomize.py").write_text(JUMPING)
    monkeypatch.setenv("ARCHSIM_TEST_JUMPING_CLOCKS", "time perf_counter monotonic")
    monkeypatch.setenv("PYTHONPATH", f"{odd}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    running = Exploration(here, "--workers", "2")
    assert running.end() == 0, running.said
    assert len(list(odd.glob("*.jumps"))) == 2
    monkeypatch.delenv("ARCHSIM_TEST_JUMPING_CLOCKS")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent.parent.parent))
    finish(here, expected)


JUMPING_DAYS = """\
import itertools, os, random, time
looks, right, moments = itertools.count(), time.time, random.Random(os.getpid())
folder, ahead = os.path.dirname(__file__), 0.0

def jumping():
    global ahead
    if next(looks) % 100 == 99:
        ahead = moments.uniform(-1e7, 1e7)
        open(os.path.join(folder, f"{os.getpid()}.jumps"), "w").close()
    return right() + ahead

time.time = jumping
"""
"""Here the clock is right at first, as where a cluster is built up, and then jumps by days at every hundredth look."""


@exhaustive
def test_the_clocks_of_a_cluster_jump(tmp_path: Path, expected: dict[str, bytes]) -> None:
    """That of the scheduler and those of both workers: time of day, which is what is set right while machines run."""
    need("distributed")
    here, odd = tmp_path / "here", tmp_path / "odd"
    here.mkdir()
    odd.mkdir()
    space_file(here)
    (odd / "sitecustomize.py").write_text(JUMPING_DAYS)
    with cluster(first=odd) as (address, processes):
        running = Exploration(here, "--dask", address)
        assert running.end() == 0, running.said
        jumped = {int(path.stem) for path in odd.glob("*.jumps")}
        assert {process.pid for process in processes} <= jumped
    assert "Traceback" not in running.said
    finish(here, expected)


@pytest.mark.parametrize(
    "name", [pytest.param("time", marks=exhaustive), pytest.param("monotonic", marks=exhaustive), "perf_counter"]
)
def test_clocks_that_jump_change_nothing_but_times(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Years ahead, and back, at every look: chunks may be of other sizes, the points are the same."""
    space = Space.load(str(space_file(tmp_path)))
    plain = explore(space.with_budget(60), workers=1)
    moments = random.Random(5)
    monkeypatch.setattr(time, name, lambda: moments.uniform(-1e9, 1e9))
    jumping = explore(space.with_budget(60), out=tmp_path / "jumping", workers=1)
    assert jumping.points == plain.points
    assert [point.number for point in jumping.pareto()] == [point.number for point in plain.pareto()]


class Dying(LocalProcesses):
    """Workers that die between two rounds."""

    killed = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[list[Outcome]]:
        for worker in self.process_ids:
            os.kill(worker, KILL)
            os.waitid(os.P_PID, worker, os.WEXITED | os.WNOWAIT)
            Dying.killed += 1
        yield from super().run(tasks)


@exhaustive
def test_a_worker_that_is_dead_when_it_is_given_work_does_not_end_the_command_line(tmp_path: Path) -> None:
    """Its pipe is broken, and the command line has SIGPIPE as the system has it: that would be its end."""
    path = space_file(tmp_path)
    path.write_text(f"{path.read_text()}sampler: nsga2\nbudget: 32\npopulation: 16\n")
    child = os.fork()
    if child == 0:
        code = 99
        try:
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            with mock.patch("archsim.explore.run.explore.LocalProcesses", Dying):
                study = explore(Space.load(path), workers=2)
            assert signal.getsignal(signal.SIGPIPE) is signal.SIG_DFL
            code = 0 if Dying.killed and study.simulated and not study.count(Status.FAILED) else 98
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
