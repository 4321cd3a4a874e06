"""Runs a worker process, told what to do in lines of JSON on its standard input.

First what kind of work it is, and its setup; then chunks of tasks, or jobs of pieces, each of which is answered by one
line. It ends with its input, so also when the process that started it is gone, however that ended.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import warnings
from collections.abc import Callable, Sequence

from archsim.config.collecting import seldom
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import write_outcomes

CHUNKS, PIECES = "chunks", "pieces"
"""What a worker is given: chunks of tasks, or jobs of pieces."""


Answerer = Callable[[str], str]
"""Answers a line with a line."""


def _chunks(setup: str) -> Answerer:
    evaluator = DesignEvaluator(Setup.from_json(setup))
    return lambda line: write_outcomes(evaluator.run_all(read_tasks(line)))


def _pieces(setup: str) -> Answerer:
    from archsim.explore.ranges.piece_evaluator import PieceEvaluator
    from archsim.explore.ranges.piece_job import PieceSetup

    return PieceEvaluator(PieceSetup.from_json(setup)).answer


_KINDS: dict[str, Callable[[str], Answerer]] = {CHUNKS: _chunks, PIECES: _pieces}


def serve() -> None:
    """Answer until the input ends; the first line says what kind of work it is, and its setup."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started this one
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # if that one is gone, nobody reads the answer
    warnings.simplefilter("ignore")  # they would stand between the lines of its progress
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # whatever a library prints is no answer
    answer: Answerer | None = None
    with seldom():
        for line in sys.stdin:
            if answer is None:
                kind, setup = json.loads(line)
                answer = _KINDS[kind](setup)
                continue
            answers.write(answer(line) + "\n")
            answers.flush()


def write_tasks(tasks: Sequence[Task]) -> str:
    """The line of JSON for a chunk of tasks."""
    return json.dumps([dataclasses.astuple(task) for task in tasks])


def read_tasks(line: str) -> list[Task]:
    """Reads what `write_tasks` wrote."""
    return [Task(*fields) for fields in json.loads(line)]
