"""The rows of latencies of several streams: cycles, and microseconds at the machine's clock."""

from __future__ import annotations

from fractions import Fraction

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.report.text.sections.frames_section import _arrivals, _us
from archsim.workload import load_workload
from tests.present import present


def test_each_stream_has_its_longest_in_cycles_and_microseconds() -> None:
    """At 100 MHz 100 cycles are a microsecond."""
    workload = load_workload("lstm:3,2,t=6,streaming=1,streams=2,period_us=1")
    run = simulate(load_arch("tiny_2x2"), workload, timing_only=True)
    arrivals = present(present(run.frames).arrivals)
    rows = {row[0]: (row[1], row[2]) for row in _arrivals(arrivals, Fraction(100))}
    for number, stream in enumerate(arrivals.streams):
        cycles = stream.max_cycles
        assert rows[f"stream {number} max"] == (f"{cycles:,} cycles", _us(cycles / 100))
    assert rows["latency max"] == (f"{arrivals.max_cycles:,} cycles", _us(float(arrivals.max_cycles) / 100))
    assert len(arrivals.streams) == 2
