"""DRAM of kind ddr: every command at exactly its clock, closed forms, bandwidth, addresses, and what is refused."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.families.load import load_arch
from archsim.formats import Float32, Formats
from archsim.hardware.dram.ddr_address import AddressMap, Layout, MappingName, lay_out
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_presets import DEVICES, SUMMARIES, TYPES
from archsim.hardware.dram.ddr_unit import DdrConfig, DdrDram, DdrSession
from archsim.hardware.dram.simple import SimpleDramConfig
from archsim.hardware.dram.transfers import Transfer
from archsim.hardware.unit import Service
from archsim.program.ir import Buffer, DataKind, Region
from tests.hardware.ddr_by_command import Command, Controller, History, distance, faults
from tests.rings import examples

WIDE = {"dram": None, "state_buffer": None}
MAPPINGS = ("row_bank_column_group_channel", "row_bank_group_column_channel")
CHANNELS = {"lpddr4_3200": 2, "ddr4_3200": 1, "hbm2_2000": 16}
SMALL = DdrDevice.model_validate(
    {
        "data_rate_mts": 2000,
        "channel_bits": 16,
        "burst_length": 4,
        "bank_groups": 2,
        "banks_per_group": 2,
        "rows_per_bank": 8,
        "row_bytes": 64,
        "trcd_nck": 5,
        "trp_nck": 4,
        "trp_all_nck": 6,
        "tras_nck": 11,
        "tcl_nck": 7,
        "tcwl_nck": 3,
        "tccd_s_nck": 2,
        "tccd_l_nck": 4,
        "trrd_s_nck": 3,
        "trrd_l_nck": 4,
        "tfaw_nck": 20,
        "trtp_nck": 3,
        "twr_nck": 6,
        "twtr_s_nck": 2,
        "twtr_l_nck": 5,
        "trtw_nck": 8,
        "trefi_nck": 400,
        "trfc_nck": 50,
    }
)
"""A device that can be followed by hand: bursts of 8 bytes, rows of 8 bursts, a row set of 2 groups of 16 bursts."""


def config(
    device: DdrDevice | str = SMALL, channels: int = 1, mapping: str = MAPPINGS[0], latency: int = 0
) -> DdrConfig:
    given = device if isinstance(device, str) else device.model_dump()
    return DdrConfig.model_validate(
        {
            "kind": "ddr",
            "device": given,
            "channels": channels,
            "address_mapping": mapping,
            "controller_latency_cycles": latency,
        }
    )


def unit(core_mhz: int | str = 1000, **fields: Any) -> DdrDram:
    return DdrDram(config(**fields), WIDE, Formats.model_validate("float32"), Fraction(core_mhz))


BYTES = 1 << 22
WORDS = Buffer("words", "dram", DataKind.X, BYTES // 4, 1, Float32())
ON_CHIP = Buffer("copy", "state_buffer", DataKind.H, BYTES // 4, 1, Float32())


def transfer(first_byte: int, byte_count: int, *, write: bool = False) -> Transfer:
    first, stop = first_byte // 4, (first_byte + byte_count) // 4
    there, here = Region(WORDS, first, stop), Region(ON_CHIP, first, stop)
    return Transfer(unit="dram", label="t", sources=(here if write else there,), target=there if write else here)


class Recorded:
    """A session whose commands are kept, for each channel."""

    def __init__(self, of: DdrDram) -> None:
        self.unit = of
        self.commands: list[list[Command]] = [[] for _ in range(of.config.channels)]
        logs = [lambda *c, into=into: into.append(Command(*c)) for into in self.commands]
        self.session = DdrSession(of, lay_out([WORDS], 1), logs)

    def run(
        self, start: int, first_byte: int, byte_count: int, *, write: bool = False, queued: int | None = None
    ) -> Service:
        op = transfer(first_byte, byte_count, write=write)
        return self.session.service(op, 0, start if queued is None else queued, start)

    def columns(self, channel: int = 0) -> list[int]:
        return [c.clock for c in self.commands[channel] if c.name in ("RD", "WR")]


# Every command at exactly its clock


@st.composite
def devices(draw: st.DrawFn) -> DdrDevice:
    """A device of any small times that go together."""
    groups, length = draw(st.sampled_from([1, 2, 4])), draw(st.sampled_from([2, 4, 8]))
    short = length // 2 + draw(st.integers(0, 3))
    times = {
        name: draw(st.integers(1, 24))
        for name in ("trcd", "trp", "tras", "tcl", "tcwl", "trtp", "twr", "trtw", "tfaw", "trrd_s", "twtr_s")
    }
    times["tccd_s"], times["tccd_l"] = short, draw(st.integers(short, groups * short))
    times["trrd_l"], times["twtr_l"] = (times[n] + draw(st.integers(0, 9)) for n in ("trrd_s", "twtr_s"))
    times["trp_all"] = times["trp"] + draw(st.integers(0, 6))
    times["trfc"] = draw(st.integers(1, 60))
    fields = {f"{name}_nck": value for name, value in times.items()}
    organization = {
        "data_rate_mts": 2000,
        "channel_bits": 8,
        "burst_length": length,
        "bank_groups": groups,
        "banks_per_group": draw(st.sampled_from([1, 2, 4])),
        "rows_per_bank": 64,
        "row_bytes": length * draw(st.sampled_from([1, 2, 8])),
    }
    trial = DdrDevice.model_validate({**organization, **fields, "trefi_nck": 1_000_000})
    refresh = trial.slowest_access_nck + draw(st.sampled_from([1, 10, 100, 5000]))
    return trial.model_copy(update={"trefi_nck": refresh})


@st.composite
def traffic(draw: st.DrawFn) -> list[tuple[int, int, bool, int, int]]:
    """Transfers: (first byte, bytes, write, cycles in the queue before the start, pause before that)."""
    count = draw(st.integers(1, 7))
    sizes = st.sampled_from([4, 8, 12, 16, 64, 128, 200, 400])
    pauses = st.sampled_from([0, 0, 0, 1, 3, 17, 90, 900])
    return [
        (4 * draw(st.integers(0, 250)), draw(sizes), draw(st.booleans()), draw(pauses), draw(pauses))
        for _ in range(count)
    ]


def expected(of: DdrDram, requests: list[tuple[int, int, bool, int, int]]) -> list[list[Command]]:
    """The commands of the slow controller, with addresses taken apart bit by bit."""
    d, channels = of.config.device, of.config.channels
    columns = d.row_bytes // d.burst_bytes
    per_clock = of.clocks_per_cycle
    found = []
    for channel in range(channels):
        controller = Controller(d)
        for first_byte, byte_count, write, queued, start in requests:
            bursts = []
            for burst in range(first_byte // d.burst_bytes, -(-(first_byte + byte_count) // d.burst_bytes)):
                rest, at = divmod(burst, channels)
                if at != channel:
                    continue
                if of.config.address_mapping == MAPPINGS[0]:
                    rest, group = divmod(rest, d.bank_groups)
                    rest //= columns
                else:
                    rest //= columns
                    rest, group = divmod(rest, d.bank_groups)
                row, bank = divmod(rest, d.banks_per_group)
                bursts.append((group, bank, row))
            kept = (lambda b: b[1:]) if of.config.address_mapping == MAPPINGS[0] else (lambda b: b)
            for _, run in groupby(bursts, key=kept):
                clocks = (-(-cycle * per_clock.numerator // per_clock.denominator) for cycle in (queued, start))
                controller.transfer(list(run), write, *clocks)
        found.append(sorted(controller.issued))
    return found


@settings(max_examples=examples(300))
@given(
    devices(), traffic(), st.sampled_from([1, 2]), st.sampled_from(MAPPINGS), st.sampled_from(["1000", "333.3", "1700"])
)
def test_every_command_is_issued_at_the_first_clock_at_which_it_is_legal(
    device: DdrDevice, requests: list[tuple[int, int, bool, int, int]], channels: int, mapping: str, core: str
) -> None:
    """Against a controller that knows nothing of runs; and against the table of distances alone."""
    recorded = Recorded(unit(core, device=device, channels=channels, mapping=mapping))
    now, times = 0, []
    for first_byte, byte_count, write, queue, pause in requests:
        queued, start = now + pause, now + pause + queue
        service = recorded.run(start, first_byte, byte_count, write=write, queued=queued)
        times.append((first_byte, byte_count, write, queued, start))
        now = start + service.occupancy_cycles
    for commands, want in zip(recorded.commands, expected(recorded.unit, times), strict=True):
        assert faults(device, commands) == []
        assert sorted(commands) == want


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("mapping", MAPPINGS)
def test_the_presets_commands_too(name: str, mapping: str) -> None:
    recorded = Recorded(unit(800, device=name, mapping=mapping))
    now, requests = 0, []
    for first_byte, byte_count, write in [
        (0, 3000, False),
        (2048, 9000, True),
        (64, 64, False),
        (70_000, 20_000, False),
    ]:
        service = recorded.run(now, first_byte, byte_count, write=write)
        requests.append((first_byte, byte_count, write, now, now))
        now += service.occupancy_cycles
    (commands,) = recorded.commands
    assert faults(recorded.unit.config.device, commands) == []
    assert sorted(commands) == expected(recorded.unit, requests)[0]


COMMANDS = ("ACT", "PRE", "PREA", "RD", "WR", "REF")


@pytest.mark.parametrize("first", COMMANDS)
@pytest.mark.parametrize("then", COMMANDS)
@pytest.mark.parametrize("place", ["bank", "group", "other"])
def test_the_checker_notices_a_clock(first: str, then: str, place: str) -> None:
    """Two commands at their distance are no fault, one clock closer they are: the oracle's own test."""
    needed = distance(SMALL, first, then, place == "bank", place != "other")
    other = {"bank": (0, 0), "group": (0, 1), "other": (1, 0)}[place]
    if needed is not None:
        history = [Command(100, first, 0, 0, 3)]
        replayed = History(SMALL)
        replayed.add(history[0])
        assert replayed.first_legal(Command(0, then, *other, 3)) == 100 + needed
        early = [*history, Command(100 + needed - 1, then, *other, 3)]
        assert any("too early" in fault for fault in faults(SMALL, early))
        assert not any("too early" in f for f in faults(SMALL, [*history, Command(100 + needed, then, *other, 3)]))


