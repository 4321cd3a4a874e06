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
SMALL_ARRAY = ("systolic_array.rows=8", "systolic_array.columns=6")
SMALL_MVU = ("mvu.tiles=2", "mvu.dpes=3", "mvu.lanes=4", "mvu.block_lanes=2")
MFU_TABLE = ("mfu.method=table",)
MFU_LINES = ("mfu.method=piecewise_linear",)

CASES = [
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE),
    ("edge_16x16", "lstm:20,24,t=3,b=2", "split_interleaved", *INT8, *LINEAR),
    ("edge_16x16", "lstm:9,7,t=4,layers=2,bidirectional=1", "fused_gate_major", *INT8, *LINES),
    ("edge_16x16", "lstm:9,7,t=4,layers=2,bidirectional=1,merge=sum", None, *INT8, *LINES),
    ("edge_16x16", "lstm:9,7,t=4,layers=2,bidirectional=1,merge=ave", None, *Q, *LINES),
    (
        "edge_16x16",
        "rnn:9,7,t=4,layers=2,bidirectional=1,merge=mul",
        None,
        *ROWS,
        *TABLE,
        "activation.address_format=q4.6",
    ),
    ("edge_16x16", "lstm:20,24,t=5", "hoisted_interleaved", *INT8, *TABLE),
    ("edge_16x16", "gru:12,20,t=4", "split_gate_major", *INT8, *TABLE),
    ("edge_16x16", "gru:12,20,t=4", None, *Q, *LINEAR, "linear_before_reset=false"),
    ("edge_16x16", "gru:12,20,t=4", None, *INT8, *LINES, "linear_before_reset=false"),
    ("edge_16x16", "lstm:12,20,t=4", None, *INT8, *TABLE, "peepholes=true", "clip=0.25"),
    ("edge_16x16", "lstm:12,20,t=4,proj=7", None, *INT8, *TABLE, "input_forget=true"),
    ("edge_16x16", "lstm:12,20,t=4,b=2", None, *INT8, *TABLE, "sequence_lens=[4,2]"),
    ("edge_16x16", "lstm:12,7,t=4,b=2", None, *INT8, *TABLE, "layer_norm=true", "peepholes=true"),
    ("edge_16x16", "lstm:12,7,t=4", "hoisted", *Q, *TABLE, "layer_norm=true", "bias=false"),
    ("edge_16x16", "rnn:12,20,t=4", None, *INT8, *TABLE),
    ("edge_16x16", "gru:8,9,t=4,layers=2", "fused_interleaved_wavefront", *Q, *LINES),
    ("tiny_2x2", "lstm:3,2,t=4", None, *Q, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", None, *COARSE, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", None, *WRAPS, *TABLE),
    ("edge_16x16", "lstm:20,24,t=4", "split", *ROWS, *TABLE, "activation.address_format=q4.6"),
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE, *LATE),
    ("edge_16x16", "lstm:20,24,t=4", None, *INT8, *TABLE, *APART),
    ("edge_16x16", "lstm:20,24,t=4", "fused_streamed", *INT8, *TABLE, "weight_sram.capacity_bytes=3KiB"),
    ("tpu_v1", "lstm:12,20,t=3", None, *INT8, *TABLE, *SMALL_ARRAY),
    ("tpu_v1", "lstm:12,20,t=3,b=2,proj=7", None, *INT8, *LINES, *SMALL_ARRAY, "clip=0.25"),
    ("tpu_v1", "gru:9,7,t=3,bidirectional=1", None, *INT8, *TABLE, *SMALL_ARRAY),
    ("tpu_v1", "gru:9,7,t=3,layers=2", None, *COARSE, *LINEAR, *SMALL_ARRAY, "linear_before_reset=false"),
    ("tpu_v1", "rnn:9,7,t=3", None, *WRAPS, *TABLE, *SMALL_ARRAY),
    ("tpu_v1", "lstm:9,7,t=3", None, *ROWS, *TABLE, *SMALL_ARRAY, "activation.address_format=q4.6"),
    ("npu_s10nx", "lstm:12,20,t=3,b=2", None, *INT8, *MFU_TABLE, *SMALL_MVU),
    ("npu_s10nx", "lstm:9,7,t=3,bidirectional=1", None, *INT8, *MFU_LINES, *SMALL_MVU, "clip=0.25"),
    ("npu_s10nx", "gru:9,7,t=3", None, *INT8, *MFU_TABLE, *SMALL_MVU),
    ("npu_s10nx", "gru:9,7,t=3,layers=2", None, *COARSE, *MFU_LINES, *SMALL_MVU, "linear_before_reset=false"),
    ("npu_s10nx", "rnn:9,30,t=3", None, *WRAPS, *MFU_TABLE, *SMALL_MVU),
    ("npu_s10nx", "gru:9,7,t=3", None, *ROWS, *MFU_TABLE, *SMALL_MVU, "mfu.address_format=q4.6"),
]
"""Machines of every family; of the published ones smaller arrays, so that tiles and chunks of rows are several."""


