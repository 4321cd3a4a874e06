"""What an Evaluator keeps changes no figure: programs by the fields that were read, services by shape."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import BaseModel

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.config.read_tracking import ReadTracker, read_only_as
from archsim.engines.recurrence.refusal import length_refusal, program_refusal
from archsim.errors import ArchError, CapacityError, ExecutorError, ScheduleError, SimulatorBug
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import Arch, load_arch
from archsim.program.ir import After, Dep, PhaseKind, Program, Wait
from archsim.program.shapes import op_shape
from archsim.workload import load_workload
from tests.engines.recurrence.generic_phases import phase_of
from tests.rings import examples, few, law
from tests.strategies import Case, cases

SMALL = load_workload("lstm:5,6,t=9")


def leaves(model: BaseModel, path: str = "") -> Iterator[str]:
    """The path of every field that is no section."""
    for name in type(model).model_fields:
        value, below = getattr(model, name), f"{path}{name}"
        if isinstance(value, BaseModel):
            yield from leaves(value, f"{below}.")
        else:
            yield below


OTHER: dict[str, tuple[str, ...]] = {
    "family": (),  # there is one
    "dram.kind": (),  # another one has other fields: TestRefusals
    "dram.efficiency": ("0.5", "0.93"),
    "dram_type": ("ddr4", "hbm2"),
    "energy_model.device": ("low_standby", "high_performance"),
    "energy_model.temperature_k": ("350", "400"),
    "energy_model.voltage_v": ("0.8", "1.1"),
    **{f"energy_model.{part}": ("false",) for part in ("wires", "clock", "control", "layout", "phy")},
    "energy_model.dram_idle": ("off", "power_down"),
    "energy_model.gating": ("unused_banks",),
    "technology": ("node_45nm", "node_7nm"),
    "weight_sram.ports": ("1RW",),
    "weight_sram.stream_layout": ("model",),
    "input_buffer.ports": ("1RW",),
    "state_buffer.ports": ("1RW",),
    "state_buffer.banks": ("by_kind",),
    "accumulators.ahead_groups": ("0", "1"),
    "summary": ("another",),
    "clock_mhz": ("123.5",),
    "activation.method": ("hard", "exact", "piecewise_linear"),
    "activation.latency_cycles": ("0", "9"),
    "activation.adds_bias": ("true",),
    "activation.units": ("2",),
    "state_buffer.hoist_steps": ("1", "3"),
    "activation.table.interpolation": ("nearest",),
    "activation.address_format": ("q4.10",),
    "elementwise.units": ("2",),
    "mac_array.x_columns": ("3",),
    "delta_encoder": ("{lanes: 4, latency_cycles: 1, capacity_bytes: 1KiB, port_bits: 64}",),
    "mac_array.sparsity": ("{kept: 2, of: 4}", "{kept: 1, of: 3}"),
    "state_buffer.gate_slots": ("3", "9"),
    "weight_sram.capacity_bytes": ("1MiB", "100"),
    "input_buffer.capacity_bytes": ("1MiB", "1"),
    "state_buffer.capacity_bytes": ("1MiB", "10"),
    "accumulators.entries": ("1", "8", "9", "24", "100000"),
}
"""Other values of fields of which a number that is one larger or half as large will not do."""


def others(config: GemvConfig, path: str) -> tuple[str, ...]:
    """Values that differ from the configuration's at a path."""
    if path in OTHER:
        return OTHER[path]
    if path.startswith("formats."):
        return "int16", "q8.8", "int24", "float32", "int32"
    value: Any = config
    for name in path.split("."):
        value = getattr(value, name)
    assert isinstance(value, int | float), f"{path}: name another value in OTHER"
    return (f"{value + 1}", f"{max(1, value // 2)}", f"{4 * value + 3}")


BASE_SETS = ("mac_array.rows=6", "state_buffer.banks=one")
BASE = load_arch("edge_16x16", [parse_override(text) for text in BASE_SETS])
FIELDS = sorted(leaves(BASE.config))


def outcome(evaluator: Evaluator, arch: Arch, executor: str) -> Any:
    try:
        return evaluator.evaluate(arch, SMALL, "fused", executor).stats
    except (CapacityError, ArchError) as error:
        return type(error), str(error)


@cache
def of_the_base() -> Any:
    """What the machine says of the base."""
    return outcome(Evaluator(), BASE, "machine")


