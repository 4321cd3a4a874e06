"""Where a command's text goes: to the terminal, or to a file that appears when it is whole."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from archsim.config.files.whole_files import open_anew
from archsim.errors import OutputError

OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="File to write to, instead of the terminal.")
]


@contextmanager
def output(file: Path | None) -> Iterator[Callable[[str], object]]:
    """Give a function that writes text to a file, or to stdout if there is none.

    The file takes its name when the block ends without an error. Raises OutputError if it cannot be written.
    """
    if file is None:
        yield sys.stdout.write
        return
    if file.is_dir():
        raise OutputError(f"{file}: is a folder; --out names a file")
    temporary = file.with_name(f".{file.name}.partial-{os.getpid()}")
    try:
        with io.TextIOWrapper(open_anew(temporary), encoding="utf-8", newline="\n") as text:
            yield text.write
        temporary.replace(file)
    except OSError as error:
        raise OutputError(f"{file}: cannot write: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # in a read-only file system not even a file that is not there can be removed
            temporary.unlink(missing_ok=True)
