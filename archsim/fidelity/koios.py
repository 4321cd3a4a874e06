"""Compares Koios' benchmark lstm: exact."""

from __future__ import annotations

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.trace import Window
from archsim.workload import load_workload

SOURCE = "Verilog-to-Routing, benchmarks/verilog/koios/lstm.v, simulated at the register level (Icarus Verilog 11)"
INPUTS = "sizes, one row of each gate a cycle, read latency, the pipeline's length between bias, c and h"
WORKLOAD = "lstm:100,64,t=10"


def koios() -> tuple[Row, ...]:
    """The rows on cycles of a step, of ten, and until the first h is stored."""
    run = simulate(load_arch("koios_lstm"), load_workload(WORKLOAD), timing_only=True, window=Window(0, 10))
    body = run.program.phases[1]
    times = {
        (body.ops[record.op].label, record.repetition): record for record in run.trace.records if record.phase == 1
    }
    begin = times["mac[0]", 0].start
    figures = (
        ("first h is stored in cycle", 17, times["hidden[0]", 0].done - 1 - begin),
        ("cycles of a step", 81, run.stats.cycles_per_step),
        ("cycles of 10 steps", 810, times["hidden[63]", 9].done - begin),
    )
    return tuple(
        Row("koios_lstm", WORKLOAD, name, "cycles", published, simulated, 0.0, SOURCE, INPUTS, "when each op can start")
        for name, published, simulated in figures
    )
