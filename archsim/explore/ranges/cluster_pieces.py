"""Makes pieces of parts on a Dask cluster.

A worker that sees the folder of the pieces writes there; one that does not sends the piece with its report, and the
process that searches writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from archsim.explore.ranges.piece_evaluator import PieceEvaluator
from archsim.explore.ranges.piece_job import PieceError, PieceReport, PieceSetup
from archsim.explore.ranges.pieces import Jobs, PieceBackend
from archsim.explore.run.cluster import Cluster, could_not_evaluate, one_at_a_time


class DaskPieces(PieceBackend):
    """The workers of a Dask scheduler at an address such as tcp://10.0.0.1:8786."""

    def __init__(self, setup: PieceSetup, address: str) -> None:
        self._cluster = Cluster(address)
        self._setup = setup.to_json()

    def run(self, jobs: Jobs) -> Iterator[PieceReport]:
        pending = 0
        while True:
            while self._cluster.has_room(pending) and (job := jobs.take(self._cluster.cores() or 1)) is not None:
                self._cluster.submit(make_piece, self._setup, job.to_json(jobs.size))
                pending += 1
            if not pending:
                return
            report = _report(self._cluster.answer())
            pending -= 1
            yield report

    def close(self) -> None:
        self._cluster.close()


def make_piece(setup: str, job: str) -> str:
    """Make a piece on a Dask worker; setup, job and report are lines of JSON."""
    with one_at_a_time:  # a worker may have several threads, an evaluator is for one
        return _evaluator(setup).answer(job)


@lru_cache(maxsize=1)
def _evaluator(setup: str) -> PieceEvaluator:
    return PieceEvaluator(PieceSetup.from_json(setup))


def _report(text: str) -> PieceReport:
    try:
        return PieceReport.from_json(text)
    except PieceError:
        raise
    except Exception as error:  # whatever it is that a worker gave
        raise could_not_evaluate(error) from error
