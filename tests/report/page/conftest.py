"""Folders of results that the tests of pages read, and the browser that opens them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.optional import need, skip

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OFFLINE = ("--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND")
"""Flags that keep a browser off the network; the sandbox does not work for root, as in containers."""

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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium off the network; its tests are skipped where there is none."""
    need("playwright")
    from playwright.sync_api import Error, sync_playwright

    own = os.environ.get("ARCHSIM_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as started:
        try:
            found = started.chromium.launch(executable_path=own, args=list(OFFLINE))
        except Error:
            skip("need a browser: apt-get install chromium, or playwright install chromium")
        yield found
        found.close()
