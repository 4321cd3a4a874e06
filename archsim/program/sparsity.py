"""Says which weights of a matrix are kept where its sparsity is structured, and what storing them takes.

Each row is cut into groups of `of` neighbouring columns, from its first one on, and of a group `kept` weights are
stored: the n:m sparsity of Nvidia's A100, or, with wide groups, the banks of bank-balanced sparsity (Cao et al., FPGA
2019). All rows and groups have as many, so that every multiplier has work and a tile's time does not depend on where
the weights are.

A group's weights lie in the order of their columns, so that the i-th is in one of the columns i .. of - kept + i. Its
index counts from i: it needs ceil(log2(of - kept + 1)) bits, and its multiplier chooses among as many inputs. For 2 of
4 that are the 2 bits a weight which is common.
"""

from __future__ import annotations

from dataclasses import dataclass

from archsim.formats import NumberFormat


@dataclass(frozen=True, slots=True)
class Sparsity:
    """The sparsity of a matrix: of each `of` neighbouring columns of a row `kept` weights are stored."""

    kept: int
    of: int

    @property
    def choices(self) -> int:
        """Among how many inputs a multiplier chooses."""
        return self.of - self.kept + 1

    @property
    def index_bits(self) -> int:
        """The bits of a stored weight's index."""
        return (self.choices - 1).bit_length()

    def groups(self, inputs: int) -> int:
        """How many groups a row of so many columns has; the last one may have fewer columns."""
        return -(-inputs // self.of)

    def stored(self, inputs: int) -> int:
        """How many weights of a row of so many columns are stored; a narrower last group has at most `kept`, too."""
        whole, rest = divmod(inputs, self.of)
        return whole * self.kept + min(rest, self.kept)

    def row_bits(self, inputs: int, number_format: NumberFormat) -> int:
        """The bits of a row of so many columns, with its indexes."""
        stored = self.stored(inputs)
        return number_format.vector_bits(stored) + stored * self.index_bits

    def chunk_inputs(self, columns: int) -> int:
        """How many inputs so many multipliers of a row take at a time; `columns` is a multiple of `kept`."""
        return columns // self.kept * self.of


DENSE = Sparsity(1, 1)
"""All weights are kept, and none has an index."""
