"""Layer normalization of an LSTM's gates: numbers and cycles by hand, and what is refused."""

from __future__ import annotations

import re

import pytest

from archsim.api import simulate
from archsim.cli.options import load_inputs
from archsim.config import parse_override
from archsim.errors import ArchError, ArchsimError, CapacityError, ScheduleError
from archsim.families.cells.normalize import Normalize
from archsim.formats.floating import Float32
from archsim.program.ir import Buffer, DataKind, Region
from archsim.trace import Window
from archsim.workload import load_workload
from tests.engines.events.by_hand import hand_machine
from tests.families.cells.hand import LSTM, every_schedule, run

# x = 1, h = 0, c = (1, 2), two units. Sums (1, 3) have the mean 2 and the deviation 1, and become (-1, 1).
CELL = {
    "weight_ih": [1, 3, 3, 1, 5, 1, 0, 2],
    "bias_ih": [2, 2, 0, 3, 0, 0, 1, 0],
    "bias_hh": [0, 0, 0, 0, 0, 0, 3, 0],
    "layer_norm": [1, 1, 2, 2, 1, 1, 3, 1],
    "c_0": [1, 2],
}
FIELDS = LSTM | {"hidden_size": 2, "layer_norm": True}


@every_schedule
def test_numbers(schedule: str) -> None:
    """i = (-1, 1) + 2 = (1, 3); f = 2 (1, -1) + (0, 3) = (2, 1); g of (5, 1), mean 3, deviation 2: (1, -1);
    o = (3, 1) (-1, 1) + (4, 0) = (1, 1).

    c = (2 * 1 + 1 * 1, 1 * 2 + 3 * -1) = (3, -1), h = c. Biases before the normalization would change nothing of i.
    """
    found = run(schedule, [1], [CELL], **FIELDS)
    assert found.output.tolist() == [[[3, -1]]]
    assert found.c_n[0].tolist() == [[3, -1]]  # type: ignore[union-attr]


@every_schedule
def test_peepholes_are_normalized_too(schedule: str) -> None:
    """p_i = (4, 0) sees c = (1, 2): sums of i (1 + 4, 3), i = (1, -1) + 2 = (3, 1); c = (2 + 3, 2 - 1) = (5, 1).

    p_o = (1, 0) sees the new c: sums (0 + 5, 2) and not (1, 2): o = (3, 1) (1, -1) + (4, 0) = (7, -1), h = (35, -1).
    """
    cell = CELL | {"peephole": [4, 0, 0, 0, 1, 0]}
    found = run(schedule, [1], [cell], peepholes=True, **FIELDS)
    assert found.output.tolist() == [[[35, -1]]]
    assert found.c_n[0].tolist() == [[5, 1]]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("units", "sequences", "lanes", "stages", "cycles"),
    [
        # ceil(8 / 4) = 2 turns, 5 additions: 10. 8 partial sums, 4 lanes of 2 stages: a tree of 3.
        # Between the passes 2 (3 + 2) 2 = 20, nine products 18, the first guess 1.
        (8, 1, 4, 2, 49),
        # 6 turns: 30. One partial sum, no tree: 2 (0 + 2) 1 = 4, products 9, guess 1; the second sequence twice 1.
        (3, 2, 1, 1, 46),
        # 1 turn: 5. Four lanes have a value: a tree of 2, 2 (2 + 2) 3 = 24, products 27, guess 1.
        (4, 1, 16, 3, 57),
        # 2 turns: 10. Units without stages: all between the passes takes no time but the guess.
        (4, 1, 2, 0, 11),
    ],
)
def test_cycles_of_the_op(units: int, sequences: int, lanes: int, stages: int, cycles: int) -> None:
    sums = Region(Buffer("sums", "accumulators", DataKind.PARTIAL_SUM, units, sequences, Float32(), 1), 0, units)
    weights = Region(Buffer("layer_norm", "weight_sram", DataKind.LAYER_NORM, units, 1, Float32()), 0, units)
    op = Normalize(unit="elementwise", label="norm", sums=sums, weights=weights, bias=None, target=sums)
    assert op.compute_cycles(lanes, stages) == cycles


