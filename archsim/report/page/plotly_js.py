"""Gives plotly.js as text that a page carries: compressed, since it has 4.8 MB, and the browser inflates it."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache

from archsim.errors import OutputError


@lru_cache(maxsize=1)  # half a second of compressing, which is the same for every page
def plotly_base64() -> str:
    """The script of the installed plotly, gzip in base64 (2 MB); OutputError if it is missing."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise OutputError("a page needs plotly: pip install plotly") from error
    # Neither a name nor a time in its head: the same bytes every time.
    packed = gzip.compress(get_plotlyjs().encode(), compresslevel=9, mtime=0)
    return base64.b64encode(packed).decode("ascii")
