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

from archsim.config.files.regular_files import check_replaceable
from archsim.config.files.whole_files import open_anew
from archsim.config.text import UNENCODABLE
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
    from archsim.metrics.run_folder import MANIFEST, REPEATABLE  # with all figures, which --help does not need

    if file.is_dir():
        raise OutputError(f"{file}: is a folder; --out names a file")
    if file.suffix in (".yaml", ".yml"):
        raise OutputError(f"{file}: ends as a machine or a workload does, and is to hold neither; choose another --out")
    if file.name in REPEATABLE and (file.parent / MANIFEST).exists():
        raise OutputError(f"{file}: is a file of the results of a run; choose another --out")
    temporary = file.with_name(f".{file.name}.partial-{os.getpid()}")
    try:
        check_replaceable(file)
        with io.TextIOWrapper(open_anew(temporary), "utf-8", errors=UNENCODABLE, newline="\n") as text:
            yield text.write
        temporary.replace(file)
    except OSError as error:
        raise OutputError(f"{file}: cannot write: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # in a read-only file system not even a file that is not there can be removed
            temporary.unlink(missing_ok=True)
