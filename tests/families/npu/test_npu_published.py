"""Intel NPU on Stratix 10 NX (FPT 2020): cycles of its authors' models, and what each parameter does to ours.

The latencies are those of the authors' C++ model (arch_configs/published/npu_s10nx.yaml names each), the issue rules
those of docs/microarchitecture/rules.md. Nothing is fitted.
"""

from __future__ import annotations

import pytest

from archsim.families.npu.config import NpuConfig
from archsim.fidelity.npu import npu
from archsim.workload import CellKind
from tests.families.npu.machines import machine, timed
from tests.rings import few
from tests.strategies import network

CPP_MODEL = {
    "lstm:512,512,t=1,b=6": 567,
    "lstm:512,512,t=2,b=6": 1055,
    "lstm:512,512,t=4,b=6": 2031,
    "lstm:512,512,t=8,b=6": 3983,
    "rnn:1024,1024,t=8,b=6": 2405,
    "gru:512,512,t=8,b=6": 4158,
}
"""Cycles by running the authors' C++ model (repository intel/fpga-npu)."""
RTL = {"lstm:512,512,t=8,b=6": 4545, "rnn:1024,1024,t=8,b=6": 3044, "gru:512,512,t=8,b=6": 5386}
"""Their RTL, from its published TOPS at 300 MHz. No cause for the difference is published, and none is fitted."""
EIGHT_STEPS = tuple(RTL)


def cycles(workload: str, *sets: str) -> int:
    return timed(workload, *sets).stats.latency_cycles


@pytest.mark.parametrize(("workload", "published"), CPP_MODEL.items())
def test_to_the_cycle_what_the_authors_model_takes(workload: str, published: int) -> None:
    """All of it in the time steps: nothing is loaded but x, and what else a step reads."""
    stats = timed(workload).stats
    assert stats.latency_cycles == stats.body_cycles == published


def test_the_rows_of_the_fidelity_table() -> None:
    """They are the figures above; the RTL's are shown, and held to nothing."""
    rows = npu()
    assert {row.workload: row.published for row in rows if row.tolerance == 0} == CPP_MODEL
    assert {row.workload: row.published for row in rows if row.tolerance is None} == RTL
    assert all(row.passed for row in rows if row.tolerance is not None)


def test_the_first_words_of_a_product_by_hand() -> None:
    """What all counts below have in common.

    An op starts 1 cycle after its instruction is issued, and an instruction is issued in every cycle. Word 1 of a
    product that starts at S comes to the external register file at S + n + 40, n the micro-ops until its first rows
    are through: 32 of a tile, 8 of the reduction. It comes to mfu0 3 cycles later, to mfu1 10 later, to the loader 10
    later: S + n + 63. A vector whose last word the loader takes in cycle F - 1 is tagged at F + 7: 5 to the register
    file, 2 to the tag. A multi-function unit reads its register 2 cycles ahead, so that it starts at F + 9.
    """
    found = timed("lstm:512,512,t=1,b=6")
    body = found.program.phases[1]
    start = {(body.ops[r.op].label, body.ops[r.op].unit): r.start for r in found.trace.records if r.phase == 1}
    first = 51 + (13 + 1)  # load of x: 42 words, 1 .. 42, tagged at 50; 13 row blocks in the first of 2 column blocks
    expected = {"mvu": 51, "evrf": first + 40, "mfu0": first + 43, "mfu1": first + 53, "ld": first + 63}
    assert {unit: start["x_f", unit] for unit in expected} == expected


def test_lstm_512_to_the_cycle() -> None:
    """567 + 488 (T - 1).

    The first x_f comes to the loader at 128 (above). A vector is 13 words x 3 sequences = 39 words, one a cycle:

      x_f, x_g, x_i, x_o                     4 x 39 = 156
      load x: 2 words of each of 7 tiles, x 3         42, but in the last step
      h_f, h_i, h_o behind them              3 x 39 = 117
      i g, c, h                              3 x 39 = 117

    and three gaps:

      i g waits in the second unit for i, whose last word the loader took 39 cycles before that of h_o:
                                                     9 + 10 = 19 and the word itself: 20 < 39, no gap
      c waits for i g in the second unit: from F it is 9 to its start there, 10 to the loader: a gap of 19
      h waits for c in the external register file: 7 to its start there, 3 + 10 + 10 to the loader: a gap of 30
      x_f of the next step comes after the 7 instructions that write h into 7 tiles, in which no unit before the loader
        sees a word: a gap of 7

    The last step: 128 + 156 + 117 + 117 + 19 + 30 = 567; one before it takes 42 and 7 more, less the 128 of the start:
    156 + 42 + 117 + 117 + 19 + 30 + 7 = 488.
    """
    assert 128 + 156 + 117 + 117 + 19 + 30 == 567
    assert 156 + 42 + 117 + 117 + 19 + 30 + 7 == 488
    for steps in (1, 2, 3, 8, 16):
        assert cycles(f"lstm:512,512,t={steps},b=6") == 567 + 488 * (steps - 1)


