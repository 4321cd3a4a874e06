"""Numbers are encoded some entries at a time, to the very codes and overflows of all at once."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.formats import Encoding, parse_format
from archsim.lowering import tensors
from archsim.lowering.tensors import stored_by_rows


@pytest.mark.parametrize("name", ["int8", "q4.12", "int16"])
@pytest.mark.parametrize("at_once", [1, 7, 40, 10_000])
def test_codes_are_those_of_all_at_once(name: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensors, "VALUES_AT_ONCE", at_once)
    random = np.random.default_rng(1)
    own = parse_format(name)
    scale = random.uniform(0.01, 0.02, (23, 1)) if name.startswith("int") else getattr(own, "scale", 1.0)
    for scales in (scale, 0.013 if name.startswith("int") else scale):
        encoding = Encoding(own, scales, 3 if name == "int8" else 0)
        values = random.normal(0, 6, (2, 5, 23)).transpose(0, 2, 1)  # as x comes: not in C order
        whole, beyond = encoding.encoded(values)
        stored, lost = stored_by_rows(values, encoding)
        assert np.array_equal(stored, whole)
        assert lost == beyond
        assert stored.dtype == encoding.stored_type
        assert stored.strides == whole.astype(encoding.stored_type, copy=False).strides
