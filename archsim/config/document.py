"""A configuration file as plain data that still knows its lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from archsim.config.events import MAX_BYTES, line_at
from archsim.config.files.regular_files import open_regular, read_up_to
from archsim.config.text import KeyPath, dotted, one_line, shown_with_type
from archsim.config.tree import read_tree
from archsim.errors import Fault, FaultsError


@dataclass(frozen=True, slots=True)
class Document:
    """One configuration file, read but not yet validated.

    `source` is the file's name as the user gave it; `data` holds only dict, list, str, int, float, bool and
    None; `lines` gives the 1-based line of each path (of its key, where it has one; () is the top level).
    """

    source: str
    data: dict[str, Any]
    lines: Mapping[KeyPath, int]


def load_document(path: Path, error: type[FaultsError]) -> Document:
    """Read a YAML file of at most 256 KiB; raises `error` with all its faults, also when it cannot be read."""
    source = one_line(str(path))
    try:
        with open_regular(path) as file:
            raw = read_up_to(file, MAX_BYTES + 1)
    except OSError as failure:
        raise error((Fault(source, "", f"cannot be read: {failure.strerror or failure}"),)) from None
    except ValueError as failure:
        # A name that no file can have, as one with a NUL character.
        raise error((Fault(source, "", f"cannot be read: {one_line(str(failure))}"),)) from None
    if len(raw) > MAX_BYTES:
        raise error((Fault(source, "", f"larger than {MAX_BYTES:,} bytes, the most that is read"),))
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = line_at(raw.decode("latin-1"), failure.start)
        raise error((Fault(f"{source}:{line}", "", "not UTF-8 text"),)) from None
    return parse_document(text, source, error)


def parse_document(text: str, source: str, error: type[FaultsError]) -> Document:
    """Read YAML text; `source` names it in messages. Raises `error` with all faults of the text."""
    source = one_line(source)
    if len(text) > MAX_BYTES:
        raise error((Fault(source, "", f"larger than {MAX_BYTES:,} bytes, the most that is read"),))
    tree = read_tree(text)
    faults = [
        Fault(f"{source}:{fault.line}", dotted(fault.path), fault.message)
        for fault in sorted(tree.faults, key=lambda fault: fault.line)
    ]
    if not faults and tree.empty:
        faults = [Fault(source, "", "the file is empty; expected a mapping of keys to values")]
    elif not faults and not isinstance(tree.value, dict):
        message = f"the top level must be a mapping of keys to values, got {shown_with_type(tree.value)}"
        faults = [Fault(f"{source}:{tree.lines[()]}", "", message)]
    if faults:
        raise error(tuple(dict.fromkeys(faults)))
    return Document(source, tree.value, MappingProxyType(tree.lines))
