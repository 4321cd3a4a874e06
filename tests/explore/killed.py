"""Kills an exploration again and again (`python killed.py SPACE OUT KILLS SEED`), then lets it finish.

Each exploration is a process of its own, forked so that it needs no start-up time, and ended by SIGKILL at a random
moment: some bytes of the journal and some milliseconds later. Prints how many were killed before they were finished,
and how many designs the last one still evaluated.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from archsim.explore import Space, explore
from archsim.explore.results.write_results import write_results


def size(out: Path) -> int:
    journal = out / "journal.jsonl"
    return journal.stat().st_size if journal.exists() else 0


def main(path: str, out: Path, kills: int, seed: int) -> None:
    space = Space.load(path)
    moments = random.Random(seed)
    killed = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            explore(space, out=out, resume=True, workers=1)
            os._exit(0)
        wanted = size(out) + moments.uniform(0, 4_000)
        while size(out) < wanted:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.01))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    study = explore(space, out=out, resume=True, workers=1)
    write_results(study, out, plots=False)
    print(killed, study.simulated)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
