"""Models the element-wise unit: a multiplier pair and an adder for each of `lanes` hidden units.

What it can do stands beside each cell, lstm_ops.py and gru_ops.py, and for layers in merge.py.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated, ClassVar

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.families.cells.banks import GATE_BANKS
from archsim.formats import Encoding, NumberFormat
from archsim.formats.number import Array
from archsim.hardware.constants import FLOATING, OpConstants
from archsim.hardware.elementwise_arithmetic import (
    ElementwiseArithmetic,
    IntegerArithmetic,
    Operand,
    RecordingArithmetic,
    arithmetic_for,
)
from archsim.hardware.joined_ops import lanes_joined
from archsim.hardware.lane_hold import Hold, check_hold, held
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import (
    REGISTER_BIT,
    RESCALE_BITS,
    Tally,
    Width,
    adder,
    multiplier,
    rescales,
    times,
    widest,
    width_of,
)
from archsim.hardware.port_streams import Run, Stream, repeated
from archsim.hardware.unit import Unit, UnitConfig, Work, ceil_div, unit_name
from archsim.program.ir import Op, Region
from archsim.program.joined import Joining


class ElementwiseConfig(UnitConfig):
    """Width and depths of the element-wise unit."""

    lanes: Count = Field(description="hidden units per cycle (each lane has two multipliers and an adder)")
    cell_latency_cycles: Cycles = Field(description="pipeline stages of a multiply and add, as in the cell update")
    hidden_latency_cycles: Cycles = Field(description="pipeline stages of one multiply, as in the hidden update")
    units: Annotated[Count, Field(le=2)] = Field(
        default=1, description="element-wise units; of 2, the second does the hidden updates alone"
    )

    @property
    def state_unit(self) -> str:
        """The name of the unit that does all that comes before h."""
        return unit_name("elementwise", 0)

    @property
    def hidden_unit(self) -> str:
        """The name of the unit that does the hidden update."""
        return unit_name("elementwise", self.units - 1)


@dataclass(frozen=True, kw_only=True)
class ElementwiseOp(Op):
    """An op that works element by element over n hidden units and B batch lanes; all regions (n, B)."""

    multiply_add: ClassVar[bool]
    """Whether it takes the depth of a multiply and add, or that of one multiply."""

    target: Region
    hold: Hold | None = None

    @property
    @abstractmethod
    def additions(self) -> int:
        """How many additions and subtractions each value takes."""

    @property
    @abstractmethod
    def products(self) -> tuple[tuple[Region, Region], ...]:
        """The factors of each product that a value takes."""

    @property
    def rescaled_values(self) -> int:
        """How many operands of each value are brought to the target's scale without a product."""
        return 0

    @property
    @abstractmethod
    def operands(self) -> tuple[Region, ...]:
        """The regions that `apply` takes, in its order."""

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.operands + (self.hold.regions if self.hold else ())

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @property
    def turns(self) -> int:
        """How often the op takes each of its values through a lane."""
        return 1

    def only_in_last_pass(self, operand: Region) -> bool:
        """Whether an operand is read in the last of the passes over an op's values alone."""
        return True

    @property
    def products_a_sequence(self) -> int:
        """How many products the op takes for each sequence, besides those of its values."""
        return 0

    def own_constants(self, encodings: Sequence[Encoding], target: Encoding) -> OpConstants | None:
        """The integers of an op whose formula is no sum of products; None of one whose formula says them."""
        return None

    @property
    def elements(self) -> int:
        """How many values the op computes, n x B."""
        return self.target.entries * self.target.buffer.width

    def compute_cycles(self, lanes: int, stages: int) -> int:
        """The cycles of a unit with so many lanes, and pipeline stages of a multiply and add: ceil(n B / lanes)."""
        return ceil_div(self.elements, lanes)

    def last_pass(self, lanes: int, stages: int) -> tuple[int, int]:
        """The step from which small operands are taken and results made, and the steps for as many as lanes."""
        return 0, 1

    @abstractmethod
    def apply(self, arithmetic: ElementwiseArithmetic, operands: Sequence[Operand]) -> Array:
        """Compute the target's values, not yet brought into its range, from those of `operands`."""


