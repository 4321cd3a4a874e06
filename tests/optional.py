"""Packages that only some tests need: where one is missing they are skipped; with ARCHSIM_FULL=1 that is a failure."""

from __future__ import annotations

import importlib
import os
import re
import tomllib
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NoReturn

import pytest

FULL = "ARCHSIM_FULL"
"""Set to 1 where everything is installed: then nothing may be skipped."""
NEEDS = "needs the package "
ROOT = Path(__file__).resolve().parents[1]


def need(name: str) -> ModuleType:
    """The module, or a skipped test."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        skip(f"{NEEDS}{missing.name}")


def skip(reason: str) -> NoReturn:
    """Skip the test; with ARCHSIM_FULL=1, where everything must be there, fail it."""
    if os.environ.get(FULL) == "1":
        pytest.fail(f"{reason}, and with {FULL}=1 nothing is skipped")
    pytest.skip(reason, allow_module_level=True)


def skipped_in_one_line(reasons: Sequence[str]) -> str:
    """How many tests were skipped, for want of what, and how to get it."""
    reasons = [reason.removeprefix("Skipped: ") for reason in reasons]
    packages = sorted({reason.removeprefix(NEEDS) for reason in reasons if reason.startswith(NEEDS)})
    others = sorted({reason for reason in reasons if not reason.startswith(NEEDS)})
    why = [f"need {', '.join(packages)}: {how_to_get(packages)}"] if packages else []
    return f"{len(reasons)} tests skipped: {'; '.join(why + others)}"


def how_to_get(packages: Sequence[str]) -> str:
    """The command that installs them: the fewest of the project's extras that have them all.

    A module's name has _ where its package's has -.
    """
    extras = _extras()
    names = {package.replace("_", "-") for package in packages}
    missing = {name for name in names if any(name in found for found in extras.values())}
    unknown = sorted(names - missing)
    chosen = []
    while missing:
        best = max(extras, key=lambda extra: (len(extras[extra] & missing), -len(extras[extra])))
        chosen.append(best)
        missing -= extras[best]
    parts = [f'-e ".[{",".join(sorted(chosen))}]"'] if chosen else []
    return " ".join(("pip install", *parts, *unknown))


def _extras() -> Mapping[str, frozenset[str]]:
    """The packages of each extra of the project, without their versions."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        found = tomllib.load(file)["project"]["optional-dependencies"]
    return {
        extra: frozenset(re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in requirements)
        for extra, requirements in found.items()
    }
