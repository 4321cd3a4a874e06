"""Writes the tables of docs/memory.md: `python -m tools.docs.memory_table`; the prose is kept.

`--check` compares instead.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from archsim.api.evaluate import Evaluator
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.workload import load_workload
from tools.docs import DOCS

PAGE = DOCS / "memory.md"
CAPACITIES = ("8MiB", "4MiB", "1MiB", "64KiB")
STEPS = 70
WEIGHTS = {"int8": (), "float32": ("formats=float32", "activation.method=polynomial")}
"""Formats, and the method that stands for tables where gates are floating-point numbers."""
HEAD = (
    "| {} | W_ih, W_hh that stay, bytes | cycles a step | binds | cycles a run | DRAM bytes | bound | of the bound |\n"
    "|---|---:|---:|---|---:|---:|---:|---:|\n"
)


@dataclass(frozen=True, slots=True)
class Point:
    """One design: what the first column says, and its figures."""

    name: str
    stats: Stats

    @property
    def bound_cycles(self) -> float:
        """T times the largest bound of a step, and the phases before and after the steps."""
        stats = self.stats
        return stats.bounds[stats.binding_bound] * STEPS + stats.prologue_cycles + stats.epilogue_cycles

    @property
    def share(self) -> float:
        """Simulated cycles against that."""
        return self.stats.latency_cycles / self.bound_cycles

    @property
    def stays_bytes(self) -> tuple[int, int]:
        """Bytes of W_ih and of W_hh that stay in the weight SRAM, without the slots."""
        stored = self.stats.stored_bytes["weight_sram"]
        return stored.get("W_ih", 0), stored.get("W_hh", 0)

    @property
    def row(self) -> str:
        """As the page has it."""
        stats = self.stats
        dram = sum(sum(kinds.values()) for kinds in stats.traffic_bytes["dram"].values())
        w_ih, w_hh = self.stays_bytes
        return (
            f"| {self.name} | {w_ih:,}, {w_hh:,} | {stats.cycles_per_step:,.0f} | {stats.binding_bound} "
            f"| {stats.latency_cycles:,} | {dram:,} | {self.bound_cycles:,.0f} | {100 * self.share:.2f} % |"
        )

    @property
    def hoisted_row(self) -> str:
        """As the page has it of a hoisted schedule."""
        stats = self.stats
        dram = sum(sum(kinds.values()) for kinds in stats.traffic_bytes["dram"].values())
        w_ih, w_hh = self.stays_bytes
        assert stats.energy is not None
        return (
            f"| {self.name} | {w_ih:,}, {w_hh:,} | {stats.stored_bytes['state_buffer']['input_sums']:,} "
            f"| {stats.cycles_per_step:,.0f} | {stats.binding_bound} | {stats.latency_cycles:,} | {dram:,} "
            f"| {stats.energy.total_uj:,.0f} | {100 * self.share:.2f} % |"
        )


@dataclass(frozen=True, slots=True)
class Design:
    """LSTM(200, 1000), T = 70, on edge_64x64 with some fields changed."""

    name: str
    overrides: tuple[str, ...]
    schedule: str = "fused_streamed"

    def evaluated(self) -> Point:
        """Its figures; takes some seconds."""
        arch = load_arch("edge_64x64", [parse_override(text) for text in self.overrides])
        return Point(self.name, Evaluator().evaluate(arch, load_workload("lstm_200_1000_t70"), self.schedule).stats)


CAPACITY_DESIGNS = tuple(
    Design(f"{weights}, {capacity}", (*formats, f"weight_sram.capacity_bytes={capacity}"))
    for weights, formats in WEIGHTS.items()
    for capacity in CAPACITIES
)
"""Both widths of weights in SRAMs of four sizes."""

SMALL_SRAM = "weight_sram.capacity_bytes=4MiB"
SLOT_DESIGNS = (
    *(Design(f"{n} slots", (SMALL_SRAM, f"weight_sram.stream_slots={n}")) for n in (1, 2, 4)),
    *(Design(f"{n} B/cycle", (SMALL_SRAM, f"dram.bandwidth_bytes_per_cycle={n}")) for n in (32, 64)),
)
"""int8 weights in 4 MiB: slots, then DRAM of twice and four times the bandwidth."""

HOISTED_DESIGNS = tuple(
    Design(
        f"{capacity}, {k}",
        (
            f"weight_sram.capacity_bytes={capacity}",
            f"state_buffer.hoist_steps={k}",
            "state_buffer.capacity_bytes=256KiB",
        ),
        "hoisted_streamed",
    )
    for capacity, ks in (("4MiB", (1, 2, 4, 8)), ("1MiB", (1, 8)))
    for k in ks
)
"""int8 weights in 4 MiB and less, W_ih x of k steps at once, beside a state buffer that holds their sums."""


def hoisted_table(points: Sequence[Point]) -> str:
    """The table of hoisted schedules."""
    head = (
        "| int8, SRAM, k | W_ih, W_hh that stay, bytes | input sums, bytes | cycles a step | binds | cycles a run "
        "| DRAM bytes | energy, uJ | of the bound |\n|---|---:|---:|---:|---|---:|---:|---:|---:|\n"
    )
    return head + "".join(f"{found.hoisted_row}\n" for found in points)


def table(first: str, points: Sequence[Point]) -> str:
    """A table of the page."""
    return HEAD.format(first) + "".join(f"{found.row}\n" for found in points)


def tables() -> dict[str, str]:
    """Every table by its name."""
    return {
        "capacities": table("weights, SRAM", [design.evaluated() for design in CAPACITY_DESIGNS]),
        "slots and bandwidths": table("4 MiB, int8", [design.evaluated() for design in SLOT_DESIGNS]),
        "hoisted": hoisted_table([design.evaluated() for design in HOISTED_DESIGNS]),
    }


def filled(text: str, found: dict[str, str]) -> str:
    """The page with these tables between its marks."""
    for name, rows in found.items():
        if f"<!-- table:{name} -->\n" not in text:
            raise SystemExit(f"the page has no mark of the table {name!r}")

        def filled_in(found: re.Match[str], rows: str = rows) -> str:
            return found[1] + rows + found[2]

        text = re.sub(rf"(<!-- table:{name} -->\n).*?(<!-- end -->)", filled_in, text, flags=re.S)
    return text


def main() -> None:
    """Write or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page has other figures")
    text = PAGE.read_text(encoding="utf-8")
    made = filled(text, tables())
    if parser.parse_args().check and made != text:
        raise SystemExit("docs/memory.md has other figures: run python -m tools.docs.memory_table")
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()