class Elementwise(Unit[ElementwiseConfig]):
    """The unit that executes every ElementwiseOp."""

    name = "elementwise"
    summary = "cell update f*c + i*g, hidden update o*tanh(c) and the like, `lanes` hidden units a cycle"
    item_name = "hidden unit"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy ceil(n B / lanes), in cycles; more of an op that takes its values several times."""
        return self._op(op).compute_cycles(self.config.lanes, self.config.cell_latency_cycles)

    def depth_cycles(self, op: Op) -> int:
        multiply_add = self._op(op).multiply_add
        return self.config.cell_latency_cycles if multiply_add else self.config.hidden_latency_cycles

    def values_per_step(self, op: Op, region: Region) -> int | None:
        """A value of each operand for each lane."""
        whole = region.values == self._op(op).elements
        return self.config.lanes if whole else super().values_per_step(op, region)

    def read_streams(self, op: Op) -> tuple[Stream, ...]:
        """The operands, each gate in a bank of its own where there are banks.

        One with fewer values than the op has elements is read once, and each value taken for as many elements.
        """
        gates = 0
        found: list[Stream] = []
        for region, stream in zip(self.read_ports(op), super().read_streams(op), strict=True):
            times, rest = divmod(self._op(op).elements, region.values)
            if times > 1 and not rest:
                stream = replace(stream, runs=repeated(region.values, times, self.config.lanes))
            if self._op(op).only_in_last_pass(region):
                stream = replace(stream, runs=self._in_last_pass(op, stream.runs))
            if stream.bank[1:] == (GATE_BANKS,):
                stream = replace(stream, bank=(*stream.bank, str(gates)))
                gates += 1
            found.append(stream)
        return tuple(found)

    def write_streams(self, op: Op) -> tuple[Stream, ...]:
        """The results, which the last pass makes."""
        streams = super().write_streams(op)
        return tuple(replace(stream, runs=self._in_last_pass(op, stream.runs)) for stream in streams)

    def _in_last_pass(self, op: Op, runs: tuple[Run, ...]) -> tuple[Run, ...]:
        """The runs as they are in the last of the passes over an op's values; mostly there is one."""
        first, each = self._op(op).last_pass(self.config.lanes, self.config.cell_latency_cycles)
        if (first, each) == (0, 1):
            return runs
        return tuple(replace(run, first_step=first + each * run.first_step, hold=each * run.hold) for run in runs)

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements * self._op(op).turns, Fraction(self.config.lanes))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The op's arithmetic; updates (peepholes add onto sums) add the result before narrowing."""
        elementwise = self._op(op)
        check_hold(elementwise.hold, elementwise.target, numerics)
        encodings = [numerics.encoding_of(region) for region in elementwise.operands]
        target, kind = numerics.encoding_of(elementwise.target), elementwise.target.buffer.format_kind
        arithmetic, overflows = arithmetic_for(target, encodings), numerics.overflows

        def compute(stored: Sequence[Array]) -> Array:
            return elementwise.apply(arithmetic, [Operand(*pair) for pair in zip(stored, encodings, strict=False)])

        def effect(stored: Sequence[Array]) -> tuple[Array, ...]:
            result = overflows.add(kind, arithmetic.narrowed(compute(stored)))
            return (held(elementwise.hold, result, stored),)

        def retire(old: Array, result: Array) -> Array:
            return overflows.add(kind, arithmetic.narrowed(arithmetic.value(Operand(old, target)) + result))

        return Kernel(lambda stored: (compute(stored),), retire) if elementwise.updates else Kernel(effect)

    def joining(self, op: Op, numerics: Numerics) -> Joining | None:
        return lanes_joined(op, numerics)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        """The integers of the op's formula, which is evaluated once to see what it needs."""
        elementwise = self._op(op)
        encodings = [numerics.encoding_of(region) for region in elementwise.operands]
        target = numerics.encoding_of(elementwise.target)
        if not isinstance(arithmetic_for(target, encodings), IntegerArithmetic):
            return FLOATING
        own = elementwise.own_constants(encodings, target)
        if own is not None:
            return own
        recording = RecordingArithmetic(target)
        shapes = [(region.entries, region.buffer.width) for region in elementwise.operands]
        zeros = [encoding.zeros(shape) for encoding, shape in zip(encodings, shapes, strict=True)]
        elementwise.apply(recording, [Operand(*pair) for pair in zip(zeros, encodings, strict=True)])
        return recording.constants()

    def tally(self, op: Op) -> Tally:
        """The operators that an op switches for each value: products and rescaling, additions, registers."""
        elementwise = self._op(op)
        target = elementwise.target.buffer.number_format
        one: Tally = Counter()
        for a, b in elementwise.products:
            one += _product(a.buffer.number_format, b.buffer.number_format, target)
        if rescales(target):
            for region in elementwise.operands[: elementwise.rescaled_values]:
                factor = Width(RESCALE_BITS, floating=False)
                one[multiplier(width_of(region.buffer.number_format), factor)] += 1
        one[adder(width_of(target))] += elementwise.additions
        one[REGISTER_BIT] += target.bits * self.depth_cycles(op)
        total = +times(one, elementwise.elements)
        if elementwise.products_a_sequence:
            width = elementwise.target.buffer.width
            total[multiplier(width_of(target), width_of(target))] += elementwise.products_a_sequence * width
        return total

    def inventory(self) -> Tally:
        """What a lane is built of: two multipliers, an adder, and their registers.

        A multiplier takes a gate and the widest of what gates are multiplied with.
        """
        gate, hidden = self.formats.format("activation"), self.formats.format("hidden")
        factors, config = (gate, hidden, self.formats.format("cell")), self.config
        other = widest(*factors)
        lane = Counter({multiplier(width_of(gate), other): 2, adder(other): 1})
        if rescales(hidden):
            lane[multiplier(_wide(width_of(gate), other), Width(RESCALE_BITS, floating=False))] += 2
        stages = max(config.cell_latency_cycles, config.hidden_latency_cycles)
        lane[REGISTER_BIT] += stages * max(number_format.bits for number_format in factors)
        return times(lane, config.lanes)

    def _op(self, op: Op) -> ElementwiseOp:
        if not isinstance(op, ElementwiseOp):
            raise self.refuse(op)
        return op


def _product(a: NumberFormat, b: NumberFormat, target: NumberFormat) -> Tally:
    """The operators of a product: a multiplier, and the rescaling of its code where the target's scale needs one."""
    found = Counter({multiplier(width_of(a), width_of(b)): 1})
    if rescales(target):
        found[multiplier(_wide(width_of(a), width_of(b)), Width(RESCALE_BITS, floating=False))] += 1
    return found


def _wide(a: Width, b: Width) -> Width:
    """The width of an integer product."""
    return Width(a.bits + b.bits, floating=False)
