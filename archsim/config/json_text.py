"""Reads JSON of unknown origin: what is wrong with it is a ValueError, however deeply it is nested."""

from __future__ import annotations

import json
from typing import Any


def json_of(text: str | bytes) -> Any:  # noqa: ANN401 what a text holds is for its reader to check
    """What a JSON text holds; ValueError for text that is none, also for one that is nested too deeply to be read."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("is nested too deeply") from error
