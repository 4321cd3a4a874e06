"""LSTM and GRU, one lane of one step at a time, in the fixed point of the package apytypes."""

from __future__ import annotations

from operator import matmul
from typing import TYPE_CHECKING

import numpy as np

from archsim.golden import GruWeights, LstmWeights
from tests.optional import need
from tests.present import present

if TYPE_CHECKING:
    from apytypes import APyFixedArray

MODES = {"truncate": "TO_NEG", "half_up": "TIES_POS", "even": "TIES_EVEN", "gemmlowp": "TIES_AWAY"}
"""apytypes' names of the roundings."""
FRACTIONS = {"data": (8, 6), "accumulator": (13, 10), "gate": (8, 6), "activation": (8, 7), "cell": (9, 7)}
"""Bits and fraction bits of the formats, so narrow that every rounding and many an overflow shows."""


class Witness:
    """Layers written in apytypes' fixed point: what is exact grows bits, and casts are where the machine rounds."""

    def __init__(self, rounding: str, wrap: bool, columns: int, split: bool) -> None:
        self.lib = need("apytypes")
        self.mode = getattr(self.lib.QuantizationMode, MODES[rounding])
        self.overflow = self.lib.OverflowMode.WRAP if wrap else self.lib.OverflowMode.SAT
        self.columns, self.split = columns, split

    def exact(self, values: np.ndarray) -> APyFixedArray:
        made: APyFixedArray = self.lib.APyFixedArray.from_float(values, bits=60, frac_bits=30)
        return made

    def wide(self, array: APyFixedArray, kind: str) -> APyFixedArray:
        return array.cast(bits=60, frac_bits=FRACTIONS[kind][1], quantization=self.mode)

    def narrow(self, array: APyFixedArray, kind: str) -> APyFixedArray:
        bits, fraction = FRACTIONS[kind]
        return array.cast(bits=bits, frac_bits=fraction, quantization=self.mode, overflow=self.overflow)

    def product(self, a: APyFixedArray, b: APyFixedArray, kind: str) -> APyFixedArray:
        return self.wide(a * b, kind)

    def accumulate(self, weight: APyFixedArray, vector: APyFixedArray, bias: APyFixedArray) -> APyFixedArray:
        a = self.narrow(bias, "accumulator")
        for k in range(0, vector.shape[0], self.columns):
            part = slice(k, k + self.columns)
            chunk: APyFixedArray = matmul(weight[:, part], vector[part])
            a = self.narrow(a + self.wide(chunk, "accumulator"), "accumulator")
        return self.wide(a, "gate")

    def tile(
        self, w_ih: np.ndarray, w_hh: np.ndarray, bias: np.ndarray, x: APyFixedArray, h: APyFixedArray
    ) -> APyFixedArray:
        if not self.split:
            both = self.exact(np.concatenate([x.to_numpy(), h.to_numpy()]))
            return self.narrow(self.accumulate(self.exact(np.hstack([w_ih, w_hh])), both, self.exact(bias)), "gate")
        return self.two_sums(self.exact(w_ih), self.exact(w_hh), self.exact(bias), x, h)

    def two_sums(
        self, w_ih: APyFixedArray, w_hh: APyFixedArray, bias: APyFixedArray, x: APyFixedArray, h: APyFixedArray
    ) -> APyFixedArray:
        first = self.narrow(self.accumulate(w_ih, x, bias), "gate")
        return self.narrow(first + self.accumulate(w_hh, h, bias - bias), "gate")

    def sigmoid(self, x: APyFixedArray) -> APyFixedArray:
        return self.narrow(self.exact(np.clip(x.to_numpy() / 4 + 0.5, 0, 1)), "activation")

    def tanh(self, x: APyFixedArray) -> APyFixedArray:
        return self.narrow(self.exact(np.clip(x.to_numpy(), -1, 1)), "activation")

    def one_minus(self, a: APyFixedArray) -> APyFixedArray:
        """1 has the code 128, and the largest is 127."""
        return self.exact(np.array([127 / 128])) - a

    def lstm(
        self, weights: LstmWeights, x: APyFixedArray, h: APyFixedArray, c: APyFixedArray
    ) -> tuple[APyFixedArray, APyFixedArray]:
        rows = np.split(np.arange(len(weights.weight_ih)), 4)
        bias = present(weights.bias_ih) + present(weights.bias_hh)
        i, f, g, o = (self.tile(weights.weight_ih[r], weights.weight_hh[r], bias[r], x, h) for r in rows)
        p_i, p_f, p_o = (self.exact(p) for p in np.split(present(weights.peephole), 3))
        i = self.sigmoid(self.narrow(i + self.product(p_i, c, "gate"), "gate"))
        f = self.sigmoid(self.narrow(f + self.product(p_f, c, "gate"), "gate"))
        c = self.narrow(self.product(f, c, "cell") + self.product(i, self.tanh(g), "cell"), "cell")
        o = self.sigmoid(self.narrow(o + self.product(p_o, c, "gate"), "gate"))
        return self.narrow(self.product(o, self.tanh(c), "data"), "data"), c

    def gru(self, weights: GruWeights, linear: bool, x: APyFixedArray, h: APyFixedArray) -> APyFixedArray:
        b_ih, b_hh = present(weights.bias_ih), present(weights.bias_hh)
        bias = b_ih + b_hh
        r, z, n = np.split(np.arange(len(bias)), 3)
        ih, hh = weights.weight_ih, weights.weight_hh
        if linear:
            gates = [self.two_sums(self.exact(ih[k]), self.exact(hh[k]), self.exact(bias[k]), x, h) for k in (r, z)]
        else:
            gates = [self.tile(ih[k], hh[k], bias[k], x, h) for k in (r, z)]
        reset, update = (self.sigmoid(gate) for gate in gates)
        if linear:
            b_hn = self.exact(b_hh[n])
            x_part = self.narrow(self.accumulate(self.exact(ih[n]), x, self.exact(b_ih[n])), "gate")
            held = self.narrow(self.wide(self.narrow(b_hn, "accumulator"), "gate"), "gate")
            h_part = self.narrow(held + self.accumulate(self.exact(hh[n]), h, b_hn - b_hn), "gate")
            candidate = self.narrow(x_part + self.product(reset, h_part, "gate"), "gate")
        else:
            candidate = self.tile(ih[n], hh[n], bias[n], x, self.narrow(self.product(reset, h, "data"), "data"))
        new = self.product(self.one_minus(update), self.tanh(candidate), "data")
        return self.narrow(new + self.product(update, h, "data"), "data")
