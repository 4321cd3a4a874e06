"""The activation method `hard_cut`: lines on codes, as a datapath that cuts toward zero computes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from archsim.families.serial.fixed_point import hard_sigmoid, hard_tanh
from archsim.formats import Encoding, Fixed, Formats, NumberFormat
from archsim.formats.number import Array
from archsim.hardware.functions.method_definition import MethodDefinition
from archsim.hardware.functions.methods import Evaluator, Method
from archsim.hardware.lane_inventory import LaneInventory
from archsim.hardware.numerics import Overflows
from archsim.workload.network import FunctionSpec

if TYPE_CHECKING:
    from archsim.hardware.functions.function_config import FunctionConfig


class HardCut(Method):
    """Sigmoid x / 6 + 1/2, tanh x, each limited: a multiplier by a constant, an adder, two comparators."""

    latency_cycles = 1
    functions = frozenset({"sigmoid", "tanh"})

    def resources(self, target: NumberFormat) -> LaneInventory:
        return LaneInventory(0, ((target.bits, target.bits),), (target.bits,), (target.bits,) * 2)

    def curved(self, function: FunctionSpec, source: Encoding, target: Encoding, overflows: Overflows) -> Evaluator:
        form = source.format
        assert isinstance(form, Fixed)  # checked when the machine is described
        evaluate = hard_sigmoid if function.name == "sigmoid" else hard_tanh

        def codes(x: Array) -> tuple[Array, int]:
            return evaluate(x.astype(np.int64), form.bits, form.fraction_bits), 0

        return codes


def _hard_cut(config: FunctionConfig, formats: Formats) -> Method:
    if not isinstance(formats.format("gate"), Fixed):
        raise ValueError(f"it needs its argument in a q format, as q4.4; formats.gate is {formats.format('gate')}")
    return HardCut()


HARD_CUT = MethodDefinition("hard_cut", "sigmoid and tanh as lines, with slopes cut to the format", _hard_cut)
"""The method of machines of this family that name none."""
