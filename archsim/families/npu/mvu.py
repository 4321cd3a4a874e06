"""Models a matrix-vector unit of tiles x dot-product engines x lanes, whose partial sums are reduced.

The columns of a matrix are dealt out to the tiles, `lanes` to each in a micro-op; an engine of every tile works on the
same row, and a tree across the tiles adds their partial sums up. So a micro-op multiplies a row block (a row for each
engine) with tiles x lanes columns, for `dot_units` vectors of the batch at once, which share its weights. Cores work
side by side on sequences of their own, with the same weights.

Row blocks are walked in chunks, and within a chunk column block after column block, each over all row blocks of the
chunk: while the micro-ops of one column block run, the operand words of the next one (those of all dot units) are
loaded, one a cycle, so that a column block takes at least that many cycles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from fractions import Fraction

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.families.npu.chain_words import Idle, Words
from archsim.formats import Formats
from archsim.hardware.constants import MoveConstants, OpConstants
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import REGISTER_BIT, Tally, adder, multiplier, times, width_of
from archsim.hardware.products import TileShape, product_kernel, tile_constants
from archsim.hardware.unit import Unit, UnitConfig, Work, ceil_div
from archsim.program.ir import Op, Region


class MvuConfig(UnitConfig):
    """Size and pipeline of the matrix-vector unit."""

    cores: Count = Field(description="copies that work side by side on sequences of their own, with the same weights")
    tiles: Count = Field(description="tiles of a core; the columns of a matrix are dealt out to them")
    dpes: Count = Field(description="dot-product engines of a tile: rows of a row block")
    lanes: Count = Field(description="multipliers of a dot unit: columns of a tile in a micro-op")
    dot_units: Count = Field(description="dot units of an engine: vectors that share its weights")
    block_lanes: Count = Field(description="lanes of a tensor block, of which a dot unit is a cascade")
    matrix_depth_words: Count = Field(description="words of `lanes` weights in the register file of each engine")
    vector_depth_words: Count = Field(description="words of `lanes` numbers in the vector register file of each tile")
    read_latency_cycles: Cycles = Field(description="cycles to read a register file")
    distribution_latency_cycles: Cycles = Field(description="cycles from the register files to the engines")
    multiplier_latency_cycles: Cycles = Field(description="pipeline stages of a tensor block's multipliers")
    adder_latency_cycles: Cycles = Field(description="pipeline stages of one level of the adder tree over blocks")
    accumulate_latency_cycles: Cycles = Field(description="cycles from an engine to its accumulator, and through it")
    reduction_latency_cycles: Cycles = Field(
        description="cycles of the reduction across tiles beside one for each level of its tree"
    )

    @property
    def blocks(self) -> int:
        """How many tensor blocks a dot unit has."""
        return ceil_div(self.lanes, self.block_lanes)

    @property
    def operand_words(self) -> int:
        """How many words an engine loads for a column block: one for each block of each dot unit.

        It loads one a cycle.
        """
        return self.dot_units * self.blocks

    @property
    def chunk_rows(self) -> int:
        """How many row blocks a chunk has: as many as hide the loading of the next operands."""
        return self.operand_words

    @property
    def columns(self) -> int:
        """How many columns a column block has: lanes of all tiles."""
        return self.tiles * self.lanes

    @property
    def batch(self) -> int:
        """How many sequences one pass works on."""
        return self.cores * self.dot_units

    @property
    def macs_per_cycle(self) -> int:
        """How many multipliers all cores have."""
        return self.batch * self.columns * self.dpes

    @property
    def tile_latency_cycles(self) -> int:
        """The cycles from the issue of a micro-op to its tile's sum.

        They are those of read, distribute, load, multiply, add and accumulate. Loading operands takes a cycle for each
        word of the column block, and one more for each dot unit.
        """
        load = self.operand_words + self.dot_units
        tree = (self.blocks - 1).bit_length() * self.adder_latency_cycles
        return (
            self.read_latency_cycles
            + self.distribution_latency_cycles
            + load
            + self.multiplier_latency_cycles
            + tree
            + self.accumulate_latency_cycles
        )

    @property
    def depth_cycles(self) -> int:
        """The depth in cycles: the tiles' pipeline and the tree across them, of ceil(log2 tiles) levels."""
        return self.tile_latency_cycles + self.reduction_latency_cycles + (self.tiles - 1).bit_length()

    def row_chunks(self, rows: int) -> list[tuple[int, int]]:
        """The rows [start, stop) of each chunk.

        A chunk has `chunk_rows` row blocks, the last one up to twice as many less 1.
        """
        blocks, done = ceil_div(rows, self.dpes), 0
        chunks: list[tuple[int, int]] = []
        while done < blocks:
            take = self.chunk_rows if blocks - done >= 2 * self.chunk_rows else blocks - done
            chunks.append((done * self.dpes, min((done + take) * self.dpes, rows)))
            done += take
        return chunks


