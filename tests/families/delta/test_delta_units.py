"""What the units of a delta machine compute, switch and are built of, and what it refuses, by hand (edgedrnn)."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from archsim.config import parse_override
from archsim.errors import ArchError, ScheduleError, SimulatorBug
from archsim.families.delta.config import DeltaConfig
from archsim.families.delta.units import step_times
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.formats import Encoding
from archsim.hardware.numerics import Numerics
from archsim.hardware.operators import REGISTER_BIT, Operator, OperatorKind, Width, integer_adder, multiplier
from archsim.hardware.storage import OffChip, Registers, Sram
from archsim.hardware.unit import Work
from archsim.program.ir import Op
from archsim.workload import Workload, load_workload

ACTIVITY = ("0 3 | |", "| 12 |", "| |", "1 2 3 | 24 |")
"""GRU(8, 16), a burst of 48 / 8 = 6 beats. Columns and marks: 2 and 2, 1 and 2, 0 and 2, 4 and 1 (24 is the last)."""


def config(*overrides: str) -> DeltaConfig:
    found = load_arch("edgedrnn", [parse_override(text) for text in overrides]).config
    assert isinstance(found, DeltaConfig)
    return found


def recorded(folder: Path) -> Workload:
    (folder / "activity.txt").write_text("".join(f"{line}\n" for line in ACTIVITY))
    return load_workload("gru:8,16,t=4", (), folder / "activity.txt")


def ops_of(workload: Workload, machine: DeltaConfig) -> dict[str, Op]:
    program = find_schedule(None, "delta").build(workload.spec, machine)
    return {op.label: op for op in program.phases[0].ops}


def computed(op: Op, machine: DeltaConfig, *operands: list[int]) -> list[list[int]]:
    """The codes that an op writes, from columns of codes, each row of a matrix one number."""
    encodings = {
        region.buffer.name: Encoding(region.buffer.number_format, getattr(region.buffer.number_format, "scale", 1.0))
        for region in (*op.reads, *op.writes)
    }
    shaped = [np.array(given).reshape(len(given), -1) for given in operands]
    kernel = build_units(machine)[op.unit].kernel(op, Numerics(encodings))
    return [found.ravel().tolist() for found in kernel.effect(shaped)]


def test_what_is_sent() -> None:
    """Of x changes of at least 3.5 / 256, so of 4 codes; of h of 2. What is sent is what the next step is compared
    with; the bias, column 0, is sent once."""
    machine = config("pe_array.pes=2")
    scan = ops_of(load_workload("gru:4,4,t=2,delta=0.013671875/0.0078125"), machine)["scan"]
    x, h, sent_x, sent_h = [13, 14, -4, -5], [1, 2, -2, 9], [0, 10, 10, -1, -1], [0, 0, 0, 10]
    deltas, new_x, new_h = computed(scan, machine, x, h, sent_x, sent_h)
    assert deltas == [1, 0, 4, 0, -4, 0, 2, -2, 0]
    assert (new_x, new_h) == ([1, 10, 14, -1, -5], [0, 2, -2, 10])
    assert computed(scan, machine, x, h, new_x, new_h)[0][0] == 0


def test_without_thresholds_every_change_is_sent_and_without_biases_no_column_0() -> None:
    machine = config("pe_array.pes=2")
    workload = load_workload("gru:2,2,t=2", [parse_override("bias=false")])
    deltas, sent_x, sent_h = computed(ops_of(workload, machine)["scan"], machine, [1, 5], [-1, 7], [0, 0, 5], [0, 0])
    assert deltas == [0, 1, 0, -1, 7]
    assert (sent_x, sent_h) == ([0, 1, 5], [-1, 7])


def test_where_products_of_a_gru_go() -> None:
    """r, z, and the candidate's of x and of h apart: with codes of q1.7 and q8.8 products are codes of q9.15.

    Bias 1, 2, 3, 4; x changes by 10, h by 100: r 1 + 20 + 500, z 2 + 30 + 600, n of x 3 + 40, n of h 4 + 700, each on
    top of what is there.
    """
    machine = config("pe_array.pes=1")
    multiply = ops_of(load_workload("gru:1,1,t=2"), machine)["multiply"]
    weights = ([2, 3, 4], [5, 6, 7], [1, 2, 3, 4])
    before = [10_000, 20_000, 30_000, 40_000]
    assert computed(multiply, machine, [1, 10, 100], *weights, before) == [[10_521, 20_632, 30_043, 40_704]]
    assert computed(multiply, machine, [0, 0, 100], *weights, before) == [[10_500, 20_600, 30_000, 40_700]]
    assert computed(multiply, machine, [0, 10, 0], *weights, before) == [[10_020, 20_030, 30_040, 40_000]]


def test_a_sum_that_is_cut_off_on_the_way_stays_so() -> None:
    """q9.15 of 24 bits ends at 8,388,607: 8,388,600 + 127 x 1 is beyond it, and - 127 comes off what is left; and the
    other way round, in the order of the columns, nothing is cut off."""
    machine = config("pe_array.pes=2")
    multiply = ops_of(load_workload("rnn:2,2,t=2", [parse_override("bias=false")]), machine)["multiply"]
    for x, found in (([1, -1], 8_388_607 - 127), ([-1, 1], 8_388_600)):
        sums = computed(multiply, machine, [0, *x, 0, 0], [[127, 127], [0, 0]], [[0, 0], [0, 0]], [8_388_600, 5])  # type: ignore[list-item]
        assert sums == [[found, 5]]


def test_beats_and_marks_of_steps(tmp_path: Path) -> None:
    """14 + 8 + 2 + 25 cycles of four steps are 12.25 a step; two layers of them 24.5. The shortest has the marks alone.

    Nothing is known without activity: two marks, as long as they are.
    """
    workload, machine = recorded(tmp_path), config()
    units, ops = build_units(machine), ops_of(workload, machine)
    assert machine.compute_cycles_per_step(workload.spec) == 12
    assert machine.compute_cycles_per_step(load_workload("gru:8,16,t=4").spec) == 0
    assert units["pe_array"].compute_cycles(ops["multiply"]) == 2
    assert units["pe_array"].depth_cycles(ops["multiply"]) == 3
    longer = config("pe_array.mark_cycles=3")
    unknown = ops_of(load_workload("gru:8,16,t=4"), longer)["multiply"]
    assert build_units(longer)["pe_array"].compute_cycles(unknown) == 6
    assert units["pe_array"].work(ops_of(load_workload("gru:8,16,t=4"), machine)["multiply"]) == Work(0, Fraction(8))


def test_longer_marks_are_longer_steps(tmp_path: Path) -> None:
    """Of 3 cycles each: 7 columns x 6 + 7 marks x 3 = 63 cycles of 4 steps; the shortest step has two marks."""
    workload, machine = recorded(tmp_path), config("pe_array.mark_cycles=3")
    assert machine.compute_cycles_per_step(workload.spec) == 63 // 4
    assert build_units(machine)["pe_array"].compute_cycles(ops_of(workload, machine)["multiply"]) == 6


def test_nothing_is_timed_whose_columns_are_not_known() -> None:
    ops = ops_of(load_workload("gru:8,16,t=4"), config())
    for label in ("scan", "multiply", "hidden"):
        with pytest.raises(SimulatorBug, match=f"'{label}' is timed, and it is not known which columns it multiplies"):
            step_times(ops[label], 0)


def test_what_is_fetched_and_sent(tmp_path: Path) -> None:
    """Of 4 x 25 columns 7: the bias once in 4 steps, of x 4 of 4 x 8, of h 2 of 4 x 16."""
    multiply, scan = (ops_of(recorded(tmp_path), config())[label] for label in ("multiply", "scan"))
    shares = {region.buffer.name: multiply.moved_share(region) for region in multiply.reads}
    assert shares == {
        "deltas": Fraction(7, 4 * 25),
        "dram.W_ih": Fraction(4, 4 * 8),
        "dram.W_hh": Fraction(2, 4 * 16),
        "dram.bias": Fraction(1, 4),
        "accumulators": 1,
    }
    moved = {region.buffer.name: scan.moved_share(region) for region in (*scan.reads, *scan.writes)}
    assert moved.pop("deltas") == Fraction(7, 4 * 25)
    assert set(moved.values()) == {1}


def test_what_units_switch(tmp_path: Path) -> None:
    """The encoder: a subtraction, a comparison and a register of 16 bits for each of 8 + 16 elements. The array: 7
    columns of 48 rows in 4 steps are 84 products a step, each with registers of 2 x (8 + 16) + 24 bits."""
    machine = config()
    units, ops = build_units(machine), ops_of(recorded(tmp_path), machine)
    element = {integer_adder(16): 1, Operator(OperatorKind.COMPARE, 16): 1, REGISTER_BIT: 16}
    assert units["delta_encoder"].tally(ops["scan"]) == {kind: 24 * count for kind, count in element.items()}
    assert units["delta_encoder"].inventory() == element
    assert units["delta_encoder"].work(ops["scan"]) == Work(24, Fraction(1))
    product = {multiplier(Width(8, floating=False), Width(16, floating=False)): 1, integer_adder(24): 1}
    product[REGISTER_BIT] = 2 * (8 + 16) + 24
    assert units["pe_array"].work(ops["multiply"]) == Work(84, Fraction(8))
    assert units["pe_array"].tally(ops["multiply"]) == {kind: 84 * count for kind, count in product.items()}


def test_what_the_activation_takes() -> None:
    """5 cycles for each group of 8 hidden units, for one group more, and 1 back. Of each hidden unit three products of
    an activation of 9 bits and a state of 16, two sums and five registers of 16; so many lanes as there are PEs."""
    machine = config()
    unit = build_units(machine)["activation"]
    product, one = multiplier(Width(9, floating=False), Width(16, floating=False)), Counter({REGISTER_BIT: 5 * 16})
    for hidden, cycles in ((8, 5 * 2 + 1), (32, 5 * 5 + 1)):
        update = ops_of(load_workload(f"gru:8,{hidden},t=2"), machine)["hidden"]
        assert unit.compute_cycles(update) == cycles
        assert unit.work(update) == Work(hidden, Fraction(8, 5))
        found = unit.tally(update)
        assert (found[product], found[integer_adder(16)]) == (3 * hidden, 2 * hidden)
        assert found[REGISTER_BIT] == hidden * one[REGISTER_BIT]
    built = unit.inventory()
    assert (built[product], built[integer_adder(16)], built[REGISTER_BIT]) == (3 * 8, 2 * 8, 8 * 5 * 16)
    (table,) = (operator for operator in built if operator.kind is OperatorKind.TABLE and operator.words)
    assert built[table] == 8


@pytest.mark.parametrize(
    ("kind", "evaluations", "products", "sums"), [("gru", 3, 3, 2), ("lstm", 5, 3, 2), ("rnn", 1, 0, 0)]
)
def test_each_function_of_a_hidden_unit_is_an_evaluation(kind: str, evaluations: int, products: int, sums: int) -> None:
    """A GRU's r, z and n; an LSTM's i, f, g, o and tanh(c); an RNN's h, which nothing follows. A table is read once an
    evaluation. The products are r h, (1 - z) n and z h, or f c, i g and o tanh(c)."""
    machine = config()
    unit = build_units(machine)["activation"]
    found = unit.tally(ops_of(load_workload(f"{kind}:8,32,t=2"), machine)["hidden"])
    (table,) = (operator for operator in found if operator.kind is OperatorKind.TABLE)
    assert found[table] == evaluations * 32
    assert found[multiplier(Width(9, floating=False), Width(16, floating=False))] == products * 32
    assert found[integer_adder(16)] == sums * 32


def test_what_its_memories_are_made_of() -> None:
    """4 PEs: block RAMs of 4 KiB, one each for states of 16 bits and for sums of 24; 20 entries of column and delta.

    DRAM brings a weight of 8 bits to each PE in a cycle of 125 MHz: 0.5 GB/s.
    """
    machine = config("pe_array.pes=4", "index_fifo.entries=20")
    assert machine.storages() == {
        "dram": OffChip("ddr3"),
        "state": Sram(4, 4 * 4096, 16, True),
        "sent": Sram(1, 4096, 16, True),
        "index_fifo": Registers(20 * 2 * 16),
        "sums": Sram(4, 4 * 4096, 24, True),
        "sequencer": Registers(0),
    }
    assert machine.dram_width.gb_per_s == 0.5
    assert (machine.multipliers.macs_per_cycle, machine.inputs_per_chunk) == (4, 1)


def test_only_its_functions_can_be_idealized() -> None:
    """A sequencer that issues in no time is none here: there is no sequencer."""
    assert config().idealizations == ()
    (found,) = config("activation.method=exact").idealizations
    assert "activation.method exact" in str(found)


@pytest.mark.parametrize(
    ("workload", "field", "what"),
    [
        ("linear:8,8", "batch=1", "layer 0: .* takes no linear layers"),
        ("lstm:8,8", "bidirectional=true", "layer 0: .* one forward direction"),
        ("lstm:8,8", "reverse=true", "layer 0: .* one forward direction"),
        ("lstm:8,16", "proj_size=8", "layer 0: .* without projection"),
        ("lstm:8,8", "peepholes=true", "layer 0: .* without projection, peepholes"),
        ("lstm:8,8", "clip=2.0", "layer 0: .* without projection, peepholes, clip"),
        ("lstm:8,8", "input_forget=true", "layer 0: .* or input_forget"),
        ("lstm:8,8", "layer_norm=true", "layer 0: .* no layer normalization"),
        ("gru:8,8", "linear_before_reset=false", "layer 0: .* resets after the product"),
        ("lstm:8,8,b=3", "batch=3", "takes one sequence at a time; this workload has 3 sequences"),
        ("lstm:8,8,b=2,t=3", "sequence_lens=[2, 3]", "this workload has sequences of different lengths"),
    ],
)
def test_what_the_machine_has_not_is_refused(workload: str, field: str, what: str) -> None:
    spec = load_workload(workload, [parse_override(field)]).spec
    with pytest.raises(ScheduleError, match=what):
        find_schedule(None, "delta").build(spec, config())


@pytest.mark.parametrize(
    ("workload", "where"),
    [("gru:4,8", "layer 0 has input size 4"), ("gru:8,12,layers=2", "layer 0 has hidden size 12")],
)
def test_sizes_that_are_no_multiples_of_the_pes_are_refused(workload: str, where: str) -> None:
    with pytest.raises(ArchError, match=f"8 PEs take sizes that are multiples of 8; {where}$"):
        find_schedule(None, "delta").build(load_workload(workload).spec, config())
