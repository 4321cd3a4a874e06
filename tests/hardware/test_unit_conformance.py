"""What every unit must fulfil; a new kind of unit is tested by being in UNIT_KINDS and in a program."""

import dataclasses
from functools import cache
from typing import Any, get_args

import numpy as np
import pytest
from pydantic import BaseModel

from archsim.config.presets import PresetKind, preset_names
from archsim.errors import SimulatorBug
from archsim.families.cells.activation import Activate, Activation
from archsim.families.cells.elementwise import Elementwise
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.merge import MergeProduct, MergeSum
from archsim.families.cells.normalize import Normalize
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.encoder import ChunkEncoder
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.registry import FAMILIES, build_units
from archsim.hardware.datapath import Datapath
from archsim.hardware.dram.ddr_unit import DdrDram
from archsim.hardware.dram.simple import SimpleDram
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import Unit
from archsim.program.ir import Op, Program, Region
from archsim.workload import CellKind, CellSpec, FunctionSpec, NetworkSpec, load_workload, one_layer
from tests.float_machines import FLOAT_16X16
from tests.unit_rules import check_op, check_refusal

ARCH = load_arch(FLOAT_16X16).config
assert isinstance(ARCH, GemvConfig)
DDR = {"kind": "ddr", "device": "ddr4_3200", "channels": 2, "controller_latency_cycles": 9}
MACHINES = {
    "simple": ARCH,
    "ddr": type(ARCH).model_validate({**ARCH.model_dump(), "dram": DDR, "dram_type": "ddr4"}),
}
"""Together they have every kind of unit."""
UNITS = build_units(ARCH)
UNIT_KINDS = tuple(kind for kind in FAMILIES["gemv"].unit_kinds if kind is not ChunkEncoder)
"""All but the encoder of delta networks, which run on integers alone: tests/families/gemv/test_delta_chunks.py."""


def unit_of(kind: type[Unit[Any]]) -> Unit[Any]:
    """A unit of that kind, from the first machine that has one."""
    built = (build_units(machine)[kind.name] for machine in MACHINES.values())
    return next(unit for unit in built if type(unit) is kind)


def networks() -> list[NetworkSpec]:
    """Every kind with every option that makes ops of its own."""
    lstm, gru = CellKind.LSTM, CellKind.GRU
    sigmoid, relu = FunctionSpec("sigmoid"), FunctionSpec("relu")
    cells = [
        CellSpec(lstm, 5, 7, lstm.functions, proj_size=3, clip=0.5),
        CellSpec(lstm, 5, 7, (sigmoid, relu, relu), peepholes=True, input_forget=True, bias=False),
        CellSpec(lstm, 5, 7, lstm.functions, layer_norm=True, peepholes=True),
        CellSpec(gru, 5, 7, gru.functions, linear_before_reset=False, reverse=True),
    ]
    specs = [one_layer(kind, 5, 7, 3, 2) for kind in CellKind]
    specs += [NetworkSpec(((cell,),), 3, 2, (3, 1)) for cell in cells]
    return specs + [load_workload(f"rnn:5,7,t=3,b=2,bidirectional=1,merge={mode}").spec for mode in ("sum", "mul")]


def runs(schedule: str, spec: NetworkSpec) -> bool:
    """Whether a schedule takes the network: layers in reverse are no wavefront, and linear ones are not hoisted."""
    linear = not spec.layers[0][0].kind.recurrent
    return (len(spec.layers[0]) == 1 or "wavefront" not in schedule) and not (linear and "hoisted" in schedule)


@cache
def programs() -> tuple[Program, ...]:
    """Of all these networks in every schedule."""
    assert isinstance(ARCH, GemvConfig)
    pairs = [(spec, schedule) for spec in networks() for schedule in GEMV_SCHEDULES if runs(schedule.name, spec)]
    return tuple(schedule.build(spec, ARCH) for spec, schedule in pairs)


