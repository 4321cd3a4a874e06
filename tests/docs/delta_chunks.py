"""Evaluates what docs/delta.md says of chunks: silero_vad's LSTM on `edge_16x16`, with the settings that it names."""

from __future__ import annotations

from archsim.api.evaluate import Evaluator
from archsim.families.gemv.deltas.chunks import step_chunks
from archsim.families.load import load_arch
from archsim.workload import load_workload
from archsim.workload.activity import LayerActivity
from tests.present import present

SETTINGS = (
    "formats=q8.14",
    "formats.weight=q2.6",
    "formats.input=q8.8",
    "formats.hidden=q8.8",
    "accumulators.entries=512",
    "weight_sram.port_bits=2048",
    "input_buffer.port_bits=256",
    "state_buffer.port_bits=256",
    "delta_encoder={lanes: 16, latency_cycles: 2, capacity_bytes: 4KiB, port_bits: 272}",
)
COLUMNS = (16, 4, 1)
INPUTS = HIDDEN = 128


def chunk_cells(threshold: str, evaluator: Evaluator, columns: tuple[int, ...] = COLUMNS) -> list[str]:
    """The cells of a row: columns multiplied, cycles a step, energy and chunks multiplied of each array, SQNR."""
    ordinary = threshold == "ordinary cell"
    workload = load_workload("silero_vad", [] if ordinary else [f"delta={threshold}"])
    cells, share, sqnr = [], "100 %", ""
    for count in columns:
        arch = load_arch("edge_16x16", [*SETTINGS, f"mac_array.columns={count}"])
        stats = evaluator.evaluate(arch, workload, "split_interleaved").stats
        cell = f"{stats.body_cycles / workload.spec.steps:,.0f}, {present(stats.energy).total_uj:.4g} uJ"
        if not ordinary:
            numbers = present(evaluator.own_numbers(arch, workload, "split_interleaved"))
            (layer,) = numbers.activity
            share = f"{100 * layer.columns / ((INPUTS + HIDDEN) * workload.spec.steps):.1f} %"
            sqnr = f"{present(numbers.accuracy.tensors[0].sqnr_db):.1f} dB"
            cell += f", {100 * chunk_share(layer, count):.0f} %"
        cells.append(cell)
    return [share, *cells, sqnr]


def chunk_share(layer: LayerActivity, columns: int) -> float:
    """The chunks of x and of h that are multiplied, as a share of all."""
    parts = [step_chunks(layer, first, size, columns) for first, size in ((1, INPUTS), (1 + INPUTS, HIDDEN))]
    return sum(step.count for part in parts for step in part) / (len(layer.steps) * (INPUTS + HIDDEN) // columns)
