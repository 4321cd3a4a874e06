"""Ethos-U55-128 as Vela 5.2.0 estimates it: its rows, and each operator's cycles by hand.

An estimate of a compiler: nothing here is held to silicon. A step of I = 32, H = 64, in cycles (engine / SRAM / flash):

    W h: 8 micro-blocks of 8 outputs x 32 cycles x 2 blocks of 32 inputs = 512; behind them 32 + 32 of latency, 32 bytes
         in (4), 128 bytes out (16), and a quarter of 512 + 160 (biases: 64 x 10 x 64 / 256): 84 + 168 = 252. 764 / 24 /
         640 bytes of biases and scales + 64 x 64 weights + 16 = 4,752
    W x: 256 + 84 + max(160, (160 + 256) / 4) = 500 / 20 / 640 + 2,048 + 16 = 2,704
    add: 1.5 x 64 = 96 / 3 x 128 bytes = 48. multiply: 0.75 x 64 = 48 / 48
    clamp: 16 bits, 8 micro-blocks x 32 = 256; 64 + 16 + 16 + (32 + 256) / 4 = 168: 424 / 32. tanh(c) is the same
    copy of h: 8 bits, 128; 64 + 8 + 16 (writes of 16 bytes are half a burst) + (32 + 128) / 4 = 128: 256 / 24

    a step = 4 x (4,752 + 2,704) + 5 x 96 + 3 x 424 + 424 + 3 x 48 + 256 = 32,400
    once, the first h and c: 256 + 424 = 680
"""

from __future__ import annotations

import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.errors import ScheduleError
from archsim.families.ethosu.config import EthosuConfig
from archsim.families.ethosu.costs import Cost, Costs
from archsim.families.ethosu.operators import Operator
from archsim.families.ethosu.weight_stream import _coded_bits, flash_bytes
from archsim.families.load import load_arch
from archsim.program.ir import PhaseKind
from archsim.workload import load_workload

PUBLISHED = {
    # I, H, T: engine, SRAM, flash, total, as Vela prints them
    (32, 64, 1): (8_312, 768, 29_824, 33_080),
    (32, 64, 2): (15_944, 1_480, 59_648, 65_480),
    (32, 64, 4): (31_208, 2_904, 119_296, 130_280),
    (128, 128, 1): (27_984, 1_568, 141_440, 147_504),
}


def run(workload: str, *overrides: str) -> Simulation:
    arch = load_arch("ethos_u55_128", [parse_override(text) for text in overrides])
    return simulate(arch, load_workload(workload), timing_only=True)


def config(*overrides: str) -> EthosuConfig:
    found = load_arch("ethos_u55_128", [parse_override(text) for text in overrides]).config
    assert isinstance(found, EthosuConfig)
    return found


def costs_of(simulation: Simulation) -> dict[str, Cost]:
    """What each operator takes, by its label; a step's once."""
    costs = Costs(config())
    ops = [op for phase in simulation.program.phases for op in phase.ops]
    return {op.label: op.cost(costs) for op in ops if isinstance(op, Operator)}


@pytest.mark.parametrize(("inputs", "units", "steps"), PUBLISHED)
def test_rows_of_the_estimate(inputs: int, units: int, steps: int) -> None:
    simulation = run(f"lstm:{inputs},{units},t={steps}")
    engine, sram, flash, total = PUBLISHED[inputs, units, steps]
    assert simulation.stats.latency_cycles == total
    costs = Costs(config())
    sums = [0, 0, 0]
    for phase in simulation.program.phases:
        for op in phase.ops:
            assert isinstance(op, Operator)
            cost = op.cost(costs)
            for place, cycles in enumerate((cost.engine_cycles, cost.sram_cycles, cost.flash_cycles)):
                sums[place] += cycles * phase.repeat
    assert sums == [engine, sram, flash]


def test_each_operator_by_hand() -> None:
    costs = costs_of(run("lstm:32,64"))
    assert costs["W h of i"] == Cost(764, 24, 4_752)
    assert costs["W x of i"] == Cost(500, 20, 2_704)
    assert costs["i"] == costs["c"] == Cost(96, 48)
    assert costs["f * c"] == costs["i * g"] == Cost(48, 48)
    assert costs["clamp i"] == costs["tanh(c)"] == Cost(424, 32)
    assert costs["copy h"] == costs["copy h_0"] == Cost(256, 24)
    assert costs["copy c_0"] == Cost(424, 32)


def test_a_step_is_21_operators_in_turn() -> None:
    simulation = run("lstm:32,64,t=3")
    body = simulation.program.phase(PhaseKind.BODY)
    assert len(body.ops) == 21
    costs = costs_of(simulation)
    longest = [max(c.engine_cycles, c.sram_cycles, c.flash_cycles) for c in (costs[op.label] for op in body.ops)]
    assert simulation.stats.cycles_per_step == sum(longest) == 32_400


