"""Models a multi-function unit: activation, then addition, then multiplication, a word a cycle through all.

A word passes every stage, whether the op uses it or not. A register operand is read `read_latency_cycles` before its
word comes; that is why a vector that a chain writes into a register of this unit is there for it so many cycles later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.errors import SimulatorBug
from archsim.families.npu.chain_words import StreamOp, StreamUnit, Words
from archsim.families.npu.vector_steps import Step
from archsim.formats import Formats
from archsim.formats.number import Array
from archsim.hardware.constants import FLOATING, OpConstants, StepsConstants
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally, adder, multiplier, times, width_of
from archsim.program.ir import Op, Region


class MfuConfig(FunctionConfig):
    """Width and depths of each multi-function unit; `lanes` is the width of a word, everywhere in the vector units."""

    latency_cycles: Cycles = Field(description="pipeline stages of the activation")
    add_latency_cycles: Cycles = Field(description="pipeline stages of the addition")
    multiply_latency_cycles: Cycles = Field(description="pipeline stages of the multiplication")
    read_latency_cycles: Cycles = Field(description="cycles by which a register is read ahead of its word")
    depth_words: Count = Field(description="words in each of its two register files, for addition and multiplication")

    @property
    def depth_cycles(self) -> int:
        """The depth of all three stages, in cycles."""
        return self.latency_cycles + self.add_latency_cycles + self.multiply_latency_cycles


@dataclass(frozen=True, kw_only=True)
class Pass(StreamOp):
    """An op that takes words through `steps`, in the order of the stages; without any they pass as they came."""

    steps: tuple[Step, ...] = ()

    @property
    def operands(self) -> tuple[Region, ...]:
        return tuple(step.operand for step in self.steps if step.operand is not None)


class Mfu(StreamUnit[MfuConfig]):
    """A unit that executes Pass."""

    def __init__(self, config: MfuConfig, formats: Formats, words: Words) -> None:
        super().__init__(config, formats, words)
        self.method = make_method(config, formats)

    def _depth(self, op: StreamOp) -> int:
        return self.config.depth_cycles

    def _kernel(self, op: StreamOp, numerics: Numerics) -> Kernel:
        if not isinstance(op, Pass):
            raise self.refuse(op)
        stages = [step.stage for step in op.steps]
        if stages != sorted(set(stages)):
            raise SimulatorBug(f"'{op.label}' uses the stages of {self.name} in another order than it has them")
        bound = [(step.operand is not None, step.bind(numerics, self.method)) for step in op.steps]

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            words, registers = operands[0].copy(), iter(operands[1:])
            for reads, apply in bound:
                words = apply(words, next(registers) if reads else None)
            return (words,)

        return Kernel(effect)

    def tally(self, op: Op) -> Tally:
        """What each value switches in the stages that the op uses, and the registers of all."""
        found = super().tally(op)
        if not isinstance(op, Pass):
            return found
        values = op.targets[0].entries * op.targets[0].buffer.width
        stages = self._stages()
        return sum((times(stages[step.stage], values) for step in op.steps), found)

    def inventory(self) -> Tally:
        """A lane of all stages for each number of a word, with the evaluator's tables."""
        gate = self.formats.format("activation")
        _, *arithmetic = self._stages()
        lane = sum(arithmetic, self.method.resources(gate).inventory)
        return super().inventory() + times(lane, self.words.elements * self.words.cores)

    def _stages(self) -> tuple[Tally, Tally, Tally]:
        """The operators of an activation, an addition and a multiplication of one number."""
        gate, value = self.formats.format("activation"), width_of(self.formats.format("accumulator"))
        evaluation = self.method.resources(gate).evaluation
        return evaluation, Counter({adder(value): 1}), Counter({multiplier(width_of(gate), value): 1})

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        """The integers of all steps; without steps words pass as they are."""
        if not isinstance(op, Pass) or not op.steps:
            return super().constants(op, numerics)
        if not all(numerics.encoding_of(region).is_integer for step in op.steps for region in step.regions):
            return FLOATING
        return StepsConstants(tuple(step.constants(numerics, self.method) for step in op.steps))


class Mfu0(Mfu):
    """The first multi-function unit of a chain."""

    name = "mfu0"
    summary = "first multi-function unit of a chain: activation, addition, multiplication, a word a cycle"


class Mfu1(Mfu):
    """The second multi-function unit of a chain."""

    name = "mfu1"
    summary = "second multi-function unit of a chain: the same again"
