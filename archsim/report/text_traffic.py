"""Bytes that each memory moves, by direction and kind of data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.metrics import Stats, declared
from archsim.metrics.traffic import total_bytes
from archsim.report.layout import heading, sentence, table
from archsim.report.numbers import binary_bytes, significant

if TYPE_CHECKING:
    from rich.console import RenderableType

_DIRECTIONS = {"read": "read", "write": "written"}


def traffic(simulation: Simulation) -> list[RenderableType]:
    """A table of all memories, then the operational intensity of each."""
    stats, about = simulation.stats, declared(Stats)
    rows: list[tuple[str, ...]] = []
    strong: list[int] = []
    for memory, directions in stats.traffic_bytes.items():
        total = total_bytes(stats.traffic_bytes, memory)
        strong.append(len(rows))
        intensity = significant(stats.operational_intensity_ops_per_byte[memory])
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
            "DRAM bursts beyond the data cost time, but are not counted as bytes."
        ),
        *_dram(stats.dram_counts),
    ]


def _dram(counts: Mapping[str, int]) -> list[RenderableType]:
    """What DRAM of kind ddr did, in a sentence."""
    if not counts:
        return []
    opened = counts["row_misses"] + counts["row_conflicts"]
    return [
        sentence(
            f"DRAM moved {counts['bursts']:,} bursts and opened {opened:,} rows for them, {counts['row_conflicts']:,} "
            f"in a bank with another row open; it was refreshed {counts['refreshes']:,} times (all channels together)."
        )
    ]
