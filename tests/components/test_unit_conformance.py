"""What every unit must fulfil; a new kind of unit is tested by being in UNIT_KINDS and in a program."""

import dataclasses

import numpy as np
import pytest

from archsim.arch import build_units, load_arch
from archsim.arch.datapath import UNIT_KINDS
from archsim.components.base import UnitConfig
from archsim.config.presets import PresetKind, preset_names
from archsim.errors import SimulatorBug
from archsim.program.ir import Op
from archsim.schedules import SCHEDULES
from archsim.workload import load_workload

ARCH = load_arch("edge_16x16").config
UNITS = build_units(ARCH)
WORKLOADS = ("lstm:5,7,t=3,b=2", "lstm:5,7,t=3,b=2,proj=3", "gru:5,7,t=3,b=2", "rnn:5,7,t=3,b=2")
OPS = [
    op
    for schedule in SCHEDULES
    for text in WORKLOADS
    for phase in schedule.build(load_workload(text).spec, ARCH).phases
    for op in phase.ops
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Unknown(Op):
    @property
    def reads(self):
        return ()

    @property
    def writes(self):
        return ()


def test_every_kind_is_built_under_its_name() -> None:
    assert {kind.name for kind in UNIT_KINDS} == set(UNITS)
    for kind in UNIT_KINDS:
        assert isinstance(UNITS[kind.name], kind)
        assert kind.summary
        assert kind.item_name


@pytest.mark.parametrize("kind", UNIT_KINDS, ids=lambda kind: kind.name)
def test_ops_of_every_kind_occur_and_obey(kind) -> None:
    ops = [op for op in OPS if op.unit == kind.name]
    assert ops
    unit = UNITS[kind.name]
    random = np.random.default_rng(0)
    for op in ops:
        service = unit.cycles(op)
        assert service == unit.cycles(op), "cycles is a pure function"
        assert service.compute_cycles >= 1
        assert service.occupancy_cycles == max(service.compute_cycles, service.port_cycles)
        assert service.latency_cycles == service.occupancy_cycles + service.depth_cycles
        work = unit.work(op)
        assert 0 < work.items <= work.items_per_cycle * service.compute_cycles, "useful work fits into the cycles"
        operands = [random.normal(size=(r.entries, r.buffer.width)).astype(np.float32) for r in op.reads]
        before = [operand.copy() for operand in operands]
        results = unit.effect(op, operands)
        assert len(results) == len(op.writes)
        for region, result in zip(op.writes, results, strict=True):
            assert result.shape == (region.entries, region.buffer.width)
            assert result.dtype == np.float32
        for operand, copy, again in zip(operands, before, unit.effect(op, operands), strict=False):
            np.testing.assert_array_equal(operand, copy, "effect changes no operand")
            assert again.shape
        assert set(op.updates) <= set(op.writes)


@pytest.mark.parametrize("kind", UNIT_KINDS, ids=lambda kind: kind.name)
def test_an_unknown_op_is_refused_and_never_free(kind) -> None:
    op = Unknown(unit=kind.name, label="mystery")
    for ask in (UNITS[kind.name].compute_cycles, UNITS[kind.name].work):
        with pytest.raises(SimulatorBug, match=f"{kind.name} got an op it does not know: Unknown 'mystery'"):
            ask(op)


@pytest.mark.parametrize(
    "kind", [k for k in UNIT_KINDS if k.name in ("dram", "activation")], ids=lambda kind: kind.name
)
def test_only_units_that_accumulate_update_in_place(kind) -> None:
    value = np.zeros((1, 1), np.float32)
    with pytest.raises(SimulatorBug, match="does not update in place"):
        UNITS[kind.name].retire(Unknown(unit=kind.name, label="mystery"), value, value)


@pytest.mark.parametrize("name", preset_names(PresetKind.ARCH))
def test_every_preset_is_valid_and_commented(name: str) -> None:
    from archsim.config.presets import preset_folder

    arch = load_arch(name)
    assert arch.name == name
    assert "#" in (preset_folder(PresetKind.ARCH) / f"{name}.yaml").read_text()


def test_every_field_of_every_config_has_a_description() -> None:
    def check(model: type[UnitConfig]) -> None:
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            if isinstance(field.annotation, type) and hasattr(field.annotation, "model_fields"):
                check(field.annotation)

    check(type(ARCH))
