"""Says what is wrong with a model file: one line, with the file's name and the part of it."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType

from archsim.config.files.regular_files import open_regular
from archsim.config.text import shorten
from archsim.errors import Fault, WorkloadError

MAX_FILE_BYTES = 1 << 31
"""Largest file that is opened (2 GiB)."""

NAME_LIMIT = 400
"""Most characters of a layer's name."""


def fault(path: Path, message: str, part: str = "") -> WorkloadError:
    """An error about the file, or about the named part of it."""
    return WorkloadError((Fault(shorten(str(path), NAME_LIMIT), shorten(part, NAME_LIMIT), message),))


def first_line(error: BaseException) -> str:
    """The text in which a library says what is wrong with a file, on one short line."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    plain = isinstance(error, KeyError | IndexError | AttributeError | TypeError | AssertionError)
    return shorten(f"{type(error).__name__} {text}" if plain else text, 160)


def optional_package(path: Path, package: str, extra: str) -> ModuleType:
    """The package that reads files of this suffix; WorkloadError if it is not installed.

    The error says how to get it.
    """
    try:
        return importlib.import_module(package)
    except (ImportError, OSError) as error:
        if not isinstance(error, ModuleNotFoundError) or error.name != package:
            raise fault(path, f"the package {package} cannot be imported: {first_line(error)}") from error
        needs = f'reading {path.suffix} files needs the package {package}: pip install "archsim[{extra}]"'
        raise fault(path, needs) from error


def file_bytes(path: Path) -> int:
    """The file's size; WorkloadError if it is not a readable file or too large."""
    try:
        if path.is_dir():
            raise fault(path, "is a directory, expected a file")
        if not path.exists():
            raise fault(path, "no such file")
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or first_line(error)
        raise fault(path, f"cannot be read: {reason}") from error
    if size > MAX_FILE_BYTES:
        raise fault(path, f"is {size:,} bytes, more than the {MAX_FILE_BYTES:,} that archsim import reads")
    return size


def other_tensors(count: int) -> str:
    """The words for what else is in a file; empty if nothing is."""
    return f"{count:,} other tensor{'' if count == 1 else 's'}" if count else ""


def most_tensor_bytes(file_size: int) -> int:
    """The most bytes that the tensors of a compressed file may take.

    Weights do not shrink to a sixteenth, bombs do.
    """
    return (64 << 20) + 16 * file_size