def test_rnn_1024_to_the_cycle() -> None:
    """396 + 287 (T - 1).

    26 row blocks are a chunk of 12 and one of 14, x 4 column blocks: 48 + 56 = 104 micro-ops; 78 words. What the next
    step waits for is not h but x: its load stands behind x_h in the loader, in program order, and x_h of the next step
    waits for all of it.

      x_h starts at P; its second chunk at P + 48; first rows of the 4th column block 3 x 14 + 1 = 43 later
      at the loader after 63: P + 48 + 43 + 63 = P + 154; 42 words: P + 196
      load x: 4 words of each of 7 tiles, x 3 = 84: P + 280; tagged, and x_h of the next step starts, at P + 287

    The product of h fits in between: it starts at P + 104 + 7 (an instruction for each tile that x is loaded into) and
    has its 104 micro-ops; h itself is tagged in the next step, at 79 after its P (below), before that step's product
    of h is up. So nothing of a product stands in the way of another: 208 micro-ops, and 79 cycles of waiting for x.

    The first load: 84 words, 1 .. 84, tagged at 92; P = 93. In the last step nothing is loaded, and h waits in mfu0 for
    x_h, tagged at P + 196 + 9 = P + 205: at the loader 20 later, P + 225, 78 words: P + 303 (its second chunk comes to
    mfu0 at P + 104 + 48 + 43 + 43 = P + 238, when the first has 3 words to go). 93 + 303 = 396.
    Before that h follows the load and the instruction that writes no tile: P + 281 + 78, tagged at P + 366 = 287 + 79.
    """
    assert 48 + 43 + 63 + 42 + 84 + 7 == 287 == 208 + 79
    assert 93 + 205 + 20 + 78 == 396
    for steps in (1, 2, 3, 8, 16):
        assert cycles(f"rnn:1024,1024,t={steps},b=6") == 396 + 287 * (steps - 1)


def test_gru_512_to_the_cycle() -> None:
    """623 + 505 (T - 1), of the published program, which resets h before the product.

    Its first load is that of the constant 1: 39 words, before the 42 of x. So x_z starts 39 cycles later than x_f of an
    LSTM, and comes to the loader at 128 + 39 = 167. Then x_z, x_r, x_n and 1 - z, 4 x 39 = 156, and
      zh waits in the first unit for 1 - z:          9 + 10 + 10, a gap of 29, and 39 words
      r h: the instruction before those that write the tiles takes the loader a cycle: 1, and 39
      n waits for all of r h in the tiles: 7, first rows after 14 micro-ops, 63: a gap of 84, and 39
      h waits for n in the external register file: a gap of 30, and 39
    167 + 156 + 29 + 39 + 1 + 39 + 84 + 39 + 30 + 39 = 623. A step before the last one takes the load of x and the
    instructions that write the tiles, 42 and 7, more, less the 167 of the start: 505.
    """
    assert 167 + 156 + 29 + 39 + 1 + 39 + 84 + 39 + 30 + 39 == 623
    assert 623 - 167 + 42 + 7 == 505
    for steps in (1, 2, 3, 8, 16):
        assert cycles(f"gru:512,512,t={steps},b=6") == 623 + 505 * (steps - 1)


@pytest.mark.parametrize("workload", EIGHT_STEPS)
def test_the_rtl_is_shown_as_it_comes_out(workload: str) -> None:
    """The authors' own C++ model is below their RTL, and ours, which is that model, as much."""
    error = {"lstm": -0.124, "rnn": -0.210, "gru": -0.228}[workload.partition(":")[0]]
    assert cycles(workload) / RTL[workload] - 1 == pytest.approx(error, abs=0.001)


def test_micro_ops_and_peak() -> None:
    """8 matrices x 13 row blocks x 2 column blocks = 208 micro-ops a step; 67,200 multipliers at 300 MHz."""
    stats = timed("lstm:512,512,t=8,b=6").stats
    assert stats.bounds["compute"] == 208
    assert stats.peak_throughput_gops == pytest.approx(40_320)
    assert stats.macs == 8 * 6 * 8 * 512 * 512


