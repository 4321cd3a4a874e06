"""Multiplies matrices of whole numbers in a type that holds all their sums."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from archsim.formats.number import Array


def whole_product(left: npt.NDArray[np.generic], right: npt.NDArray[np.generic]) -> Array:
    """The product of two matrices, or of two stacks of them.

    Whole numbers have no invalid product, so no flag of a floating-point product is reported: it is another one's. A
    BLAS kernel may multiply what stands behind a small matrix.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        found: Array = np.matmul(left, right)
    return found
