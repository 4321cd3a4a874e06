"""Gives all figures of one point of an exploration, computed anew from what its folder says of the space."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archsim import __version__
from archsim.config.json_text import json_of
from archsim.config.regular_files import read_regular
from archsim.config.text import one_line
from archsim.errors import ArchsimError, OutputError
from archsim.explore.results.study_folder import SETUP, write_file
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Outcome
from archsim.explore.space.expression import ExpressionError, Scalar
from archsim.explore.space.grid import Grid

MOST_SETUP_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class ShownPoint:
    """A point: its inputs and schedule, and what became of its design; None if the machine is not valid, for `why`."""

    number: int
    inputs: dict[str, Scalar]
    schedule: str
    outcome: Outcome | None
    why: str = ""


def keep_setup(folder: Path, setup: Setup) -> None:
    """Write into a folder what is needed to evaluate any point of its space; OutputError if that fails."""
    write_file(folder / SETUP, (json.dumps({"archsim": __version__, "setup": setup.to_json()}) + "\n").encode())


def show_point(folder: Path, number: int) -> ShownPoint:
    """A point of the space that was explored in a folder, with every figure.

    OutputError if the folder does not say what was explored, or the space has no such point.
    """
    setup, grid = _setup(folder / SETUP)
    if not 0 <= number < grid.size:
        raise OutputError(f"{folder}: has no point {number:,}; its space has points 0 to {grid.size - 1:,}")
    found = grid.resolve(number)
    if found.config is None:
        return ShownPoint(number, found.inputs, found.schedule, None, found.reason.what if found.reason else "")
    outcome = DesignEvaluator(setup).run(Task("", number, found.schedule))
    return ShownPoint(number, found.inputs, found.schedule, outcome)


def _setup(path: Path) -> tuple[Setup, Grid]:
    again = "explore again into this folder"
    try:
        data: Any = json_of(read_regular(path, MOST_SETUP_BYTES))
        version, setup = data["archsim"], Setup.from_json(data["setup"])
        grid = Grid.from_json(setup.grid)
    except OSError as error:
        raise OutputError(f"{path}: cannot be read: {error.strerror or error}; {again}") from error
    except (ArchsimError, ExpressionError, KeyError, TypeError, ValueError) as error:
        raise OutputError(f"{path}: does not say what was explored; {again}") from error
    if version != __version__:
        other = one_line(str(version))
        raise OutputError(f"{path}: was written by archsim {other}, and this is {__version__}; {again}")
    return setup, grid