STEP = {
    # start, free, done. Tiles of 2 x (2 + 2) take 2 cycles; depth 1 + 1 + 1 + 1.
    "mac[0]": (0, 2, 6),
    "mac[1]": (2, 4, 8),
    "mac[2]": (4, 6, 10),
    "mac[3]": (6, 8, 12),
    # 2 turns of 5; 2 partial sums (one lane of 2 stages), a tree of 1: 2 (1 + 2) 2; 18; 1. 10 + 12 + 18 + 1 = 41.
    "norm_i[0]": (7, 48, 50),
    "sigmoid_i[0]": (51, 53, 55),
    "norm_f[1]": (48, 89, 91),
    "sigmoid_f[1]": (92, 94, 96),
    "norm_g[2]": (89, 130, 132),
    "tanh_g[2]": (133, 135, 137),
    # The cell update stands before o's normalization in the queue, and waits for g.
    "cell[2]": (138, 140, 142),
    "norm_o[3]": (140, 181, 183),
    "sigmoid_o[3]": (184, 186, 188),
    "tanh_c[2]": (186, 188, 190),
    "hidden[3]": (191, 193, 194),
}
"""A step of LSTM(2, 2) on the machine of by_hand.py, whose token takes a cycle: the next one begins 195 later."""


def test_a_step_by_hand() -> None:
    workload = load_workload("lstm:2,2,t=3", [parse_override("layer_norm=true")])
    found = simulate(hand_machine(), workload, "fused_gate_major", timing_only=True, window=Window(0, 3))
    number = next(n for n, phase in enumerate(found.program.phases) if phase.name.startswith("body"))
    ops = found.program.phases[number].ops
    times = {
        (r.repetition, ops[r.op].label): (r.start, r.free, r.done) for r in found.trace.records if r.phase == number
    }
    for step in (0, 1):
        origin = times[step, "mac[0]"][0]
        assert {label: tuple(cycle - origin for cycle in times[step, label]) for label in STEP} == STEP
    assert times[2, "mac[0]"][0] - times[1, "mac[0]"][0] == 195
    assert found.stats.cycles_per_step == 195


WORKLOAD = ("lstm:3,8,t=3", "layer_norm=true")


@pytest.mark.parametrize(
    ("arch", "sets", "kind", "message"),
    [
        (
            "edge_16x16",
            ("formats.cell=float32",),
            ArchError,
            r"takes integers alone or real numbers alone, not formats.gate q4.* int32.* beside formats.cell float32",
        ),
        (
            "edge_16x16",
            ("formats.gate=q8.12",),
            ArchError,
            "formats: layer normalization has integer sums of at most 16 bits, not formats.gate q8.12",
        ),
        (
            "tiny_2x2",
            ("activation.adds_bias=true",),
            ArchError,
            "adds_bias: layer normalization adds the bias itself",
        ),
        ("tiny_2x2", ("accumulators.entries=7",), CapacityError, "accumulators"),
        ("brainwave_s10", (), ScheduleError, "no chains for layer normalization"),
        ("ethos_u55_128", (), ScheduleError, "do not run layer normalization"),
        ("elasticai_lstm", (), ScheduleError, "layer normalization"),
        ("edgedrnn", (), ScheduleError, "has no layer normalization"),
        ("tpu_v1", (), ScheduleError, "machines of the family systolic have no layer normalization"),
    ],
)
def test_what_is_refused(arch: str, sets: tuple[str, ...], kind: type[ArchsimError], message: str) -> None:
    with pytest.raises(kind, match=message):
        simulate(*load_inputs(arch, WORKLOAD[0], [*sets, WORKLOAD[1]]))


INTEGERS = ("edge_16x16", "edge_64x64", "edge_64x64_q4_12")


@pytest.mark.parametrize("arch", INTEGERS)
@pytest.mark.parametrize("cell", ["q4.12", "float32"])
def test_what_an_integer_machine_is_told_runs_it(arch: str, cell: str) -> None:
    """The one message has all that has to change: formats, the activation's method, who adds the bias."""
    given = (f"formats.cell={cell}", "activation.adds_bias=true", "activation.method=exact")
    with pytest.raises(ArchError) as caught:
        simulate(*load_inputs(arch, WORKLOAD[0], [*given, WORKLOAD[1]]))
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    sets = re.findall(r"--set (\S+)", said)
    assert len(sets) == (1 if cell == "q4.12" else 2)
    assert simulate(*load_inputs(arch, WORKLOAD[0], [*given, *sets, WORKLOAD[1]])).validation.passed
