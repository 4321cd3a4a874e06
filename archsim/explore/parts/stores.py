"""Says where the parts of an exploration are: in its folder, or below an address of a shared file system."""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any

from archsim.config.files.regular_files import read_regular
from archsim.config.json_text import json_of
from archsim.config.text import one_line
from archsim.errors import OutputError
from archsim.explore.parts.file_store import FileStore, FolderStore
from archsim.explore.parts.url_store import UrlStore
from archsim.explore.results.study_folder import PARTS, write_file

TOKEN = "token"
"""A file that tells a worker whether it sees the store of the process that searches."""
PIECES = "pieces"
"""The folder of pieces, in that of the parts."""
_ELSEWHERE = "elsewhere.json"
_MOST_BYTES = 1 << 16


def open_store(address: str) -> FileStore:
    """The store at an address: one with a protocol, or a folder's whole path."""
    return UrlStore(address) if "://" in address else FolderStore(Path(address), shared=True)


def check_address(asked: str) -> None:
    """Write a small file below an address and remove it; OutputError if that fails.

    So that whoever mistypes an address, or may not write there, learns it before anything is in his folder.
    """
    if "://" not in asked:
        raise OutputError(f"--parts {asked}: expected an address with a protocol, as s3://bucket/folder")
    store, name = open_store(asked.rstrip("/")), f"archsim-may-write-{uuid.uuid4().hex}"
    try:
        store.begin()
        store.write(name, b"")
        store.remove(name)
    except OSError as error:
        raise OutputError(f"--parts {asked}: cannot be written: {error.strerror or error}") from error


def address_of_parts(folder: Path, asked: str | None) -> str:
    """Where the parts of the exploration in a folder are: what it says itself, else below the address asked for.

    There they have a folder of their own, which nobody else knows, so that explorations may share an address.
    OutputError if it says another one than is asked for.
    """
    path = folder / PARTS / _ELSEWHERE
    if path.exists():
        found: Any = None
        with suppress(OSError, ValueError):
            found = json_of(read_regular(path, _MOST_BYTES))
        address = found.get("parts") if isinstance(found, dict) else None
        if not isinstance(address, str) or "://" not in address:
            raise OutputError(f"{path}: does not say where the parts are; choose another --out")
        if asked is not None and not address.startswith(f"{asked.rstrip('/')}/"):
            raise OutputError(
                f"--parts {asked}: the parts of {folder} are at {one_line(address)}; leave the option out"
            )
        return address
    if asked is None:
        return str((folder / PARTS).absolute())
    if (folder / PARTS).exists():
        raise OutputError(f"--parts {asked}: the parts of {folder} are in that folder already; choose another --out")
    address = f"{asked.rstrip('/')}/{folder.name}-{uuid.uuid4().hex}"
    try:
        open_store(address).begin()
        (folder / PARTS).mkdir()
    except OSError as error:
        raise OutputError(f"--parts {asked}: cannot be written: {error.strerror or error}") from error
    write_file(path, (json.dumps({"parts": address}) + "\n").encode())
    return address
