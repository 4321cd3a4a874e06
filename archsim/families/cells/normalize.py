"""Normalizes the sums of a whole gate in the element-wise unit (docs/microarchitecture/units.md, "Normalization").

A lane has one adder, so a value takes as many cycles as it takes additions. Real numbers pass three times: one addition
for the mean; two for the sum of squared deviations; two for (u - mean) / deviation * gamma + bias. Integers pass twice:
two for the sum and the sum of squares; two for the rest. Between the passes comes what depends on a whole sum: the
partial sums of lanes and pipeline stages are added, in a tree of the same adders, then mean, variance and inverse root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.families.cells.elementwise import ElementwiseOp
from archsim.families.cells.normalize_integers import NEWTON_STEPS as INTEGER_STEPS
from archsim.families.cells.normalize_integers import IntegerNormalization
from archsim.formats import IntegerFormat
from archsim.formats.encoding import Encoding
from archsim.formats.number import Array
from archsim.hardware.constants import NormalizationConstants
from archsim.hardware.elementwise_arithmetic import ElementwiseArithmetic, IntegerArithmetic, Operand
from archsim.hardware.unit import ceil_div
from archsim.program.ir import Region
from archsim.workload.calibration import LSTM_GATES

EPSILON = np.float32(1e-8)
"""TensorFlow Lite's constant, which is added to the variance of real numbers."""
NEWTON_STEPS, PRODUCTS_A_STEP = 3, 3
"""The steps of the inverse root of real numbers, which need float32's precision, and products one after the other."""


@dataclass(frozen=True, slots=True)
class Method:
    """How normalization goes: additions of a value in each pass, and what stands between the passes.

    `between`: for each wait for a sum, the products one after the other that follow it, besides the inverse root's;
    `root`: those of the inverse root; `shifts`: cycles that need no multiplier; `products`: all of a sequence.
    """

    passes: tuple[int, ...]
    between: tuple[int, ...]
    root: int
    shifts: int
    products: int


REAL = Method((1, 2, 2), (1, 1), NEWTON_STEPS * PRODUCTS_A_STEP, 1, 2 + NEWTON_STEPS * PRODUCTS_A_STEP)
"""A product with 1/n after each of two sums; the first guess of the root comes out of the number's bits, in a cycle."""
INTEGER = Method((2, 2), (3 + 1,), INTEGER_STEPS * 3 + 1, 1 + 1, 2 + 2 + INTEGER_STEPS * 4 + 1)
"""The mean toward 0 takes a product with 1/n, the remainder and a correction, and the variance one product more. A step
of the root has four products, of which three follow each other, and at the end it is multiplied by the root of 1/2. A
cycle is the second sum's, behind the first in the tree, and one finds the leading bit."""


def raw_sums(gate: int) -> str:
    """The name of the encoding of a gate's sums before they are normalized."""
    return f"sums_{LSTM_GATES[gate]}"


@dataclass(frozen=True, kw_only=True)
class Normalize(ElementwiseOp):
    """The op target = (sums - mean) / sqrt(variance) * weights + bias, over n hidden units of a gate.

    `sums` and `target` are the same place; what its numbers stand for may change.
    """

    multiply_add = True

    sums: Region
    weights: Region
    bias: Region | None

    @property
    def method(self) -> Method:
        """The method of normalization for the kind of numbers that the sums are."""
        return INTEGER if isinstance(self.sums.buffer.number_format, IntegerFormat) else REAL

    @property
    def additions(self) -> int:
        return sum(self.method.passes)

    @property
    def turns(self) -> int:
        return sum(self.method.passes)

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.sums, self.sums), (self.sums, self.sums), (self.sums, self.weights))

    @property
    def products_a_sequence(self) -> int:
        return self.method.products

    @property
    def operands(self) -> tuple[Region, ...]:
        return (*(self.sums,) * len(self.method.passes), self.weights, *((self.bias,) if self.bias else ()))

    def only_in_last_pass(self, operand: Region) -> bool:
        return operand != self.sums

    def compute_cycles(self, lanes: int, stages: int) -> int:
        """The passes, and what stands between them: of B sequences one a cycle."""
        units, sequences = self.target.entries, self.target.buffer.width
        method, partial = self.method, min(units, lanes * max(1, stages))
        tree = (partial - 1).bit_length()
        products = sum(tree + 1 + after for after in method.between) + method.root
        between = products * stages + method.shifts + len(method.between) * (sequences - 1)
        return self.turns * ceil_div(self.elements, lanes) + between

    def last_pass(self, lanes: int, stages: int) -> tuple[int, int]:
        """The step in which the last pass begins, and how many steps it takes for as many values as there are lanes."""
        each = self.method.passes[-1]
        return self.compute_cycles(lanes, stages) - each * ceil_div(self.elements, lanes), each

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        sums, weights, *bias = operands[len(self.method.passes) - 1 :]
        if isinstance(arithmetic, IntegerArithmetic):
            of_bias = bias[0].encoding if bias else None
            method = IntegerNormalization(weights.encoding, of_bias, arithmetic.target)
            return method(sums.stored, weights.stored, bias[0].stored if bias else None)
        return _of_real(*(arithmetic.value(operand) for operand in (sums, weights, *bias)))

    def own_constants(self, encodings: Sequence[Encoding], target: Encoding) -> NormalizationConstants:
        weights, *bias = encodings[len(self.method.passes) :]
        return IntegerNormalization(weights, bias[0] if bias else None, target).constants()


def _of_real(sums: Array, weights: Array, bias: Array | None = None) -> Array:
    count = np.float32(len(sums))
    deviation = sums - sums.sum(axis=0, keepdims=True, dtype=np.float32) / count
    variance = (deviation * deviation).sum(axis=0, keepdims=True, dtype=np.float32) / count
    normalized: Array = deviation * (np.float32(1) / np.sqrt(variance + EPSILON)) * weights
    return normalized if bias is None else normalized + bias
