"""DRAM whose controller reorders: each command against a controller that goes clock by clock, and the rule by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import groupby

from hypothesis import event, given, settings
from hypothesis import strategies as st

from archsim.formats import Formats
from archsim.hardware.dram.ddr_address import lay_out
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_reorder_session import ReorderingSession
from archsim.hardware.dram.ddr_unit import DdrConfig, DdrDram, DdrSession
from archsim.hardware.overlap import Certain
from tests.hardware.ddr_by_command import Command, faults
from tests.hardware.ddr_fr_fcfs import Brought, Rule, Times, run
from tests.hardware.test_ddr import MAPPINGS, SMALL, WIDE, WORDS, devices, transfer
from tests.rings import examples

RULE = Rule(window=64, drain_from=48, drain_to=0, overtaken=256)
"""The defaults."""
Request = tuple[int, int, bool, int]
"""First byte, bytes, whether it writes, and the cycle before which it does not start."""


def unit(
    device: DdrDevice = SMALL, channels: int = 1, rule: Rule = RULE, core: str = "1000", mapping: str = MAPPINGS[0]
) -> DdrDram:
    """A unit whose controller follows a rule; 3 cycles of controller latency."""
    fields = {
        "kind": "ddr",
        "device": device.model_dump(),
        "channels": channels,
        "address_mapping": mapping,
        "controller": {"kind": "fr_fcfs", **vars(rule)},
        "controller_latency_cycles": 3,
    }
    return DdrDram(DdrConfig.model_validate(fields), WIDE, Formats.model_validate("float32"), Fraction(core))


def simulated(of: DdrDram, requests: list[Request], hurry: int = 0) -> tuple[list[list[Command]], list[Times]]:
    """What the model issues; `hurry`: cycles that it may go beyond what it asks for, as far as nothing can enter."""
    commands: list[list[Command]] = [[] for _ in range(of.config.channels)]
    logs = [lambda *c, into=into: into.append(Command(*c)) for into in commands]
    session = of.reordering_session(lay_out([WORDS], 1), logs)
    starts: list[int] = []
    frees: dict[int, int] = {}
    dones: dict[int, Certain] = {}
    for number, (first_byte, byte_count, write, earliest) in enumerate(requests):
        start = max(earliest, frees[number - 1]) if number else earliest
        _until(session, start, frees, dones)
        assert session.enter(transfer(first_byte, byte_count, write=write), 0, start) == number
        starts.append(start)
        while number not in frees:
            cycle = session.next_cycle()
            assert cycle is not None
            _advance(session, max(cycle, start) + hurry, frees, dones)
    while (cycle := session.next_cycle()) is not None:
        _advance(session, cycle, frees, dones)
    session.counts()
    times = [Times(starts[n], frees[n], dones[n].cycle, dones[n].port_from) for n in range(len(requests))]
    return commands, times


def _until(session: ReorderingSession, start: int, frees: dict[int, int], dones: dict[int, Certain]) -> None:
    """Nothing enters before `start`."""
    while (cycle := session.next_cycle()) is not None and cycle < start:
        _advance(session, start, frees, dones)


def _advance(session: ReorderingSession, cycle: int, frees: dict[int, int], dones: dict[int, Certain]) -> None:
    for certain in session.advance(cycle):
        assert certain.ticket not in (dones if certain.done else frees)
        if certain.done:
            dones[certain.ticket] = certain
        else:
            frees[certain.ticket] = certain.cycle


def expected(of: DdrDram, rule: Rule, requests: list[Request]) -> tuple[list[list[Command]], list[Times]]:
    """What the controller that goes clock by clock issues, with addresses taken apart bit by bit."""
    d, channels = of.config.device, of.config.channels
    columns = d.row_bytes // d.burst_bytes
    brought = []
    for first_byte, byte_count, write, earliest in requests:
        of_channels: list[list[tuple[int, int, int, int]]] = [[] for _ in range(channels)]
        for burst in range(first_byte // d.burst_bytes, -(-(first_byte + byte_count) // d.burst_bytes)):
            rest, channel = divmod(burst, channels)
            if of.config.address_mapping == MAPPINGS[0]:
                rest, group = divmod(rest, d.bank_groups)
                rest, column = divmod(rest, columns)
            else:
                rest, column = divmod(rest, columns)
                rest, group = divmod(rest, d.bank_groups)
            row, bank = divmod(rest, d.banks_per_group)
            of_channels[channel].append((group, bank, row, column))
        brought.append(Brought(of_channels, write, earliest))
    return run(d, rule, channels, brought, of.clocks_per_cycle, 3)


def trimmed(commands: list[Command]) -> list[Command]:
    """Up to the last read or write, in order: what a channel does that has nothing left to do is nobody's business."""
    found = sorted(commands)
    while found and found[-1].name not in ("RD", "WR"):
        found.pop()
    return found


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    window = draw(st.integers(2, 12))
    drain_from = draw(st.integers(1, window))
    return Rule(window, drain_from, draw(st.integers(0, drain_from - 1)), draw(st.sampled_from([1, 2, 5, 64])))


