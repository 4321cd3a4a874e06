"""The MAC array: R rows x C columns of multipliers, an adder tree a row, one accumulator a row and batch lane.

A tile of at most R outputs over K inputs takes ceil(K / C) chunks; a chunk multiplies R x C weights with C inputs,
the adder tree of depth ceil(log2 C) reduces each row's products, and the accumulators add the chunks up, one chunk a
cycle. Where the products W_ih x and W_hh h differ in scale (docs/numerics.md), a tile is two accumulations, one after
the other; or, with `x_columns`, side by side: x and h have columns, trees and accumulators of their own. With a batch
of B the weights stay in the array for B cycles while B input vectors pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from pydantic import Field, model_validator

from archsim.components.base import Ports, Unit, UnitConfig, Work, ceil_div
from archsim.components.mac_kernel import TileShape, mac_kernel
from archsim.components.mac_operators import ArrayOperators
from archsim.components.numerics import Kernel, Numerics
from archsim.components.operators import Tally
from archsim.config.types import Count, Cycles
from archsim.formats import Formats
from archsim.program.ir import DataKind, Op, Region


class MacArrayConfig(UnitConfig):
    """Size and pipeline of the MAC array."""

    rows: Count = Field(description="rows of multipliers: outputs of one tile")
    columns: Count = Field(description="columns of multipliers: inputs of one chunk")
    x_columns: Count | None = Field(
        default=None,
        description="those of the columns that multiply x alone, through trees of their own beside those of h; "
        "left out: all columns take one vector after the other",
    )
    multiplier_latency_cycles: Cycles = Field(description="pipeline stages of a multiplier")
    adder_latency_cycles: Cycles = Field(description="pipeline stages of one level of the adder tree")
    converter_latency_cycles: Cycles = Field(
        default=0, description="pipeline stages from accumulators to sums, where their formats differ"
    )

    @model_validator(mode="after")
    def _columns_of_h_too(self) -> MacArrayConfig:
        if self.x_columns is not None and self.x_columns >= self.columns:
            raise ValueError(f"x_columns {self.x_columns}: of {self.columns} columns, at least one must multiply h")
        return self

    @property
    def apart(self) -> tuple[int, int] | None:
        """(columns of x, columns of h) if they have trees of their own."""
        return None if self.x_columns is None else (self.x_columns, self.columns - self.x_columns)

    @property
    def tree_levels(self) -> int:
        """Depth of the adder tree: ceil(log2 columns); of two trees that of the deeper one, and 1 that joins them."""
        if self.apart is not None:
            return (max(self.apart) - 1).bit_length() + 1
        return (self.columns - 1).bit_length()

    def columns_of(self, matrix: DataKind) -> int:
        """Inputs of a chunk of a matrix: W_ih is x's, all others take the columns of h."""
        if self.apart is None:
            return self.columns
        x_columns, h_columns = self.apart
        return x_columns if matrix is DataKind.W_IH else h_columns

    def chunks(self, inputs: Sequence[tuple[DataKind, int]], one_accumulation: bool) -> int:
        """Chunks of a tile: `inputs` are its matrices with the K of each.

        `one_accumulation`: the formats let x and h go into the same accumulators.
        """
        if self.apart is None and one_accumulation:
            return ceil_div(sum(k for _, k in inputs), self.columns)
        chunks = [ceil_div(k, self.columns_of(matrix)) for matrix, k in inputs]
        return sum(chunks) if self.apart is None else max(chunks)

    @property
    def pipeline_depth_cycles(self) -> int:
        """Multiplier, adder tree, and 1 cycle for the accumulator."""
        return self.multiplier_latency_cycles + self.tree_levels * self.adder_latency_cycles + 1


