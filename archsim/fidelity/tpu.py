"""Compares TPU v1: where the cycles of LSTM0 went, and what the paper says of tiles and bandwidth."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.fidelity.row import SHARE, Row
from archsim.trace import Window
from archsim.workload import load_workload

SOURCE = "Jouppi et al., ISCA 2017"
NON_MATRIX = 0.179
"""Published share of cycles in which LSTM0 multiplied nothing and loaded nothing: an input here, since it depends on
layer sizes that are not published."""

LSTM0 = "lstm:768,768,layers=11,t=2,b=64"
"""11 layers of I = H = 768 have 11 * 4 * 768 * (768 + 768) = 51.9 M weights, as LSTM0's published 52 M; their number
and sizes are not published (inferred). All are multiples of 256, so that no tile is ragged."""

BATCH = 64

SHIFT_UNIT = "weight_shift"
"""The unit of the machine that shifts a tile of weights into the array."""

ABOUT_3 = 100 * 0.5 / 3
"""Percent within which a figure rounds to 3."""

SPLIT_INPUTS = "array, DRAM bandwidth, batch, 16-bit activations, non-matrix share 17.9 %; layer sizes inferred"
SPLIT_PREDICTED = "the split of the rest, and with it TOPS"


@dataclass(frozen=True, slots=True)
class Split:
    """The parts of the cycles in which tiles streamed: shares that sum to 1, and cycles for each tile."""

    active: float
    shift: float
    stall: float
    cycles_per_tile: float


def matrix_split(run: Simulation) -> Split:
    """Split the cycles between the first and the last tile of the recorded steps of the first body.

    The array is active while vectors pass; a wait for a tile is a shift as far as the tile is being shifted in then,
    and a stall on weights before that. Other waits are no matrix time.
    """
    number, body = next((n, p) for n, p in enumerate(run.program.phases) if p.name.startswith("body"))
    records = [record for record in run.trace.records if record.phase == number]
    shifts = [r for r in records if body.ops[r.op].unit == SHIFT_UNIT]
    passes = [r for r in records if body.ops[r.op].unit == run.arch.config.multipliers.unit]
    active = shift = stall = 0
    for n in range(1, len(passes)):
        before, now, loaded = passes[n - 1], passes[n], shifts[n]
        active += now.free - now.start
        ready = min(max(loaded.done, before.free), now.start)
        begun = min(max(loaded.start, before.free), ready)
        stall += begun - before.free
        shift += ready - begun
    total = active + shift + stall
    return Split(active / total, shift / total, stall / total, total / (len(passes) - 1))


def tpu() -> tuple[Row, ...]:
    """The rows of the machine."""
    return (*_lstm0(), *_tiles())


def _run(workload: str, *overrides: str) -> Simulation:
    arch = load_arch("tpu_v1", [parse_override(text) for text in overrides])
    loaded = load_workload(workload)
    return simulate(arch, loaded, timing_only=True, window=Window(0, loaded.spec.steps))


def _tops(split: Split) -> float:
    """The rate over all cycles, in 10^12 ops a second at 700 MHz.

    A tile has 256 x 256 weights, used for each sequence of the batch.
    """
    return 2 * 256 * 256 * BATCH / (split.cycles_per_tile / (1 - NON_MATRIX)) * 700e6 / 1e12


def _lstm0() -> tuple[Row, ...]:
    plain = matrix_split(_run(LSTM0))
    fast = matrix_split(_run(LSTM0, "dram.bandwidth_bytes_per_cycle=194.285714286"))
    scaled = 100 * (1 - NON_MATRIX)
    speedup = 1 / (NON_MATRIX + (1 - NON_MATRIX) * fast.cycles_per_tile / plain.cycles_per_tile)
    figures: tuple[tuple[str, str, float, float, float | None], ...] = (
        ("array active", SHARE, 8.2, scaled * plain.active, 2.0),
        ("weight stall", SHARE, 58.1, scaled * plain.stall, 2.0),
        ("weight shift", SHARE, 15.8, scaled * plain.shift, 2.0),
        ("throughput", "TOPS", 3.7, _tops(plain), 5.0),
        ("speed-up with memory bandwidth x 4 (published as about 3)", "x", 3, speedup, ABOUT_3),
    )
    return tuple(
        Row(
            "tpu_v1",
            f"LSTM0 as {LSTM0}",
            name,
            unit,
            published,
            simulated,
            tolerance,
            SOURCE,
            SPLIT_INPUTS,
            SPLIT_PREDICTED,
        )
        for name, unit, published, simulated, tolerance in figures
    )


def _tiles() -> tuple[Row, ...]:
    """The rows on tiles: a 600 x 600 matrix is one of the two of rnn:600,600.

    A tile's period is measured on both.
    """
    rows = []
    sizes = (("", 9, 18.0), ("systolic_array.rows=512 systolic_array.columns=512", 4, 32.0))
    for overrides, tiles, microseconds in sizes:
        run = _run("rnn:600,600,t=3,b=64", *overrides.split())
        body = next(phase for phase in run.program.phases if phase.name == "body")
        passes = [op for op in body.ops if op.unit == run.arch.config.multipliers.unit]
        period = matrix_split(run).cycles_per_tile
        what = "600 x 600 matrix" + (", array of 512 x 512" if overrides else "")
        inputs, predicted = "array, DRAM bandwidth", "tiles, and time between them (the paper rounds it to 2 us)"
        for name, unit, published, simulated, tolerance in (
            ("tiles", "tiles", tiles, len(passes) / 2, 0.0),
            ("time", "us", microseconds, len(passes) / 2 * period / 700, 5.0),
        ):
            rows.append(Row("tpu_v1", what, name, unit, published, simulated, tolerance, SOURCE, inputs, predicted))
    return tuple(rows)
