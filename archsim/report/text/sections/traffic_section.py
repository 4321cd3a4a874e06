"""Writes the bytes that each memory moves, by direction and kind of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics import Stats, declared
from archsim.metrics.traffic import DRAM, total_bytes
from archsim.report.text.figures_as_text import binary_bytes, significant
from archsim.report.text.layout import heading, sentence, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_DIRECTIONS = {"read": "read", "write": "written"}


def traffic(simulation: Simulation) -> list[RenderableType]:
    """The section on traffic: a table of all memories, then the operational intensity of each."""
    stats, about = simulation.stats, declared(Stats)
    rows: list[tuple[str, ...]] = []
    strong: list[int] = []
    for memory, directions in stats.traffic_bytes.items():
        total = total_bytes(stats.traffic_bytes, memory)
        strong.append(len(rows))
        intensity = significant(stats.operational_intensity_ops_per_byte[memory]) if total else "-"
        rows.append((memory, "all", f"{total:,}", binary_bytes(total), intensity))
        for direction, kinds in directions.items():
            for number, (kind, amount) in enumerate(kinds.items()):
                name = "" if number else f"  {_DIRECTIONS[direction]}"
                rows.append((name, kind, f"{amount:,}", binary_bytes(amount), ""))
    intensity_about = about["operational_intensity_ops_per_byte"]
    headers = ("memory", "data", about["traffic_bytes"].unit, "binary", intensity_about.unit)
    return [
        heading("Memory traffic over the whole run"),
        table(("<", "<", ">", ">", ">"), headers, rows, strong),
        sentence(
            f"{intensity_about.unit}: {intensity_about.meaning} ({intensity_about.formula}). "
            "DRAM bursts beyond the data cost time and energy, but are not counted as bytes here."
        ),
        *_by_phase(stats),
    ]


def _by_phase(stats: Stats) -> list[RenderableType]:
    """The table of DRAM's traffic by phase, beside the least, and in bursts; nothing without DRAM."""
    ratio = stats.dram_traffic_ratio
    if ratio is None:
        return []
    phases = {phase: traffic[DRAM] for phase, traffic in stats.phase_traffic_bytes.items()}
    run, least = stats.traffic_bytes[DRAM], stats.compulsory_dram_bytes
    rows: list[tuple[str, ...]] = []
    strong: list[int] = []
    for direction, name in _DIRECTIONS.items():
        strong.append(len(rows))
        columns = [*phases.values(), run, least]
        rows.append((name, "all", *(f"{sum(column[direction].values()):,}" for column in columns)))
        rows += [("", kind, *(_count(of[direction].get(kind, 0)) for of in columns)) for kind in run[direction]]
        blanks = [""] * len(phases)
        rows.append(("", "in bursts", *blanks, f"{stats.dram_burst_bytes[direction]:,}", ""))
    return [
        heading("DRAM traffic by phase", "bytes; least: what any machine must move"),
        table(("<", "<", *(">" * (len(phases) + 2))), ("", "data", *phases, "run", "least"), rows, strong),
        sentence(
            f"DRAM moves {significant(ratio)} times the least: weights, biases, x, h_0 and c_0 once "
            "in, output, h_n and c_n once out."
        ),
        *_dram(stats.dram_counts),
    ]


def _dram(counts: Mapping[str, int]) -> list[RenderableType]:
    """The sentence on what DRAM of kind ddr did."""
    if not counts:
        return []
    opened = counts["row_misses"] + counts["row_conflicts"]
    return [
        sentence(
            f"DRAM moved {counts['bursts']:,} bursts and opened {opened:,} rows for them, {counts['row_conflicts']:,} "
            f"in a bank with another row open; it was refreshed {counts['refreshes']:,} times (all channels together)."
        )
    ]


def _count(amount: int) -> str:
    return f"{amount:,}" if amount else "-"
