"""Models the activation unit: `lanes` pipelined function units."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from archsim.config.types import Count
from archsim.families.cells.banks import GATE_BANKS
from archsim.formats import Encoding, Formats, IntegerFormat
from archsim.formats.number import Array
from archsim.formats.rounding import rounded
from archsim.hardware.constants import FLOATING, ActivationConstants, OpConstants, Rescale
from archsim.hardware.functions.function_config import FunctionConfig
from archsim.hardware.functions.method_registry import make_method
from archsim.hardware.joined_ops import lanes_joined
from archsim.hardware.lane_hold import Hold, check_hold, held
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Tally, adder, times, width_of
from archsim.hardware.port_streams import Stream, Widths, cut_runs
from archsim.hardware.products import bias_adder, integer_conversion
from archsim.hardware.unit import MAX_UNITS, Unit, Work, ceil_div, unit_name
from archsim.program.ir import Observed, Op, Region
from archsim.program.joined import Joining
from archsim.program.shapes import PLACE
from archsim.workload.network import FunctionSpec


class ActivationConfig(FunctionConfig):
    """Width, depth and method of the activation unit."""

    units: Annotated[Count, Field(le=MAX_UNITS)] = Field(
        default=1, description="activation units: gate k goes to unit k, as far as there are some, the rest to the last"
    )
    adds_bias: bool = Field(
        default=False, description="whether the bias is added here, in front of the function, not in the accumulators"
    )

    def unit(self, gate: int | None) -> str:
        """The name of the unit that evaluates a gate (by its number in torch's order), or other values (None)."""
        last = self.units - 1
        return unit_name("activation", last if gate is None else min(gate, last))


@dataclass(frozen=True, slots=True)
class GateRows:
    """The rows of an op that belong to one gate: its name (i, f, g, o; r, z, n), and for which hidden units."""

    gate: str
    first_unit: int = field(metadata={PLACE: True})
    units: int


@dataclass(frozen=True, kw_only=True)
class Activate(Op):
    """An op that evaluates target = function(source), element by element, both (n, B).

    With `bias` (n, 1) the source is source + bias, in the source's format; with `clip` it is bounded to [-clip, clip]
    then. `gates` says which gates the rows are, one after the other; () where they are none, as for tanh(c).
    """

    function: FunctionSpec
    source: Region
    target: Region
    clip: float | None = None
    hold: Hold | None = None
    gates: tuple[GateRows, ...] = ()
    bias: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        bias = (self.bias,) if self.bias else ()
        return (self.source, *bias, *(self.hold.regions if self.hold else ()))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @property
    def observed(self) -> tuple[Observed, ...]:
        """The gates that the op's rows belong to."""
        starts = accumulate((rows.units for rows in self.gates), initial=0)
        return tuple(
            Observed(rows.gate, start, rows.units, rows.first_unit)
            for rows, start in zip(self.gates, starts, strict=False)
        )

    @property
    def elements(self) -> int:
        """How many values the op evaluates, n x B."""
        return self.source.entries * self.source.buffer.width


class Activation(Unit[ActivationConfig]):
    """The unit that executes Activate ops."""

    name = "activation"
    summary = "sigmoid, tanh and the other functions of the ONNX specification, `lanes` values a cycle"
    item_name = "value"

    def compute_cycles(self, op: Op) -> int:
        """The occupancy ceil(n B / lanes), in cycles."""
        return ceil_div(self._op(op).elements, self.config.lanes)

    def __init__(self, config: ActivationConfig, ports: Widths, formats: Formats) -> None:
        super().__init__(config, ports, formats)
        self.method = make_method(config, formats)

    def depth_cycles(self, op: Op) -> int:
        return self._stages

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """All operands but the bias, which has a port of its own."""
        activate = self._op(op)
        return tuple(region for region in activate.reads if region != activate.bias)

    def values_per_step(self, op: Op, region: Region) -> int | None:
        """A value for each lane."""
        whole = region.values == self._op(op).elements
        return self.config.lanes if whole else super().values_per_step(op, region)

    def parts(self, op: Op, region: Region) -> tuple[Region, ...]:
        """The rows of each gate where each gate has a bank; they follow each other."""
        activate = self._op(op)
        if region is not activate.target or self.bank(region)[1:] != (GATE_BANKS,) or not activate.gates:
            return super().parts(op, region)
        stops = tuple(accumulate((rows.units for rows in activate.gates), initial=region.start))
        return tuple(replace(region, start=start, stop=stop) for start, stop in pairwise(stops))

    def write_streams(self, op: Op) -> tuple[Stream, ...]:
        """The results; where each gate has a bank, the rows of each go to their own, one gate after the other."""
        activate = self._op(op)
        parts = self.parts(op, activate.target)
        if len(parts) == 1:
            return super().write_streams(op)
        found: list[Stream] = []
        start = 0
        for rows, part in zip(activate.gates, parts, strict=True):
            bank = (*self.bank(part), rows.gate)
            found.append(Stream(bank, part.bits, cut_runs(start, part.values, self.config.lanes)))
            start += part.values
        return tuple(found)

    def work(self, op: Op) -> Work:
        return Work(self._op(op).elements, Fraction(self.config.lanes))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """Add the bias, clip, evaluate, keep what a lane without a sequence holds."""
        activate = self._op(op)
        check_hold(activate.hold, activate.target, numerics)
        source, target = numerics.encoding_of(activate.source), numerics.encoding_of(activate.target)
        kind, overflows = activate.target.buffer.format_kind, numerics.overflows
        evaluate = self.method.evaluator(activate.function, source, target, overflows)
        bound = None if activate.clip is None else _bound(activate.clip, source)
        add = None if activate.bias is None else bias_adder(activate.bias, activate.source, numerics)

        def effect(operands: Sequence[Array]) -> tuple[Array, ...]:
            x = operands[0] if add is None else add(operands[0], operands[1])
            if bound is not None:
                x = np.clip(x, -bound, bound)
            return (held(activate.hold, overflows.add(kind, evaluate(x)), operands),)

        return Kernel(effect)

    def joining(self, op: Op, numerics: Numerics) -> Joining | None:
        return lanes_joined(op, numerics)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        activate = self._op(op)
        source, target = numerics.encoding_of(activate.source), numerics.encoding_of(activate.target)
        if not (source.is_integer and target.is_integer):
            return FLOATING
        bias = None
        if activate.bias is not None:
            bias = Rescale.from_conversion(integer_conversion(numerics.encoding_of(activate.bias).scale, source))
        clip = None if activate.clip is None else int(_bound(activate.clip, source))
        return ActivationConstants(bias, clip, self.method.constants(activate.function, source, target))

    def tally(self, op: Op) -> Tally:
        """The operators that an op switches: for each value an evaluation, pipeline registers and a late bias."""
        activate = self._op(op)
        target = activate.target.buffer.number_format
        one = self.method.evaluation(activate.function, target)
        one[REGISTER_BIT] += target.bits * self._stages
        if activate.bias is not None:
            one[adder(width_of(activate.source.buffer.number_format))] += 1
        return times(one, activate.elements)

    def inventory(self) -> Tally:
        """What the unit is built of: in each lane the method's operators, and the registers of its stages."""
        target = self.formats.format("activation")
        lane = self.method.resources(target).inventory
        lane[REGISTER_BIT] += target.bits * self._stages
        if self.config.adds_bias:
            lane[adder(width_of(self.formats.format("gate")))] += 1
        return times(lane, self.config.lanes)

    @property
    def _stages(self) -> int:
        latency = self.config.latency_cycles
        return self.method.latency_cycles if latency is None else latency

    def _op(self, op: Op) -> Activate:
        if not isinstance(op, Activate):
            raise self.refuse(op)
        return op


def _bound(clip: float, source: Encoding) -> float:
    """The clip as it is stored; beyond the range the largest number, also in a format that wraps."""
    if isinstance(source.format, IntegerFormat):
        whole = rounded(np.array([clip / source.scale]), source.format.rounding)
        return int(min(float(whole[0]), source.format.highest))
    return float(source.encoded(np.array([clip]))[0][0])