def test_more_than_a_block_of_outputs() -> None:
    """160 outputs are 1.25 blocks of 128. Clamp: 1.25 x 512 + 64 + 32 + 32 + (64 + 512) / 4 = 912.

    Of W x with 64 inputs: 16 x 32 x 2 = 1,024 a block; 64 + 4 + 32 + (320 + 1,024 + 28) / 4 = 443: the write is 28
    cycles longer than the read, which is seen where blocks follow each other. 1,280 + 443 = 1,723.
    """
    costs = costs_of(run("lstm:64,160"))
    assert costs["clamp i"].engine_cycles == 912
    assert costs["W x of i"].engine_cycles == 1_723


def test_what_weights_take_in_flash() -> None:
    """64 x 64: plain, 4,096 and 16 for headers and alignment; 10 bytes an output in front of them.

    240 x 240: padded to 240 x 256, of which 3,840 are padding: zeros are coded apart. 8 bits for each of 57,374 weights
    that are no zero, and a bit for each of 61,440 places and the end: 520,433 bits; 59 of headers, 3 at the end. In
    whole 16 bytes: 65,072 (Vela: 65,056 to 65,088, as the weights are drawn).
    """
    assert flash_bytes(64, 64, config()) == 640 + 4_112
    assert flash_bytes(240, 240, config()) == 2_400 + 65_072


@pytest.mark.parametrize(("count", "bits"), [(32, 256 + 5 * 32), (64, 750.58), (100, 800)])
def test_a_matrix_of_few_numbers_has_a_palette(count: int, bits: float) -> None:
    """Of 254 numbers that are not 0, n draws find 254 (1 - exp(-n / 254)) different ones.

    32 draws: 30.1, all in the palette of 32 x 8 bits, 5 bits a weight. 64 draws: 56.57, so that 7.43 come twice; the
    palette holds 32 + 7.43 weights, more than half, with 6 bits each, and the other 24.57 have 10.5:
    256 + 236.56 + 258.03. 100 draws: 82.66, 17.34 twice; the palette would hold 49.34, less than half: plain.
    """
    assert _coded_bits(count, 8) == pytest.approx(bits, abs=0.01)


STRUCTURE = (
    "engine.unit_outputs",
    "engine.input_block",
    "engine.weight_cycles",
    "engine.pool_cycles",
    "engine.add_cycles",
    "engine.multiply_cycles",
    "engine.pass_cycles",
    "engine.command_share",
    "sram.bytes_per_cycle",
    "sram.read_latency_cycles",
    "sram.write_latency_cycles",
    "flash.bytes_per_cycle",
    "flash.read_latency_cycles",
    "weight_stream.weight_bits",
    "weight_stream.channel_bytes",
    "weight_stream.align_bytes",
    "sequencer.issue_cycles",
    "sequencer.token_latency_cycles",
)


@pytest.mark.parametrize("path", STRUCTURE)
def test_one_more_is_another_machine(path: str) -> None:
    """The rows by engine, SRAM and flash, or the total: an operator's longest hides what the others take."""
    section, name = path.split(".")
    step = 8 if name == "input_block" else 1  # whole micro-blocks
    value = getattr(getattr(config(), section), name) + step
    changed = Costs(config(f"{path}={value}"))
    simulation, plain = run("lstm:32,64", f"{path}={value}"), Costs(config())
    ops = [op for phase in simulation.program.phases for op in phase.ops if isinstance(op, Operator)]
    apart = [op.cost(changed) for op in ops] != [op.cost(plain) for op in ops]
    assert apart or simulation.stats.latency_cycles != 33_080


@pytest.mark.parametrize(
    ("workload", "what"),
    [
        ("gru:8,8", "cells other than an LSTM"),
        ("lstm:8,8,b=2", "a batch"),
        ("lstm:8,8,layers=2", "more than one layer"),
    ],
)
def test_what_is_refused(workload: str, what: str) -> None:
    with pytest.raises(ScheduleError, match=f"^--schedule operators: .*{what}"):
        run(workload)


def test_it_is_named_an_estimate() -> None:
    named = [str(found) for found in config().idealizations]
    assert "family ethosu: cycles are a compiler's estimate, not those of a chip or its RTL" in named


def test_its_numbers_are_an_lstm_s() -> None:
    """Rounded to int8, Q4.12 and Q1.15: about 40 dB above what that costs."""
    simulation = simulate("ethos_u55_128", "lstm:24,40,t=4")
    assert simulation.validation.passed is None
    assert simulation.validation.not_judged is not None
    assert simulation.validation.not_judged.startswith("the integer reference does not know the ops")
