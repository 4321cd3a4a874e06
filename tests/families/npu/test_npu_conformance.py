"""What every unit must fulfil, for those of the family npu; and what the machine refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.errors import ArchError, CapacityError, ScheduleError, SimulatorBug
from archsim.families.npu.chain_words import Idle
from archsim.families.npu.config import MFU0_ADD, NpuConfig
from archsim.families.npu.evrf import Evrf, Forward, Ones
from archsim.families.npu.loader import Deliver, Loader, WriteBack, WriteBackPath
from archsim.families.npu.mfu import Mfu0, Mfu1, Pass
from archsim.families.npu.mvu import MatVec, Mvu
from archsim.families.npu.vector_steps import AddTo, OneMinus
from archsim.families.registry import FAMILIES, build_units
from archsim.families.schedules import find_schedule
from archsim.hardware.numerics import Numerics
from archsim.hardware.unit import Unit, UnitConfig
from archsim.program.ir import Op, Program, Region
from archsim.workload import CellKind, Workload
from archsim.workload.network import RECURRENT_KINDS
from tests.families.npu.machines import SMALL, machine
from tests.strategies import network
from tests.unit_rules import check_op, check_refusal

KINDS = FAMILIES["npu"].unit_kinds
FLOAT = machine(*SMALL, "mvu.dot_units=2", "formats=float32").config
UNITS = build_units(FLOAT)
OP_KINDS = {
    Mvu: {MatVec, Idle},
    Evrf: {Forward, Ones, Idle},
    Mfu0: {Pass, Idle},
    Mfu1: {Pass, Idle},
    Loader: {Deliver, Idle},
    WriteBackPath: {WriteBack},
}


def networks() -> Iterator[Workload]:
    """Every kind with every option that makes ops of its own."""
    sizes = {"input_size": 5, "hidden_size": 7, "steps": 3, "batch": 2}
    yield from (network(kind=kind, **sizes) for kind in RECURRENT_KINDS)
    yield network(kind=CellKind.GRU, linear_before_reset=False, bidirectional=True, **sizes)
    yield network(kind=CellKind.LSTM, bias=False, clip=0.5, num_layers=2, **sizes)
    yield network(kind=CellKind.LSTM, **sizes | {"hidden_size": 1})  # one word and padding


@cache
def every_op() -> tuple[Op, ...]:
    """Of the programs of all these networks."""
    programs = (find_schedule(None, "npu").build(load.spec, FLOAT) for load in networks())
    return tuple(op for program in programs for phase in program.phases for op in phase.ops)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unknown(Op):
    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


def test_every_kind_is_built_under_its_name() -> None:
    assert {kind.name for kind in KINDS} == set(UNITS)
    assert all(isinstance(UNITS[kind.name], kind) and kind.summary and kind.item_name for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_ops_of_every_kind_occur_and_obey(kind: type[Unit[Any]]) -> None:
    ops = [op for op in every_op() if op.unit == kind.name]
    assert {type(op) for op in ops} == OP_KINDS[kind]
    unit, random = UNITS[kind.name], np.random.default_rng(0)
    for op in ops:
        check_op(unit, op, random, idle=isinstance(op, Idle))
        service = unit.cycles(op)
        assert service.compute_cycles == service.occupancy_cycles
        assert 1 <= service.first_word_cycles <= service.latency_cycles
        operands = [random.normal(size=(r.entries, r.buffer.width)).astype(np.float32) for r in op.reads]
        results = unit.kernel(op, Numerics()).effect(operands)
        assert not any(np.shares_memory(a, b) for a in results for b in operands), "results are no views"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_an_unknown_op_is_refused_and_never_free(kind: type[Unit[Any]]) -> None:
    check_refusal(UNITS[kind.name], Unknown(unit=kind.name, label="mystery"))


def test_an_op_of_another_unit_is_refused() -> None:
    """Forward is evrf's, whatever unit it names."""
    forward = next(op for op in every_op() if isinstance(op, Forward))
    moved = dataclasses.replace(forward, unit="ld")
    with pytest.raises(SimulatorBug, match="ld got an op it does not know: Forward"):
        UNITS["ld"].kernel(moved, Numerics())


