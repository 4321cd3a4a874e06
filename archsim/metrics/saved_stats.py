"""Reads the figures of a run from its stats.json, a file that nobody vouches for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MAX_BYTES = 64 << 20
"""Largest stats.json that is read."""


def read_stats(file: Path) -> dict[str, Any]:
    """The JSON object in a file; OSError if it cannot be read, ValueError if it is too large or holds no object."""
    if file.stat().st_size > MAX_BYTES:
        raise ValueError("is too large")
    found = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise ValueError("is no object")
    return found