@cache
def every_op() -> tuple[Op, ...]:
    """Of all these programs."""
    return tuple(op for program in programs() for phase in program.phases for op in phase.ops)


OP_KINDS = {
    SimpleDram: {Transfer},
    DdrDram: {Transfer},
    MacArray: {MacTile, BlockTile},
    Activation: {Activate},
    Elementwise: {
        CellUpdate,
        HiddenUpdate,
        Peephole,
        Normalize,
        CandidateSum,
        ResetHidden,
        GruUpdate,
        MergeProduct,
        MergeSum,
    },
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unknown(Op):
    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


def test_every_kind_is_built_under_its_name() -> None:
    assert {kind.name for kind in UNIT_KINDS} == set(UNITS)
    for kind in UNIT_KINDS:
        assert type(unit_of(kind)) is kind
        assert kind.summary
        assert kind.item_name
    assert len({(kind.name, kind.kind) for kind in UNIT_KINDS}) == len(UNIT_KINDS)


@pytest.mark.parametrize("kind", UNIT_KINDS, ids=lambda kind: kind.__name__)
def test_ops_of_every_kind_occur_and_obey(kind: type[Unit[Any]]) -> None:
    ops = [op for op in every_op() if op.unit == kind.name]
    assert {type(op) for op in ops} == OP_KINDS[kind]
    random = np.random.default_rng(0)
    for op in ops:
        check_op(unit_of(kind), op, random)


@pytest.mark.parametrize("kind", UNIT_KINDS, ids=lambda kind: kind.__name__)
def test_a_unit_is_static_or_has_a_session_that_keeps_to_its_bounds(kind: type[Unit[Any]]) -> None:
    """A session starts from nothing in each run, says the same in each, and never less than `cycles`."""
    unit = unit_of(kind)
    if unit.static:
        with pytest.raises(SimulatorBug, match="is static"):
            unit.session(())
        return
    for program in programs():
        sessions = unit.session(program.buffers), unit.session(program.buffers)
        now = 0
        for phase in program.phases:
            for repetition in range(phase.repeat):
                for op in phase.ops:
                    if op.unit != kind.name or not op.active(repetition, phase.repeat):
                        continue
                    first, second = (session.service(op, repetition, now, now + 3) for session in sessions)
                    assert first == second
                    least = unit.cycles(op)
                    assert first.compute_cycles >= least.compute_cycles
                    assert first.port_cycles == least.port_cycles
                    assert first.depth_cycles >= least.depth_cycles
                    now += 3 + first.occupancy_cycles


@pytest.mark.parametrize("kind", UNIT_KINDS, ids=lambda kind: kind.__name__)
def test_an_unknown_op_is_refused_and_never_free(kind: type[Unit[Any]]) -> None:
    check_refusal(unit_of(kind), Unknown(unit=kind.name, label="mystery"))


@pytest.mark.parametrize(
    "kind", [k for k in UNIT_KINDS if k.name in ("dram", "activation")], ids=lambda kind: kind.__name__
)
def test_only_units_that_accumulate_update_in_place(kind: type[Unit[Any]]) -> None:
    value = np.zeros((1, 1), np.float32)
    op = next(op for op in every_op() if op.unit == kind.name)
    with pytest.raises(SimulatorBug, match="does not update in place"):
        Datapath({**UNITS, kind.name: unit_of(kind)}).retire(op, value, value)


@pytest.mark.parametrize("name", preset_names(PresetKind.ARCH))
def test_every_preset_is_valid_and_commented(name: str) -> None:
    from archsim.config.presets import preset_file

    arch = load_arch(name)
    assert arch.name == name
    assert "#" in preset_file(PresetKind.ARCH, name).read_text()


def test_every_field_of_every_config_has_a_description() -> None:
    def check(model: type[BaseModel]) -> None:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            for member in (field.annotation, *get_args(field.annotation)):  # a union's members, too
                if isinstance(member, type) and hasattr(member, "model_fields"):
                    check(member)

    check(type(ARCH))
