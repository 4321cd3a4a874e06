"""Counts the words that stream from unit to unit: what the vector units of a chain have in common.

A word is `elements` numbers of one vector. A vector of n numbers is ceil(n / elements) words for each sequence of the
batch that a core works on; cores work side by side on sequences of their own. A unit takes one word a cycle.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic

from archsim.formats import Formats
from archsim.hardware.constants import MoveConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Tally
from archsim.hardware.unit import ConfigT, Unit, Work, ceil_div
from archsim.program.ir import Op, Region


@dataclass(frozen=True, slots=True)
class Words:
    """The size of a word, and how sequences are dealt out.

    `elements`: numbers of a word; `cores`: sequences are dealt out to so many, which work side by side.
    """

    elements: int
    cores: int

    def words_of(self, region: Region) -> int:
        """How many words of a region (n, B) a core has, the core with the most sequences."""
        return ceil_div(region.entries, self.elements) * ceil_div(region.buffer.width, self.cores)


@dataclass(frozen=True, kw_only=True)
class Idle(Op):
    """An op for cycles that an instruction takes a unit without a number passing: the unit left out, or padding."""

    cycles: int

    @property
    def reads(self) -> tuple[Region, ...]:
        return ()

    @property
    def writes(self) -> tuple[Region, ...]:
        return ()


@dataclass(frozen=True, kw_only=True)
class StreamOp(Op):
    """An op that takes the words of `source`, one a cycle, to each of `targets` (all of as many numbers).

    `padding`: further words, of no numbers, that pass with them. `vectors`: whole register vectors, of which the op
    reads `operands`; it starts when all of each is written.
    """

    source: Region
    targets: tuple[Region, ...]
    padding: int = 0
    vectors: tuple[Region, ...] = ()

    @property
    def operands(self) -> tuple[Region, ...]:
        """The register operands, read beside the stream."""
        return ()

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.source, *self.operands)

    @property
    def writes(self) -> tuple[Region, ...]:
        return self.targets

    @property
    def awaits(self) -> tuple[Region, ...]:
        return self.vectors


class StreamUnit(Unit[ConfigT], Generic[ConfigT]):
    """A unit that takes a word a cycle."""

    item_name = "value"

    def __init__(self, config: ConfigT, formats: Formats, words: Words) -> None:
        super().__init__(config, {}, formats)
        self.words = words

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, self.words)

    def port_cycles(self, op: Op) -> int:
        """The cycles of the ports: 0, since every register file and FIFO passes a word a cycle."""
        return 0

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which results retire apart from others': 0, since words never meet.

        They leave in the order in which they came, one a cycle, and all of a unit's ops are as deep.
        """
        return 0

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: one for each word on a core, padding and words without a number too."""
        if isinstance(op, Idle):
            return op.cycles
        stream = self._stream(op)
        return self.words.words_of(stream.targets[0]) + stream.padding

    def depth_cycles(self, op: Op) -> int:
        if isinstance(op, Idle):
            return 0
        return self._depth(self._stream(op))

    def tally(self, op: Op) -> Tally:
        """The registers that each word passes: one for each of its bits, written once."""
        return Counter() if isinstance(op, Idle) else Counter({REGISTER_BIT: self._stream(op).targets[0].bits})

    def inventory(self) -> Tally:
        """A register of a word on each core."""
        return Counter({REGISTER_BIT: self.words.elements * self.words.cores * self.formats.format("accumulator").bits})

    def work(self, op: Op) -> Work:
        """The work of an op: values on their way, of those that fit into the words of all cores."""
        per_cycle = Fraction(self.words.elements * self.words.cores)
        if isinstance(op, Idle):
            return Work(0, per_cycle)
        target = self._stream(op).targets[0]
        # A load of x comes in the tiles' words, which may hold more numbers than a word of the chains: then it takes
        # fewer cycles than the numbers would in those, each of them useful.
        most = self.compute_cycles(op) * self.words.elements * self.words.cores
        return Work(min(target.entries * target.buffer.width, most), per_cycle)

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        if isinstance(op, Idle):
            return Kernel(lambda operands: ())
        return self._kernel(self._stream(op), numerics)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        """The integers of the op: numbers move as they are stored, unless the unit says otherwise."""
        return MoveConstants()

    def _stream(self, op: Op) -> StreamOp:
        if not isinstance(op, StreamOp) or op.unit != self.name:
            raise self.refuse(op)
        return op

    @abstractmethod
    def _depth(self, op: StreamOp) -> int:
        """The cycles from the end of the occupancy until the last word is through."""

    @abstractmethod
    def _kernel(self, op: StreamOp, numerics: Numerics) -> Kernel:
        """The arithmetic of an op."""
