"""A real Dask scheduler and two workers on loopback, one of them killed in the middle; and a stand-in for both."""

import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import pytest

from archsim.errors import ClusterWarning, OutputError
from archsim.explore import Space, explore
from archsim.explore.run.cluster import CHUNKS_AHEAD
from archsim.explore.run.watcher import Watcher
from tests.explore.conftest import Write, keys_in
from tests.optional import need
from tests.rings import exhaustive

ROOT = Path(__file__).parent.parent.parent


class KillOne(Watcher):
    """Kills a process when some points are there."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.seen = process, 0

    def counted(self, points: int, fresh: int) -> None:  # type: ignore[override]
        self.seen += fresh
        if self.seen >= 5 and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


def start(*arguments: str, worker_ttl: str = "5 minutes", first: Path = ROOT) -> subprocess.Popen[str]:
    """A process of the cluster. `first`: a folder in which it looks for modules before it does in the project."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ
        | {"PYTHONPATH": f"{first}{os.pathsep}{ROOT}", "OPENBLAS_NUM_THREADS": "1"}
        | {"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": worker_ttl},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_points_also_when_a_worker_is_killed(write: Write) -> None:
    need("distributed")
    space = Space.load(write())
    with cluster() as (address, processes):
        watcher = KillOne(processes[1])
        study = explore(space, dask=address, prune=False, watcher=watcher)
        assert processes[1].poll() is not None, "one worker was killed in the middle"
        assert study.points == explore(space, workers=1, prune=False).points


@exhaustive
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_is_killed_keeps_what_is_finished(
    write: Write, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, which names --resume, and nothing of the library's; the rest is evaluated without the cluster."""
    need("distributed")
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 2)
    monkeypatch.setattr("archsim.explore.run.backend.MOST_IN_CHUNK", 2)
    space, out = Space.load(write()), tmp_path / "out"
    with cluster() as (address, processes):
        capfd.readouterr()
        with pytest.raises(OutputError) as caught:
            explore(space, out=out, dask=address, prune=False, watcher=KillOne(processes[0]))
    message = re.fullmatch(
        rf"--dask {address}: the scheduler is gone; ([0-9]+) finished designs are on disk in {out}, and --resume goes "
        "on from them",
        str(caught.value),
    )
    assert message is not None, caught.value
    assert capfd.readouterr() == ("", "")
    study = explore(space, out=out, resume=True, workers=1, prune=False)
    whole = explore(space, workers=1, prune=False)
    assert study.points == whole.points
    assert study.simulated == whole.simulated - int(message[1])


@contextmanager
def cluster(worker_ttl: str = "5 minutes", first: Path = ROOT) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """A scheduler and two workers on loopback: its address, and the processes, the scheduler first.

    `worker_ttl`: for so long the scheduler need not hear of a worker before it drops it. `first`: a folder in which all
    of them look for modules first.
    """
    host = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
    processes = [start("distributed.cli.dask_scheduler", *host, worker_ttl=worker_ttl, first=first)]
    try:
        address, deadline = "", time.monotonic() + 60
        while not address and time.monotonic() < deadline:
            found = re.search(r"Scheduler at:\s+(tcp://\S+)", processes[0].stderr.readline())  # type: ignore[union-attr]
            address = found[1] if found else ""
        worker = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
        processes += [start(*worker, first=first) for _ in range(2)]
        yield address, processes
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            process.stderr.close()  # type: ignore[union-attr]


