"""Random small machines and networks, and the short ways from them to a trace that the laws need."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from hypothesis import strategies as st
from pydantic import BaseModel

from archsim.api import Simulation, simulate
from archsim.api.machine_spec import machine_spec
from archsim.checking.golden_run import golden_run
from archsim.checking.numbers import Numbers, prepare
from archsim.checking.validation import Validation
from archsim.checking.validation import compare as compare_with_golden
from archsim.engines.events import Arithmetic, MachineSpec, Options, execute
from archsim.engines.events.options import Jitter
from archsim.errors import CapacityError, ScheduleError
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import Arch
from archsim.families.registry import build_units
from archsim.families.schedule import Schedule
from archsim.families.schedules import find_schedule
from archsim.hardware.unit import Service, Units
from archsim.lowering.tensors import Results
from archsim.program.interpreter import interpret
from archsim.program.ir import Op, Phase, Program, Region
from archsim.trace import Trace, Window
from archsim.workload import CellKind, CellSpec, CellTensors, NetworkSpec, NetworkTensors, Workload, load_workload
from archsim.workload.config import WorkloadConfig
from archsim.workload.network import RECURRENT_KINDS, MergeMode
from archsim.workload.tensors import weight_shapes

EVERYTHING = Window(0, 1 << 30)
"""The window that records every op."""

SCHEDULE_NAMES = tuple(schedule.name for schedule in GEMV_SCHEDULES)
RESIDENT = tuple(name for name in SCHEDULE_NAMES if "streamed" not in name)
STEP_BY_STEP = tuple(name for name in SCHEDULE_NAMES if "hoisted" not in name)
"""Those whose body's repetitions are the time steps."""
STREAMED = tuple(name for name in SCHEDULE_NAMES if "streamed" in name)

ON_CHIP = ("weight_sram", "bias_buffer", "input_buffer", "state_buffer")
AMPLE = 1 << 30


@dataclass(frozen=True)
class Case:
    """A machine, a workload and a schedule that fits."""

    config: GemvConfig
    workload: Workload
    schedule: str

    def __repr__(self) -> str:
        """What is needed to repeat a failure by hand."""
        config = self.config.model_dump(exclude={"summary", "formats"})
        network = self.workload.config.model_dump(exclude_defaults=True, exclude={"summary"})
        return f"Case({network}, {self.schedule!r}, {config})"

    @property
    def spec(self) -> NetworkSpec:
        return self.workload.spec

    @property
    def arch(self) -> Arch:
        return Arch("random", self.config)

    @property
    def memories(self) -> tuple[str, ...]:
        """The memories on the chip that the machine has."""
        return tuple(memory for memory in ON_CHIP if getattr(self.config, memory) is not None)

    @cached_property
    def units(self) -> Units:
        return build_units(self.config)

    @cached_property
    def program(self) -> Program:
        return find_schedule(self.schedule).build(self.spec, self.config)

    def simulate(self, **options: Any) -> Simulation:
        """The whole flow, with the case's own program: to build it again would take longer than all the rest."""
        program, wanted = self.program, (find_schedule(self.schedule), self.spec, self.config)

        def build(schedule: Schedule, spec: NetworkSpec, config: GemvConfig) -> Program:  # type: ignore[type-arg]
            assert (schedule, spec, config) == wanted
            return program

        with patch.object(Schedule, "build", build):
            return simulate(self.arch, self.workload, self.schedule, **options)

    def machine_spec(self, program: Program | None = None, queue_depth: int | None = None) -> MachineSpec:
        """The machine's services for a program (by default the case's own)."""
        spec = machine_spec(program or self.program, self.arch, self.units)
        return replace(spec, queue_depth=queue_depth or spec.queue_depth)

    def numbers(self, tensors: NetworkTensors, program: Program | None = None) -> Numbers:
        """What the arithmetic starts from."""
        return prepare(program or self.program, self.config, self.workload, tensors)

    def execute(
        self,
        tensors: NetworkTensors | None = None,
        *,
        program: Program | None = None,
        jitter: Jitter | None = None,
        machine_spec: MachineSpec | None = None,
    ) -> tuple[Trace, Results | None]:
        """Run the machine, without verification; with tensors also the numbers it computed."""
        program = program or self.program
        computation = None if tensors is None else self.numbers(tensors, program).begin(self.units)
        arithmetic = None if computation is None else Arithmetic(computation.state, computation.datapath)
        options = Options(arithmetic=arithmetic, window=EVERYTHING, jitter=jitter)
        trace = execute(program, machine_spec or self.machine_spec(program), options)
        return trace, None if computation is None else computation.results()

    def interpret(self, tensors: NetworkTensors, program: Program | None = None) -> Results:
        """The numbers of the untimed interpreter."""
        program = program or self.program
        computation = self.numbers(tensors, program).begin(self.units)
        interpret(program, computation.datapath, computation.state)
        return computation.results()

    def with_fields(self, changes: Mapping[str, Any]) -> Case:
        """The same with other values at some paths, such as {"mac_array.rows": 4}."""
        return replace(self, config=changed(self.config, changes))

    def with_steps(self, steps: int) -> Case:
        """The same for another sequence length."""
        lengths = self.spec.lengths
        kept = None if lengths is None else tuple(min(length, steps) for length in lengths)
        return self.with_network(steps=steps, sequence_lens=kept)

    def with_network(self, **changes: Any) -> Case:
        """The same with other values of some of the workload's fields."""
        document = self.workload.config.model_dump() | changes
        return replace(self, workload=replace(self.workload, config=WorkloadConfig.model_validate(document)))


