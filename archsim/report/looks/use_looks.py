"""Gives every use of energy and traffic its words, colour and hatch: the same in every figure and page of every run.

Of one hatch, colours differ in lightness, so that they are told apart in grey.
"""

from __future__ import annotations

from archsim.hardware.operators import OperatorKind
from archsim.program.ir import DataKind
from archsim.report.looks.named_look import NamedLook

_WEIGHTS = NamedLook("weights read", "#56B4E9"), NamedLook("weights written", "#56B4E9", "////")
_INPUT = NamedLook("x read", "#F0E442"), NamedLook("x written", "#F0E442", "////")
_STATE = NamedLook("h, c, output read", "#CC79A7", "...."), NamedLook("h, c, output written", "#CC79A7", "xxxx")
_INNER = NamedLook("sums, gates read", "#0072B2"), NamedLook("sums, gates written", "#0072B2", "////")
_DATA = {
    **dict.fromkeys((DataKind.W_IH, DataKind.W_HH, DataKind.W_HR, DataKind.WEIGHT_TILE), _WEIGHTS),
    **dict.fromkeys((DataKind.BIAS, DataKind.PEEPHOLE, DataKind.LAYER_NORM), _WEIGHTS),
    **dict.fromkeys((DataKind.X, DataKind.VALID, DataKind.DELTA), _INPUT),
    **dict.fromkeys((DataKind.H, DataKind.C, DataKind.OUTPUT), _STATE),
    **dict.fromkeys((DataKind.PARTIAL_SUM, DataKind.GATE, DataKind.STREAM), _INNER),
}
"""Kind of data -> the looks of reading and writing it."""
MULTIPLY = NamedLook("multiply", "#009E73", "\\\\\\\\")
OPERATOR = NamedLook("other operators", "#009E73", "....")
REGISTER = NamedLook("registers", "#E69F00", "\\\\\\\\")
LEAKS = NamedLook("leakage", "#BBBBBB", "----")
WIRES = NamedLook("wires, clock, control", "#D55E00", "++++")
DRAM_POWER = NamedLook("DRAM's interface and power", "#D55E00", "||||")
_BESIDE = {"wires": WIRES, "clock": WIRES, "control": WIRES, "dram_phy": DRAM_POWER, "dram_background": DRAM_POWER}
"""What takes energy beside units and memories -> its look."""
AREA = NamedLook("area", "#999999")
SMALL = NamedLook("smaller parts", "#222222")
"""Parts too small for a look of their own, all together."""
_OPERATORS = {OperatorKind.MULTIPLY: MULTIPLY, OperatorKind.REGISTER: REGISTER}
USE_LOOKS = (*_WEIGHTS, *_INPUT, *_STATE, *_INNER, MULTIPLY, OPERATOR, REGISTER, WIRES, DRAM_POWER, LEAKS)
"""All looks of uses, in the order of bars and legends."""


def data_look(kind: DataKind, written: bool) -> NamedLook:
    """The look of reading a kind of data, or of writing it."""
    return _DATA[kind][written]


def operator_look(kind: OperatorKind) -> NamedLook:
    """The look of the energy of an operator."""
    return _OPERATORS.get(kind, OPERATOR)


def beside_look(part: str) -> NamedLook | None:
    """The look of what takes energy beside units and memories; None of a unit or a memory."""
    return _BESIDE.get(part)
