"""More room for weights, a faster memory: what never gets worse in a streamed schedule, and where cycles may.

DRAM's bytes never rise. Cycles of a fixed program never do either (test_monotonicity.py); but with more room there is
another program. If it streams some of the same tiles and no others, nothing is slower but the prologue, which loads
what stays. The exceptions that are left are those of docs/memory.md, each measured below.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.workload import load_workload
from tests.laws.closed_forms import cut_of
from tests.rings import examples
from tests.strategies import STREAMED, Case, cases, fewest_weight_bytes, program_text, resident_weight_bytes

FASTER = ("dram.bandwidth_bytes_per_cycle", "dram.latency_cycles", "weight_sram.read_latency_cycles")


@dataclass(frozen=True)
class Figures:
    """What may not rise: bytes of DRAM, bytes of its bursts, cycles behind the prologue."""

    data_bytes: int
    burst_bytes: int
    cycles: int

    @staticmethod
    def of(stats: Stats) -> Figures:
        data = sum(sum(kinds.values()) for kinds in stats.traffic_bytes["dram"].values())
        cycles = stats.latency_cycles - stats.prologue_cycles
        return Figures(data, sum(stats.dram_burst_bytes.values()), cycles)


def figures(case: Case) -> Figures:
    return Figures.of(case.simulate(timing_only=True).stats)


def streamed_pieces(case: Case) -> set[tuple[str, int, int]]:
    """Rows in DRAM of everything that comes through slots."""
    transfers = (op for phase in case.program.phases for op in phase.ops if op.unit == "dram")
    loads = (op for op in transfers if any("stream." in region.buffer.name for region in op.writes))
    return {(region.buffer.name, region.start, region.stop) for op in loads for region in op.reads}


@st.composite
def two_capacities(draw: st.DrawFn) -> tuple[Case, Case]:
    """A case, and the same with more weight SRAM: anything between the fewest bytes and all that there is use for.

    Two of three where some tiles stay, not only slots.
    """
    case = draw(cases(schedules=STREAMED))
    least, most = fewest_weight_bytes(case), resident_weight_bytes(case)
    if draw(st.integers(0, 2)):
        least += (most - least) // 2
    small, large = sorted(most - draw(st.integers(0, most - least)) for _ in range(2))
    path = "weight_sram.capacity_bytes"
    return case.with_fields({path: small}), case.with_fields({path: large})


@settings(max_examples=examples(60))
@given(two_capacities())
def test_more_room(pair: tuple[Case, Case]) -> None:
    """Never more bytes; and if what is streamed is part of what was, in tiles as large, nothing else is worse."""
    case, larger = pair
    small, large = figures(case), figures(larger)
    assert large.data_bytes <= small.data_bytes
    if program_text(larger.program) == program_text(case.program):
        assert large == small
        event("the same program")
    elif cut_of(larger).tile_rows != cut_of(case).tile_rows:
        event("tiles cut into other parts")
    elif streamed_pieces(larger) <= streamed_pieces(case):
        assert large.burst_bytes <= small.burst_bytes
        assert large.cycles <= small.cycles
        event("fewer of the same tiles")
    else:
        event("other tiles")


@pytest.mark.parametrize("path", FASTER)
@settings(max_examples=examples(25))
@given(case=cases(schedules=STREAMED), factor=st.sampled_from([1.5, 2, 7]))
def test_a_faster_memory(path: str, case: Case, factor: float) -> None:
    """The same bytes, and nothing is slower: the program is the same."""
    section, name = path.split(".")
    value = getattr(getattr(case.config, section), name)
    faster = case.with_fields({path: value * factor if "bandwidth" in name else int(value / factor)})
    before, after = (of.simulate(timing_only=True).stats for of in (case, faster))
    assert after.traffic_bytes == before.traffic_bytes
    assert after.dram_burst_bytes == before.dram_burst_bytes
    assert after.latency_cycles <= before.latency_cycles
    assert after.prologue_cycles <= before.prologue_cycles


# Where more room is slower, or moves more bytes in whole bursts (docs/memory.md); biases have a memory of their own


def stats(arch: str, workload: str, schedule: str, capacity_bytes: int, *sets: str) -> Stats:
    texts = (f"weight_sram.capacity_bytes={capacity_bytes}", *sets)
    found = load_arch(arch, [parse_override(text) for text in texts])
    return simulate(found, load_workload(workload), schedule, timing_only=True).stats


def test_few_steps_do_not_earn_back_what_the_prologue_loads_more() -> None:
    """LSTM(3, 2), T = 4: a tile of W_hh more, 16 bytes, takes DRAM 2 cycles, and the steps are no faster."""
    small, large = (stats("tiny_2x2", "lstm_3_2_t4", "fused_streamed", n) for n in (142, 145))
    assert (small.latency_cycles, large.latency_cycles) == (214, 216)
    assert large.prologue_cycles - small.prologue_cycles == 2
    assert large.body_cycles == small.body_cycles


def test_larger_parts_of_tiles_fit_worse() -> None:
    """12 rows of a group take x and 12 take h, each in parts of 6 and 6, then of 8 and 4: as many, but less even.

    With all of DRAM's bandwidth: with the preset's 0.94 of it, the cycles that bursts are rounded up to hide it.
    """
    whole = "dram.efficiency=1.0"
    small, large = (stats("edge_16x16", "gru:16,16,t=8", "fused_streamed", n, whole) for n in (496, 520))
    assert (small.latency_cycles, large.latency_cycles) == (1803, 1821)
    assert Figures.of(small).burst_bytes == Figures.of(large).burst_bytes


def test_another_matrix_stays() -> None:
    """With 2,983 bytes all of W_hh fits instead of W_ih, and fewer bytes are streamed; but DRAM's latency binds."""
    wide = "dram.bandwidth_bytes_per_cycle=1000"
    small, large = (stats("edge_16x16", "lstm:20,24,t=8", "split_streamed", n, wide) for n in (2879, 2983))
    assert (small.latency_cycles, large.latency_cycles) == (1277, 1448)
    assert Figures.of(large).data_bytes < Figures.of(small).data_bytes


def test_parts_that_are_no_multiple_of_a_burst() -> None:
    """Parts of 2 rows of 16 bytes, a burst, then of 3, which take two: 4 rows of each gate stand in a tile."""
    small, large = (stats("edge_16x16", "lstm:16,16,t=8", "fused_streamed", n) for n in (163, 212))
    assert (Figures.of(small).burst_bytes, Figures.of(large).burst_bytes) == (17_536, 23_680)
    assert Figures.of(small).data_bytes == Figures.of(large).data_bytes
    assert large.latency_cycles < small.latency_cycles
