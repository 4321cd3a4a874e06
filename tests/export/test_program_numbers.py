"""A model outside computes every code of a run from the exported integers alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from archsim.api.machine_spec import machine_spec
from archsim.checking.numbers import prepare
from archsim.cli.options import load_inputs
from archsim.engines.events import Arithmetic, Options, execute
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from tests.export.exports import exported_program
from tests.export.integer_model import Model
from tests.rings import few

TABLE = ("activation.method=table",)
LINEAR = ("activation.method=table", "activation.table.interpolation=linear", "activation.table.entries=128")
LINES = ("activation.method=piecewise_linear",)
INT8 = ("formats=tflite_int8",)
Q = ("formats=q4.12",)
COARSE = ("formats=q4.8/truncate", "formats.accumulator=q6.6/half_up", "formats.cell=int12/even")
WRAPS = ("formats=q2.8/wrap", "formats.accumulator=q1.8/wrap", "formats.gate=q1.8/wrap")
ROWS = ("formats.weight=int6/row/half_up", "formats.hidden=int8/asymmetric/half_up", "formats.gate=int12")
LATE = ("activation.adds_bias=true",)
APART = ("mac_array.x_columns=5",)

CASES = [
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE),
    ("edge_16x16", "lstm:20,24,t=3,b=2", "split_interleaved", *INT8, *LINEAR),
    ("edge_16x16", "lstm:9,7,t=4,layers=2,bidirectional=1", "fused_gate_major", *INT8, *LINES),
    ("edge_16x16", "lstm:20,24,t=5", "hoisted_interleaved", *INT8, *TABLE),
    ("edge_16x16", "gru:12,20,t=4", "split_gate_major", *INT8, *TABLE),
    ("edge_16x16", "gru:12,20,t=4", None, *Q, *LINEAR, "linear_before_reset=false"),
    ("edge_16x16", "gru:12,20,t=4", None, *INT8, *LINES, "linear_before_reset=false"),
    ("edge_16x16", "lstm:12,20,t=4", None, *INT8, *TABLE, "peepholes=true", "clip=0.25"),
    ("edge_16x16", "lstm:12,20,t=4,proj=7", None, *INT8, *TABLE, "input_forget=true"),
    ("edge_16x16", "lstm:12,20,t=4,b=2", None, *INT8, *TABLE, "sequence_lens=[4,2]"),
    ("edge_16x16", "rnn:12,20,t=4", None, *INT8, *TABLE),
    ("edge_16x16", "gru:8,9,t=4,layers=2", "fused_interleaved_wavefront", *Q, *LINES),
    ("tiny_2x2", "lstm:3,2,t=4", None, *Q, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", None, *COARSE, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", None, *WRAPS, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", "split", *ROWS, *TABLE, "activation.address_format=q4.6"),
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE, *LATE),
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE, *APART),
    ("edge_16x16", "lstm:20,24,t=4", "fused_streamed", *INT8, *TABLE, "weight_sram.capacity_bytes=3KiB"),
]


def codes_of_the_run(arch: str, workload: str, schedule: str | None, *sets: str) -> dict[str, np.ndarray[Any, Any]]:
    """Every buffer (slots, entries, width) at the end of a run on the machine."""
    machine, work = load_inputs(arch, workload, list(sets))
    units = build_units(machine.config)
    program = find_schedule(schedule, machine.config.family).build(work.spec, machine.config)
    computation = prepare(program, machine.config, work).begin(units)
    arithmetic = Arithmetic(computation.state, computation.datapath)
    execute(program, machine_spec(program, machine, units), Options(arithmetic))
    return {buffer.name: computation.state.array(buffer) for buffer in program.buffers}


@pytest.mark.parametrize("case", few(((case,) for case in CASES), 9))
def test_the_codes_are_those_of_the_run(case: tuple[str, ...]) -> None:
    arch, workload, schedule, *sets = case
    program = exported_program(arch, workload, schedule, *sets, with_contents=True)
    model = Model(program)
    model.run()
    expected = codes_of_the_run(arch, workload, schedule, *sets)
    for number, buffer in enumerate(program["buffers"]):
        for slot, values in model.slots[number].items():
            assert values == expected[buffer["name"]][slot].tolist(), (buffer["name"], slot)
    output = next(number for number, buffer in enumerate(program["buffers"]) if buffer["name"] == "dram.output")
    assert len({code for values in model.slots[output].values() for row in values for code in row}) > 2
