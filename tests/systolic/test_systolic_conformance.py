"""What every unit must fulfil (tests/components/test_unit_conformance.py), of the units of the systolic family."""

import numpy as np
import pytest
from test_systolic import SMALL, machine

from archsim.arch import FAMILIES, build_units
from archsim.components.activation import Activate
from archsim.components.drain import Drain
from archsim.components.dram import Transfer
from archsim.components.elementwise import ElementwiseOp
from archsim.components.numerics import Numerics
from archsim.components.systolic_array import TilePass, WeightShift
from archsim.errors import SimulatorBug
from archsim.schedules import find_schedule
from archsim.workload import CellKind, CellSpec, NetworkSpec, one_layer

ARCH = machine(*SMALL, "formats=float32").config
UNITS = build_units(ARCH)
LSTM, GRU, RNN = CellKind
SPECS = [
    *(one_layer(kind, 5, 7, 3, 2) for kind in CellKind),
    NetworkSpec(((CellSpec(LSTM, 5, 7, LSTM.functions, proj_size=3, clip=0.5),),), 3, 2, (3, 1)),
    NetworkSpec(((CellSpec(LSTM, 5, 7, LSTM.functions, peepholes=True, bias=False),),), 3, 2),
    NetworkSpec(((CellSpec(GRU, 5, 7, GRU.functions, linear_before_reset=False, reverse=True),),), 3, 2),
]
PROGRAMS = [find_schedule(None, "systolic").build(spec, ARCH) for spec in SPECS]
OPS = [op for program in PROGRAMS for phase in program.phases for op in phase.ops]
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
def test_ops_occur_and_obey(kind) -> None:
    ops = [op for op in OPS if op.unit == kind.name]
    assert ops
    assert all(isinstance(op, OP_KINDS[kind.name]) for op in ops)
    unit, random = UNITS[kind.name], np.random.default_rng(0)
    for op in ops:
        service = unit.cycles(op)
        assert service == unit.cycles(op), "cycles is a pure function"
        assert service.compute_cycles >= 1
        work = unit.work(op)
        assert 0 < work.items <= work.items_per_cycle * service.compute_cycles, "useful work fits into the cycles"
        operands = [random.normal(size=(r.entries, r.buffer.width)).astype(np.float32) for r in op.reads]
        before = [operand.copy() for operand in operands]
        results = unit.kernel(op, Numerics()).effect(operands)
        for region, result in zip(op.writes, results, strict=True):
            assert result.shape == (region.entries, region.buffer.width)
            assert result.dtype == np.float32
        for operand, copy in zip(operands, before, strict=True):
            np.testing.assert_array_equal(operand, copy, "effect changes no operand")
        assert set(op.updates) <= set(op.writes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_unknown_op_is_refused_and_never_free(kind) -> None:
    wrong = next(op for op in OPS if not isinstance(op, OP_KINDS[kind.name]))
    for ask in (UNITS[kind.name].compute_cycles, UNITS[kind.name].work):
        with pytest.raises(SimulatorBug, match=f"{kind.name} got an op it does not know"):
            ask(wrong)


@pytest.mark.parametrize("spec", SPECS, ids=range(len(SPECS)))
def test_each_step_multiplies_every_weight_once(spec: NetworkSpec) -> None:
    program = find_schedule(None, "systolic").build(spec, ARCH)
    assert program.macs == spec.macs