STRUCTURE = [
    ("mvu.cores", 3),  # 2 sequences a core instead of 3
    ("mvu.tiles", 8),  # loads of x fill 8 tiles, h is written by 7 instructions into 7 of them
    ("mvu.dpes", 39),  # 14 row blocks of 39 rows
    ("mvu.lanes", 41),  # a fifth tensor block, one longer cascade: 15 words of operands
    ("mvu.lanes", 36),  # 3 column blocks of 252 columns
    ("mvu.dot_units", 4),  # 16 words of operands for a column block
    ("mvu.block_lanes", 11),  # 4 blocks of 11: as 4 of 10, see below
    ("mvu.block_lanes", 9),  # 5 blocks
    ("mvu.read_latency_cycles", 2),
    ("mvu.distribution_latency_cycles", 9),
    ("mvu.multiplier_latency_cycles", 3),
    ("mvu.adder_latency_cycles", 2),
    ("mvu.accumulate_latency_cycles", 5),
    ("mvu.reduction_latency_cycles", 6),
    ("evrf.read_latency_cycles", 3),
    ("mfu.lanes", 39),  # 14 words
    ("mfu.latency_cycles", 4),
    ("mfu.add_latency_cycles", 4),
    ("mfu.multiply_latency_cycles", 4),
    ("mfu.read_latency_cycles", 3),
    ("loader.write_back_latency_cycles", 6),
    ("loader.tag_latency_cycles", 3),
    ("sequencer.issue_cycles", 2),
    ("sequencer.token_latency_cycles", 1),  # h, which the next step's products wait for
]

WITHOUT_EFFECT = {("mvu.block_lanes", 11)}
"""Derived: 40 lanes are 4 blocks of 10 or of 11, while 9 makes 5 of them."""

CAPACITIES = (
    "mvu.matrix_depth_words",
    "mvu.vector_depth_words",
    "evrf.depth_words",
    "mfu.depth_words",
    "fifos.depth_words",
    "sequencer.queue_depth",
)
"""Depths: what fits into them takes the same time whatever they are."""


@pytest.mark.parametrize("workload", EIGHT_STEPS)
@pytest.mark.parametrize(("path", "value"), few(STRUCTURE, 4))
def test_every_structural_parameter_shows_in_every_count(path: str, value: int, workload: str) -> None:
    changed = cycles(workload, f"{path}={value}")
    assert (changed == CPP_MODEL[workload]) is ((path, value) in WITHOUT_EFFECT)


@pytest.mark.parametrize("path", few(CAPACITIES, 2))
def test_capacities_do_not(path: str) -> None:
    section, _, name = path.partition(".")
    value = getattr(getattr(machine().config, section), name)
    for other in (value + 1, value - 1):
        assert cycles("lstm:512,512,t=2,b=6", f"{path}={other}") == CPP_MODEL["lstm:512,512,t=2,b=6"]


def test_no_parameter_is_left_out() -> None:
    """Every field of every section is either in STRUCTURE or a capacity, or changes no cycle by what it is."""
    config = machine().config
    assert isinstance(config, NpuConfig)
    numeric = {"address_format", "method", "table", "piecewise_linear"}  # how functions are evaluated: in no cycle
    fields = {
        f"{section}.{name}"
        for section in ("mvu", "evrf", "mfu", "loader", "fifos", "sequencer")
        for name in type(getattr(config, section)).model_fields
        if name not in numeric
    }
    assert fields == {path for path, _ in STRUCTURE} | set(CAPACITIES)


def step_of(kind: CellKind, size: int, **options: bool) -> float:
    load = network(kind=kind, input_size=size, hidden_size=size, steps=8, batch=6, **options)
    return timed(load).stats.cycles_per_step


def test_other_networks_by_the_same_count() -> None:
    """Words a step and gaps as above; predictions, with nothing published here to compare them with.

    LSTM 256: 7 row blocks, padded to 12, are 36 words; x is a word of each of 7 tiles, 21 words. Of h the tiles take 21
      words, the other 15 are dropped, still one a cycle, by one instruction more: 4 x 36 + 21 + 6 x 36 + 19 + 30 + 8
      = 438.
    LSTM 1024: words of 26 rows, 78 a vector: 4 x 78 + 84 + 6 x 78 + 19 + 30 + 7 = 920. Parts of c that the chain of c
      has already written are no reason for the part behind them to wait.
    GRU 512, reset after: n waits for r in the first unit instead, a gap of 29, and nothing but h goes into the tiles:
      117 + 42 + 195 + 29 + 29 + 30 + 7 = 449.
    RNN 512: x of the next step comes behind x_h, and x_h of the next step behind that: 14 + 63 to the loader, 39 words
      of x_h, 42 of x, 7 to its tag: 165.
    """
    assert step_of(CellKind.LSTM, 256) == 438
    assert step_of(CellKind.LSTM, 1024) == 920
    assert step_of(CellKind.GRU, 512, linear_before_reset=True) == 449
    assert step_of(CellKind.RNN, 512) == 165
