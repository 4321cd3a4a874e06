"""The machine around DRAM that reorders: its transfers are those of the controller that goes clock by clock."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.load import load_arch
from archsim.hardware.dram.ddr_unit import DdrDram
from archsim.hardware.dram.transfers import Transfer
from archsim.workload import load_workload
from tests.hardware.ddr_fr_fcfs import Brought, Rule, run
from tests.rings import examples
from tests.strategies import Case, cases

REORDERING = {
    "kind": "ddr",
    "device": "ddr4_3200",
    "channels": 2,
    "controller": {"kind": "fr_fcfs", "window": 4, "drain_from": 3, "drain_to": 1, "overtaken": 2},
    "controller_latency_cycles": 7,
}
RULE = Rule(4, 3, 1, 2)


@settings(max_examples=examples(20))
@given(cases(), st.integers(0, 3))
def test_transfers_of_a_run(drawn: Case, shift: int) -> None:
    """Given the cycles in which the machine starts them; ports may delay free and done, and results retire in order."""
    case = drawn.with_fields(
        {"dram": REORDERING, "dram_type": "ddr4", "clock_mhz": (800.0, 333.3, 1600.0, 2100.0)[shift]}
    )
    dram = case.units["dram"]
    assert isinstance(dram, DdrDram)
    trace, _ = case.execute()
    records = sorted((r for r in trace.records if _is_transfer(case, r)), key=lambda r: (r.phase, r.repetition, r.op))
    assume(records[-1].done < 8_000)
    layout, device = dram.config.layout(case.program.buffers), dram.config.device
    brought, ports, writes = [], [], []
    for record in records:
        op = case.program.phases[record.phase].ops[record.op]
        places: list[list[tuple[int, int, int, int]]] = [[], []]
        for piece in dram.pieces(op):
            first, stop = layout.byte_range(piece, record.repetition)
            for number in range(first // 64, -(-stop // 64)):
                rest, group = divmod(number // 2, 4)
                stripe, column = divmod(rest, device.row_bytes // 64)
                places[number % 2].append((group, stripe % 4, stripe // 4, column))
        brought.append(Brought(places, any(r.buffer.memory == "dram" for r in op.writes), record.start))
        ports.append(dram.port_cycles(op))
        writes.append(dram.write_cycles(op))
    _, times = run(device, RULE, 2, brought, dram.clocks_per_cycle, 7)
    last = 0
    for record, time, port, write in zip(records, times, ports, writes, strict=True):
        assert record.start == time.start
        assert record.free == max(time.free, time.start + port)
        last = max(time.done, record.free, time.port_from + port, last + write)
        assert record.done == last


def _is_transfer(case: Case, record: object) -> bool:
    return isinstance(case.program.phases[record.phase].ops[record.op], Transfer)  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["in_order", "fr_fcfs"])
def test_a_narrow_port_passes_nothing_before_the_first_data(kind: str) -> None:
    """A weight of 32 bits through a port of one bit, at 0.3 MHz: the load starts at 2 and holds the unit 32 cycles.

    (A cycle to issue, a cycle for the phase's token.) A cycle is 5,333 clocks of lpddr4_3200, so that the first data
    come within cycle 2 and are through the controller, which takes a cycle, in cycle 3: 3 .. 34 pass them, and the load
    is done at 35, not at 34.
    """
    dram = f"dram={{kind: ddr, device: lpddr4_3200, channels: 1, controller: {kind}, controller_latency_cycles: 1}}"
    texts = (
        "clock_mhz=0.3",
        "formats=float32",
        "weight_sram.port_bits=1",
        "weight_sram.banks=1",
        dram,
        "dram_type=lpddr4",
    )
    arch = load_arch("tiny_2x2", [parse_override(text) for text in texts])
    case = Case(arch.config, load_workload("lstm:1,1,t=1"), "fused_gate_major")  # type: ignore[arg-type]
    trace, _ = case.execute()
    first = trace.records[0]
    op = case.program.phases[0].ops[0]
    assert (case.units["dram"].port_cycles(op), first.start, first.free, first.done) == (32, 2, 34, 35)
    # Of the 32 cycles DRAM takes one or two, the others are the port's: all cycles of the unit are the run's.
    assert trace.units["dram"].total_cycles == trace.total_cycles
    assert trace.units["dram"].port_cycles > 8 * trace.units["dram"].compute_cycles


def test_single_ports_are_refused_beside_it() -> None:
    """In one line that says what is allowed."""
    texts = ("weight_sram.ports=1RW", f"dram={str(REORDERING).replace(chr(39), '')}", "dram_type=ddr4")
    with pytest.raises(ArchError, match="dram.controller fr_fcfs needs ports: 1R1W; weight_sram has 1RW"):
        load_arch("edge_16x16", [parse_override(text) for text in texts])


@pytest.mark.parametrize(
    ("controller", "message"),
    [
        ("{kind: in_order, window: 8}", "window: only of controller.kind fr_fcfs"),
        ("{kind: fr_fcfs, window: 8}", "drain_from at most the window; got 0, 48 and 8"),
        ("fcfs", "in_order"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(controller: str, message: str) -> None:
    dram = f"dram={{kind: ddr, device: ddr4_3200, channels: 1, controller: {controller}, controller_latency_cycles: 0}}"
    with pytest.raises(ArchError, match=message):
        load_arch("edge_16x16", [parse_override(text) for text in (dram, "dram_type=ddr4")])
