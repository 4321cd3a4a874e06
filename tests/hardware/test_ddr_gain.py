"""What a controller that reorders gains: the table of docs/microarchitecture/dram.md, transfers back to back."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from random import Random

import pytest

from archsim.api import simulate
from archsim.cli.options import load_inputs
from archsim.hardware.dram.ddr_address import lay_out
from archsim.hardware.dram.ddr_device import DdrDevice
from archsim.hardware.dram.ddr_unit import DdrConfig, DdrDram, DdrSession
from archsim.metrics import Stats
from tests.hardware.test_ddr import BYTES, WORDS, transfer
from tests.hardware.test_ddr_fr_fcfs import Request, simulated, unit

PAGE = (Path(__file__).parents[2] / "docs" / "microarchitecture" / "dram.md").read_text(encoding="utf-8")
_random = Random(1)
DRAWN = [_random.randrange(BYTES // 64) * 64 for _ in range(400)]


def drawn(count: int, size: int, *, mixed: bool) -> list[Request]:
    """Transfers to drawn places; `mixed`: every third is a write."""
    return [(at // size * size, size, mixed and n % 3 == 2, 0) for n, at in enumerate(DRAWN[:count])]


TRAFFIC: dict[str, list[Request]] = {
    "400 x a burst of 64 bytes, drawn over 4 MiB": drawn(400, 64, mixed=False),
    "400 x the same, every third a write": drawn(400, 64, mixed=True),
    "300 x 256 bytes, drawn, every third a write": drawn(300, 256, mixed=True),
    "100 x 1 KiB, drawn": drawn(100, 1024, mixed=False),
    "100 x 1 KiB, drawn, every third a write": drawn(100, 1024, mixed=True),
    "100 x 1 KiB, a stream that is read and one that is written in turns": [
        (n // 2 * 1024 + n % 2 * BYTES // 2, 1024, n % 2 == 1, 0) for n in range(100)
    ],
    "100 x 1 KiB, one behind the other": [(n * 1024, 1024, False, 0) for n in range(100)],
}


def in_order(of: DdrDram, requests: list[Request]) -> int:
    """The cycle in which all are done; each stands in the queue since the one before it started."""
    session, now, queued, end = DdrSession(of, lay_out([WORDS], 1)), 0, 0, 0
    for first, count, write, _ in requests:
        service = session.service(transfer(first, count, write=write), 0, queued, now)
        queued, now, end = now, now + service.occupancy_cycles, max(end, now + service.latency_cycles)
    return end


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TRAFFIC)
def test_the_table(name: str) -> None:
    """At a clock a cycle, with the defaults of the controller; both sides take 3 cycles of latency."""
    of = unit(DdrDevice.model_validate("ddr4_3200"), core="1600")
    plain = of.config.model_dump() | {"controller": "in_order"}
    ordered = DdrDram(DdrConfig.model_validate(plain), of.ports, of.formats, Fraction(1600))
    before = in_order(ordered, TRAFFIC[name])
    after = max(time.done for time in simulated(of, TRAFFIC[name])[1])
    assert f"| {name} | {before:,} | {after:,} | {(before - after) / before:.1%} |".replace("%", " %") in PAGE


def streamed(arch: str, workload: str, sram: str, device: str, *sets: str) -> Stats:
    """Figures of a run whose weights stream over one channel, 40 cycles of controller latency."""
    dram = f"dram={{kind: ddr, device: {device}, channels: 1, controller_latency_cycles: 40}}"
    kind = f"dram_type={device.split('_')[0]}"
    machine, work = load_inputs(arch, workload, [dram, kind, f"weight_sram.capacity_bytes={sram}", *sets])
    return simulate(machine, work, "fused_interleaved_streamed", timing_only=True).stats


REORDERS = "dram.controller={kind: fr_fcfs}"
LAYOUTS = ("weight_sram.stream_layout=model", "weight_sram.stream_layout=tiles")


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("layout", "name"),
    [
        (LAYOUTS[0], "weights: LSTM(200, 1000), edge_64x64, 4 MiB, 4 steps, in the model's order (cycles)"),
        (LAYOUTS[1], "the same, tile by tile"),
    ],
)
def test_the_rows_of_weights(layout: str, name: str) -> None:
    """Nearly all that in-order streaming of pieces loses, and what is left of it where tiles are contiguous."""
    runs = [
        streamed("edge_64x64", "lstm:200,1000,t=4", "4MiB", "ddr4_3200", layout, *more) for more in ((), (REORDERS,))
    ]
    before, after = (run.latency_cycles for run in runs)
    assert f"| {name} | {before:,} | {after:,} | {(before - after) / before:.1%} |".replace("%", " %") in PAGE


@pytest.mark.exhaustive
def test_what_it_may_lose() -> None:
    """A row is not opened before a burst for it is in the window; in order a run is looked ahead."""
    small = ("edge_16x16", "lstm:64,64,t=8", "16KiB", "lpddr4_3200")
    model, tiles = ([streamed(*small, layout, *more) for more in ((REORDERS,), ())] for layout in LAYOUTS)
    assert model[0].latency_cycles > model[1].latency_cycles
    text = " ".join(PAGE.split())
    for runs, said in (
        (model, "the model's order takes {:,} cycles, in order {:,} (a step {:,.0f} and {:,.1f})"),
        (tiles, "tile by tile {:,} and {:,} cycles, but a step {:,.0f} and {:,.0f}"),
    ):
        figures = [run.latency_cycles for run in runs] + [run.cycles_per_step for run in runs]
        assert said.format(*figures).replace(" cycles, but", ", but") in text
