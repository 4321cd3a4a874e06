"""Makes one output of a layer's two directions, element by element, as keras.layers.Bidirectional does.

The two directions come at a time step from opposite ends of the sequence, so that what they are merged of is there for
all steps when the layer is done, and not before. So they are stored side by side as they come; then a phase of its own
takes them back step by step, merges them in the element-wise unit and stores the layer's output. In its repetition r
step r is loaded, while step r - 1 is merged and stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archsim.families.cells.banks import H_BANK, VECTOR_BANK
from archsim.families.cells.context import whole
from archsim.families.cells.elementwise import ElementwiseOp
from archsim.formats.number import Array
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.elementwise_arithmetic import ElementwiseArithmetic, Operand
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, Op, Phase, PhaseKind, Region
from archsim.workload.network import MergeMode, NetworkSpec

DIRECTIONS = "directions"
"""The name of the buffers of a layer's directions, side by side; with the layer's prefix."""
MERGED = "merged"
"""The name of the buffer of what they are merged to, on its way out."""


@dataclass(frozen=True, kw_only=True)
class Merge(ElementwiseOp):
    """An op that makes one value of a step's two, a direction each."""

    forward: Region
    backward: Region

    @property
    def operands(self) -> tuple[Region, Region]:
        return self.forward, self.backward


@dataclass(frozen=True, kw_only=True)
class MergeSum(Merge):
    """The op target = weight * forward + weight * backward, the weight being 1 or 1/2.

    A weight is no operand: it is in the constant that brings a value to the target's scale, a shift, or a step of a
    floating-point number's exponent. So the multipliers let the values pass, and the adder works.
    """

    multiply_add = True

    weight: float

    @property
    def additions(self) -> int:
        return 1

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ()

    @property
    def rescaled_values(self) -> int:
        return 2

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        forward, backward = operands
        added: Array = arithmetic.value(forward, self.weight) + arithmetic.value(backward, self.weight)
        return added


@dataclass(frozen=True, kw_only=True)
class MergeProduct(Merge):
    """The op target = forward * backward."""

    multiply_add = False

    @property
    def additions(self) -> int:
        return 0

    @property
    def products(self) -> tuple[tuple[Region, Region], ...]:
        return ((self.forward, self.backward),)

    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        forward, backward = operands
        return arithmetic.product(forward, backward)


@dataclass(frozen=True, slots=True)
class Merging:
    """How one layer's directions are merged: buffers, and the phase that does it.

    `apart` has both directions of all steps outside, `pair` those of a step on the chip, `merged` what becomes of them,
    `output` the layer's output outside.
    """

    mode: MergeMode
    prefix: str
    apart: Buffer
    pair: Buffer
    merged: Buffer
    output: Buffer

    @classmethod
    def of_layer(cls, spec: NetworkSpec, number: int, output: Buffer, memory: str) -> Merging | None:
        """The merging of a layer whose output is `output`, on a machine whose states lie in `memory`.

        None if the directions stay side by side.
        """
        mode, size, prefix = spec.merge_mode(number), spec.layer_output_size(number), f"l{number}."
        if mode is MergeMode.CONCAT:
            return None
        apart = replace(output, name=f"{prefix}dram.{DIRECTIONS}", entries=2 * size)
        # Two slots: one is filled while the other is read. Both directions lie in the bank of h, as outputs do; what
        # they become goes to another bank, since that one has the loads on its write port.
        on_chip = replace(output, memory=memory, slots=2, length=None)
        pair = replace(on_chip, name=f"{prefix}{DIRECTIONS}", entries=2 * size, bank=H_BANK)
        merged = replace(on_chip, name=f"{prefix}{MERGED}", bank=VECTOR_BANK)
        return cls(mode, prefix, apart, pair, merged, output)

    @property
    def buffers(self) -> tuple[Buffer, ...]:
        """The buffers that only merging needs."""
        return self.apart, self.pair, self.merged

    def phase(self, steps: int, transfers: str, elementwise: str, suffix: str) -> Phase:
        """The phase; `transfers` and `elementwise` are the units that execute it, `suffix` ends its name."""
        load = Transfer(
            unit=transfers,
            label=f"{self.prefix}load directions",
            sources=(whole(self.apart, 0, 1),),
            target=whole(self.pair, 0, 1),
            skip_last=1,
        )
        merge = self._merge(elementwise)
        store = Transfer(
            unit=transfers,
            label=f"{self.prefix}store merged",
            sources=(whole(self.merged, -1, 1),),
            target=whole(self.output, -1, 1),
            skip_first=1,
            step_offset=-1,
        )
        ops: list[Op] = [load, merge, store]
        return build_phase(f"body{suffix}, merge", PhaseKind.BODY, ops, steps + 1, steps)

    def _merge(self, unit: str) -> Merge:
        """The op that merges step r - 1 in repetition r."""
        label, size = f"{self.prefix}merge", self.merged.entries
        forward, backward = (Region(self.pair, first, first + size, -1, 1) for first in (0, size))
        target = whole(self.merged, -1, 1)
        if self.mode is MergeMode.MUL:
            return MergeProduct(
                unit=unit,
                label=label,
                forward=forward,
                backward=backward,
                target=target,
                skip_first=1,
                step_offset=-1,
            )
        return MergeSum(
            unit=unit,
            label=label,
            forward=forward,
            backward=backward,
            target=target,
            weight=0.5 if self.mode is MergeMode.AVE else 1.0,
            skip_first=1,
            step_offset=-1,
        )


def stored_to(output: Buffer, merging: Merging | None) -> Buffer:
    """The tensor outside that a layer's directions are stored to."""
    return output if merging is None else merging.apart
