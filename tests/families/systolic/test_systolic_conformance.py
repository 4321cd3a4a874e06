"""What every unit must fulfil (tests/hardware/test_unit_conformance.py), of the units of the systolic family."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from archsim.families.cells.activation import Activate
from archsim.families.cells.elementwise import ElementwiseOp
from archsim.families.registry import FAMILIES, build_units
from archsim.families.schedules import find_schedule
from archsim.families.systolic.drain import Drain
from archsim.families.systolic.systolic_array import TilePass, WeightShift
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import Unit
from archsim.program.ir import Op, Program
from archsim.workload import CellSpec, NetworkSpec, one_layer
from archsim.workload.network import RECURRENT_KINDS
from tests.families.systolic.test_systolic import SMALL, machine
from tests.unit_rules import check_op, check_refusal

ARCH = machine(*SMALL, "formats=float32").config
UNITS = build_units(ARCH)
LSTM, GRU, RNN = RECURRENT_KINDS
SPECS = [
    *(one_layer(kind, 5, 7, 3, 2) for kind in RECURRENT_KINDS),
    NetworkSpec(((CellSpec(LSTM, 5, 7, LSTM.functions, proj_size=3, clip=0.5),),), 3, 2, (3, 1)),
    NetworkSpec(((CellSpec(LSTM, 5, 7, LSTM.functions, peepholes=True, bias=False),),), 3, 2),
    NetworkSpec(((CellSpec(GRU, 5, 7, GRU.functions, linear_before_reset=False, reverse=True),),), 3, 2),
]


@cache
def program(place: int) -> Program:
    """Of one of SPECS."""
    return find_schedule(None, "systolic").build(SPECS[place], ARCH)


@cache
def every_op() -> tuple[Op, ...]:
    """Of all the programs."""
    programs = map(program, range(len(SPECS)))
    return tuple(op for each in programs for phase in each.phases for op in phase.ops)


OP_KINDS = {
    "dram": Transfer,
    "host": Transfer,
    "weight_shift": WeightShift,
    "systolic_array": TilePass,
    "accumulators": Drain,
    "activation": Activate,
    "elementwise": ElementwiseOp,
}
KINDS = FAMILIES["systolic"].unit_kinds


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_ops_occur_and_obey(kind: type[Unit[Any]]) -> None:
    ops = [op for op in every_op() if op.unit == kind.name]
    assert ops
    assert all(isinstance(op, OP_KINDS[kind.name]) for op in ops)
    random = np.random.default_rng(0)
    for op in ops:
        check_op(UNITS[kind.name], op, random)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_unknown_op_is_refused_and_never_free(kind: type[Unit[Any]]) -> None:
    wrong = next(op for op in every_op() if not isinstance(op, OP_KINDS[kind.name]))
    check_refusal(UNITS[kind.name], wrong)


@pytest.mark.parametrize("place", range(len(SPECS)))
def test_each_step_multiplies_every_weight_once(place: int) -> None:
    assert program(place).macs == SPECS[place].macs
