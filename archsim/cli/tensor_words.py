"""What `archsim import` says of a file that holds nothing known: its tensors, as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from archsim.config.text import shorten

if TYPE_CHECKING:
    from archsim.importers import NothingFits

_NAME_LIMIT = 80
_SHAPE_LIMIT = 60


def lines(path: Path, error: NothingFits, as_json: bool) -> Iterator[str]:
    """The tensors of the file that the error is about, on lines of bounded length."""
    if as_json:
        yield _json(path, error)
        return
    rows = [("name", "shape", "dtype")]
    rows += [
        (shorten(tensor.name, _NAME_LIMIT), shorten(str(list(tensor.shape)), _SHAPE_LIMIT), shorten(tensor.dtype))
        for tensor in error.tensors
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    yield f"{shorten(str(path), 400)}: no recurrent layer; {error.total:,} tensor{'' if error.total == 1 else 's'}"
    yield ""
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    if error.total > len(error.tensors):
        yield f"  and {error.total - len(error.tensors):,} more"


def _json(path: Path, error: NothingFits) -> str:
    content = {
        "file": str(path),
        "layers": [],
        "tensors": [
            {"name": shorten(tensor.name, 300), "shape": list(tensor.shape), "dtype": shorten(tensor.dtype)}
            for tensor in error.tensors
        ],
        "tensors_in_file": error.total,
        "nearest": error.nearest,
        "error": error.faults[0].message,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)
