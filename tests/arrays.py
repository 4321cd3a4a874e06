"""Files of arrays."""

from __future__ import annotations

from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt


def save_npz(path: Path | str | IO[bytes], /, **arrays: npt.ArrayLike) -> None:
    """As np.savez, whose stub has another keyword that arrays in a dictionary might be meant for."""
    named: dict[str, Any] = arrays
    np.savez(path, **named)


def stored(path: Path | str) -> dict[str, npt.NDArray[Any]]:
    """The arrays of an .npz file, which is closed."""
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}
