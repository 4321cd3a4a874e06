"""Fills and reads through one port, derived by hand: who gets which cycle, and where the waiting is booked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from archsim.api.machine_spec import machine_spec
from archsim.engines.events import MachineSpec, Options, execute
from archsim.engines.events.ports import PortBook
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.registry import build_units
from archsim.formats import Float32
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import PortUse, Service
from archsim.metrics.stacks import cycle_stacks
from archsim.metrics.unit_facts import facts_of
from archsim.program.builder import build_phase
from archsim.program.ir import Buffer, DataKind, PhaseKind, Program, Region
from archsim.trace import Trace, Window
from tests.engines.events.by_hand import Job, Token, hand_machine, job_phase

Use = tuple[int, int] | tuple[int, int, tuple[int, ...]]
"""Cycles of reading and of writing; and, for each word that is read, those from its cycle to the end of the op."""


def times(
    body: Sequence[Job], uses: Mapping[str, Use], units: tuple[str, ...] = ("fill", "mac")
) -> tuple[dict[str, tuple[int, int, int]], Trace]:
    """Start, free and done of every op of one phase, and the trace. `uses`: by label."""
    phase = job_phase("0", body)
    services = (tuple(Service(job.occupancy, 0, job.depth) for job in body),)
    of_ops = tuple((PortUse("sram", *uses[job.label]),) if job.label in uses else () for job in body)
    spec = MachineSpec(units, services, 0, 64, {}, (of_ops,))
    trace = execute(Program("by hand", (), (phase,)), spec, Options(window=Window(0, 1)))
    return {body[r.op].label: (r.start, r.free, r.done) for r in trace.records}, trace


def test_tiles_step_aside_for_the_lines_of_a_fill() -> None:
    """The fill takes 8 cycles and 3 more until it is there: its two lines come at 3 + 4 - 1 = 6 and 3 + 8 - 1 = 10.

    Tiles read in each of their 4 cycles. The first has 0 1 2 3; the second 4 5 7 8, for 6 is taken; the third, from 9
    on, 9 11 12 13. So the tiles wait 1 cycle each for the port, the fill none.
    """
    body = [Job("fill1", 8, 3), Job("mac1", 4), Job("mac2", 4), Job("mac3", 4)]
    found, trace = times(body, {"fill1": (0, 2), "mac1": (4, 0), "mac2": (4, 0), "mac3": (4, 0)})
    assert found == {"fill1": (0, 8, 11), "mac1": (0, 4, 4), "mac2": (4, 9, 9), "mac3": (9, 14, 14)}
    assert (trace.units["mac"].compute_cycles, trace.units["mac"].port_cycles) == (12, 2)
    assert (trace.units["fill"].compute_cycles, trace.units["fill"].port_cycles) == (8, 0)


def test_what_a_tile_has_got_is_not_taken_back() -> None:
    """The tile takes 0 .. 5. The fill, from 2 on (after the mark), has lines at 2 and 3: both wait, for 6 and 7.

    Its last line comes 4 cycles late, so it holds its unit 2 + 4 cycles, until 8. The next tile starts at 6 and finds
    6 and 7 taken: 8 .. 11, until 12.
    """
    body = [
        Job("mark1", 2),
        Job("mac1", 6),
        Job("fill1", 2, 0, [Token("mark1")]),
        Job("mac2", 4),
    ]
    found, trace = times(body, {"mac1": (6, 0), "fill1": (0, 2), "mac2": (4, 0)}, ("mark", "fill", "mac"))
    assert found["fill1"] == (2, 8, 8)
    assert found["mac2"] == (6, 12, 12)
    assert trace.units["fill"].port_cycles == 4
    assert trace.units["mac"].port_cycles == 2


@pytest.mark.parametrize(
    ("units", "fill", "mac"), [(("fill", "mac"), (0, 2, 2), (0, 5, 5)), (("mac", "fill"), (0, 5, 5), (0, 3, 3))]
)
def test_in_the_same_cycle_the_order_of_the_units_decides(
    units: tuple[str, str], fill: tuple[int, int, int], mac: tuple[int, int, int]
) -> None:
    """A fill of 2 lines in 2 cycles and a tile of 3 reads, both at 0: one has 0 1, or 0 1 2, the other what follows."""
    body = [Job("mac1", 3), Job("fill1", 2)]
    found, _ = times(body, {"fill1": (0, 2), "mac1": (3, 0)}, units)
    assert found == {"fill1": fill, "mac1": mac}


def test_a_tile_with_cycles_to_spare_hides_the_fill() -> None:
    """A batch of 2: 8 cycles of work, 4 of reading; two lines at 1 and 3 leave 0 2 4 5: no cycle is lost."""
    found, trace = times([Job("fill1", 4), Job("mac1", 8)], {"fill1": (0, 2), "mac1": (4, 0)})
    assert found["mac1"] == (0, 8, 8)
    assert trace.units["mac"].port_cycles == 0


@pytest.mark.parametrize(
    ("first_line", "tails", "free"),
    [
        (0, (4, 2), 5),  # words in 1 and 2: step 0 in cycle 1, steps 1 to 3 behind it
        (0, (3, 2), 4),  # step 1 is the first to need a word, and has it in time
        (1, (4, 2), 4),  # words in 0 and 2: step 2, which needs the second, is in cycle 2
        (1, (4, 3), 5),  # step 1 needs it: step 0 in cycle 0, step 1 in 2, and two behind it
        (1, (), 4),  # no step waits for a word, all are there before the last cycle
    ],
)
def test_a_step_waits_for_its_words(first_line: int, tails: tuple[int, ...], free: int) -> None:
    """A tile of 4 steps that reads two words, and a line that is there in cycle 0, or 1, and goes first.

    From the cycle in which a word comes, the op takes at least 4 - n cycles if step n (from 0) needs it.
    """
    body = [Job("fill1", first_line + 1), Job("mac1", 4)]
    found, trace = times(body, {"fill1": (0, 1), "mac1": (2, 0, tails)})
    assert found["mac1"] == (0, free, free)
    assert trace.units["mac"].port_cycles == free - 4


def test_an_op_that_reads_and_writes() -> None:
    """3 cycles, depth 2: reads 0 1 2, lines at 2 and 3, 4 where even: ceil(3 / 3) + 1 = 2 is its own read's: 3, 4, 5.

    The last line was due at 4 and came at 5: one cycle late, so 4 cycles, done at 6.
    """
    found, _ = times([Job("fill1", 3, 2)], {"fill1": (3, 3)})
    assert found == {"fill1": (0, 4, 6)}


@pytest.mark.parametrize(("taken", "shallow"), [((), (2, 4, 10)), ((9,), (2, 5, 11)), ((3,), (2, 4, 10))])
def test_lines_stand_behind_the_op_before(taken: tuple[int, ...], shallow: tuple[int, int, int]) -> None:
    """An op of 2 cycles, depth 6, is done at 8. The one behind it, of depth 1, has lines in 3 and 4: they take 8 and 9.

    It has had its two cycles of the unit by then: free at 4, done at 10. Only where another has cycle 9, so that the
    second line takes 10, is the unit held up: free at 5, done at 11. Cycles 3 and 4 are nobody's then.
    """
    others = [Job(f"other{cycle}", 1, cycle) for cycle in taken]
    uses: dict[str, Use] = {job.label: (0, 1) for job in others}
    body = [*others, Job("unit1", 2, 6), Job("unit2", 2, 1)]
    found, trace = times(body, uses | {"unit1": (0, 1), "unit2": (0, 2)}, ("other", "unit"))
    assert found["unit1"] == (0, 2, 8)
    assert found["unit2"] == shallow
    assert trace.units["unit"].port_cycles == shallow[1] - 4


def test_the_book_finds_the_first_free_cycles() -> None:
    """Taken: 2 3 6. Three from 1 on: 1 4 5. Then one from 0 on: 0; two from 0 on: 7 8, in the book from cycle 5 on."""
    book = PortBook()
    assert [book.take(1, cycle) for cycle in (2, 3, 6)] == [2, 3, 6]
    assert book.take(3, 1) == 5
    assert book.take(1, 0) == 0
    book.advance(5)
    assert book.take(2, 5) == 8


WEIGHT = "weight_sram.ports=1RW"


def test_ports_of_real_ops() -> None:
    """128 bits a cycle on the 2 x 2 machine. A tile of 2 rows of 4 weights reads 8 * 32 bits: 2 cycles of its 2.

    A fill of 2 rows of 4 weights writes as much: 2 lines. It moves 32 bytes at 4 a cycle: 8 cycles, and 5 of latency:
    lines at 5 + 4 - 1 = 8 and 12. A word is the weights of a chunk: from the first one's cycle on a tile takes 2
    cycles, from the second one's on 1. A cycle after the phase, at 1, all have their first token, so lines at 9 and 13.
    Tiles follow each other from 1 on: 1 2, 3 4, 5 6, 7 8; the fifth 10 11, for 9 is taken, the sixth 12 14, the seventh
    15 16: one cycle each of wait_port in the fifth and the sixth.
    """
    arch = hand_machine(WEIGHT, "mac_array.multiplier_latency_cycles=0", "state_buffer.port_bits=512")
    f32 = Float32()
    dram = Buffer("there", "dram", DataKind.W_IH, 2, 4, f32, is_input=True, matrix=True)
    new = Buffer("new", "weight_sram", DataKind.W_IH, 2, 4, f32, matrix=True)
    old = Buffer("old", "weight_sram", DataKind.W_IH, 2, 4, f32, matrix=True)
    h = Buffer("h", "state_buffer", DataKind.H, 4, 1, f32)
    sums = Buffer("sums", "accumulators", DataKind.PARTIAL_SUM, 2, 1, f32)
    fill = Transfer(unit="dram", label="fill", sources=(Region(dram, 0, 2),), target=Region(new, 0, 2))
    tiles = [
        MacTile(
            unit="mac_array",
            label=f"mac{number}",
            weights=(Region(old, 0, 2),),
            vectors=(Region(h, 0, 4),),
            sums=Region(sums, 0, 2),
            start=True,
        )
        for number in range(7)
    ]
    program = Program("by hand", (dram, new, old, h, sums), (build_phase("0", PhaseKind.BODY, [fill, *tiles]),))
    units = build_units(arch.config)
    spec = machine_spec(program, arch, units)
    assert spec.port_uses[0][0] == (PortUse("weight_sram", 0, 2),)
    assert spec.port_uses[0][1] == (PortUse("weight_sram", 2, 0, (2, 1)),)
    assert not spec.static
    trace = execute(program, spec, Options(window=Window(0, 1)))
    found = {program.phases[0].ops[r.op].label: (r.start, r.free) for r in trace.records}
    assert found["fill"] == (1, 9)
    assert [found[f"mac{n}"] for n in range(7)] == [(1, 3), (3, 5), (5, 7), (7, 9), (9, 12), (12, 15), (15, 17)]
    stack = cycle_stacks(trace, facts_of(program, units))["mac_array"]
    assert stack["wait_port"] == 2
    assert hand_machine().config.single_ported == ()
    assert machine_spec(program, hand_machine(), build_units(hand_machine().config)).static
