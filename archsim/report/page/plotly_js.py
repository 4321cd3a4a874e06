"""Gives plotly.js as text that a page carries: compressed, since it has 4.8 MB, and the browser inflates it."""

from __future__ import annotations

import base64
import gzip
import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from archsim.config.files.kept_files import KeptFiles
from archsim.errors import OutputError

_LEVEL = 9


@lru_cache(maxsize=1)
def plotly_base64() -> str:
    """The script of the installed plotly, gzip in base64 (2 MB); OutputError if it is missing.

    Compressing takes a fifth of a second, so the result is kept on disk for the next page, by the script's digest.
    """
    script = _script()
    digest = hashlib.sha256(f"gzip {_LEVEL} ".encode() + script).digest()
    files = KeptFiles("plotly")
    packed = files.get(digest)
    if packed is None:
        # Neither a name nor a time in its head: the same bytes every time.
        packed = gzip.compress(script, compresslevel=_LEVEL, mtime=0)
        files.put(digest, packed)
    return base64.b64encode(packed).decode("ascii")


def _script() -> bytes:
    """The script, as `plotly.offline.get_plotlyjs` has it; read from its file, as importing plotly takes longer."""
    plotly = find_spec("plotly")
    if plotly is None or plotly.origin is None:
        raise OutputError("a page needs plotly: pip install plotly")
    file = Path(plotly.origin).parent / "package_data" / "plotly.min.js"
    if file.is_file():
        return file.read_bytes()
    from plotly.offline import get_plotlyjs

    found: str = get_plotlyjs()
    return found.encode()
