"""Reads columns of a part's table as arrays, without an object a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.part_rows import KEY_BYTES, STATUSES, Numbers, numbers_array
from archsim.explore.parts.word_index import Words

_WORD = 1 << 63
_ARROW_NAMES = {np.int32: "int32", np.int64: "int64", np.float64: "double"}
Floats = npt.NDArray[np.float64]


def numbers_of(table: Any, size: int) -> Numbers:  # noqa: ANN401 pyarrow has no types
    """The numbers of a table's points, of a space of so many."""
    if size < _WORD:
        return _values(table["point"].combine_chunks(), np.int64)
    return numbers_array([int(number) for number in table["point"].to_pylist()], size)


def statuses_of(table: Any) -> npt.NDArray[np.int8]:  # noqa: ANN401
    """The places in STATUSES; ValueError if a word is none of them."""
    encoded = table["status"].combine_chunks().dictionary_encode()
    words = [status.value for status in STATUSES]
    places = np.array([words.index(word) for word in encoded.dictionary.to_pylist()], np.int8)
    return places[_values(encoded.indices, np.int32)] if len(encoded) else places


def floats_of(table: Any, name: str) -> Floats:  # noqa: ANN401
    """A column of floats, nan where there is none."""
    column = table[name].combine_chunks()
    found = _values(column, np.float64)
    found[~_valid(column)] = np.nan
    return found


def keys_of(table: Any) -> Words:  # noqa: ANN401
    """The beginnings of keys, (N, 2); zeros where there is none."""
    column = table["key"].combine_chunks()
    if column.null_count == len(column):
        return np.zeros((len(column), 2), np.uint64)
    data = np.frombuffer(column.buffers()[1], np.uint8)[KEY_BYTES * column.offset :][: KEY_BYTES * len(column)]
    found = data.copy().view(np.uint64).reshape(-1, 2)
    found[~_valid(column)] = 0
    return found


def _values(array: Any, kind: type[np.int32 | np.int64 | np.float64]) -> npt.NDArray[Any]:  # noqa: ANN401
    """A copy of what lies in an array's buffer; its `to_numpy` would load pandas, where that is installed.

    ValueError if it holds another kind of number.
    """
    if str(array.type) != _ARROW_NAMES[kind]:
        raise ValueError(f"{array.type} instead of {kind.__name__}")
    if not len(array):
        return np.empty(0, kind)
    return np.frombuffer(array.buffers()[1], kind)[array.offset :][: len(array)].copy()


def _valid(array: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401
    """Which elements of an array are not null."""
    if not array.null_count:
        return np.ones(len(array), np.bool_)
    bits = np.unpackbits(np.frombuffer(array.buffers()[0], np.uint8), bitorder="little")
    return bits[array.offset :][: len(array)].astype(np.bool_)
