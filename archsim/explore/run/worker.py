"""Runs a worker process, told what to do in lines of JSON on its standard input.

First the setup, then chunks of tasks; each chunk is answered by one line. It ends with its input, so also when the
process that started it is gone, however that ended.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import warnings
from collections.abc import Sequence

from archsim.config.collecting import seldom
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import write_outcomes


def serve() -> None:
    """Answer until the input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # if that one is gone, nobody reads the answer
    warnings.simplefilter("ignore")  # they would stand between the lines of its progress
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    evaluator: DesignEvaluator | None = None
    with seldom():
        for line in sys.stdin:
            if evaluator is None:
                evaluator = DesignEvaluator(Setup.from_json(line))
                continue
            answers.write(write_outcomes(evaluator.run_all(read_tasks(line))) + "\n")
            answers.flush()


def write_tasks(tasks: Sequence[Task]) -> str:
    """The line of JSON for a chunk of tasks."""
    return json.dumps([dataclasses.astuple(task) for task in tasks])


def read_tasks(line: str) -> list[Task]:
    """Reads what `write_tasks` wrote."""
    return [Task(*fields) for fields in json.loads(line)]