@dataclass(frozen=True, kw_only=True)
class MatVec(Op):
    """An op that makes words of `target` (n, B): weights (n, K) times vector (K, B), for one chunk of rows.

    With `start` in the format of `sums` (n, B), from the `bias` (n, 1) if there is one; else in its scale, as wide as
    they come, to be added to it. `vectors`: whole register vectors that must be written before it starts.
    """

    weights: Region
    vector: Region
    target: Region
    sums: Region
    start: bool
    bias: Region | None = None

    @property
    def reads(self) -> tuple[Region, ...]:
        return (self.weights, self.vector, *((self.bias,) if self.bias else ()))

    @property
    def writes(self) -> tuple[Region, ...]:
        return (self.target,)

    @property
    def macs(self) -> int:
        return self.weights.entries * self.weights.buffer.width * self.vector.buffer.width


class Mvu(Unit[MvuConfig]):
    """The unit that executes MatVec ops."""

    name = "mvu"
    summary = (
        "tiles x engines x lanes, partial sums reduced across tiles, weights shared by a batch; a micro-op a cycle"
    )
    item_name = "MAC"

    def __init__(self, config: MvuConfig, formats: Formats, words: Words) -> None:
        super().__init__(config, {}, formats)
        self.words = words

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, self.words)

    def port_cycles(self, op: Op) -> int:
        """The cycles of the ports: 0, since every engine and every tile has a register file of its own."""
        return 0

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which sums retire apart from others': 0, since all micro-ops are as deep and never meet."""
        return 0

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: a micro-op for each row block and column block.

        All column blocks but the last are padded to the loading of operands. An instruction that leaves the unit out,
        and padding, take a cycle each.
        """
        if isinstance(op, Idle):
            return op.cycles
        return self._before_last_cycles(op) + self._row_blocks(op)

    def first_cycles(self, op: Op) -> int:
        """The cycles until words can be taken, one a cycle: the first row blocks of the last column block are done.

        Where a word takes more rows than a row block has, later words could fall behind; then the first one waits.
        """
        if isinstance(op, Idle):
            return 1
        rows, sequences = self._op(op).weights.entries, ceil_div(self._op(op).target.buffer.width, self.words.cores)
        elements, dpes = self.words.elements, self.config.dpes
        lead = max(
            ceil_div(min((word + 1) * elements, rows), dpes) - word * sequences
            for word in range(ceil_div(rows, elements))
        )
        return self._before_last_cycles(op) + lead

    def depth_cycles(self, op: Op) -> int:
        return 0 if isinstance(op, Idle) else self.config.depth_cycles

    def tally(self, op: Op) -> Tally:
        """A multiplication and an addition for each MAC of the model, and the registers of factors and sums."""
        return Counter() if isinstance(op, Idle) else times(self._lane(), self._op(op).macs)

    def inventory(self) -> Tally:
        return times(self._lane(), self.config.macs_per_cycle)

    def _lane(self) -> Tally:
        """A multiplier, an adder of a sum, and registers of product and weight."""
        weight, vector = (width_of(self.formats.format(kind)) for kind in ("weight", "hidden"))
        sums = width_of(self.formats.format("accumulator"))
        registers = 2 * weight.bits + vector.bits
        return Counter({multiplier(weight, vector): 1, adder(sums): 1, REGISTER_BIT: registers})

    def work(self, op: Op) -> Work:
        return Work(0 if isinstance(op, Idle) else self._op(op).macs, Fraction(self.config.macs_per_cycle))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The arithmetic of an op, as of a MAC tile whose chunks have the columns of all tiles."""
        if isinstance(op, Idle):
            return Kernel(lambda operands: ())
        return Kernel(product_kernel(self._shape(op), numerics).effect)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        return MoveConstants() if isinstance(op, Idle) else tile_constants(self._shape(op), numerics)

    def _shape(self, op: Op) -> TileShape:
        product = self._op(op)
        return TileShape(
            (product.weights,),
            (product.vector,),
            product.bias,
            product.sums,
            product.start,
            (self.config.columns,),
            self.formats.one_accumulation,
            self.formats.format("accumulator"),
        )

    def _row_blocks(self, op: Op) -> int:
        return ceil_div(self._op(op).weights.entries, self.config.dpes)

    def _before_last_cycles(self, op: Op) -> int:
        """The cycles of all column blocks but the last; the operands of the next one load meanwhile."""
        column_blocks = ceil_div(self._op(op).vector.entries, self.config.columns)
        return max(self._row_blocks(op), self.config.operand_words) * (column_blocks - 1)

    def _op(self, op: Op) -> MatVec:
        if not isinstance(op, MatVec):
            raise self.refuse(op)
        return op
