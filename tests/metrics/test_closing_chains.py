"""Where the recurrence closes in a body whose repetitions have several time steps, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import pytest

from archsim.formats import Float32
from archsim.metrics.bounds import Closing, closing_chains
from archsim.program.ir import After, Buffer, DataKind, Dep, Op, Phase, PhaseKind, Region, Wait

H = Buffer("h", "state_buffer", DataKind.H, 1, 1, Float32())
SUMS = Buffer("sums", "accumulators", DataKind.PARTIAL_SUM, 1, 1, Float32())
STEPS_A_BLOCK = 3


@dataclass(frozen=True, kw_only=True)
class Part(Op):
    """An op of a time step: reads one buffer and writes another."""

    source: Buffer
    target: Buffer

    @property
    def reads(self) -> tuple[Region, ...]:
        return (Region(self.source, 0, 1),)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (Region(self.target, 0, 1),)

    @property
    def macs(self) -> int:
        return int(self.source is H)


def body(steps: int) -> Phase:
    """Blocks of 3 steps, the first as full as `steps` leave it: each step has two tiles of h, an op between, and h.

    Ops 4 p .. 4 p + 3 are tile 0, tile 1, between and hidden of place p. Tile 1 waits for the h of the place before,
    tile 0 of the first place, too, for that of the last place of the repetition before.
    """
    missing = -steps % STEPS_A_BLOCK
    ops: list[Op] = []
    deps: list[tuple[Dep, ...]] = []
    for place in range(STEPS_A_BLOCK):
        skipped, offset = int(place < missing), place - missing
        parts = {"tile0": (H, SUMS), "tile1": (H, SUMS), "between": (SUMS, SUMS), "hidden": (SUMS, H)}
        for name, (source, target) in parts.items():
            ops.append(
                Part(
                    unit="u",
                    label=f"{name}+{place}",
                    source=source,
                    target=target,
                    skip_first=skipped,
                    step_stride=3,
                    step_offset=offset,
                )
            )
            before = Dep(4 * place - 1, 0, After.DONE, Wait.RECURRENCE) if place else None
            wrapped = Dep(11, 1, After.DONE, Wait.RECURRENCE)
            waits = {"tile0": None if place else wrapped, "tile1": before or wrapped}.get(name)
            deps.append((waits,) if waits else ())
    repeat = -(-steps // STEPS_A_BLOCK)
    return Phase("by hand", PhaseKind.BODY, repeat, tuple(ops), tuple(deps), steps=steps, unroll=STEPS_A_BLOCK)


@pytest.mark.parametrize(("steps", "wraps"), [(9, Fraction(3, 9)), (7, Fraction(2, 7)), (8, Fraction(2, 8))])
def test_from_block_to_block_and_from_step_to_step_within_one(steps: int, wraps: Fraction) -> None:
    """From hidden+2 to both tiles of the next block, as often as place 0 takes part: 3 times of 9, 2 times of 7 or 8.

    Within a block the last two places stand for all: tile 1 of the last waits for the h of the one before it, whose own
    tile 1 begins the chain, once a step.
    """
    assert closing_chains(body(steps)) == (
        Closing(0, 11, 1, wraps),
        Closing(1, 11, 1, wraps),
        Closing(5, 7, 1, Fraction(1)),
    )