Codes = dict[str, np.ndarray[Any, Any]]


def codes_of_the_run(arch: str, workload: str, schedule: str | None, *sets: str) -> Codes:
    """Every buffer (slots, entries, width) at the end of a run on the machine."""
    machine, work = load_inputs(arch, workload, list(sets))
    units = build_units(machine.config)
    program = find_schedule(schedule, machine.config.family).build(work.spec, machine.config)
    computation = prepare(program, machine.config, work).begin(units)
    arithmetic = Arithmetic(computation.state, computation.datapath)
    execute(program, machine_spec(program, machine, units), Options(arithmetic))
    return {buffer.name: computation.state.array(buffer) for buffer in program.buffers}


def test_integers_have_their_constants_and_encodings_without_the_contents_too() -> None:
    """What buffers hold at the start is asked for apart; of a float32 machine's numbers there is nothing to say."""
    plain = exported_program("tiny_2x2", "lstm:3,2,t=2", None, *Q, *TABLE)
    full = exported_program("tiny_2x2", "lstm:3,2,t=2", None, *Q, *TABLE, with_contents=True)
    assert full.pop("contents")
    assert plain == full


@pytest.mark.parametrize("case", few(((case,) for case in CASES), 9))
def test_the_codes_are_those_of_the_run(case: tuple[str, ...]) -> None:
    arch, workload, schedule, *sets = case
    program = exported_program(arch, workload, schedule, *sets, with_contents=True)
    model = Model(program)
    model.run()
    assert differences(model, codes_of_the_run(arch, workload, schedule, *sets)) == []
    output = next(number for number, buffer in enumerate(program["buffers"]) if buffer["name"] == "dram.output")
    assert len({code for values in model.slots[output].values() for row in values for code in row}) > 2


def differences(model: Model, expected: Codes) -> list[tuple[str, int]]:
    """The buffers and slots in which a model has other codes than the run."""
    return [
        (buffer["name"], slot)
        for number, buffer in enumerate(model.buffers)
        for slot, values in model.slots[number].items()
        if values != expected[buffer["name"]][slot].tolist()
    ]


FACTS = {
    "tpu_v1": {
        "pass.vector_zero",
        "pass.chunk_shift",
        "drain.to_sums.shifts",
        "drain.bias_to_sums.shifts",
    },
    "npu_s10nx": {
        "constant.value",
        "tile.accumulations.vector_zero",
        "tile.accumulations.to_sums.shifts",
        "steps.steps.product.a_zero",
        "steps.steps.product.b_zero",
        "steps.steps.product.rescale.shifts",
        "steps.steps.register_zero",
        "steps.steps.bias.shifts",
        "steps.steps.clip",
        "steps.steps.one",
    },
}
"""Integers of the arithmetic of other families' units, by their way through the fields."""


@pytest.mark.parametrize("arch", FACTS)
def test_every_integer_matters(arch: str) -> None:
    """One more in any of them, in all ops, and codes differ; of a clip 4,096, as a table has steps."""
    # torch's GRU multiplies before it resets, and so has a bias of its own in that product
    own = (*TABLE, *SMALL_ARRAY) if arch == "tpu_v1" else (*MFU_TABLE, *SMALL_MVU, "linear_before_reset=true")
    sets = (*INT8, *own, "clip=0.25")
    case = arch, "gru:5,4,t=2", None, *sets
    expected = codes_of_the_run(*case)
    for fact in sorted(FACTS[arch]):
        program = exported_program(*case, with_contents=True)
        definition, *way = fact.split(".")
        found = [op["arithmetic"] for op in program["ops"] if op["arithmetic"]["definition"] == definition]
        more = 4096 if fact.endswith("clip") else 1
        assert sum(raised(arithmetic, way, more) for arithmetic in found), fact
        model = Model(program)
        model.run()
        assert differences(model, expected), fact


def raised(value: Any, way: list[str], more: int) -> int:
    """Add `more` to the integers at the end of a way; gives back how many there were."""
    if isinstance(value, list):
        return sum(raised(item, way, more) for item in value)
    name, *further = way
    if value is None or value.get(name) is None:
        return 0
    if further:
        return raised(value[name], further, more)
    if isinstance(value[name], list):
        value[name] = [item + more for item in value[name]]
    else:
        value[name] += more
    return 1
