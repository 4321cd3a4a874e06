"""One output of two directions (merge_mode): numbers, cycles and energy by hand, in every schedule and family."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import ScheduleError, WorkloadError
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.golden.integer import Grid
from archsim.golden.integer_merge import merge_integer
from archsim.golden.stack import merged
from archsim.hardware.operators import REGISTER_BIT, Width, adder, multiplier
from archsim.trace import Window
from archsim.workload import load_workload
from tests.engines.events.by_hand import hand_machine
from tests.float_machines import FLOAT_16X16
from tests.present import present
from tests.rings import few

MODES = ("sum", "mul", "ave")
UJ = 1e-6


def merge_times(mode: str) -> dict[tuple[int, str], tuple[int, int, int]]:
    """Start, free and done of the ops of the phase, from the cycle after its start on, by repetition and label."""
    workload = load_workload(f"lstm:3,2,t=4,bidirectional=1,merge={mode}")
    simulation = simulate(hand_machine(), workload, "fused_interleaved", timing_only=True, window=Window(0, 5))
    number = next(n for n, phase in enumerate(simulation.program.phases) if phase.name == "body, merge")
    origin = simulation.trace.phases[number].start + 1
    return {
        (r.repetition, simulation.program.phases[number].ops[r.op].label.removeprefix("l0.")): (
            r.start - origin,
            r.free - origin,
            r.done - origin,
        )
        for r in simulation.trace.records
        if r.phase == number
    }


SUM = {
    (0, "load directions"): (0, 4, 9),
    (1, "load directions"): (4, 8, 13),
    (1, "merge"): (10, 13, 15),
    (1, "store merged"): (16, 18, 23),
    (2, "load directions"): (18, 22, 27),
    (2, "merge"): (14, 17, 19),
    (2, "store merged"): (22, 24, 29),
    (3, "load directions"): (24, 28, 33),
    (3, "merge"): (28, 31, 33),
    (3, "store merged"): (34, 36, 41),
    (4, "merge"): (34, 37, 39),
    (4, "store merged"): (40, 42, 47),
}
"""by_hand.HAND_2X2, P = 2, float32, T = 4. Services, occupancy + depth:

    load  two directions of 8 bytes side by side, 2 bursts: 16 / 4 = 4, + 5      store  8 bytes, a burst: 2, + 5
    merge one value a cycle: N = 2 steps. Both directions lie in the bank of h, a word of 128 bits each: word 0 is the
          forward one's, word 1 the reverse one's, and step 0 needs both: 1 + 2 - 0 = 3, + 2 (a multiply and add)

