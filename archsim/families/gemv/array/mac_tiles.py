"""Defines what a MAC array executes: a tile of one time step, or of a block of several."""

from __future__ import annotations

from dataclasses import dataclass

from archsim.program.ir import DataKind, Op, Region


@dataclass(frozen=True, kw_only=True)
class MacTile(Op):
    """An op that makes sums (+)= [weights...] @ [vectors...]: weights[i] is (rows, K_i), vectors[i] (K_i, B).

    With `start` the tile begins new sums, from the `bias` if there is one; else it continues the sums that are there.
    The sums may have more rows than the weights: those further rows start with the bias, or 0, alone.
    With `onto` it begins, instead, with sums that were made before and kept elsewhere. They have as many rows as
    `sums`, and the weights' rows are the last of them: rows before are passed on as they are.
    `origins[i]` are the rows of the model that weights[i] holds, if it is a slot through which others pass too: the
    array takes their scales. Without any, the weights' buffer says what its numbers stand for.
    """

    weights: tuple[Region, ...]
    vectors: tuple[Region, ...]
    sums: Region
    start: bool
    bias: Region | None = None
    origins: tuple[tuple[Region, ...], ...] = ()
    onto: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        begins = (region for region in (self.bias, self.onto) if region is not None)
        return (*self.weights, *self.vectors, *begins)

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def updates(self) -> tuple[Region, ...]:
        return () if self.start else (self.sums,)

    @property
    def rows(self) -> int:
        """How many outputs of the tile are multiplied."""
        return self.weights[0].entries

    @property
    def inputs(self) -> int:
        """The length K of the concatenated input vector."""
        return sum(vector.entries for vector in self.vectors)

    @property
    def matrices(self) -> list[tuple[DataKind, int]]:
        """The tile's matrices with the K of each."""
        return [(w.buffer.kind, v.entries) for w, v in zip(self.weights, self.vectors, strict=True)]

    @property
    def batch(self) -> int:
        """The number B of input vectors that share the weights."""
        return self.sums.buffer.width

    @property
    def ported(self) -> tuple[Region, ...]:
        """The regions that come through ports; the bias, one word a row, has one of its own."""
        return (*self.weights, *self.vectors, *(() if self.onto is None else (self.onto,)))

    @property
    def weight_regions(self) -> tuple[Region, ...]:
        """The weights of each matrix."""
        return self.weights

    @property
    def vector_groups(self) -> tuple[tuple[Region, ...], ...]:
        """For each matrix the vectors that it is multiplied with."""
        return tuple((vector,) for vector in self.vectors)

    @property
    def macs(self) -> int:
        return self.rows * self.inputs * self.batch


@dataclass(frozen=True, kw_only=True)
class BlockTile(Op):
    """An op that makes sums[j] = bias + weights @ vectors[j] for the steps j of a block, weights read once.

    The weights are (rows, K), each vector (K, B), and each of the sums has the weights' rows and, as those of a
    MacTile, further ones that hold the bias alone. `origin` as one of MacTile's `origins`.
    """

    weights: Region
    vectors: tuple[Region, ...]
    sums: tuple[Region, ...]
    bias: Region | None = None
    origin: tuple[Region, ...] = ()

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.weights, *self.vectors, *(() if self.bias is None else (self.bias,)))

    @property
    def writes(self) -> tuple[Region, ...]:
        return self.sums

    @property
    def start(self) -> bool:
        """Whether the tile begins its sums: it always does."""
        return True

    @property
    def block_steps(self) -> int:
        """The number of time steps of the block, one for each vector."""
        return len(self.vectors)

    @property
    def rows(self) -> int:
        """How many outputs are multiplied for each vector."""
        return self.weights.entries

    @property
    def matrices(self) -> list[tuple[DataKind, int]]:
        """The matrix with its K."""
        return [(self.weights.buffer.kind, self.vectors[0].entries)]

    @property
    def batch(self) -> int:
        """The number of input vectors that share the weights: B of each time step."""
        return len(self.vectors) * self.vectors[0].buffer.width

    @property
    def ported(self) -> tuple[Region, ...]:
        """The regions that come through ports: all but the bias."""
        return (self.weights, *self.vectors)

    @property
    def weight_regions(self) -> tuple[Region, ...]:
        """The weights of the one matrix."""
        return (self.weights,)

    @property
    def vector_groups(self) -> tuple[tuple[Region, ...], ...]:
        """All vectors, which the one matrix is multiplied with."""
        return (self.vectors,)

    @property
    def macs(self) -> int:
        return self.rows * self.vectors[0].entries * self.batch