# Closed forms, by hand on SMALL at one clock a cycle


def test_a_closed_row_takes_trcd() -> None:
    """ACT 0, RD 0 + tRCD = 5; its turn on the bus ends 5 + tCCD_S = 7; data at 5 + CL 7 + 2 = 14."""
    recorded = Recorded(unit())
    service = recorded.run(0, 0, 8)
    assert recorded.commands == [[Command(0, "ACT", 0, 0, 0), Command(5, "RD", 0, 0, 0)]]
    assert (service.occupancy_cycles, service.latency_cycles) == (7, 14)


def test_an_open_row_takes_nothing() -> None:
    """The second transfer starts at 7; same group: RD not before 5 + tCCD_L = 9; other group's row is opened first.

    A third, at 200, finds the row open and everything long ago: RD at once, bus until 202, data at 209.
    """
    recorded = Recorded(unit())
    recorded.run(0, 0, 8)
    assert recorded.run(7, 16, 8).occupancy_cycles == 9 + 2 - 7
    service = recorded.run(200, 32, 8)
    assert recorded.columns() == [5, 9, 200]
    assert (service.occupancy_cycles, service.latency_cycles) == (2, 9)


def test_another_row_of_the_bank_takes_trp_and_trcd() -> None:
    """Row 1 of bank 0 begins 4 row sets (2 banks of 128 bytes) on, at byte 256.

    At 100: PRE 100, ACT + tRP = 104, RD + tRCD = 109. At 7 the row opened at 0 must stay open until tRAS = 11 first.
    """
    late = Recorded(unit())
    late.run(0, 0, 8)
    assert late.run(100, 256, 8).occupancy_cycles == 4 + 5 + 2
    assert [c.name for c in late.commands[0]] == ["ACT", "RD", "PRE", "ACT", "RD"]
    early = Recorded(unit())
    early.run(0, 0, 8)
    early.run(7, 256, 8)
    assert [c.clock for c in early.commands[0]] == [0, 5, 11, 15, 20]