@dataclass(frozen=True, kw_only=True)
class MacTile(Op):
    """sums (+)= [weights...] @ [vectors...] for one tile: weights[i] is (rows, K_i), vectors[i] (K_i, B).

    With `start` the tile begins new sums, from the `bias` if there is one; else it continues the sums that are there.
    The sums may have more rows than the weights: those further rows start with the bias, or 0, alone.
    `origins[i]` are the rows of the model that weights[i] holds, if it is a slot through which others pass too: the
    array takes their scales. Without any, the weights' buffer says what its numbers stand for.
    """

    weights: tuple[Region, ...]
    vectors: tuple[Region, ...]
    sums: Region
    start: bool
    bias: Region | None = None
    origins: tuple[tuple[Region, ...], ...] = ()

    @property
    def reads(self) -> tuple[Region, ...]:
        return self.weights + self.vectors + ((self.bias,) if self.bias else ())

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.sums,)

    @property
    def updates(self) -> tuple[Region, ...]:
        return () if self.start else (self.sums,)

    @property
    def rows(self) -> int:
        """Outputs of the tile that are multiplied."""
        return self.weights[0].entries

    @property
    def inputs(self) -> int:
        """K, the length of the concatenated input vector."""
        return sum(vector.entries for vector in self.vectors)

    @property
    def batch(self) -> int:
        """B, input vectors that share the weights."""
        return self.sums.buffer.width

    @property
    def macs(self) -> int:
        return self.rows * self.inputs * self.batch


class MacArray(Unit[MacArrayConfig]):
    """Executes MacTile ops."""

    name = "mac_array"
    summary = "R x C multipliers, an adder tree a row, an accumulator a row: GEMV tiles, one chunk of C inputs a cycle"
    item_name = "MAC"

    def __init__(self, config: MacArrayConfig, ports: Ports, formats: Formats, weight_read_latency_cycles: int) -> None:
        super().__init__(config, ports, formats)
        self._weight_read_latency_cycles = weight_read_latency_cycles
        self._operators = ArrayOperators(config, formats)

    def compute_cycles(self, op: Op) -> int:
        """ceil(K / C) x B chunks; where x and h need accumulations of their own, those of each.

        Where they have trees of their own, the chunks of the longer one.
        """
        tile = self._tile(op)
        return self.config.chunks(_inputs(tile), self.formats.one_accumulation) * tile.batch

    def depth_cycles(self, op: Op) -> int:
        """Weight SRAM read, the array's pipeline, and the converter where accumulators and sums differ in format."""
        converter = self.config.converter_latency_cycles if self.formats.converts_sums else 0
        return self._weight_read_latency_cycles + self.config.pipeline_depth_cycles + converter

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """Weights and inputs; the bias, one word a row, has a port of its own beside the first chunk's weights."""
        tile = self._tile(op)
        return tile.weights + tile.vectors

    def work(self, op: Op) -> Work:
        return Work(self._tile(op).macs, Fraction(self.config.rows * self.config.columns))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """Sums of products, with the bias if the tile has one, in the formats of accumulators and sums.

        In float32 the order in which a row's products are added is the linear algebra library's, not the adder tree's:
        it is the same in every run on one machine, and rounding apart it does not matter. Integers are exact.
        """
        tile = self._tile(op)
        return mac_kernel(
            TileShape(
                tile.weights,
                tile.vectors,
                tile.bias,
                tile.sums,
                tile.start,
                tuple(self.config.columns_of(weights.buffer.kind) for weights in tile.weights),
                self.formats.one_accumulation and self.config.apart is None,
                self.formats.format("accumulator"),
                tuple(tile.origins),
            ),
            numerics,
        )

    def tally(self, op: Op) -> Tally:
        """Products and sums of the rows and columns that the tile uses."""
        tile = self._tile(op)
        return self._operators.tile(tile.rows, _inputs(tile), tile.batch)

    def inventory(self) -> Tally:
        return self._operators.inventory()

    def _tile(self, op: Op) -> MacTile:
        if not isinstance(op, MacTile):
            raise self.refuse(op)
        return op


def _inputs(tile: MacTile) -> list[tuple[DataKind, int]]:
    """The tile's matrices with the K of each."""
    return [(w.buffer.kind, v.entries) for w, v in zip(tile.weights, tile.vectors, strict=True)]
