"""Reads columns of a part's table as arrays, without an object a row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.explore.parts.part_rows import KEY_BYTES, STATUSES, Numbers, numbers_array
from archsim.explore.parts.word_index import Words

_WORD = 1 << 63
Floats = npt.NDArray[np.float64]


def numbers_of(table: Any, size: int) -> Numbers:  # noqa: ANN401 pyarrow has no types
    """The numbers of a table's points, of a space of so many."""
    if size < _WORD:
        found: Numbers = table["point"].to_numpy().astype(np.int64, copy=False)
        return found
    return numbers_array([int(number) for number in table["point"].to_pylist()], size)


def statuses_of(table: Any) -> npt.NDArray[np.int8]:  # noqa: ANN401
    """The places in STATUSES; ValueError if a word is none of them."""
    encoded = table["status"].combine_chunks().dictionary_encode()
    words = [status.value for status in STATUSES]
    places = np.array([words.index(word) for word in encoded.dictionary.to_pylist()], np.int8)
    return places[encoded.indices.to_numpy(zero_copy_only=False)] if len(encoded) else places


def floats_of(table: Any, name: str) -> Floats:  # noqa: ANN401
    """A column of floats, nan where there is none."""
    return np.asarray(table[name].to_numpy(), np.float64)


def keys_of(table: Any) -> Words:  # noqa: ANN401
    """The beginnings of keys, (N, 2); zeros where there is none."""
    column = table["key"].combine_chunks()
    if column.null_count == len(column):
        return np.zeros((len(column), 2), np.uint64)
    data = np.frombuffer(column.buffers()[1], np.uint8)[KEY_BYTES * column.offset :][: KEY_BYTES * len(column)]
    found = data.copy().view(np.uint64).reshape(-1, 2)
    found[~column.is_valid().to_numpy(zero_copy_only=False)] = 0
    return found
