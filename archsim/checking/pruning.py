"""Prunes a network's weights to what a machine keeps of them, and says what that costs.

Of each group of columns the weights of largest magnitude are kept, of equal ones the first. A network that is as sparse
as that already, because it was trained so, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import numpy.typing as npt

from archsim.metrics import Metric
from archsim.program.sparsity import Sparsity
from archsim.workload.coded import CodedTensor
from archsim.workload.tensors import CellTensors, NetworkTensors

Float64 = npt.NDArray[np.float64]

MATRICES = ("weight_ih", "weight_hh", "weight_hr")


@dataclass(frozen=True, slots=True)
class Pruning:
    """The weights that a network has lost on a machine that does not keep all."""

    kept: Annotated[int, Metric("weights", "weights of a group of columns that the machine keeps")]
    of: Annotated[int, Metric("columns", "columns of a group")]
    weights: Annotated[int, Metric("weights", "weights of all matrices")]
    pruned: Annotated[int, Metric("weights", "those that were not zero and are not kept; 0: the network is so sparse")]
    square_share: Annotated[
        float, Metric("1", "squares of what was lost as a part of those of all weights", "sum lost^2 / sum w^2")
    ]
    sqnr_db: Annotated[
        float | None,
        Metric(
            "dB",
            "what pruning alone costs: the output in float64 with the weights kept against that with all; null if it "
            "is the same",
            "10 log10(sum all^2 / sum (all - kept)^2)",
        ),
    ] = None

    def with_output(self, kept: Float64, model: Float64, lengths: Sequence[int] | None) -> Pruning:
        """What it is with its cost, of two outputs (T, B, n), over the steps within each sequence's length."""
        within = np.ones(model.shape[:2], np.bool_)
        if lengths is not None:
            within &= np.arange(len(model))[:, None] < np.array(lengths)
        signal, noise = (float(np.square(values[within]).sum()) for values in (model, model - kept))
        return replace(self, sqnr_db=float(10 * np.log10(signal / noise)) if signal and noise else None)


def prune(tensors: NetworkTensors, sparsity: Sparsity) -> tuple[NetworkTensors, Pruning]:
    """The tensors with zeros in place of the weights that are not kept, and how much that was."""
    cells = tuple(_pruned(cell, sparsity) for cell in tensors.cells)
    weights = pruned = 0
    lost = whole = 0.0
    for before, after in zip(tensors.cells, cells, strict=True):
        for name in MATRICES:
            given, left = getattr(before, name), getattr(after, name)
            if given is None:
                continue
            weights += given.size
            pruned += int(np.count_nonzero(given != left))
            lost += float(np.sum(np.square(given - left, dtype=np.float64)))
            whole += float(np.sum(np.square(given, dtype=np.float64)))
    found = Pruning(sparsity.kept, sparsity.of, weights, pruned, lost / whole if whole else 0.0)
    return (replace(tensors, cells=cells) if pruned else tensors), found


def kept_mask(matrix: npt.NDArray[np.generic], sparsity: Sparsity) -> npt.NDArray[np.bool_]:
    """Whether each weight of a matrix (rows, K) is kept."""
    rows, inputs = matrix.shape
    groups = sparsity.groups(inputs)
    magnitudes = np.full((rows, groups * sparsity.of), -1.0)  # less than any weight, where there is none
    magnitudes[:, :inputs] = np.abs(matrix)
    order = np.argsort(-magnitudes.reshape(rows, groups, sparsity.of), axis=2, kind="stable")
    mask = np.zeros(order.shape, np.bool_)
    np.put_along_axis(mask, order[:, :, : sparsity.kept], values=True, axis=2)
    return mask.reshape(rows, -1)[:, :inputs]


def _pruned(cell: CellTensors, sparsity: Sparsity) -> CellTensors:
    """A cell with pruned matrices, their codes like the real numbers, as those of a row have one scale."""
    masks = {name: kept_mask(getattr(cell, name), sparsity) for name in MATRICES if getattr(cell, name) is not None}
    coded = {
        name: CodedTensor(np.where(masks[name], found.codes, 0), found.scales) if name in masks else found
        for name, found in cell.coded.items()
    }
    real = {name: np.where(mask, getattr(cell, name), np.float32(0)) for name, mask in masks.items()}
    return replace(
        cell,
        weight_ih=real["weight_ih"],
        weight_hh=real.get("weight_hh"),
        weight_hr=real.get("weight_hr"),
        coded=coded,
    )