def test_a_write_is_recovered_before_its_row_closes() -> None:
    """WR 5; PRE not before 5 + CWL 3 + 2 + tWR 6 = 16, later than tRAS; ACT 20, RD 25 (tWTR_L from 5: 15)."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 8, write=True)
    recorded.run(7, 256, 8)
    assert [c.clock for c in recorded.commands[0]] == [0, 5, 16, 20, 25]


def test_the_bus_turns_round() -> None:
    """RD 5, WR + tRTW = 13, RD in the group after 13 + 3 + 2 + tWTR_L 5 = 23, as all rows are open."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 8)
    recorded.run(7, 0, 8, write=True)
    recorded.run(15, 0, 8)
    assert recorded.columns() == [5, 13, 23]


def test_groups_take_turns() -> None:
    """ACT 0 and 3 (tRRD_S): RD 5, 8 (its ACT + 5), then every tCCD_S: 10, 12, ... 16 bursts end at 8 + 14 * 2 = 36."""
    recorded = Recorded(unit())
    service = recorded.run(0, 0, 128)
    assert recorded.columns() == [5, *range(8, 37, 2)]
    assert service.occupancy_cycles == 36 + 2


def test_one_group_alone_takes_tccd_l() -> None:
    """With the other mapping a row of 8 bursts lies in one group: 5, 9, 13, ... ; the next row is the other group's.

    Its ACT waits for the look-ahead, the first column at 5, and is hidden: its RD follows by tCCD_S at 33 + 2.
    """
    recorded = Recorded(unit(mapping=MAPPINGS[1]))
    recorded.run(0, 0, 72)
    assert recorded.columns() == [*range(5, 34, 4), 35]
    assert Command(5, "ACT", 1, 0, 0) in recorded.commands[0]


