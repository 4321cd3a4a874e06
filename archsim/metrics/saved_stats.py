"""Reads the figures of a run from its stats.json, a file that nobody vouches for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from archsim.config.files.regular_files import read_regular
from archsim.config.json_text import json_of

MAX_BYTES = 64 << 20
"""Largest stats.json that is read."""


def read_stats(file: Path) -> dict[str, Any]:
    """The JSON object in a file; OSError if it cannot be read or is too large, ValueError if it holds no object."""
    found = json_of(read_regular(file, MAX_BYTES))
    if not isinstance(found, dict):
        raise ValueError("is no object")
    return found
