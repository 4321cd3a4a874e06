"""Which tests have passed elsewhere on the same state: CI's last environment need not run all of them again.

`.ci/run` runs the fast ring as the README says, in an environment without extras, and writes down what passed there
(ARCHSIM_WRITE_PASSED=file). With all extras it then runs (ARCHSIM_PASSED=file) what that environment had to skip, one
share of the tests that passed, as of those that only the exhaustive ring has, and a quarter of the laws, at length.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


class Passed:
    """Collects the tests that pass, and writes their ids to a file, one a line, in order."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._passed: set[str] = set()
        self._other: set[str] = set()

    def add(self, test: str, outcome: str) -> None:
        """Take the outcome of a phase (setup, call, teardown) of a test."""
        (self._passed if outcome == "passed" else self._other).add(test)

    def write(self) -> None:
        """Write the ids of tests of which no phase failed or was skipped."""
        self._path.write_text("".join(f"{test}\n" for test in sorted(self._passed - self._other)), encoding="utf-8")


def writer() -> Passed | None:
    """What writes the tests that pass down, if ARCHSIM_WRITE_PASSED asks for it."""
    path = os.environ.get("ARCHSIM_WRITE_PASSED")
    return None if path is None else Passed(Path(path).absolute())


@cache
def passed_elsewhere() -> frozenset[str]:
    """The ids of the tests that ARCHSIM_PASSED says have passed; none if it is not given."""
    path = os.environ.get("ARCHSIM_PASSED")
    return frozenset() if path is None else frozenset(Path(path).read_text(encoding="utf-8").splitlines())
