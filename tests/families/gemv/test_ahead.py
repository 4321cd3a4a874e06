"""The order `ahead`: W_ih x of some groups in the wait for h, by hand; how many are chosen; numbers in every bit."""

from __future__ import annotations

import re

import pytest

from archsim.api import simulate
from archsim.config import parse_override
from archsim.errors import CapacityError, ScheduleError
from archsim.families.gemv.ahead import ahead
from archsim.families.gemv.order import WorkOrder
from archsim.families.gemv.schedule import gemv_schedule
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.workload import load_workload

ORDERS = ("interleaved", "gate_major")


def stats(arch: str, workload: str, schedule: str, *sets: str) -> Stats:
    machine = load_arch(arch, [parse_override(text) for text in sets])
    return simulate(machine, load_workload(workload), schedule, timing_only=True).stats


@pytest.mark.parametrize(("groups", "cycles"), [(0, 35), (1, 31), (2, 29)])
def test_a_step_by_hand(groups: int, cycles: int) -> None:
    """LSTM(3, 2) on tiny_2x2, two groups of two tiles. From h, known in cycle 0, to the next h, known:

    None ahead (fused): 4 tiles of ceil(5 / 2) = 3 chunks, 12 cycles, and the last one drains (4). Each of what follows
    after its token (1): sigmoid of three gates (3), behind it tanh of g, visible 2 later (1 + 2), cell update (1 + 2),
    tanh of c (1 + 2), hidden update (1 + 1), a token: 12 + 4 + 4 + 3 + 4 + 4 + 3 + 1 = 35.
    One ahead: the two tiles of group 0 have 1 chunk of h each instead of 3, 4 cycles less: 31.
    Both ahead: 8 cycles less is 27, but the activation unit has still gates of group 0, whose last tile ends in cycle 2
    and is known in 7: sigmoid 7 to 10, tanh 10 to 11. Those of group 1 end in 4, are known in 9, and begin in 11, 2
    cycles late: 29.
    """
    found = stats("tiny_2x2", "lstm:3,2,t=12", "ahead", f"accumulators.ahead_groups={groups}")
    assert found.cycles_per_step == cycles


def test_all_that_the_wait_has_room_for() -> None:
    """LSTM(200, 1000) in Q4.12 on 64 x 64: 63 groups of 19 chunks fused, of 4 + 16 split.

    Fused the array works for 63 * 19 = 1,197 of 1,229 cycles. With k groups ahead it works for k cycles more, and h is
    there 3 k earlier: 1,197 + k and 1,229 - 3 k are both 1,205 with k = 8, for which there are just accumulators (512).
    With half of them 4 groups are left: 1,229 - 12. With more it stays at 8: any more would cost a cycle each.
    """
    case = ("edge_64x64_q4_12", "lstm:200,1000,t=12")
    assert stats(*case, "fused").cycles_per_step == 1229
    assert stats(*case, "ahead").cycles_per_step == 1205
    assert stats(*case, "ahead", "accumulators.entries=256").cycles_per_step == 1217
    assert stats(*case, "ahead", "accumulators.entries=1024").cycles_per_step == 1205
    assert stats(*case, "ahead", "accumulators.entries=1024", "accumulators.ahead_groups=10").cycles_per_step == 1207


def test_where_a_split_group_costs_nothing() -> None:
    """In int8 x and h are two accumulations: 63 groups of 4 + 16 chunks either way, 1,260 of 1,298 cycles.

    Of the wait of 38 cycles `ahead` fills 8 * 4, a group for each slot of the accumulators. `split` fills 7 * 4: while
    one group is multiplied the others are ahead all the time.
    """
    case = ("edge_64x64", "lstm:200,1000,t=12")
    assert [stats(*case, name).cycles_per_step for name in ("fused", "split", "ahead")] == [1298, 1270, 1266]


@pytest.mark.parametrize("gates", ORDERS)
def test_frames_have_none_ahead(gates: str) -> None:
    """The x of the next frame is not there while this one's h is on its way: the program is the fused one."""
    case = ("tiny_2x2", "lstm:3,2,t=9,layers=2,streaming=1")
    assert stats(*case, f"ahead_{gates}").latency_cycles == stats(*case, f"fused_{gates}").latency_cycles


def test_others_fill_the_wait_of_a_layer_in_a_wavefront() -> None:
    """Two layers of 16 cycles each on 16 x 16: while one drains the other multiplies, so that none runs ahead."""
    case = ("edge_16x16", "lstm:40,64,t=30,layers=2")
    found = [stats(*case, f"{name}_wavefront").cycles_per_step for name in ("fused", "ahead")]
    assert found[0] == found[1]


@pytest.mark.parametrize("gates", ORDERS)
@pytest.mark.parametrize(
    "workload",
    [
        "lstm:9,14,t=5",
        "lstm:9,14,t=5,proj=5",
        "lstm:9,14,t=5,bidirectional=1,layers=2",
        "gru:9,14,t=5",
        "gru:9,14,t=5 reset before",
        "rnn:9,40,t=5",
    ],
)
@pytest.mark.parametrize("groups", ["", "1", "3", "8"])
def test_numbers_in_every_bit(workload: str, gates: str, groups: str) -> None:
    """Accumulators of fractions, so that what is rounded when shows: rows ahead twice, the others once."""
    sets = ["formats=q3.8", "activation.method=table", "accumulators.entries=512"]
    sets += [f"accumulators.ahead_groups={groups}"] if groups else []
    machine = load_arch("edge_16x16", [parse_override(text) for text in sets])
    network, _, before = workload.partition(" ")
    options = [parse_override("linear_before_reset=false")] if before else []
    found = simulate(machine, load_workload(network, options), f"ahead_{gates}").validation
    assert found.passed
    assert found.checks


def test_more_than_the_accumulators_hold_is_refused() -> None:
    said = "3 groups ahead (accumulators.ahead_groups) of 64 each"
    with pytest.raises(CapacityError, match=re.escape(said)) as error:
        stats("edge_64x64", "lstm:20,200,t=4", "ahead", "accumulators.entries=128", "accumulators.ahead_groups=3")
    assert (error.value.need, error.value.have) == (192, 128)


def test_a_wrong_declaration_is_an_error() -> None:
    """Of two groups that are ahead one is declared."""
    order = WorkOrder("wrong", True, ahead, splits_sums=False, split_groups=lambda cell: 1)
    with pytest.raises(ScheduleError, match=r"wrong: 'mac_h\[1.0\]' adds W_hh h to .* and split_groups=1"):
        simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), gemv_schedule(order, "two ahead"))
