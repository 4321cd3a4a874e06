"""Normalizes the sums of a whole gate in the element-wise unit (docs/microarchitecture/units.md, "Normalization").

A lane has one adder, so a value takes as many cycles as it takes additions, in three passes: one for the mean; two for
the sum of squared deviations; two for (u - mean) / deviation * gamma + b. Between the passes come what depends on a
whole sum: the partial sums of lanes and pipeline stages are added, in a tree of the same adders, a product with 1/n
follows, and after the second pass the inverse root, a first guess from the number's bits and three Newton steps of
three products each, which have float32's precision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.errors import SimulatorBug
from archsim.families.cells.elementwise import ElementwiseOp
from archsim.formats.number import Array
from archsim.hardware.elementwise_arithmetic import ElementwiseArithmetic, FloatArithmetic, Operand
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Region

EPSILON = np.float32(1e-8)
"""What is added to the variance: TensorFlow Lite's constant."""
PASSES = (1, 2, 2)
"""The additions of a value in each pass."""
NEWTON_STEPS, PRODUCTS_A_STEP = 3, 3


@dataclass(frozen=True, kw_only=True)
class Normalize(ElementwiseOp):
    """The op sums (target) = (sums - mean) / sqrt(variance + 1e-8) * weights + bias, over n hidden units of a gate."""

    multiply_add = True

    weights: Region
    bias: Region | None

    @property
    def additions(self) -> int:
        return sum(PASSES)

    @property
    def turns(self) -> int:
        return sum(PASSES)

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.target, self.target), (self.target, self.target), (self.target, self.weights))

    @property
    def products_a_sequence(self) -> int:
        return 2 + NEWTON_STEPS * PRODUCTS_A_STEP

    @property
    def operands(self) -> tuple[Region, ...]:
        return (*(self.target,) * len(PASSES), self.weights, *((self.bias,) if self.bias else ()))

    def compute_cycles(self, lanes: int, stages: int) -> int:
        """The three passes, and what stands between them: of B sequences one a cycle."""
        units, sequences = self.target.entries, self.target.buffer.width
        partial = min(units, lanes * max(1, stages))
        tree = (partial - 1).bit_length()
        between = 2 * (tree + 2) * stages + NEWTON_STEPS * PRODUCTS_A_STEP * stages + 1 + 2 * (sequences - 1)
        return self.turns * ceil_div(self.elements, lanes) + between

    def last_pass(self, lanes: int, stages: int) -> tuple[int, int]:
        """The step in which the last pass begins, and how many steps it takes for as many values as there are lanes."""
        each = PASSES[-1]
        return self.compute_cycles(lanes, stages) - each * ceil_div(self.elements, lanes), each

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        if not isinstance(arithmetic, FloatArithmetic):
            raise SimulatorBug(f"'{self.label}': integers are not normalized")
        sums, weights, *bias = (arithmetic.value(operand) for operand in operands[len(PASSES) - 1 :])
        count = np.float32(len(sums))
        deviation = sums - sums.sum(axis=0, keepdims=True, dtype=np.float32) / count
        variance = (deviation * deviation).sum(axis=0, keepdims=True, dtype=np.float32) / count
        normalized: Array = deviation * (np.float32(1) / np.sqrt(variance + EPSILON)) * weights
        return normalized + bias[0] if bias else normalized
