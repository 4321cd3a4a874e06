"""Makes arrays of pyarrow of numbers and words by their buffers.

`pyarrow.array` loads pandas where that is installed, and `take` loads pyarrow.compute: a third of a second together, in
every worker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Valid = npt.NDArray[np.bool_]


def number_array(pa: Any, values: npt.NDArray[Any], valid: Valid | None = None) -> Any:  # noqa: ANN401 pyarrow: no types
    """An array of 64-bit numbers, whole or floats as those given; null where one is not `valid`."""
    kind = pa.int64() if values.dtype == np.int64 else pa.float64()
    return pa.Array.from_buffers(kind, len(values), [_bits(pa, valid), pa.py_buffer(np.ascontiguousarray(values))])


def flag_array(pa: Any, truths: Valid, valid: Valid | None = None) -> Any:  # noqa: ANN401
    """An array of what is true or false; null where one is not `valid`."""
    return pa.Array.from_buffers(pa.bool_(), len(truths), [_bits(pa, valid), _packed(pa, truths)])


def word_array(pa: Any, words: Sequence[str | None], codes: npt.NDArray[np.intp] | None = None) -> Any:  # noqa: ANN401
    """An array of words, null where one is None; `codes`: which of them each element is, by default each once."""
    encoded = [b"" if word is None else word.encode() for word in words]
    codes = np.arange(len(words)) if codes is None else codes
    ends = np.cumsum(np.array([len(word) for word in encoded], np.int64)[codes])
    if len(ends) and ends[-1] >= 1 << 31:
        raise OverflowError("words of more than 2 GiB")
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    data = encoded[0] * len(codes) if len(words) == 1 else b"".join(map(encoded.__getitem__, codes.tolist()))
    valid = np.array([word is not None for word in words], np.bool_)[codes]
    return pa.Array.from_buffers(pa.string(), len(codes), [_bits(pa, valid), pa.py_buffer(offsets), pa.py_buffer(data)])


def key_array(pa: Any, keys: Sequence[bytes | None], size: int) -> Any:  # noqa: ANN401
    """An array of keys of `size` bytes each, null where one is None."""
    none = bytes(size)
    data = b"".join(none if key is None else key for key in keys)
    valid = np.array([key is not None for key in keys], np.bool_)
    return pa.Array.from_buffers(pa.binary(size), len(keys), [_bits(pa, valid), pa.py_buffer(data)])


def _bits(pa: Any, valid: Valid | None) -> Any:  # noqa: ANN401
    return None if valid is None or valid.all() else _packed(pa, valid)


def _packed(pa: Any, flags: Valid) -> Any:  # noqa: ANN401
    return pa.py_buffer(np.packbits(flags, bitorder="little"))
