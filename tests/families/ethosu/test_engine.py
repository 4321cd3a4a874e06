"""What the engine of ethos_u55_128 computes, switches and refuses, by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import ArchError, ScheduleError
from archsim.families.ethosu.costs import Costs
from archsim.families.ethosu.operators import Operator
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.formats import Encoding
from archsim.hardware.numerics import Numerics
from archsim.hardware.operators import REGISTER_BIT, Width, integer_adder, multiplier
from archsim.hardware.unit import Work
from archsim.program.ir import Op
from archsim.workload import load_workload
from tests.present import present

CONFIG = load_arch("ethos_u55_128").config
ENGINE = build_units(CONFIG)["engine"]
BYTE = Width(8, floating=False)
RESCALING = multiplier(Width(31, floating=False), Width(32, floating=False))


def ops_of(workload: str, *fields: str) -> dict[str, Op]:
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    program = find_schedule(None, "ethosu").build(spec, CONFIG)
    return {op.label: op for phase in program.phases for op in phase.ops}


def computed(op: Op, scales: dict[str, float], *operands: list[list[int]]) -> list[int]:
    """The codes that an op writes, from codes in formats whose scales are given or of their own."""
    numerics = Numerics(
        {
            region.buffer.name: Encoding(
                region.buffer.number_format,
                scales.get(region.buffer.name, getattr(region.buffer.number_format, "scale", 1.0)),
            )
            for region in (*op.reads, *op.writes)
        }
    )
    (found,) = ENGINE.kernel(op, numerics).effect([np.array(operand) for operand in operands])
    return [int(code) for code in found.ravel()]


def test_a_dot_product_with_its_bias() -> None:
    """Weights in halves, x in quarters, biases in eighths, sums in Q4.12: 4,096 is 1.

    (2 x 0.5) (4 x 0.25) + (-1 x 0.5) (8 x 0.25) + 12 / 8 = 1 - 1 + 1.5; (0.5) (1) + 0 - 1 / 8 = 0.375. W h has no bias.
    """
    ops = ops_of("lstm:2,2")
    scales = {"dram.W_ih": 0.5, "dram.W_hh": 0.5, "dram.x": 0.25, "h": 0.25, "dram.bias": 0.125}
    weights, vector = [[2, -1], [1, 0]], [[4], [8]]
    assert computed(ops["W x of f"], scales, weights, vector, [[12], [-1]]) == [6_144, 1_536]
    assert computed(ops["W h of f"], scales, weights, vector) == [0, 2_048]


def test_sums_and_products_of_vectors() -> None:
    """The sum is rounded to the sums' Q4.12 before its function, whose result is in Q1.15; c is 2^-11 a code here.

    1 - 1: sigmoid 1/2, tanh 0. 7 + 7 is limited to 8 - 1/4,096: sigmoid 0.99966, tanh 0.9999998, or all that Q1.15 has.
    """
    ops = ops_of("lstm:2,2")
    one = 4_096
    first, second = [[one], [7 * one]], [[-one], [7 * one]]
    low, high = computed(ops["i"], {}, first, second)
    assert low == 16_384
    assert high == pytest.approx(0.99966 * 32_768, abs=2)
    assert computed(ops["g"], {}, first, second) == [0, pytest.approx(32_767, abs=1)]
    c = {"dram.c_n": 2.0**-11, "fc": 2.0**-11, "ig": 2.0**-11}
    assert computed(ops["f * c"], c, [[3 * 2_048], [-2_048]], [[16_384], [8_192]]) == [3 * 1_024, -512]
    assert computed(ops["i * g"], c, [[16_384], [8_192]], [[16_384], [-16_384]]) == [512, -256]
    assert computed(ops["c"], c, [[1_000], [-5]], [[24], [-7]]) == [1_024, -12]


def test_what_passes_is_stored_in_the_targets_scale() -> None:
    """A copy of h to an output of half its scale has twice the codes; a clamp changes nothing."""
    ops = ops_of("lstm:2,2")
    assert computed(ops["copy h"], {"h": 0.25, "dram.output": 0.125}, [[5], [-9]]) == [10, -18]
    assert computed(ops["clamp o"], {}, [[123], [-32_768]]) == [123, -32_768]


def test_what_operators_read() -> None:
    """Gate g has rows 2 H to 3 H of both matrices; c_t replaces c_{t-1}."""
    ops = ops_of("lstm:3,5")
    for label, matrix in (("W x of g", "dram.W_ih"), ("W h of g", "dram.W_hh")):
        weights = ops[label].reads[0]
        assert (weights.buffer.name, weights.start, weights.stop) == (matrix, 10, 15)
    assert [region.buffer.name for region in ops["c"].reads] == ["fc", "ig"]
    assert ops["c"].writes[0].buffer.name == "dram.c_n"
    assert [region.buffer.name for region in ops["i * g"].reads] == ["gate_i", "raw_g"]
    assert [region.buffer.name for region in ops["h"].reads] == ["tanh_c", "gate_o"]
    assert "W x of i" in ops_of("lstm:3,5", "bias=false")
    assert [len(ops_of("lstm:3,5", f"bias={b}")["W x of i"].reads) for b in ("true", "false")] == [3, 2]


def test_what_operators_switch() -> None:
    """I = 24, H = 16. A MAC: a multiplier of 8 bits, an adder of 32, registers of 8 + 8 + 32 bits. A value that comes
    out: a multiplication by 31 bits, an addition, a register of 8 bits; of a product of vectors its own of 16 bits."""
    ops, macs = ops_of("lstm:24,16"), 24 * 16
    out = Counter({RESCALING: 16, integer_adder(32): 16, REGISTER_BIT: 16 * 8})
    mac = Counter({multiplier(BYTE, BYTE): macs, integer_adder(32): macs, REGISTER_BIT: macs * (8 + 8 + 32)})
    assert ENGINE.tally(ops["W x of i"]) == mac + out
    word = Width(16, floating=False)
    assert ENGINE.tally(ops["f * c"]) == out + Counter({multiplier(word, word): 16})
    assert ENGINE.tally(ops["clamp i"]) == ENGINE.tally(ops["copy h"]) == out
    of_functions = ENGINE.tally(ops["i"]) - out
    assert of_functions
    assert {number % 16 for number in of_functions.values()} == {0}, "an evaluation for each of 16 values"


def test_how_much_work_operators_are() -> None:
    """MACs, or values where nothing is multiplied by weights, of 128 a cycle; the slower memory counts beside them."""
    ops = ops_of("lstm:24,16")
    assert ENGINE.work(ops["W x of i"]) == Work(24 * 16, Fraction(128))
    assert ENGINE.work(ops["clamp i"]) == Work(16, Fraction(128))
    for label in ("W x of i", "clamp i"):
        op = ops[label]
        assert isinstance(op, Operator)
        cost = op.cost(Costs(CONFIG))  # type: ignore[arg-type]
        assert ENGINE.port_cycles(op) == max(cost.sram_cycles, cost.flash_cycles)
        assert (ENGINE.compute_cycles(op), ENGINE.depth_cycles(op)) == (cost.engine_cycles, 0)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (("proj_size=3",), "a projection"),
        (("peepholes=true",), "peepholes"),
        (("layer_norm=true",), "layer normalization"),
        (("input_forget=true",), r"coupled gates \(input_forget\)"),
        (("clip=3.0",), "clipping"),
        (("reverse=true",), "a direction from the last step to the first"),
        (("bidirectional=true",), "more than one layer or direction"),
        (("batch=2", "sequence_lens=[2, 3]"), "a batch, sequences of different lengths"),
        (("streaming=true",), "streams of frames"),
    ],
)
def test_other_networks_are_refused(fields: tuple[str, ...], what: str) -> None:
    """What is named is all that is missing."""
    with pytest.raises(ScheduleError, match=f"machines of the family ethosu do not run {what}$"):
        ops_of("lstm:4,8,t=3", *fields)


def test_other_functions_are_refused() -> None:
    activations = "activations=[{name: sigmoid}, {name: tanh}, {name: relu}]"
    with pytest.raises(ArchError, match="the operators have sigmoid and tanh; the workload needs relu, sigmoid, tanh$"):
        ops_of("lstm:4,8", activations)


def test_an_input_block_is_whole_micro_blocks() -> None:
    """In multiples of 8 inputs; 8 is one of them."""
    assert load_arch("ethos_u55_128", [parse_override("engine.input_block=8")]).config.inputs_per_chunk == 8
    for inputs in (4, 12, 33):
        with pytest.raises(ArchError, match="input_block: must be a multiple of engine.unit_inputs"):
            load_arch("ethos_u55_128", [parse_override(f"engine.input_block={inputs}")])


def test_its_output_is_near_the_golden_models() -> None:
    """h has 8 bits, so that a step is about 1/128 of the largest; c 16 and gates 15 behind the point.

    Weights are rounded to 1/254 of the largest: over 24 + 16 products that is less than what h loses. Within 4 steps,
    of an output that goes over more than 20.
    """
    run = simulate("ethos_u55_128", "lstm:24,16,t=5")
    golden = present(run.numbers).golden.output
    found = present(run.results)
    step = np.abs(golden).max() / 128
    assert np.abs(found.output - golden).max() < 4 * step
    assert np.ptp(golden) > 20 * step