@pytest.mark.filterwarnings("ignore")
def test_no_scheduler(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    need("distributed")
    monkeypatch.setattr("archsim.explore.run.cluster.CONNECT_SECONDS", 1)
    with pytest.raises(OutputError, match="no scheduler answers"):
        explore(Space.load(write()), dask="tcp://127.0.0.1:9")


class Answer:
    """A chunk that has been evaluated: what the worker's function gave."""

    ahead = most = 0
    """Chunks that are submitted and not yet taken: now, and at most."""

    def __init__(self, text: str) -> None:
        self.text = text

    def add_done_callback(self, call: Callable[["Answer"], None]) -> None:
        Answer.ahead += 1
        Answer.most = max(Answer.most, Answer.ahead)
        call(self)

    status = "finished"

    def result(self, timeout: float) -> str:
        Answer.ahead -= 1
        return self.text


class Client:
    """A cluster of two cores that evaluates a chunk in this process, as it is submitted."""

    def __init__(self, address: str, timeout: float, set_as_default: bool) -> None: ...

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        return Answer(function(setup, tasks))

    def nthreads(self) -> dict[str, int]:
        return {"tcp://one": 1, "tcp://two": 1}

    def scheduler_info(self, n_workers: int) -> dict[str, dict[str, dict[str, float]]]:
        """All workers are heard of whenever somebody asks."""
        assert n_workers == -1, "of all of them"
        return {"workers": {name: {"last_seen": time.perf_counter()} for name in self.nthreads()}}

    def close(self, timeout: float) -> None: ...


def use(client: type[Client], monkeypatch: pytest.MonkeyPatch) -> None:
    """Put it in the place of the package."""
    stand_in = ModuleType("distributed")
    monkeypatch.setattr(stand_in, "Client", client, raising=False)
    monkeypatch.setitem(sys.modules, "distributed", stand_in)


class Cancelled(Answer):
    """What becomes of chunks that were under way when the scheduler went away."""

    def result(self, timeout: float) -> str:
        raise CancelledError


class GoneWhileWaiting(Client):
    """A cluster that gives one chunk back, and then is gone."""

    def __init__(self, address: str, timeout: float, set_as_default: bool) -> None:
        self.given = 0

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        self.given += 1
        return Answer(function(setup, tasks)) if self.given == 1 else Cancelled("")

    def close(self, timeout: float) -> None:
        raise OSError("it is gone")


class GoneWhileAsked(Client):
    """A cluster that is gone when its cores are counted."""

    def nthreads(self) -> dict[str, int]:
        raise OSError("it is gone")


class Fails(Client):
    """A cluster whose workers end with an error of many lines."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        return Answer("no JSON\nat all")


@pytest.mark.parametrize(
    ("client", "finished", "message"),
    [
        (GoneWhileWaiting, 2, "--dask tcp://stand-in:1: the scheduler is gone"),
        (GoneWhileAsked, 0, "--dask tcp://stand-in:1: the scheduler is gone"),
        (Fails, 0, "--dask: a worker could not evaluate: JSONDecodeError: Expecting value: line 1 column 1 (char 0)"),
    ],
)
def test_a_cluster_that_is_lost_is_one_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: type[Client], finished: int, message: str
) -> None:
    use(client, monkeypatch)
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 2)
    before = {name: logging.getLogger(name).level for name in ("distributed", "tornado", "asyncio")}
    out = tmp_path / "out"
    with pytest.raises(OutputError) as caught:
        explore(Space.load(write()), out=out, dask="tcp://stand-in:1", prune=False)
    kept = f"{finished} finished designs are on disk in {out}, and --resume goes on from them"
    assert str(caught.value) == f"{message}; {kept}"
    assert {name: logging.getLogger(name).level for name in before} == before


def test_all_points_come_back_and_no_more_is_submitted_than_a_core_has_ahead(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the package: what archsim does with the answers of a cluster, whatever computes them."""
    use(Client, monkeypatch)
    monkeypatch.setattr(Answer, "ahead", 0)
    monkeypatch.setattr(Answer, "most", 0)
    monkeypatch.setattr("archsim.explore.run.backend.MOST_IN_CHUNK", 4)
    space = Space.load(write())
    study = explore(space, dask="tcp://stand-in:1", prune=False)
    assert study.points == explore(space, workers=1, prune=False).points
    assert Answer.most == 2 * CHUNKS_AHEAD


class Never(Answer):
    """A chunk that nobody evaluates."""

    def add_done_callback(self, call: Callable[["Answer"], None]) -> None: ...


class Kept(Answer):
    """A chunk that a worker has evaluated, and took with it when it went."""

    def result(self, timeout: float) -> str:
        raise TimeoutError


class NobodyThere(Client):
    """A cluster all of whose workers are gone after the first chunk."""

    def __init__(self, address: str, timeout: float, set_as_default: bool) -> None:
        self.given = 0

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        self.given += 1
        return Answer(function(setup, tasks)) if self.given == 1 else Never("")

    def nthreads(self) -> dict[str, int]:
        return {} if self.given else {"tcp://one": 1}


class TookResults(NobodyThere):
    """The same, but with more chunks that were evaluated."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        self.given += 1
        return Answer(function(setup, tasks)) if self.given == 1 else Kept("")


class Stopped(NobodyThere):
    """A cluster whose scheduler says nothing any more."""

    def nthreads(self) -> dict[str, int]:
        if self.given > 1:
            time.sleep(3)
        return {"tcp://one": 1}


class AllSilent(NobodyThere):
    """A cluster whose workers have been stopped: the scheduler counts them, and hears nothing of them."""

    def nthreads(self) -> dict[str, int]:
        return {"tcp://one": 1, "tcp://two": 1}

    def scheduler_info(self, n_workers: int) -> dict[str, dict[str, dict[str, float]]]:
        return {"workers": {name: {"last_seen": 7.0} for name in self.nthreads()}}


class OneSilent(AllSilent):
    """A cluster one of whose workers has been stopped, and that is gone after a while."""

    asked = 0

    def scheduler_info(self, n_workers: int) -> dict[str, dict[str, dict[str, float]]]:
        OneSilent.asked += 1
        if OneSilent.asked == 20:
            raise OSError("enough")
        return {"workers": {"tcp://one": {"last_seen": 7.0}, "tcp://two": {"last_seen": time.perf_counter()}}}


class Slow(NobodyThere):
    """A cluster whose workers come back, and go again, before it is too long."""

    asked = 0

    def nthreads(self) -> dict[str, int]:
        Slow.asked += 1
        if Slow.asked == 12:
            raise OSError("enough")
        return {} if Slow.asked % 3 else {"tcp://one": 1}

    def scheduler_info(self, n_workers: int) -> dict[str, dict[str, dict[str, float]]]:
        return {"workers": {"tcp://one": {"last_seen": Slow.asked}}}


def patience(monkeypatch: pytest.MonkeyPatch, nobody: float) -> None:
    """Seconds that a test can wait for."""
    module = "archsim.explore.run.cluster."
    for name, seconds in (
        ("LOOK_SECONDS", 0.02),
        ("ANSWER_SECONDS", 0.05),
        ("NOBODY_SECONDS", nobody),
        ("SILENT_SECONDS", 0.1),
    ):
        monkeypatch.setattr(module + name, seconds)
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 2)


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (NobodyThere, "there is no worker"),
        (TookResults, "there is no worker"),
        (Stopped, "the scheduler does not answer"),
    ],
)
def test_where_nobody_is_there_that_is_said_and_then_it_is_the_end(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: type[Client], why: str
) -> None:
    """A note at the first look, the end after the time that the note says; what is finished is kept."""
    use(client, monkeypatch)
    patience(monkeypatch, 0.2)
    out = tmp_path / "out"
    with pytest.warns(ClusterWarning) as notes, pytest.raises(OutputError) as caught:
        explore(Space.load(write()), out=out, dask="tcp://stand-in:1", prune=False)
    assert {str(note.message) for note in notes} == {
        f"--dask tcp://stand-in:1: {why}; after 0.2 s of that it is the end"
    }
    kept = f"2 finished designs are on disk in {out}, and --resume goes on from them"
    assert str(caught.value) == f"--dask tcp://stand-in:1: {why}, for 0.2 s; {kept}"


def silent(worker: str) -> str:
    note = f"--dask tcp://stand-in:1: nothing was heard of worker {worker} for 0.1 s"
    return f"{note}; what it has is evaluated by others when the scheduler drops it"


def test_where_all_workers_have_stopped_that_is_said_and_then_it_is_the_end(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(AllSilent, monkeypatch)
    patience(monkeypatch, 0.3)
    out = tmp_path / "out"
    with pytest.warns(ClusterWarning) as notes, pytest.raises(OutputError) as caught:
        explore(Space.load(write()), out=out, dask="tcp://stand-in:1", prune=False)
    end = "--dask tcp://stand-in:1: no worker answers; after 0.3 s of that it is the end"
    assert {str(note.message) for note in notes} == {silent("tcp://one"), silent("tcp://two"), end}
    kept = f"2 finished designs are on disk in {out}, and --resume goes on from them"
    assert str(caught.value) == f"--dask tcp://stand-in:1: no worker answers, for 0.3 s; {kept}"


def test_a_worker_that_has_stopped_is_named_and_the_others_go_on(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far longer than all together may be silent: as one is there, it is not the end before the scheduler is gone."""
    use(OneSilent, monkeypatch)
    monkeypatch.setattr(OneSilent, "asked", 0)
    patience(monkeypatch, 0.15)
    with pytest.warns(ClusterWarning) as notes, pytest.raises(OutputError, match="the scheduler is gone"):
        explore(Space.load(write()), out=tmp_path / "out", dask="tcp://stand-in:1", prune=False)
    assert {str(note.message) for note in notes} == {silent("tcp://one")}
    assert OneSilent.asked == 20


def test_workers_that_come_back_begin_the_time_anew(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every third look finds a worker: so no time without one is as long as that of two looks and some."""
    use(Slow, monkeypatch)
    monkeypatch.setattr(Slow, "asked", 0)
    patience(monkeypatch, 0.15)
    monkeypatch.setattr(time, "monotonic", lambda: 0.07 * Slow.asked)
    with pytest.warns(ClusterWarning), pytest.raises(OutputError, match="the scheduler is gone"):
        explore(Space.load(write()), out=tmp_path / "out", dask="tcp://stand-in:1", prune=False)
    assert Slow.asked == 12


@exhaustive
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", ["workers are killed", "scheduler is stopped"])
def test_a_real_cluster_where_nobody_is_there(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    need("distributed")
    for name, seconds in (("LOOK_SECONDS", 1), ("ANSWER_SECONDS", 15), ("NOBODY_SECONDS", 4), ("CONNECT_SECONDS", 5)):
        monkeypatch.setattr(f"archsim.explore.run.cluster.{name}", seconds)
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 2)
    monkeypatch.setattr("archsim.explore.run.backend.MOST_IN_CHUNK", 2)
    space, out = Space.load(write()), tmp_path / "out"
    with cluster() as (address, processes):
        chosen, ending = (processes[1:], signal.SIGKILL) if what.startswith("w") else (processes[:1], signal.SIGSTOP)
        watcher = SignalAll(chosen, ending)
        with pytest.raises(OutputError) as caught:
            explore(space, out=out, dask=address, prune=False, watcher=watcher)
    why = "there is no worker" if what.startswith("w") else "the scheduler does not answer"
    assert f"--dask {address}: {why}, for 4 s; " in str(caught.value)
    study = explore(space, out=out, resume=True, workers=1, prune=False)
    assert study.points == explore(space, workers=1, prune=False).points


STOPPED = {"never": None, "soon": 3.0}
"""When a worker that was stopped goes on: after so many seconds."""


@exhaustive
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("goes_on", STOPPED)
def test_a_worker_that_is_stopped_costs_nothing_but_time(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: str
) -> None:
    """Its designs go to the other one when the scheduler, which here waits for 30 s, drops it; each is there once."""
    need("distributed")
    monkeypatch.setattr("archsim.explore.run.cluster.LOOK_SECONDS", 1)
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 1)
    monkeypatch.setattr("archsim.explore.run.backend.MOST_IN_CHUNK", 1)
    space, out, wait = Space.load(write()), tmp_path / "out", STOPPED[goes_on]
    with cluster(worker_ttl="30s") as (address, processes):
        watcher = SignalAll(processes[1:2], signal.SIGSTOP)
        if wait is not None:
            watcher.then = (wait, signal.SIGCONT)
        study = explore(space, out=out, dask=address, prune=False, watcher=watcher)
    assert watcher.seen >= 5, "a worker was stopped"
    assert study.points == explore(space, workers=1, prune=False).points
    keys = keys_in(out / "journal.jsonl")
    assert len(keys) == len(set(keys)) == study.simulated


@exhaustive
@pytest.mark.filterwarnings("ignore")
def test_all_workers_of_a_real_cluster_are_stopped(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler still counts them, as Dask is delivered for 5 minutes; archsim hears that it hears nothing."""
    need("distributed")
    for name, seconds in (("LOOK_SECONDS", 1), ("SILENT_SECONDS", 3), ("NOBODY_SECONDS", 4), ("CONNECT_SECONDS", 5)):
        monkeypatch.setattr(f"archsim.explore.run.cluster.{name}", seconds)
    monkeypatch.setattr("archsim.explore.run.backend.FIRST_CHUNK", 2)
    monkeypatch.setattr("archsim.explore.run.backend.MOST_IN_CHUNK", 2)
    space, out = Space.load(write()), tmp_path / "out"
    with cluster() as (address, processes), pytest.raises(OutputError) as caught:
        explore(space, out=out, dask=address, prune=False, watcher=SignalAll(processes[1:], signal.SIGSTOP))
    assert f"--dask {address}: no worker answers, for 4 s; " in str(caught.value)
    assert f"finished designs are on disk in {out}, and --resume goes on from them" in str(caught.value)
    study = explore(space, out=out, resume=True, workers=1, prune=False)
    assert study.points == explore(space, workers=1, prune=False).points


class SignalAll(Watcher):
    """Sends processes a signal when some points are there; `then`: another one so many seconds later."""

    then: tuple[float, signal.Signals] | None = None

    def __init__(self, processes: list[subprocess.Popen[str]], number: signal.Signals) -> None:
        self.processes, self.number, self.seen = processes, number, 0

    def counted(self, points: int, fresh: int) -> None:  # type: ignore[override]
        before, self.seen = self.seen, self.seen + fresh
        if before < 5 <= self.seen:
            self.send(self.number)
            if self.then is not None:
                threading.Timer(self.then[0], self.send, self.then[1:]).start()

    def send(self, number: signal.Signals) -> None:
        for process in self.processes:
            os.killpg(process.pid, number)