@st.composite
def requests_of(draw: st.DrawFn) -> list[Request]:
    """Few transfers of few bursts to few rows, mostly without a pause: what there is is to be in the window at once."""
    at, found = 0, []
    for _ in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from([0, 0, 0, 0, 2, 11, 70]))
        size = draw(st.sampled_from([4, 8, 16, 40, 120]))
        found.append((4 * draw(st.integers(0, 150)), size, draw(st.booleans()), at))
    return found


@settings(max_examples=examples(100))
@given(
    devices(),
    requests_of(),
    rules(),
    st.sampled_from([1, 2]),
    st.sampled_from(MAPPINGS),
    st.sampled_from(["1000", "333.3", "1700"]),
    st.sampled_from([0, 1, 50]),
)
def test_every_command_is_that_of_a_controller_that_goes_clock_by_clock(
    device: DdrDevice,
    requests: list[Request],
    rule: Rule,
    channels: int,
    mapping: str,
    core: str,
    hurry: int,
) -> None:
    """Command for command, and start, free and done of each transfer; nothing is too early by the table alone."""
    of = unit(device, channels, rule, core, mapping)
    want, want_times = expected(of, rule, requests)
    found, times = simulated(of, requests, hurry)
    for commands, wanted in zip(found, want, strict=True):
        assert faults(device, commands) == []
        assert trimmed(commands) == trimmed(wanted)
    assert times == want_times
    in_place = [c for c in want[0] if c.name in ("RD", "WR")]
    event(f"{len(list(groupby(c.name for c in in_place)))} runs of reads or writes")


# By hand, on SMALL at one clock a cycle: bursts of 8 bytes; bank 0 has row 0 from byte 0 and row 1 from byte 256 on;
# every fourth burst from byte 0 on is of bank group 0


def test_an_open_row_goes_first() -> None:
    """A at byte 0, B in row 1 of its bank, C in row 0 again, all of one group; they enter every tCCD_S, at 0, 2 and 4.

    ACT 0 and RD A at 5 (tRCD). C's RD tCCD_L later, at 9; as long as it waits the bank is not closed for B. PRE at 12
    (RD 9 + tRTP 3; tRAS is over at 11), ACT 16 (tRP), RD B 21. Data are there CL 7 + 2 clocks after the RD, and the
    controller takes 3 cycles: A 17, C 21, B 33. The first clock's data come 7 clocks after the RD, so that a port takes
    them 3 cycles on, in cycle 15, 19 and 31, and no earlier.
    """
    (commands,), times = simulated(unit(), [(0, 8, False, 0), (256, 8, False, 0), (32, 8, False, 0)])
    assert [(c.clock, c.name, c.row) for c in commands] == [
        (0, "ACT", 0),
        (5, "RD", 0),
        (9, "RD", 0),
        (12, "PRE", 0),
        (16, "ACT", 1),
        (21, "RD", 1),
    ]
    assert times == [Times(0, 2, 17, 15), Times(2, 4, 33, 31), Times(4, 6, 21, 19)]


def test_a_burst_is_passed_only_so_often() -> None:
    """As above with D, byte 64, in row 0, too, entering at 6. If it may pass B, its RD is at 13, and B's PRE at 16 (RD
    13 + 3), ACT 20, RD 25. If one burst alone may, B is next: PRE 12, ACT 16, RD 21; then D's PRE at 27 (tRAS 11 after
    the ACT), ACT 31, RD 36."""
    requests: list[Request] = [(0, 8, False, 0), (256, 8, False, 0), (32, 8, False, 0), (64, 8, False, 0)]
    for overtaken, reads in ((2, [5, 9, 13, 25]), (1, [5, 9, 21, 36])):
        (commands,), _ = simulated(unit(rule=Rule(64, 48, 0, overtaken)), requests)
        assert [c.clock for c in commands if c.name == "RD"] == reads


