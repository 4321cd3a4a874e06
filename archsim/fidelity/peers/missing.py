"""Says what a tool of others needs and is not there."""

from __future__ import annotations

import importlib
import warnings
from types import ModuleType

from archsim.errors import ArchsimError


class PeerMissingError(ArchsimError):
    """A package or program that a tool of others needs is not installed."""


def module(name: str, package: str) -> ModuleType:
    """The module of an optional package; PeerMissingError names the package if it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise PeerMissingError(f"needs the package {package}") from error
