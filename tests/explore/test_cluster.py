"""A real Dask scheduler and two workers on loopback, one of them killed in the middle."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archsim.errors import OutputError
from archsim.explore import Space, explore
from archsim.explore.run.watcher import Watcher
from tests.explore.conftest import Write
from tests.optional import need

ROOT = Path(__file__).parent.parent.parent


class KillOne(Watcher):
    """Kills a process when some points are there."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.seen = process, 0

    def counted(self, points: int, fresh: int) -> None:  # type: ignore[override]
        self.seen += fresh
        if self.seen >= 5 and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


@pytest.mark.filterwarnings("ignore")
def test_a_cluster_gives_the_same_points_also_when_a_worker_is_killed(write: Write) -> None:
    need("distributed")
    space = Space.load(write())
    processes = [start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard")]
    try:
        address, deadline = "", time.monotonic() + 60
        while not address and time.monotonic() < deadline:
            found = re.search(r"Scheduler at:\s+(tcp://\S+)", processes[0].stderr.readline())  # type: ignore[union-attr]
            address = found[1] if found else ""
        worker = ("distributed.cli.dask_worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny")
        processes += [start(*worker) for _ in range(2)]
        watcher = KillOne(processes[1])
        study = explore(space, dask=address, prune=False, watcher=watcher)
        assert processes[1].poll() is not None, "one worker was killed in the middle"
        assert study.points == explore(space, workers=1, prune=False).points
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
