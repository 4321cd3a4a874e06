"""Parts that workers of a cluster write: a real Dask scheduler and two workers on loopback, killed; and stand-ins."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.errors import OutputError
from archsim.explore import Space, explore
from archsim.explore.ranges import range_search
from archsim.explore.ranges.piece_job import PieceReport
from archsim.explore.results.write_results import write_results
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Values
from tests.explore.conftest import Write
from tests.explore.parts.test_parts import MANY
from tests.explore.parts.test_ranges import MODULE, by_designs, results
from tests.explore.test_cluster import Answer, Client, cluster, use
from tests.optional import need
from tests.rings import exhaustive

need("pyarrow")


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of 100 points, in jobs of 20."""
    monkeypatch.setattr(MODULE, "PART_POINTS", 100)
    monkeypatch.setattr(range_search, "FIRST_JOB", 20)
    monkeypatch.setattr(range_search, "MOST_IN_JOB", 20)
    monkeypatch.setattr(range_search, "JOB_SECONDS", 1e9)


def on_cluster(path: Path, out: Path, address: str, **options: object) -> int:
    """Explore, write results, and say how many designs were evaluated."""
    study = explore(Space.load(path), out=out, dask=address, prune=False, **options)  # type: ignore[arg-type]
    write_results(study, out, plots=False)
    return study.simulated


class KillAfter(Watcher):
    """Kills a process when the workers have reported so many points."""

    def __init__(self, process: subprocess.Popen[str], points: int) -> None:
        self.process, self.left = process, points

    def reported(self, points: int, fresh: int, objectives: Values) -> None:
        self.left -= points
        if self.left <= 0 and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


@exhaustive
@pytest.mark.filterwarnings("ignore")
def test_a_killed_worker_and_a_killed_scheduler_cost_nothing_but_time(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """First a worker is killed, then the scheduler: a line names --resume, and what was reported is not repeated."""
    need("distributed")
    monkeypatch.setattr("archsim.explore.run.cluster.LOOK_SECONDS", 1)
    path, out = write(*MANY), tmp_path / "b" / "out"
    plain = by_designs(path, tmp_path / "a" / "out")
    with cluster() as (address, processes):
        on_cluster(path, tmp_path / "c" / "out", address, watcher=KillAfter(processes[1], 40))
        assert processes[1].poll() is not None, "one worker was killed in the middle"
    assert results(tmp_path / "c" / "out") == results(tmp_path / "a" / "out")
    with cluster() as (address, processes), pytest.raises(OutputError) as caught:
        on_cluster(path, out, address, watcher=KillAfter(processes[0], 60))
    told = re.search(r"([\d,]+) finished designs are on disk in .*, and --resume goes on from them$", str(caught.value))
    assert told is not None
    with cluster() as (address, _):
        simulated = on_cluster(path, out, address, resume=True)
    assert simulated == plain.simulated - int(told[1])
    assert int(told[1]) >= 60
    assert results(out) == results(tmp_path / "a" / "out")


class Elsewhere(Client):
    """A cluster whose workers do not see the folder: a file of that name has other words there."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        *others, token = json.loads(setup)
        return Answer(function(json.dumps([*others, token[::-1]]), tasks))


@pytest.mark.parametrize("client", [Elsewhere, pytest.param(Client, marks=exhaustive)])
def test_workers_that_do_not_see_the_folder_send_their_pieces(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: type[Client]
) -> None:
    use(client, monkeypatch)
    path, out = write(*MANY), tmp_path / "b" / "out"
    sent: list[bool] = []
    count = range_search.RangeSearch._count

    def counted(search: range_search.RangeSearch, report: PieceReport) -> None:
        sent.append(report.data is not None)
        count(search, report)

    monkeypatch.setattr(range_search.RangeSearch, "_count", counted)
    on_cluster(path, out, "tcp://stand-in:1")
    assert set(sent) == {client is Elsewhere}
    by_designs(path, tmp_path / "a" / "out")
    assert results(out) == results(tmp_path / "a" / "out")


class OtherVersion(Client):
    """A cluster of another archsim."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        return Answer('{"archsim": "0.0.1"}')


class Nonsense(Client):
    """A cluster whose workers answer with something else."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        return Answer("no JSON\nat all")


class Forger(Client):
    """A cluster whose worker sends other bytes than it says."""

    def submit(self, function: Callable[[str, str], str], setup: str, tasks: str, pure: bool, retries: int) -> Answer:
        report = json.loads(function(setup, tasks))
        return Answer(json.dumps(report | {"data": "AAAA"}))


@pytest.mark.parametrize(
    ("client", "message"),
    [
        (OtherVersion, "a worker has archsim 0.0.1, and this is"),
        (Nonsense, "--dask: a worker could not evaluate: JSONDecodeError: Expecting value: line 1 column 1"),
        (Forger, "a worker's piece is not what it says it is; --resume evaluates it again"),
    ],
)
def test_answers_that_are_no_reports_end_in_a_line(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: type[Client], message: str
) -> None:
    use(client, monkeypatch)
    with pytest.raises(OutputError, match=re.escape(message)):
        on_cluster(write(*MANY), tmp_path / "out", "tcp://stand-in:1")
    assert len(list((tmp_path / "out" / "parts").glob("*.parquet"))) == 0


def test_the_rule_is_that_nothing_follows_from_results(write: Write) -> None:
    learns = ("objectives:", "sampler: nsga2\nbudget: 350\nobjectives:")
    rule = sys.modules["archsim.explore.run.explore"].in_ranges
    assert rule(Space.load(write()), False)
    assert not rule(Space.load(write()), True)
    assert not rule(Space.load(write(learns)), False)