A token takes a cycle. In repetition r step r is loaded, step r - 1 merged and stored; two slots of each buffer.
Loads 0 and 1 at 0 and 4, done 9 and 13. Merge 0 from 10, done 15; its store from 16. Load 2 needs the slot that
merge 0 has read at 13, but DRAM is busy with that store until 18. Merge 1 from 14 (its load is done at 13, the unit
free at 13), done 19; its store behind load 2, at 22. Load 3 behind it at 24 (its slot is free at 17). Merge 2 needs
load 2, done 27: 28. Its store at 34. Merge 3 needs load 3, done 33: 34; its store at 40, done 47.
"""


def test_cycles_of_a_sum() -> None:
    assert merge_times("sum") == SUM


def test_cycles_of_a_product() -> None:
    """One multiply is a cycle less deep: merges are done a cycle earlier, and stores start so where they waited for
    theirs. Merge 0 done 14: store 15, free 17; load 2 from 17, done 26; store 1 from 21, free 23; load 3 from 23, done
    32; merge 2 from 27, done 31, its store from 32; merge 3 from 33, done 37, its store from 38 to 40, done 45."""
    found = merge_times("mul")
    assert found == {
        (0, "load directions"): (0, 4, 9),
        (1, "load directions"): (4, 8, 13),
        (1, "merge"): (10, 13, 14),
        (1, "store merged"): (15, 17, 22),
        (2, "load directions"): (17, 21, 26),
        (2, "merge"): (14, 17, 18),
        (2, "store merged"): (21, 23, 28),
        (3, "load directions"): (23, 27, 32),
        (3, "merge"): (27, 30, 31),
        (3, "store merged"): (32, 34, 39),
        (4, "merge"): (33, 36, 37),
        (4, "store merged"): (38, 40, 45),
    }


def test_the_phase_is_behind_the_layer_and_all_else_stays() -> None:
    """Both executors; sum and mean take the same cycles."""
    for executor in ("fast", "machine"):
        cycles = {}
        for mode in ("concat", *MODES):
            workload = load_workload(f"lstm:3,2,t=4,bidirectional=1,merge={mode}")
            found = simulate(hand_machine(), workload, "fused", timing_only=True, executor=executor)
            cycles[mode] = found.stats.latency_cycles
        # The phase's start is told by a token, and it ends at 47 (45) from there.
        assert cycles["sum"] - cycles["concat"] == 1 + 47
        assert cycles["mul"] - cycles["concat"] == 1 + 45
        assert cycles["ave"] == cycles["sum"]


@pytest.mark.parametrize(
    ("mode", "multiply", "add", "registers"), [("sum", 0, 1, 2), ("mul", 1, 0, 1), ("ave", 0, 1, 2)]
)
def test_energy_of_float32(mode: str, multiply: int, add: int, registers: int) -> None:
    """tiny_2x2, 45 nm: 3.7 pJ a multiplication, 0.9 an addition, 0.009 a register's bit. A weight of 1/2 is a step of
    the exponent. T P = 8 values, each of 32 bits and 2 or 1 stages."""
    energy = {}
    for merge in ("concat", mode):
        workload = load_workload(f"lstm:3,2,t=4,bidirectional=1,merge={merge}")
        stats = simulate(load_arch("tiny_2x2"), workload, timing_only=True).stats
        energy[merge] = present(stats.energy).unit_uj["elementwise"]
    more = {name: energy[mode][name] - energy["concat"][name] for name in ("multiply", "add", "register")}
    want = {"multiply": 8 * multiply * 3.7, "add": 8 * add * 0.9, "register": 8 * registers * 32 * 0.009}
    assert more == pytest.approx({name: pj * UJ for name, pj in want.items()}, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("mode", MODES)
def test_operators_of_integers(mode: str) -> None:
    """int8 on edge_16x16, less a zero point 9 bits; P B = 2 values. A value that is added takes a factor of 31 bits, a
    product one for its 18 bits; a sum is 3 stages of 8 bits deep, as a cell update, a product 2."""
    config = load_arch("edge_16x16").config
    program = find_schedule("fused").build(load_workload(f"lstm:3,2,t=4,bidirectional=1,merge={mode}").spec, config)
    (op,) = (op for phase in program.phases for op in phase.ops if op.label == "l0.merge")
    code, product, factor = (Width(bits, floating=False) for bits in (9, 18, 31))
    want = {
        "mul": {multiplier(code, code): 2, multiplier(product, factor): 2, REGISTER_BIT: 2 * 2 * 8},
        "sum": {adder(code): 2, multiplier(code, factor): 4, REGISTER_BIT: 2 * 3 * 8},
    }
    want["ave"] = want["sum"]
    assert build_units(config)["elementwise"].tally(op) == want[mode]


def test_values() -> None:
    """float64: 0.5 and -2 make -1.5, -1, -0.75; int8 codes of which one is 1/16, merged to ones of 1/4, are rounded
    each on its own: 3/16 + 7/16 is 1 + 2 of them, where their sum is 2.5; half of each is 0.375 and 0.875: 0 + 1; their
    product, 21/256, is 0.328: 0. Halves go to the even code: 6/16 is 1.5, 2."""
    pair = [np.full((1, 1, 1), value) for value in (0.5, -2.0)]
    assert [merged(pair, mode).item() for mode in MODES] == [-1.5, -1.0, -0.75]
    fine, coarse = Grid(8, 1 / 16), Grid(8, 1 / 4)
    codes = [np.full((1, 1, 1), value / 16) for value in (3, 7)]
    assert [merge_integer(codes, mode, fine, coarse).item() * 4 for mode in MODES] == [3, 0, 1]
    even = [np.full((1, 1, 1), value / 16) for value in (6, 0)]
    assert merge_integer(even, "sum", fine, coarse).item() * 4 == 2
    with pytest.raises(ValueError, match="unknown merge mode 'max': one of concat, sum, mul, ave"):
        merged(pair, "max")


TEXTS = [
    (arch, f"{kind}:5,4,t=5,b=2,layers=2,bidirectional=1,merge={mode}", schedule)
    for mode in MODES
    for kind in ("lstm", "gru", "rnn")
    for arch, schedules in (
        (FLOAT_16X16, [found.name for found in GEMV_SCHEDULES if "wavefront" not in found.name]),
        ("edge_16x16", [found.name for found in GEMV_SCHEDULES if "wavefront" not in found.name]),
        ("edge_64x64_q4_12", ["split_gate_major"]),
        ("tpu_v1", ["weight_stationary"]),
    )
    for schedule in schedules
]


@pytest.mark.parametrize(("arch", "workload", "schedule"), few(TEXTS, 11))
def test_every_schedule_computes_it(arch: str, workload: str, schedule: str) -> None:
    """Within 1e-5 of the golden model, or bit for bit as the integer reference; the layer above takes P values."""
    found = simulate(load_arch(arch), load_workload(workload), schedule)
    assert found.validation.passed, found.validation
    assert found.results is not None
    assert found.results.output.shape == (5, 2, 4)
    assert found.workload.spec.layers[1][0].input_size == 4


def test_sequences_that_end_and_layers_of_two_modes() -> None:
    sets = ("sequence_lens=[2, 4]", "next_layers=[{kind: gru, hidden_size: 3, bidirectional: true, merge_mode: ave}]")
    workload = load_workload("lstm:3,5,t=4,b=2,bidirectional=1,merge=mul", [parse_override(text) for text in sets])
    assert workload.spec.merge_modes == ("mul", "ave")
    found = simulate(load_arch("edge_16x16"), workload)
    assert found.validation.passed
    assert found.results is not None
    assert not found.results.output[2:, 0].any()


def test_a_sum_has_a_range_of_its_own() -> None:
    """Two directions of up to 1 make up to 2: with the range of h it would saturate, with its own nothing does."""
    sets = ("activations=[{name: sigmoid}, {name: affine, alpha: 0, beta: 1}, {name: affine, alpha: 0, beta: 1}]",)
    workload = load_workload("lstm:3,2,t=6,bidirectional=1,merge=sum", [parse_override(text) for text in sets])
    found = simulate(load_arch("edge_16x16", [parse_override("activation.method=exact")]), workload)
    assert found.results is not None
    one = [np.abs(h).max() for h in found.results.h_n]
    assert np.abs(found.results.output).max() > 1.2 * max(one)
    assert found.accuracy is not None
    assert {count.kind: count.overflowed for count in found.accuracy.overflows}["hidden"] == 0


def test_what_cannot_merge_says_so() -> None:
    workload = load_workload("lstm:128,128,t=2,bidirectional=1,merge=sum")
    with pytest.raises(ScheduleError, match=r"npu have no chains for merged directions \(merge_mode\)"):
        simulate(load_arch("npu_s10nx"), workload, timing_only=True)
    with pytest.raises(WorkloadError, match="merge_mode sum is for a bidirectional layer"):
        load_workload("lstm:3,2,merge=sum")
    with pytest.raises(WorkloadError, match="merge is one of concat, sum, mul, ave, not 'max'"):
        load_workload("lstm:3,2,bidirectional=1,merge=max")