def nominal_services(program: Program, units: Units) -> tuple[tuple[Service, ...], ...]:
    """Each phase's ops' service times."""
    return tuple(tuple(units[op.unit].cycles(op) for op in phase.ops) for phase in program.phases)


def as_json(model: BaseModel) -> Any:
    """A model that stands among plain values."""
    return model.model_dump(mode="json")


def changed(config: GemvConfig, changes: Mapping[str, Any]) -> GemvConfig:
    """The configuration with other values at some paths, validated again."""
    document = config.model_dump(mode="json")
    for path, value in changes.items():
        section, _, name = path.rpartition(".")
        (document[section] if section else document)[name] = value
    return GemvConfig.model_validate_json(json.dumps(document, default=as_json))


def workload(input_size: int, hidden_size: int, steps: int, batch: int, seed: int = 0) -> Workload:
    """An LSTM whose numbers are drawn from a seed."""
    return load_workload(f"lstm:{input_size},{hidden_size},t={steps},b={batch},seed={seed}")


def network(**fields: Any) -> Workload:
    """A workload of the fields of a workload file; numbers from seeds, steps and batch are 1 if left out."""
    numbers = {"steps": 1, "batch": 1, "weights": {"seed": 0}, "input": {"seed": 1}}
    config = WorkloadConfig.model_validate({"summary": "a test's network", **numbers, **fields})
    return Workload("network", "a test's network", Path(), config)


def bits(found: Results | None) -> tuple[bytes, ...]:
    """All results, bit for bit."""
    assert found is not None
    return tuple(b"" if array is None else array.tobytes() for array in (found.output, *found.h_n, *found.c_n))


def runs_as_wavefront(spec: NetworkSpec) -> bool:
    """Whether every layer can start before the one before it has ended."""
    return len(spec.layers) == 1 or all(len(layer) == 1 and not layer[0].reverse for layer in spec.layers)


def is_wavefront(schedule: str, spec: NetworkSpec) -> bool:
    """Whether the layers really run side by side."""
    return schedule.endswith("wavefront") and len(spec.layers) > 1