def test_the_next_row_set_is_opened_ahead() -> None:
    """The first row set as above: RD 5 .. 36. The second's ACTs, bank 1 of both groups: from 5 on, tRRD_S after 3: 6;
    then tRRD_L after ... group 1's last at 3: max(6 + 3, 3 + 4) = 9. Its RDs go on every 2 clocks from 38."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 256)
    assert [(c.clock, c.group) for c in recorded.commands[0] if c.name == "ACT"] == [(0, 0), (3, 1), (6, 0), (9, 1)]
    assert recorded.columns() == [5, *range(8, 8 + 31 * 2, 2)]


def test_rows_of_a_queued_transfer_are_opened_before_it_starts() -> None:
    """Queued at 20, started at 60: PRE 20, ACT 24, and the RD at 60, where a late ACT would have made it 69."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 8)
    recorded.run(60, 256, 8, queued=20)
    assert [c.clock for c in recorded.commands[0]] == [0, 5, 20, 24, 60]


def test_refresh_closes_all_and_costs_trfc() -> None:
    """Due at 400, which finds row 0 open: PREA 400, REF + tRPab = 406, ACT + tRFC = 456, RD 461."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 8)
    recorded.run(399, 8, 8)  # group 1's ACT at 399 is the last before it
    assert [(c.clock, c.name) for c in recorded.commands[0]][2:] == [
        (399, "ACT"),
        (410, "PREA"),
        (416, "REF"),
        (466, "ACT"),
        (471, "RD"),
    ]
    again = Recorded(unit())
    again.run(0, 0, 8)
    again.run(400, 16, 8)
    assert [(c.clock, c.name) for c in again.commands[0]][2:] == [
        (400, "PREA"),
        (406, "REF"),
        (456, "ACT"),
        (461, "RD"),
    ]


def test_refreshes_while_nothing_happens() -> None:
    """At 10,000 the refreshes due at 400, 800, ... 10,000 have been done, but the last, which comes first: REF 10,000
    (all is closed), ACT 10,050, RD 10,055."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 8)
    recorded.run(10_000, 0, 8)
    assert recorded.session.channels[0].refreshes == 25
    assert recorded.columns() == [5, 10_055]


@pytest.mark.parametrize(
    ("core", "occupancy", "latency"),
    [
        ("1000", 7, 14),
        ("500", 4, 7),  # 7 clocks are 3.5 cycles, 14 are 7
        ("300", 3, 5),  # 2.1 and 4.2
        ("3000", 21, 42),
        ("999.9", 7, 14),  # 6.9993 and 13.9986
        ("1000.1", 8, 15),  # 7.0007 and 14.0014
    ],
)
def test_device_clocks_become_whole_core_cycles(core: str, occupancy: int, latency: int) -> None:
    """The closed row's 7 and 14 clocks of 1 ns, at other core clocks; the controller's 3 cycles come on top."""
    service = Recorded(unit(core, latency=3)).run(0, 0, 8)
    assert (service.occupancy_cycles, service.latency_cycles) == (occupancy, latency + 3)


