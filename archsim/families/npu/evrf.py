"""Models the external vector register file: it gives a chain words of the matrix-vector unit or of a register."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.errors import SimulatorBug
from archsim.families.npu.chain_words import StreamOp, StreamUnit
from archsim.formats import Encoding, IntegerFormat
from archsim.formats.number import Array
from archsim.hardware.constants import FLOATING, ConstantConstants, OpConstants
from archsim.hardware.elementwise_arithmetic import one_of
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.unit import UnitConfig
from archsim.program.ir import Op, Region


class EvrfConfig(UnitConfig):
    """Size and latency of the external vector register file."""

    depth_words: Count = Field(description="words in the register file of a core")
    read_latency_cycles: Cycles = Field(description="cycles to read a register, or to pass it by")


@dataclass(frozen=True, kw_only=True)
class Forward(StreamOp):
    """An op that passes the words of a FIFO, or of a register, on as they are."""


@dataclass(frozen=True, kw_only=True)
class Ones(StreamOp):
    """An op that gives as many 1 as `source` has numbers, in its format: a constant register.

    `source` itself is not read.
    """

    @property
    def reads(self) -> tuple[Region, ...]:
        return ()


class Evrf(StreamUnit[EvrfConfig]):
    """The unit that executes Forward and Ones."""

    name = "evrf"
    summary = "external vector register file: gives a chain the words of the matrix-vector unit or of a register"

    def _depth(self, op: StreamOp) -> int:
        return self.config.read_latency_cycles

    def _kernel(self, op: StreamOp, numerics: Numerics) -> Kernel:
        if isinstance(op, Forward):
            return Kernel(lambda operands: tuple(operands[0].copy() for _ in op.targets))
        if not isinstance(op, Ones):
            raise self.refuse(op)
        encoding = numerics.encoding_of(op.source)
        one = _one(encoding)
        shape = (op.source.entries, op.source.buffer.width)
        kind = np.int64 if encoding.is_integer else np.float32

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            return tuple(np.full(shape, one, kind) for _ in op.targets)

        return Kernel(effect)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        if not isinstance(op, Ones):
            return super().constants(op, numerics)
        encoding = numerics.encoding_of(op.source)
        return ConstantConstants(int(_one(encoding))) if encoding.is_integer else FLOATING


def _one(encoding: Encoding) -> float:
    """What is stored for 1: a code, the largest that there is if 1 has none."""
    if encoding.zero or not isinstance(encoding.scale, float):
        raise SimulatorBug("a constant 1 has no zero point, and one scale")
    if isinstance(encoding.format, IntegerFormat):
        return one_of(encoding)
    return 1.0
