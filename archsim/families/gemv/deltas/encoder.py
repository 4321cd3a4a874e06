"""Models the delta encoder: it compares each element with what was passed on of it last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from math import ceil

import numpy as np

from archsim.families.gemv.deltas.config import ChunkEncoderConfig
from archsim.families.gemv.deltas.ops import EncodeDeltas
from archsim.formats.number import Array
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Operator, OperatorKind, Tally, integer_adder, times
from archsim.hardware.unit import Unit, Work, ceil_div
from archsim.program.ir import Op, Region


class ChunkEncoder(Unit[ChunkEncoderConfig]):
    """Executes EncodeDeltas."""

    name = "delta_encoder"
    summary = "compares x and h with what was passed on last; chunks without a change are skipped by the MAC array"
    item_name = "element"

    def compute_cycles(self, op: Op) -> int:
        """The cycles of a vector's elements, `lanes` of them at a time."""
        return ceil_div(self._op(op).value.values, self.config.lanes)

    def depth_cycles(self, op: Op) -> int:
        return self.config.latency_cycles

    def values_per_step(self, op: Op, region: Region) -> int:
        """The values of any operand or result that go through the encoder in a step: one a lane."""
        return self.config.lanes

    def work(self, op: Op) -> Work:
        return Work(self._op(op).value.values, Fraction(self.config.lanes))

    def tally(self, op: Op) -> Tally:
        """A subtraction, a comparison and the registers of a delta for each element."""
        return times(self._lane(), self._op(op).value.values)

    def inventory(self) -> Tally:
        return times(self._lane(), self.config.lanes)

    def _lane(self) -> Tally:
        bits = max(self.formats.format("input").bits, self.formats.format("hidden").bits) + 1
        registers = bits * self.config.latency_cycles
        return Counter({integer_adder(bits): 1, Operator(OperatorKind.COMPARE, bits): 1, REGISTER_BIT: registers})

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The changes d = v - last where d is not 0 and |d| is at least the threshold, else 0; and last + d.

        Of a sequence that is not there at this time nothing is passed on.
        """
        encode = self._op(op)
        least = max(1, ceil(encode.threshold / float(numerics.encoding_of(encode.value).scale)))

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            value, last = (operand.astype(np.int64) for operand in operands[:2])
            deltas = value - last
            passed = np.abs(deltas) >= least
            if encode.valid is not None:
                passed &= operands[2] != 0
            deltas = np.where(passed, deltas, 0)
            return deltas, last + deltas

        return Kernel(effect)

    def _op(self, op: Op) -> EncodeDeltas:
        if not isinstance(op, EncodeDeltas):
            raise self.refuse(op)
        return op