def group_sets(cell: CellSpec, schedule: str, rows: int) -> list[list[tuple[int, int, int]]]:
    """The groups of a cell, one list after the other: accumulator rows, those that take W x, those that take W h.

    A group holds all of n blocks (or, gate-major, the one set of them whose turn it is) for R // n hidden units, at
    least 1. A GRU that resets after the product keeps W_in x and W_hn h in rows of their own; one that resets before it
    must finish r before it multiplies the rows of n.
    """
    both, apart = (1, 1, 1), (2, 1, 1)
    reset_after = cell.kind is CellKind.GRU and cell.linear_before_reset
    sets = [both] * cell.kind.gates if not reset_after else [both, both, apart]
    if "interleaved" in schedule:
        together = [sets] if cell.kind is not CellKind.GRU or reset_after else [sets[:2], sets[2:]]
        sets = [tuple(map(sum, zip(*blocks, strict=True))) for blocks in together]  # type: ignore[misc]
    found = []
    for blocks, with_x, with_h in sets:
        units = max(1, rows // blocks)
        sizes = [min(units, cell.hidden_size - first) for first in range(0, cell.hidden_size, units)]
        found.append([(blocks * n, with_x * n, with_h * n) for n in sizes])
    return found


def slot_rows(cell: CellSpec, schedule: str, rows: int) -> int:
    """Accumulators of one slot: the largest group, or the largest tile of the projection."""
    groups = [group for groups in group_sets(cell, schedule, rows) for group in groups]
    return max(min(rows, cell.proj_size), *(total for total, _, _ in groups))


def fewest_entries(schedule: str, spec: NetworkSpec, rows: int) -> int:
    """The fewest accumulator entries with which a schedule can work: one slot for each cell that runs at a time."""
    sharing = [spec.cells] if is_wavefront(schedule, spec) else list(spec.layers)
    slots = [[slot_rows(cell, schedule, rows) * spec.batch for cell in cells] for cells in sharing]
    return max(len(of_layer) * max(of_layer) for of_layer in slots)


BOUNDED = ("sigmoid", "tanh", "hardsigmoid", "softsign")
"""Activation functions whose value stays in [-1, 1]."""

UNBOUNDED = ("relu", "affine", "leakyrelu", "thresholdedrelu", "scaledtanh", "elu", "softplus")
ALPHAS = {"affine": 0.8, "leakyrelu": 0.2, "thresholdedrelu": 0.1, "scaledtanh": 1.3, "hardsigmoid": 0.3, "elu": 0.7}
MERGES = (MergeMode.CONCAT, *MergeMode)
"""Of two directions: how they become one output."""
BETAS = {"affine": -0.1, "scaledtanh": 0.6, "hardsigmoid": 0.4}


def tensors(spec: NetworkSpec, seed: int, scale: float = 1.0) -> NetworkTensors:
    """Numbers of either sign for everything, the initial state included.

    The weights of a cell are drawn smaller if its functions may amplify, so that numbers stay finite over all steps.
    """
    random = np.random.default_rng(seed)

    def draw(shape: tuple[int, ...], by: float = 1.0) -> np.ndarray:
        return (by * scale * random.standard_normal(shape)).astype(np.float32)

    cells = []
    for cell in spec.cells:
        amplifies = any(function.name in UNBOUNDED for function in cell.functions)
        by = 0.4 / np.sqrt(cell.hidden_size) if amplifies else 1.0
        drawn = {name: draw(shape, by) for name, shape in weight_shapes(cell).items()}
        given = {name: drawn.get(name) for name in WEIGHTS}
        lstm = cell.kind is CellKind.LSTM
        h_0 = draw((spec.batch, cell.output_size))
        c_0 = draw((spec.batch, cell.hidden_size)) if lstm else None
        cells.append(CellTensors(**given, h_0=h_0, c_0=c_0))  # type: ignore[arg-type]
    return NetworkTensors(tuple(cells), draw((spec.steps, spec.batch, spec.input_size)), None)


WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr", "peephole", "layer_norm")


def region_text(region: Region, steps: int | None = None) -> str:
    """A region as text, so that regions of programs built apart can be compared.

    With `steps`, a time in the later half of a tensor with a time axis is counted from its end.
    """
    b = region.buffer
    shape = f"{b.memory}.{b.name}({b.slots} x {b.entries} x {b.width})"
    offset = f"{region.offset}"
    if b.slots is None and steps is not None and region.offset > steps // 2:
        offset = f"T - {steps - region.offset}"
    return f"{shape}[{region.start}:{region.stop}] slot r * {region.stride} + {offset}"


def op_text(op: Op, steps: int | None = None) -> tuple[Any, ...]:
    """An op as plain values, so that ops of programs built apart can be compared."""
    operands = tuple(
        tuple(region_text(region, steps) for region in regions) for regions in (op.reads, op.writes, op.updates)
    )
    return type(op).__name__, op.unit, op.label, op.skip_first, op.skip_last, op.macs, operands


def phase_text(phase: Phase, steps: int | None = None) -> list[tuple[Any, ...]]:
    """A phase's ops and dependencies as plain values; without `repeat`."""
    return [(*op_text(op, steps), deps) for op, deps in zip(phase.ops, phase.deps, strict=True)]


def program_text(program: Program) -> list[Any]:
    """A program as plain values."""
    return [(phase.name, phase.kind, phase.repeat, phase_text(phase)) for phase in program.phases]


latencies = st.sampled_from([0, 0, 1, 1, 2, 3, 5, 9, 40])
widths = st.sampled_from([1, 7, 32, 33, 64, 96, 128, 320, 1024, 4096])
bandwidths = st.sampled_from([0.1, 0.3, 0.75, 1.0, 1.7, 4.0, 6.4, 16.0, 1000.0])
seeds = st.integers(0, 99)


@st.composite
def functions(draw: st.DrawFn) -> dict[str, Any]:
    """An activation function of the table, with ONNX's parameters or with others."""
    name = draw(st.sampled_from(BOUNDED + UNBOUNDED))
    found: dict[str, Any] = {"name": name}
    needed = name == "scaledtanh"  # ONNX has no default for it
    if name in ALPHAS and (needed or draw(st.booleans())):
        found["alpha"] = ALPHAS[name]
    if name in BETAS and (needed or draw(st.booleans())):
        found["beta"] = BETAS[name]
    return found


@st.composite
def layers(draw: st.DrawFn, largest: int, *, two_directions: bool = True) -> dict[str, Any]:
    """A layer of any kind with any options, as in a workload file."""
    kind = draw(st.sampled_from(RECURRENT_KINDS))
    hidden = draw(st.integers(1, largest))
    every_direction = ["forward", "forward", "reverse", "bidirectional"]
    directions = draw(st.sampled_from(every_direction if two_directions else ["forward"]))
    found: dict[str, Any] = {
        "kind": kind,
        "hidden_size": hidden,
        "bias": draw(st.sampled_from([True, True, False])),
        "bidirectional": directions == "bidirectional",
        "reverse": directions == "reverse",
        "merge_mode": draw(st.sampled_from(MERGES)) if directions == "bidirectional" else MergeMode.CONCAT,
        "clip": draw(st.sampled_from([None, None, 0.7, 2.0])),
    }
    if kind is CellKind.LSTM:
        found["proj_size"] = draw(st.sampled_from([0, 0, *range(1, hidden)]))
        found["peepholes"] = draw(st.sampled_from([False, False, True]))
        found["input_forget"] = draw(st.sampled_from([False, False, True]))
    elif kind is CellKind.GRU:
        found["linear_before_reset"] = draw(st.booleans())
    else:
        found["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if draw(st.integers(0, 3)) == 0:
        count = len(kind.functions) * (draw(st.integers(1, 2)) if found["bidirectional"] else 1)
        found["activations"] = tuple(draw(functions()) for _ in range(count))
    return found


@st.composite
def networks(draw: st.DrawFn) -> Workload:
    """Any network that a workload file can describe; its numbers come from seeds."""
    forward = draw(st.booleans())
    first = draw(layers(7, two_directions=not forward))
    number = draw(st.sampled_from([1, 1, 1, 2, 3]))
    following = draw(st.lists(layers(4, two_directions=not forward), max_size=max(0, 2 - number // 2)))
    if number + len(following) > 3:
        following = []
    steps, batch = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    lengths = None
    if draw(st.integers(0, 2)) == 0:
        lengths = tuple(draw(st.integers(1, steps)) for _ in range(batch))
    seed = draw(st.integers(0, 9))
    return network(
        **first,
        input_size=draw(st.integers(1, 7)),
        num_layers=number,
        next_layers=tuple(following),
        steps=steps,
        batch=batch,
        sequence_lens=lengths,
        weights={"seed": seed},
        input={"seed": seed + 1},
    )


@st.composite
def one_layer_lstms(draw: st.DrawFn) -> Workload:
    """LSTM(I, H) over T steps of B sequences."""
    sizes = [draw(st.integers(1, most)) for most in (12, 12, 7, 3)]
    return workload(*sizes, seed=draw(st.integers(0, 9)))  # type: ignore[misc]


either = st.one_of(one_layer_lstms(), networks(), networks())


@st.composite
def machines(draw: st.DrawFn, rows: int, fewest: int) -> GemvConfig:
    """A machine of which every field is drawn, but its rows; it has at least `fewest` accumulator entries."""
    return GemvConfig.model_validate(
        {
            "summary": "a random small machine",
            "clock_mhz": draw(st.sampled_from([0.3, 1.0, 333.3, 800.0, 2500.0])),
            "formats": "float32",
            "dram": {
                "kind": "simple",
                "bandwidth_bytes_per_cycle": draw(bandwidths),
                "efficiency": draw(st.sampled_from([1.0, 1.0, 0.95, 0.37])),
                "latency_cycles": draw(latencies),
                "burst_bytes": draw(st.sampled_from([1, 3, 4, 16, 64, 100])),
            },
            "weight_sram": {
                "capacity_bytes": AMPLE,
                "banks": draw(st.integers(1, 9)),
                "port_bits": draw(widths),
                "read_latency_cycles": draw(latencies),
                "stream_slots": draw(st.integers(1, 4)),
                "stream_layout": draw(st.sampled_from(["tiles", "model"])),
            },
            "input_buffer": {
                "capacity_bytes": AMPLE,
                "port_bits": draw(widths),
                "prefetch_steps": draw(st.integers(1, 4)),
            },
            "bias_buffer": draw(st.sampled_from([None, {"capacity_bytes": AMPLE}])),
            "state_buffer": {
                "capacity_bytes": AMPLE,
                "port_bits": draw(widths),
                "banks": draw(st.sampled_from(["one", "by_kind"])),
            },
            "mac_array": {
                "rows": rows,
                "columns": draw(st.integers(1, 9)),
                "multiplier_latency_cycles": draw(latencies),
                "adder_latency_cycles": draw(latencies),
                "converter_latency_cycles": draw(latencies),
            },
            "accumulators": {"entries": fewest + draw(st.sampled_from([0, 0, 1, 5, fewest, 3 * fewest, 1000]))},
            "activation": {"lanes": draw(st.integers(1, 9)), "latency_cycles": draw(latencies)},
            "elementwise": {
                "lanes": draw(st.integers(1, 9)),
                "cell_latency_cycles": draw(latencies),
                "hidden_latency_cycles": draw(latencies),
            },
            "sequencer": {
                "issue_cycles": draw(st.integers(0, 4)),
                "queue_depth": draw(st.integers(1, 8)),
                "token_latency_cycles": draw(st.sampled_from([0, 0, 1, 2])),
            },
        }
    )


@st.composite
def cases(
    draw: st.DrawFn, workloads: st.SearchStrategy[Workload] = either, schedules: Iterable[str] = SCHEDULE_NAMES
) -> Case:
    """A machine of which every field is drawn, a workload that fits into it, and a schedule that can run it."""
    load = draw(workloads)
    allowed = [name for name in schedules if not name.endswith("wavefront") or runs_as_wavefront(load.spec)]
    schedule = draw(st.sampled_from(sorted(allowed)))
    rows = draw(st.integers(1, 9))
    config = draw(machines(rows, fewest_entries(schedule, load.spec, rows)))
    if "hoisted" in schedule:
        config = changed(config, {"state_buffer.hoist_steps": draw(st.sampled_from([None, 1, 2, 3, 5]))})
    case = with_banks_that_can_be(Case(config, load, schedule))
    config, program = case.config, case.program
    for memory in case.memories:
        needed = needed_bytes(program)[memory]
        if "hoisted" in schedule and memory in ("input_buffer", "state_buffer"):
            continue  # longer sequences, of which tests make some, may take more
        enough = max(1, needed + draw(st.sampled_from([0, 1, 999])))
        section = getattr(config, memory).model_copy(update={"capacity_bytes": enough})
        config = config.model_copy(update={memory: section})
    if "streamed" in schedule and draw(st.integers(0, 3)):
        return draw(streaming(Case(config, load, schedule), needed_bytes(program)["weight_sram"]))
    case = Case(config, load, schedule)
    vars(case)["program"] = program  # capacities that are enough change nothing in it
    return case


def with_banks_that_can_be(case: Case) -> Case:
    """The case, with one bank of state if two units would write one of several at a time (layers of two kinds)."""
    try:
        _ = case.program
    except ScheduleError:
        assert case.config.state_buffer.banks == "by_kind"
        assert is_wavefront(case.schedule, case.spec)
        return case.with_fields({"state_buffer.banks": "one"})
    return case


@st.composite
def unit_options(draw: st.DrawFn, case: Case) -> Case:
    """The case with drawn numbers of units, columns of x apart from those of h, and the place of the bias."""
    columns = case.config.mac_array.columns
    late = all(
        not (cell.peepholes or (cell.kind is CellKind.GRU and cell.linear_before_reset)) for cell in case.spec.cells
    )
    changed_case = case.with_fields(
        {
            "mac_array.x_columns": draw(st.sampled_from([None, *range(1, columns)])),
            "activation.units": draw(st.integers(1, 6)),
            "activation.adds_bias": late and draw(st.booleans()),
            "elementwise.units": draw(st.integers(1, 2)),
            "state_buffer.gate_slots": draw(st.sampled_from([None, 3, 4, 7])),
            "state_buffer.capacity_bytes": AMPLE,
        }
    )
    return with_banks_that_can_be(changed_case)


@st.composite
def sparse(draw: st.DrawFn, case: Case) -> Case:
    """The case, or the same with a drawn structured sparsity of its weights.

    Indexes may take more room than weights that are not kept leave, in matrices of few columns.
    """
    array = case.config.mac_array
    kept = draw(st.sampled_from([n for n in range(1, 5) if all(of % n == 0 for of in array.apart or (array.columns,))]))
    drawn = {"kept": kept, "of": kept + draw(st.integers(1, 5))}
    found = draw(st.sampled_from([None, drawn]))
    if found is None:
        return case
    changed_case = case.with_fields({"mac_array.sparsity": found, "weight_sram.capacity_bytes": AMPLE})
    return with_little_sram(changed_case, draw(st.floats(0, 1))) if case.schedule in STREAMED else changed_case


@st.composite
def streaming(draw: st.DrawFn, case: Case, resident: int) -> Case:
    """The same with a weight SRAM that does not hold all weights: anything from the fewest bytes it can work with.

    `resident`: the bytes of all weights.
    """
    least = fewest_weight_bytes(case)
    if least == resident:
        return case  # no slots pay
    enough = draw(st.sampled_from([least, resident - 1]) | st.integers(least, resident - 1))
    return case.with_fields({"weight_sram.capacity_bytes": enough})


def with_little_sram(case: Case, share: float) -> Case:
    """The same, with a weight SRAM between the smallest that it can work with (0) and one that holds all (1)."""
    fewest = fewest_weight_bytes(case)
    return case.with_fields(
        {"weight_sram.capacity_bytes": fewest + round(share * (resident_weight_bytes(case) - fewest))}
    )


def resident_weight_bytes(case: Case) -> int:
    """What the weight SRAM must hold for all weights."""
    ample = case.with_fields({"weight_sram.capacity_bytes": AMPLE})
    return sum(b.size_bytes for b in ample.program.buffers if b.memory == "weight_sram")


def fewest_weight_bytes(case: Case) -> int:
    """What the weight SRAM must hold at least: slots of a row of each matrix, and what has no bias buffer."""
    try:
        _ = case.with_fields({"weight_sram.capacity_bytes": 1}).program
    except CapacityError as error:
        return error.need
    raise AssertionError("a byte cannot be enough")


def needed_bytes(program: Program) -> dict[str, int]:
    """What each on-chip memory must hold, from the sizes of the buffers: 4 bytes an element."""
    return {
        memory: sum(4 * b.slots * b.entries * b.width for b in program.buffers if b.memory == memory and b.slots)
        for memory in ON_CHIP
    }


@st.composite
def jitters(draw: st.DrawFn) -> Jitter:
    """Random extra occupancy and latency for each single op instance, from a drawn seed."""
    return seeded_jitter(draw(st.integers(0, 1 << 20)), draw(st.sampled_from([1, 10, 300])))


def seeded_jitter(seed: int, largest: int) -> Jitter:
    """Up to `largest` extra cycles of occupancy for some, and of latency for some, op instances."""

    def jitter(phase: int, repetition: int, op: int, service: Service) -> Service:
        word = (seed * 0x9E3779B97F4A7C15 + (repetition * 8191 + op) * 0xBF58476D1CE4E5B9 + phase) % 2**64
        word = (word ^ word >> 30) * 0x94D049BB133111EB % 2**64
        occupancy = word % largest if word >> 60 & 1 else 0
        latency = (word >> 20) % (4 * largest) if word >> 61 & 1 else 0
        return Service(service.compute_cycles + occupancy, service.port_cycles, service.depth_cycles + latency)

    return jitter


def compare(computed: Results, tensors: NetworkTensors, spec: NetworkSpec) -> Validation:
    """The verdict on a float32 machine's results."""
    return compare_with_golden(computed, golden_run(tensors, spec, traced=False))