@law
@pytest.mark.parametrize("path", few(FIELDS, 14))
def test_every_field_counts_that_a_design_depends_on(path: str) -> None:
    """An Evaluator that has seen the base, and then each other value, says what a new one says.

    In the fast ring: the first of the values that a machine may have.
    """
    kept = Evaluator()
    outcome(kept, BASE, "fast")
    tried = 0
    fast = "auto" if path.endswith(".ports") else "fast"  # which shared ports refuse
    for value in others(BASE.config, path):  # type: ignore[arg-type]
        try:
            arch = load_arch("edge_16x16", [parse_override(text) for text in (*BASE_SETS, f"{path}={value}")])
        except ArchError:
            continue
        tried += 1
        wanted = outcome(Evaluator(), arch, "machine")
        assert outcome(kept, arch, fast) == outcome(kept, arch, "machine") == wanted
        assert outcome(kept, BASE, "fast") == of_the_base()
        if tried == examples(len(others(BASE.config, path))):  # type: ignore[arg-type]
            break
    assert tried or not others(BASE.config, path)  # type: ignore[arg-type]


def test_designs_share_a_program_where_the_schedule_does_not_care() -> None:
    evaluator = Evaluator()
    for path in ("dram.latency_cycles=7", "mac_array.columns=3", "sequencer.queue_depth=1", "activation.lanes=5"):
        evaluator.evaluate(load_arch("edge_16x16", [parse_override(path)]), SMALL)
    for capacity in ("64KiB", "65KiB", "66KiB"):
        evaluator.evaluate(load_arch("edge_16x16", [parse_override(f"weight_sram.capacity_bytes={capacity}")]), SMALL)
    assert evaluator.programs_built == 1
    evaluator.evaluate(load_arch("edge_16x16", [parse_override("mac_array.rows=8")]), SMALL)
    evaluator.evaluate(load_arch("edge_16x16"), SMALL, "split")
    evaluator.evaluate(load_arch("edge_16x16"), load_workload("lstm:5,6,t=10"))
    assert evaluator.programs_built == 4