def test_a_start_between_two_clocks_waits_for_the_next() -> None:
    """At 3 core cycles a device clock: a start at cycle 1 is clock 1 (cycle 3): ACT 1, RD 6, bus free 8, cycle 24."""
    recorded = Recorded(unit("3000"))
    assert recorded.run(1, 0, 8).occupancy_cycles == 24 - 1


def test_a_narrow_port_passes_nothing_before_the_first_data() -> None:
    """8 bytes through a port of 4 bits, 16 cycles: a closed row's RD at 5, the first clock's data 5 + CL 7 + 1 = 13.

    The port passes them in cycles 12 .. 27, so that the load is done at 28; with 3 cycles of controller at 31. It holds
    the unit until 16. A store's operands have passed at 16, and WR 5 + CWL 3 + 2 is over by then: depth 3 of the turn.
    """
    of = DdrDram(
        config(latency=3), {"dram": None, "state_buffer": 4}, Formats.model_validate("float32"), Fraction(1000)
    )
    found = [DdrSession(of, lay_out([WORDS], 1)).service(transfer(0, 8, write=w), 0, 0, 0) for w in (False, True)]
    assert [(s.occupancy_cycles, s.latency_cycles) for s in found] == [(16, 28 + 3), (16, 16 + 3 + 3)]


@pytest.mark.parametrize("name", DEVICES)
@pytest.mark.parametrize("write", [False, True], ids=["read", "write"])
def test_streaming_bandwidth(name: str, write: bool) -> None:
    """Within 2 % of peak less refresh, the device's data sheet: bytes a clock * (1 - tRFC / tREFI)."""
    of = unit(800, device=name, channels=CHANNELS[name])
    recorded = DdrSession(of, lay_out([WORDS], 1))
    cycles = recorded.service(transfer(0, BYTES, write=write), 0, 0, 0).occupancy_cycles
    d = of.config.device
    peak = Fraction(repr(d.data_rate_mts)) * d.channel_bits / 8 * CHANNELS[name]  # MB/s
    formula = peak * (1 - Fraction(d.trfc_nck, d.trefi_nck))
    measured = Fraction(BYTES, cycles) * 800
    assert 0.98 * formula <= measured <= formula * Fraction(1001, 1000)


@pytest.mark.parametrize(
    ("name", "share", "presets"),
    [
        ("lpddr4_3200", 0.94, ("edge_16x16", "edge_64x64", "edge_64x64_q4_12")),
        ("ddr4_3200", 0.95, ()),
        ("hbm2_2000", 0.93, ("cloud_256x256",)),
    ],
)
def test_the_share_that_dram_of_kind_simple_has_is_measured(name: str, share: float, presets: tuple[str, ...]) -> None:
    """Reads and writes of 4 MiB, their mean to two places: what presets with such DRAM state; ddr4 has the default."""
    of = unit(800, device=name, channels=CHANNELS[name])
    d = of.config.device
    peak = Fraction(repr(d.data_rate_mts)) * d.channel_bits / 8 * CHANNELS[name] / 800  # bytes a cycle
    found = []
    for write in (False, True):
        service = DdrSession(of, lay_out([WORDS], 1)).service(transfer(0, BYTES, write=write), 0, 0, 0)
        found.append(BYTES / service.occupancy_cycles / peak)
    assert round(float(sum(found) / 2), 2) == share
    for preset in presets:
        dram = load_arch(preset).config.dram  # type: ignore[attr-defined]
        assert (TYPES[name], dram.efficiency) == (load_arch(preset).config.dram_type, share)  # type: ignore[attr-defined]
    if name == "ddr4_3200":
        assert SimpleDramConfig.model_fields["efficiency"].default == share


def test_without_bank_group_interleaving_ddr4_streams_at_half() -> None:
    """tCCD_L is twice tCCD_S: what the mapping is for."""
    cycles = [
        DdrSession(unit(800, device="ddr4_3200", mapping=m), lay_out([WORDS], 1))
        .service(transfer(0, BYTES), 0, 0, 0)
        .occupancy_cycles
        for m in MAPPINGS
    ]
    assert 1.9 < cycles[1] / cycles[0] < 2.0


