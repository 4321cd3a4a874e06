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


def body(steps: int, unroll: int) -> Phase:
    """Blocks of so many steps, the first as full as `steps` leave it; a step is two tiles of h, an op between, h, and a
    tile of another layer that multiplies this h in the same step.

    Ops 5 p .. 5 p + 4 are those of place p. Tile 1 waits for the h of the place before, both tiles of the first place
    for that of the last place of the repetition before; tile 0 of the third place for that of the first.
    """
    missing = -steps % unroll
    ops: list[Op] = []
    deps: list[tuple[Dep, ...]] = []
    for place in range(unroll):
        parts = {
            "tile0": (H, SUMS),
            "tile1": (H, SUMS),
            "between": (SUMS, SUMS),
            "hidden": (SUMS, H),
            "next": (H, SUMS),
        }
        wrapped, before = _done(5 * unroll - 2, 1), _done(5 * place - 2, 0)
        waits = {"tile0": [wrapped] if not place else [_done(3, 0)] if place == 2 else []}
        waits |= {"tile1": [before] if place else [wrapped], "next": [_done(5 * place + 3, 0)]}
        for name, (source, target) in parts.items():
            ops.append(
                Part(
                    unit="u",
                    label=f"{name}+{place}",
                    source=source,
                    target=target,
                    skip_first=int(place < missing),
                    step_stride=unroll,
                    step_offset=place - missing,
                )
            )
            deps.append(tuple(waits.get(name, ())))
    return Phase("by hand", PhaseKind.BODY, -(-steps // unroll), tuple(ops), tuple(deps), steps=steps, unroll=unroll)


def _done(op: int, lag: int) -> Dep:
    return Dep(op, lag, After.DONE, Wait.RECURRENCE)


@pytest.mark.parametrize(
    ("steps", "unroll", "wraps", "within"),
    [
        (9, 3, Fraction(3, 9), [(6, 8)]),
        (7, 3, Fraction(2, 7), [(6, 8)]),
        (8, 3, Fraction(2, 8), [(6, 8)]),
        (4, 2, Fraction(2, 4), [(1, 3)]),
        (5, 1, Fraction(1), []),
    ],
)
def test_from_block_to_block_and_from_step_to_step_within_one(
    steps: int, unroll: int, wraps: Fraction, within: list[tuple[int, int]]
) -> None:
    """From the last h to both tiles of the next block, as often as place 0 takes part: of 9, 7, 8 steps 3, 2, 2 times.

    Within a block the last two places stand for all: tile 1 of the last waits for the h of the one before it, whose own
    tile 1 begins the chain, once a step. What waits for the h of its own step, or of two steps before, closes none.
    """
    last = 5 * unroll - 2
    expected = [Closing(tile, last, 1, wraps) for tile in (0, 1)]
    expected += [Closing(first, hidden, 1, Fraction(1)) for first, hidden in within]
    found = closing_chains(body(steps, unroll))
    assert sorted(found, key=lambda chain: (chain.first, chain.last)) == sorted(
        expected, key=lambda chain: (chain.first, chain.last)
    )
    assert [chain.first for chain in found] == sorted(chain.first for chain in found)
