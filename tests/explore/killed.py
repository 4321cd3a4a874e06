"""Kills an exploration again and again (`python killed.py SPACE OUT KILLS SEED`), then lets it finish.

Each exploration is a process of its own, forked so that it needs no start-up time, and ended by SIGKILL at a random
moment: some bytes of the journal and some milliseconds later. Designs run on the machine, and each has its line as soon
as it is finished: in batches, or a second's work at a time, nearly all lines come at once, and few explorations are
under way. Prints how many were killed before they were finished, and how many designs the last one still evaluated.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

from archsim.explore import Space, explore
from archsim.explore.results.write_results import write_results
from archsim.explore.run import evaluation

ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
"""Whether a process has ended, asked without waiting, and so that it may be asked again."""


def size(out: Path) -> int:
    journal = out / "journal.jsonl"
    return journal.stat().st_size if journal.exists() else 0


def main(path: str, out: Path, kills: int, seed: int) -> None:
    evaluation.CHUNK_SECONDS = 0.0
    space = Space.load(path)
    moments = random.Random(seed)
    killed = 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            explore(space, out=out, resume=True, workers=1, executor="machine")
            os._exit(0)
        wanted = size(out) + moments.uniform(0, 4_000)
        while size(out) < wanted and os.waitid(os.P_PID, child, ENDED) is None:
            time.sleep(0.002)
        time.sleep(moments.uniform(0.0, 0.01))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
    study = explore(space, out=out, resume=True, workers=1, executor="machine")
    write_results(study, out, plots=False)
    print(killed, study.simulated)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