# Bounds and addresses


@settings(max_examples=examples(100))
@given(devices(), traffic(), st.sampled_from([1, 2, 4]), st.sampled_from(["1000", "333.3", "1700"]))
def test_cycles_is_a_lower_bound(
    device: DdrDevice, requests: list[tuple[int, int, bool, int, int]], channels: int, core: str
) -> None:
    recorded = Recorded(unit(core, device=device, channels=channels, latency=2))
    now = 0
    for first_byte, byte_count, write, _, pause in requests:
        now += pause
        op = transfer(first_byte, byte_count, write=write)
        least, service = recorded.unit.cycles(op), recorded.session.service(op, 0, now, now)
        work = recorded.unit.work(op)
        assert work.items == byte_count
        assert work.items <= work.items_per_cycle * least.compute_cycles
        assert 1 <= least.compute_cycles <= service.compute_cycles
        assert least.depth_cycles <= service.depth_cycles
        now += service.occupancy_cycles


def test_the_bound_is_reached_on_open_rows() -> None:
    """32 bursts of two open rows, at tCCD_S each: 64 clocks; data 7 + 2 - 2 = 7 clocks after the last turn."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 256)
    op = transfer(0, 256)
    service = recorded.session.service(op, 0, 200, 200)
    assert (service.compute_cycles, service.depth_cycles) == (64, 7)
    least = recorded.unit.cycles(op)
    assert (least.compute_cycles, least.depth_cycles) == (64, 7)


@given(st.sampled_from([1, 2, 8]), st.sampled_from(MAPPINGS), st.integers(0, 5000), st.integers(1, 3000))
def test_runs_cover_every_burst_once(channels: int, mapping: MappingName, first: int, size: int) -> None:
    """Each burst of the range in its channel, row set and place: the fields of its number."""
    addresses = AddressMap(SMALL, channels, mapping)
    per_set = 16 if mapping == MAPPINGS[0] else 8
    seen: dict[int, int] = defaultdict(int)
    for channel in range(channels):
        for run in addresses.runs((first, first + size), channel):
            assert 0 <= run.first < run.first + run.count <= per_set
            for place in range(run.first, run.first + run.count):
                number = run.row * 2 + run.bank
                if run.group is not None:
                    number = number * 2 + run.group
                seen[(number * per_set + place) * channels + channel] += 1
    assert dict(seen) == dict.fromkeys(range(first // 8, -(-(first + size) // 8)), 1)


def test_layout() -> None:
    """Slots on whole bytes, buffers on multiples of the alignment, on-chip buffers nowhere; times of a sequence follow
    each other."""
    one = Buffer("one", "dram", DataKind.X, 3, 5, Float32(), None, 4)
    chip = Buffer("chip", "state_buffer", DataKind.H, 3, 5, Float32())
    two = Buffer("two", "dram", DataKind.W_IH, 7, 2, Float32(), matrix=True)
    layout = lay_out([one, chip, two], 256)
    assert layout == Layout({"one": (0, 60), "two": (256, 56)}, 312)
    # Five slots of 60 bytes end at 300, behind the first multiple of 256.
    assert lay_out([replace(one, length=5), two], 256) == Layout({"one": (0, 60), "two": (512, 56)}, 568)
    assert layout.byte_range(Region(one, 1, 2, offset=1, stride=1), 2) == (3 * 60 + 20, 3 * 60 + 40)
    assert layout.byte_range(Region(two, 3, 7), 0) == (256 + 24, 256 + 56)


def test_an_unknown_device_is_refused_with_the_names() -> None:
    with pytest.raises(
        ValueError, match="there is no device 'ddr9'; the devices are lpddr4_3200, ddr4_3200, hbm2_2000"
    ):
        config("ddr9")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("row_bytes", 96, "row_bytes 96 must be a power of two"),
        ("row_bytes", 4, "row_bytes 4 is less than a burst of 8 bytes"),
        ("tccd_s_nck", 1, "tccd_s_nck 1 is shorter than a burst on the bus, 2 nCK"),
        ("tccd_l_nck", 5, r"tccd_l_nck must be from tccd_s_nck to bank_groups \* tccd_s_nck"),
        ("trrd_l_nck", 2, "at least trrd_s_nck and twtr_s_nck"),
        ("trp_all_nck", 3, "trp_all_nck 3 is less than trp_nck 4"),
        ("trefi_nck", 100, "trefi_nck must be above"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(field: str, value: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(DdrDevice.model_construct(**{**SMALL.model_dump(), field: value}))


def test_a_refresh_and_the_slowest_access_fit_between_two_refreshes() -> None:
    """Rows are closed in tras + trtp + tcwl + a burst + twr + trp_all = 11 + 3 + 3 + 2 + 6 + 6 = 31 clocks, the
    refresh takes 50, the bus turns in trtw + tcwl + a burst + twtr_l = 8 + 3 + 2 + 5 = 18, the columns of two groups
    take 2 * 4, and their rows are open after 2 * trrd_l + tfaw + trcd = 8 + 20 + 5 = 33: 140."""
    fields = SMALL.model_dump()
    assert DdrDevice.model_validate({**fields, "trefi_nck": 141}).trefi_nck == 141
    with pytest.raises(ValueError, match="trefi_nck must be above 140: a refresh and a slow access"):
        DdrDevice.model_validate({**fields, "trefi_nck": 140})


def test_channels_are_a_power_of_two() -> None:
    with pytest.raises(ValueError, match="channels 3 must be a power of two"):
        config(channels=3)


@pytest.mark.parametrize("name", DEVICES)
def test_every_parameter_of_a_preset_has_its_source(name: str) -> None:
    """And is a field; a change beside the name keeps the others."""
    assert set(DEVICES[name]) == set(DdrDevice.model_fields) - {"preset", "dram_type"}
    assert all(source.strip() for _, source in DEVICES[name].values())
    assert SUMMARIES.keys() == TYPES.keys() == DEVICES.keys()
    changed = DdrDevice.model_validate({"preset": name, "trcd_nck": 17})
    assert changed == DdrDevice.model_validate(name).model_copy(update={"trcd_nck": 17})


@pytest.mark.parametrize(
    ("name", "gigabits", "in_channel", "nanoseconds"),
    [("lpddr4_3200", 4, 1, 180), ("ddr4_3200", 8, 8, 350), ("hbm2_2000", 2, 1, 260)],
)
def test_refresh_goes_with_the_density(name: str, gigabits: int, in_channel: int, nanoseconds: int) -> None:
    """So many chips or channels of a die in a channel, each of so many Gb: an 8 Gb LPDDR4 die has two channels of 4 Gb,
    whose tRFC is 180 ns (280 ns are that of 8 Gb a channel); a pseudo channel of HBM2 is half of 4 Gb."""
    device = DdrDevice.model_validate(name)
    assert device.channel_bytes * 8 == in_channel * gigabits * 2**30
    assert device.trfc_nck == -(-nanoseconds * device.clock_mhz // 1000)


def test_what_sources_of_the_presets_disagree_about() -> None:
    """tCCD_L of HBM2, 2 to 4 clocks in other tables: a stream takes turns between bank groups, and is the same to the
    clock. tRFC 280 ns instead of 180 in LPDDR4: (1 - 448 / 6,246) / (1 - 288 / 6,246) = 0.973 of the bandwidth."""

    def cycles(name: str, **changed: int) -> int:
        device = DdrDevice.model_validate({"preset": name, **changed})
        of = unit(1600, device=device, channels=1)
        return DdrSession(of, lay_out([WORDS], 1)).service(transfer(0, BYTES), 0, 0, 0).occupancy_cycles

    assert cycles("hbm2_2000", tccd_l_nck=2) == cycles("hbm2_2000", tccd_l_nck=4)
    assert cycles("lpddr4_3200") / cycles("lpddr4_3200", trfc_nck=448) == pytest.approx(0.973, abs=0.002)


def test_counts() -> None:
    """32 bursts of 2 row sets and 2 groups open 4 rows; then row 1 of bank 0, in the one group that it needs."""
    recorded = Recorded(unit())
    recorded.run(0, 0, 256)
    recorded.run(100, 256, 8)
    assert recorded.session.counts() == {"bursts": 33, "row_misses": 4, "row_conflicts": 1, "refreshes": 0}
    recorded.run(400, 0, 8)  # the refresh has closed row 1
    assert recorded.session.counts() == {"bursts": 34, "row_misses": 5, "row_conflicts": 1, "refreshes": 1}
