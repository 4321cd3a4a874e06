"""Packages that only some tests need: missing, they skip the test with the reason; with CI=true that is a failure."""

from __future__ import annotations

import importlib
import os
import warnings
from types import ModuleType
from typing import NoReturn

import pytest


def need(name: str) -> ModuleType:
    """The module, or a skipped test."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as missing:
        skip(f"needs the package {missing.name}")


def skip(reason: str) -> NoReturn:
    """Skip the test; with CI=true, where everything must be there, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{reason}, and with CI=true nothing is skipped")
    pytest.skip(reason)