def test_it_keeps_as_many_programs_as_it_may() -> None:
    """Two of three: the one that was used longest ago is built again, the others are not."""
    evaluator = Evaluator(programs=2)
    archs = [load_arch("edge_16x16", [parse_override(f"mac_array.rows={rows}")]) for rows in (4, 8, 12)]
    for place, built in ((0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (1, 4)):
        evaluator.evaluate(archs[place], SMALL)
        assert evaluator.programs_built == built


def test_what_does_not_fit_is_refused_each_time_and_fits_again_after() -> None:
    evaluator = Evaluator()
    small = load_arch("edge_16x16", [parse_override("weight_sram.capacity_bytes=100")])
    wanted = evaluator.evaluate(load_arch("edge_16x16"), SMALL).stats
    for _ in range(2):
        with pytest.raises(CapacityError, match="weight_sram: needs .* has 100"):
            evaluator.evaluate(small, SMALL)
    assert evaluator.evaluate(load_arch("edge_16x16"), SMALL).stats == wanted


@settings(max_examples=examples(150))
@given(cases())
def test_ops_of_a_shape_take_the_same_time_and_do_the_same_work(case: Case) -> None:
    services: dict[Any, Any] = {}
    for phase in case.program.phases:
        assert sum(times for _, times in phase.distinct) == phase.op_instances
        for op in phase.ops:
            unit = case.units[op.unit]
            found = unit.cycles(op), unit.work(op), op.macs, [(r.buffer, r.bits) for r in op.reads + op.writes]
            assert services.setdefault(op_shape(op), found) == found


def test_there_are_few_shapes() -> None:
    """LSTM(200, 1000) in tiles of 64 rows: 62 groups of 64 rows and one of 32, so two of everything at most."""
    from archsim.families.schedules import find_schedule

    arch = load_arch("edge_64x64").config
    program = find_schedule("fused", "gemv").build(load_workload("lstm_200_1000_t70").spec, arch)
    body = program.phase(PhaseKind.BODY)
    labels = {op.label.split("[")[0] for op in body.ops}
    assert len(body.ops) == 380
    assert len(body.distinct) <= 2 * len(labels)


class TestRefusals:
    def test_a_unit_with_a_history(self) -> None:
        """The machine takes over and says why; asked for by name, the second executor refuses."""
        device = "dram={kind: ddr, device: lpddr4_3200, channels: 2, controller_latency_cycles: 40}"
        arch = load_arch("edge_16x16", [parse_override(device)])
        found = Evaluator().evaluate(arch, SMALL, executor="auto")
        assert (found.executor, found.reason) == ("machine", "service times of dram depend on what was before")
        assert found.stats == simulate(arch, SMALL, timing_only=True).stats
        with pytest.raises(ExecutorError, match="^--executor fast: service times of dram .*--executor machine"):
            Evaluator().evaluate(arch, SMALL, executor="fast")

    def test_a_port_that_units_share(self) -> None:
        one_port = ("state_buffer.banks=one", "state_buffer.ports=1RW")
        arch = load_arch("edge_16x16", [parse_override(text) for text in one_port])
        found = Evaluator().evaluate(arch, SMALL)
        assert found.executor == "machine"
        assert found.reason == "units are granted the one port of state_buffer in the order in which they ask"

    def test_an_op_that_waits_for_a_later_one(self) -> None:
        deps = {"a": [Dep(1, 0, After.DONE, Wait.OPERAND)]}
        program = Program("", (), (phase_of("a:u0 b:u1", deps, 1),))
        assert program_refusal(program) == "'a' waits for an op that does not come before it"

    def test_times_beyond_64_bits(self) -> None:
        from archsim.hardware.unit import Service

        assert length_refusal([Service(3, 0, 4)], [10], 1) == ""
        assert "beyond 64-bit" in length_refusal([Service(1 << 40, 0, 0)], [1 << 22], 0)

    def test_no_such_executor(self) -> None:
        with pytest.raises(ExecutorError, match="--executor slow: no such executor; allowed: auto, fast, machine"):
            Evaluator().evaluate(BASE, SMALL, executor="slow")

    def test_no_such_schedule(self) -> None:
        with pytest.raises(ScheduleError):
            Evaluator().evaluate(BASE, SMALL, "nothing")


class TestReads:
    def read(self, computation: Callable[[Any], object]) -> ReadTracker:
        reads = ReadTracker(BASE.config)
        computation(reads.stand_in)
        return reads

    def test_a_field(self) -> None:
        found = self.read(lambda arch: arch.mac_array.rows).values
        assert found["mac_array.rows"] == 6
        assert "mac_array.columns" not in found

    def test_properties_and_methods_of_the_models(self) -> None:
        found = self.read(lambda arch: (arch.weight_sram.bits_per_cycle, arch.formats.format("gate"))).values
        sram = BASE.config.weight_sram  # type: ignore[attr-defined]
        assert {path: found[path] for path in ("weight_sram.banks", "weight_sram.port_bits", "formats.gate")} == {
            "weight_sram.banks": sram.banks,
            "weight_sram.port_bits": sram.port_bits,
            "formats.gate": BASE.config.formats.gate,
        }

    @pytest.mark.parametrize(
        "computation",
        [
            lambda arch: arch.dram == BASE.config.dram,  # type: ignore[attr-defined]
            lambda arch: hash(arch.dram),
            lambda arch: repr(arch.dram),
            lambda arch: arch.dram.model_dump(),
        ],
    )
    def test_a_whole_section(self, computation: Callable[[Any], object]) -> None:
        assert self.read(computation).values["dram"] == BASE.config.dram  # type: ignore[attr-defined]

    def test_the_whole_machine(self) -> None:
        found = self.read(lambda arch: arch.model_dump()).values
        assert found["dram"] == BASE.config.dram  # type: ignore[attr-defined]
        assert set(GemvConfig.model_fields) <= set(found)

    def test_it_passes_for_the_model(self) -> None:
        reads = ReadTracker(BASE.config)
        assert isinstance(reads.stand_in, GemvConfig)
        assert isinstance(reads.stand_in.dram, type(BASE.config.dram))  # type: ignore[attr-defined]
        assert reads.values["dram.__class__"] is type(BASE.config.dram)  # type: ignore[attr-defined]

    def test_a_question(self) -> None:
        reads = ReadTracker(BASE.config)
        assert read_only_as(reads.stand_in.mac_array, "rows", lambda rows: rows > 5)
        assert read_only_as(BASE.config.mac_array, "rows", lambda rows: rows > 5)  # type: ignore[attr-defined]
        (asked,) = reads.questions
        assert (asked.path, asked.answer) == ("mac_array.rows", True)
        assert "mac_array.rows" not in reads.values

    def test_nothing_is_read_afterwards(self) -> None:
        reads = ReadTracker(BASE.config)
        array = reads.stand_in.mac_array
        reads.close()
        for late in (lambda: array.rows, lambda: read_only_as(array, "rows", bool)):
            with pytest.raises(SimulatorBug, match=r"mac_array\.rows is read after"):
                late()

    def test_it_cannot_be_changed(self) -> None:
        with pytest.raises(SimulatorBug):
            ReadTracker(BASE.config).stand_in.family = "other"


def test_an_evaluation_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Evaluator().evaluate(BASE, SMALL).executor = "other"  # type: ignore[misc]
