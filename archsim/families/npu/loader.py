"""Models the loader, the end of every chain and the way in for x, and the way back from it into register files.

The loader takes a word a cycle; h and c are at the host when it has taken their last word. From there the words go into
register files, and a vector can be read when its last word is written and its tag is raised:
`write_back_latency_cycles` after the word has left the loader, and `tag_latency_cycles` more. A unit that reads its
registers ahead of its words needs them that much earlier.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Annotated

from pydantic import Field

from archsim.config.types import Cycles
from archsim.families.npu.chain_words import StreamOp, StreamUnit, Words
from archsim.formats import Formats
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.unit import UnitConfig
from archsim.program.ir import DataKind, Observed, Region


class LoaderConfig(UnitConfig):
    """Latencies of the write-back."""

    write_back_latency_cycles: Annotated[Cycles, Field(ge=1)] = Field(
        description="cycles from the loader to a register file"
    )
    tag_latency_cycles: Cycles = Field(description="cycles from the write of the last word to the tag of the vector")


class Deliver(StreamOp):
    """An op that takes the words of a chain, or of an input vector, and passes them on, to the host too."""


class Loader(StreamUnit[LoaderConfig]):
    """The unit that executes Deliver."""

    name = "ld"
    summary = "loader: takes the words of chains and of input vectors, a word a cycle, and gives the host its own"

    def _depth(self, op: StreamOp) -> int:
        return 0

    def _kernel(self, op: StreamOp, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: numbers move as they are stored."""
        if not isinstance(op, Deliver):
            raise self.refuse(op)
        return Kernel(lambda operands: tuple(operands[0].copy() for _ in op.targets))


class WriteBack(StreamOp):
    """An op that writes words that the loader has taken into registers."""

    @property
    def observed(self) -> tuple[Observed, ...]:
        """The cell state, if that is what the op writes."""
        target = self.targets[0]
        if target.buffer.kind is not DataKind.C:
            return ()
        return (Observed("c", 0, target.entries, target.start),)


class WriteBackPath(StreamUnit[LoaderConfig]):
    """The unit that executes WriteBack; `ahead_cycles`: how far ahead of its words a unit reads each memory."""

    name = "wb"
    summary = "write-back: the way of the loader's words into register files, and of the tags that say they are there"

    def __init__(self, config: LoaderConfig, formats: Formats, words: Words, ahead_cycles: dict[str, int]) -> None:
        super().__init__(config, formats, words)
        self._ahead_cycles = ahead_cycles

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, tuple(self._ahead_cycles.items()))

    def _depth(self, op: StreamOp) -> int:
        """The cycles from a word's first one on this way, which is the first of the latency, until its tag."""
        ahead = max(self._ahead(target) for target in op.targets)
        return self.config.write_back_latency_cycles - 1 + self.config.tag_latency_cycles + ahead

    def _ahead(self, target: Region) -> int:
        return self._ahead_cycles.get(target.buffer.memory, 0)

    def _kernel(self, op: StreamOp, numerics: Numerics) -> Kernel:
        """The arithmetic of an op: numbers move as they are stored."""
        if not isinstance(op, WriteBack):
            raise self.refuse(op)
        numerics.same(op.targets[1:], op.targets[0])
        return Kernel(lambda operands: tuple(operands[0].copy() for _ in op.targets))
