"""Folders of results that the tests of pages read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

RunFolder = Callable[..., Path]


def run_command(*arguments: str) -> None:
    """Run a command of archsim, which must end well."""
    from archsim.cli.main import app

    assert not app(list(arguments), standalone_mode=False)


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with numbers on integers, so that there is an accuracy to show."""
    target = tmp_path_factory.mktemp("page") / "edge"
    run_command("run", "edge_16x16", "lstm:20,24,t=9", "--no-plots", "--out", str(target))
    return target


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three layers on another machine, timing only."""
    target = tmp_path_factory.mktemp("page") / "tiny"
    run_command("run", "tiny_2x2", "lstm:3,2,t=4,layers=3", "--no-plots", "--timing-only", "--out", str(target))
    return target