def test_counts_of_channels_that_reorder() -> None:
    """A and C of row 0, B of row 1 in its bank: one row is opened in a closed bank, one where another has to be closed.

    D in row 0 after the refresh of clock 400 opens it again, in a bank that is closed. In two channels bursts take
    turns: the first four bursts are two in each, of one group and two, so that each channel opens two rows.
    """
    session = unit().reordering_session(lay_out([WORDS], 1))
    for first_byte in (0, 256, 32):
        session.enter(transfer(first_byte, 8), 0, 0)
    assert session.counts() == {"bursts": 3, "row_misses": 1, "row_conflicts": 1, "refreshes": 0}
    session.enter(transfer(0, 8), 0, 420)
    assert session.counts() == {"bursts": 4, "row_misses": 2, "row_conflicts": 1, "refreshes": 1}
    both = unit(channels=2).reordering_session(lay_out([WORDS], 1))
    both.enter(transfer(0, 32), 0, 0)
    assert both.counts() == {"bursts": 4, "row_misses": 4, "row_conflicts": 0, "refreshes": 0}


def test_writes_wait_until_there_are_enough_of_them() -> None:
    """Read, write, read, write, all in one row and group; they enter at 0, 2, 4 and 6. ACT 0, RD 5.

    At 6 two writes wait. If writes begin with two: WR at 13 (RD 5 + tRTW 8) and 17 (tCCD_L); none is left, and the
    second RD follows at 27 (17 + CWL 3 + 2 + tWTR_L 5). If they begin with three, that RD is at 9, and as no read is
    left, the WR at 17 and 21. A store is done 3 cycles after it is free, two clocks after
    it has entered, or as long after its last word has passed the port, from its start on.
    """
    requests: list[Request] = [(0, 8, False, 0), (16, 8, True, 0), (32, 8, False, 0), (48, 8, True, 0)]
    for drain_from, columns in ((2, [5, 13, 17, 27]), (3, [5, 9, 17, 21])):
        (commands,), times = simulated(unit(rule=Rule(4, drain_from, 0, 64)), requests)
        assert [c.clock for c in commands if c.name in ("RD", "WR")] == columns
        assert times[1] == Times(2, 4, 7, 5)
        assert times[3] == Times(6, 8, 11, 9)


def test_a_read_does_not_pass_a_write_to_its_place() -> None:
    """The read of byte 8 (the other bank group) enters at 2 and passes the write of byte 0; that of byte 0 cannot.

    The write's turn begins at 0, as no read is there; ACT 0. At 2 a read may go, and one write is at most drain_to: ACT
    3 of the other group (tRRD_S), RD 8. Then the write alone may go: WR 16 (RD + tRTW), and the read of its place at 26
    (16 + CWL 3 + 2 + tWTR_L 5).
    """
    requests: list[Request] = [(0, 8, True, 0), (8, 8, False, 0), (0, 8, False, 0)]
    (commands,), _ = simulated(unit(rule=Rule(4, 3, 1, 64)), requests)
    assert [(c.clock, c.name, c.group) for c in commands] == [
        (0, "ACT", 0),
        (3, "ACT", 1),
        (8, "RD", 1),
        (16, "WR", 0),
        (26, "RD", 0),
    ]


def test_reordering_gains_most_on_small_random_transfers() -> None:
    """400 bursts drawn over 4 MiB of ddr4_3200, alone and with every third a write, in order and with the window of 64.

    In order a row is opened ahead of one burst alone, so that two banks work at a time: about tRAS + tRP = 74 clocks
    for two bursts. Reordered up to 16 banks do, and tFAW binds, 34 clocks for four: 8.5 a burst, less what waits
    for the same row of 512.
    """
    of = unit(DdrDevice.model_validate("ddr4_3200"), core="1600")
    for every_third in (False, True):
        places = [64 * (place * 48_271 % 65_521) for place in range(1, 401)]
        requests = [(at, 64, every_third and n % 3 == 2, 0) for n, at in enumerate(places)]
        _, times = simulated(of, requests)
        reordered = max(time.done for time in times)
        in_order, now = DdrSession(of, lay_out([WORDS], 1)), 0
        for first, count, write, _ in requests:
            service = in_order.service(transfer(first, count, write=write), 0, 0, now)
            now += service.occupancy_cycles
        assert now / reordered > 1.8
        if not every_third:
            assert 400 * 8.5 * 0.9 <= reordered < 400 * 8.5 * 1.25
