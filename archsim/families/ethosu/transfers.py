"""How many bytes of SRAM a vector takes: bursts are used as far as numbers lie side by side."""

from __future__ import annotations

from dataclasses import dataclass

BRICK = 16
"""Numbers of a brick: vectors inside the network lie in bricks, padded; states, x and outputs lie as they are."""

POSITIONS = 2
"""Positions of a micro-block side by side, which a burst crosses."""

WIDEST_WRITE_BITS = 512


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector in SRAM: how many numbers, of how many bits, and whether it lies in bricks."""

    size: int
    bits: int
    bricks: bool

    @property
    def padded(self) -> int:
        """The numbers that are moved for the whole vector."""
        return -(-self.size // BRICK) * BRICK if self.bricks else self.size

    def moved(self, count: int, block: int, burst: int, *, read: bool) -> int:
        """The bytes that moving `count` of its numbers takes, of a machine that works on blocks of so many."""
        side_by_side = min(burst, self._run_bits(block, read) // 8)
        return count * self.bits // 8 * burst // side_by_side

    def _run_bits(self, block: int, read: bool) -> int:
        whole = self.bits * POSITIONS * block
        if self.bricks:
            return whole if BRICK * self.bits // 8 == block else BRICK * self.bits * POSITIONS
        if self.size * self.bits // 8 == block and (read or block <= BRICK):
            return whole
        return self.bits * block if read else min(WIDEST_WRITE_BITS, BRICK * self.bits, self.bits * block)