def test_a_multi_function_unit_has_its_stages_in_one_order() -> None:
    op = next(op for op in every_op() if isinstance(op, Pass) and any(isinstance(step, AddTo) for step in op.steps))
    add = next(step for step in op.steps if isinstance(step, AddTo))
    twice = dataclasses.replace(op, steps=(add, OneMinus(like=add.result)))
    with pytest.raises(SimulatorBug, match=f"uses the stages of {op.unit} in another order than it has them"):
        UNITS[op.unit].kernel(twice, Numerics())


def test_every_field_has_a_description() -> None:
    def check(model: type[UnitConfig]) -> None:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                check(field.annotation)

    check(NpuConfig)  # type: ignore[arg-type]


def build(*sets: str, **fields: object) -> Program:
    sizes = {"kind": CellKind.LSTM, "input_size": 40, "hidden_size": 80, "batch": 6, "steps": 2}
    return find_schedule(None, "npu").build(network(**sizes | fields).spec, machine(*sets).config)


@pytest.mark.parametrize(
    ("sets", "fields", "memory", "need", "have"),
    [
        ((), {"batch": 7}, "mvu", 7, 6),
        # 4 gates of 2 row blocks, padded to 12; W_ih and W_hh with 1 column block each; one word too few
        (("mvu.matrix_depth_words=95",), {}, "mvu.matrix_depth_words", 96, 95),
        # x in two slots and h: a word of each tile for each of 3 sequences
        (("mvu.vector_depth_words=8",), {}, "mvu_vrf (mvu.vector_depth_words)", 9, 8),
        # c: 2 words, padded to 12, x 3 sequences
        (("evrf.depth_words=35",), {}, "evrf (evrf.depth_words)", 36, 35),
        # x_i, x_f, x_g, x_o
        (("mfu.depth_words=143",), {}, f"{MFU0_ADD} (mfu.depth_words)", 144, 143),
        (("fifos.depth_words=35",), {}, "fifos", 36, 35),
        # 14 row blocks x 2 column blocks; h of 2 column blocks, x of 1
        (("mvu.matrix_depth_words=167",), {"hidden_size": 560}, "mvu.matrix_depth_words", 4 * 14 * 3, 167),
    ],
)
def test_what_does_not_fit_is_said(
    sets: tuple[str, ...], fields: dict[str, object], memory: str, need: int, have: int
) -> None:
    with pytest.raises(CapacityError) as caught:
        build(*sets, **fields)
    error = caught.value
    assert (error.memory, error.need, error.have) == (memory, need, have)
    assert error.knobs


def test_exactly_enough_fits() -> None:
    build(
        "mvu.matrix_depth_words=96",
        "mvu.vector_depth_words=9",
        "evrf.depth_words=36",
        "mfu.depth_words=144",
        "fifos.depth_words=36",
    )


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"proj_size": 3}, "a projection"),
        ({"peepholes": True}, "peepholes"),
        ({"input_forget": True}, "coupled gates"),
        ({"sequence_lens": (1, 2, 2, 2, 2, 2)}, "sequences of different lengths"),
    ],
)
def test_what_no_chain_computes_is_refused(fields: dict[str, object], what: str) -> None:
    with pytest.raises(ScheduleError, match=f"no chains for {what}"):
        build(**fields)


def test_a_method_that_cannot_evaluate_a_function_is_refused() -> None:
    soft = {"kind": CellKind.RNN, "activations": ({"name": "softsign"},)}
    with pytest.raises(ArchError, match="mfu.method: hard stands for sigmoid and tanh; the workload needs softsign"):
        build("mfu.method=hard", **soft)


def test_faults_of_a_file(tmp_path: Path) -> None:
    with pytest.raises(ArchError, match="integers or floating-point numbers, not both"):
        machine("formats.gate=float32")
    with pytest.raises(ArchError, match="mfu: .*q format"):
        machine("mfu.method=table", "formats=float32")
    with pytest.raises(ArchError, match="mac_array"):
        machine("mac_array.rows=3")
