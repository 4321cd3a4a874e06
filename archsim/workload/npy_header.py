"""Reads what an array of NumPy says of itself before its numbers: .npy files, and the members of .npz files."""

from __future__ import annotations

import io
import lzma
import tokenize
import zipfile
import zlib
from typing import IO, Any

import numpy as np

Shape = tuple[int, ...]

MAX_HEADER_BYTES = 1 << 16
"""Longest header that is read: a thousand times what one takes. The length that a file claims takes no memory."""

BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    tokenize.TokenError,  # of a header in Python's syntax that does not end
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    EOFError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    RuntimeError,
    MemoryError,
)
"""What zipfile and numpy raise for files that are broken, or made to look so."""


def npy_header(file: IO[bytes]) -> tuple[Shape, np.dtype[Any], int]:
    """The shape, type and header's length of a .npy file; one of BROKEN if it is not one."""
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"unsupported .npy version {version}")
    field = 2 if version == (1, 0) else 4
    length = file.read(field)
    claimed = int.from_bytes(length, "little")
    if len(length) < field or claimed > MAX_HEADER_BYTES:
        raise ValueError(f"a header of {claimed:,} bytes; at most {MAX_HEADER_BYTES:,} are read")
    rest = io.BytesIO(length + file.read(claimed))
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(rest)
    if any(size < 0 for size in shape):
        raise ValueError(f"impossible shape {str(shape)[:60]}")
    return shape, dtype, np.lib.format.MAGIC_LEN + field + claimed
