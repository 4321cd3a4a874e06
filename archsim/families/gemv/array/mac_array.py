"""Models the MAC array: R rows x C columns of multipliers, an adder tree and accumulators for each row.

A tile of at most R outputs over K inputs takes ceil(K / C) chunks; a chunk multiplies R x C weights with C inputs,
the adder tree of depth ceil(log2 C) reduces each row's products, and the accumulators add the chunks up, one chunk a
cycle. Where the products W_ih x and W_hh h differ in scale (docs/numerics.md), a tile is two accumulations, one after
the other; or, with `x_columns`, side by side: x and h have columns, trees and accumulators of their own. With a batch
of B the weights stay in the array for B cycles while B input vectors pass.

With `sparsity` n of m a row has n weights of each m inputs, so that a chunk of C weights takes C m / n inputs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from dataclasses import replace
from fractions import Fraction
from operator import attrgetter

from archsim.families.gemv.array.mac_config import MacArrayConfig
from archsim.families.gemv.array.mac_cost import ArrayOperators
from archsim.families.gemv.array.mac_kernel import block_kernel, onto_kernel
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.deltas.ops import DeltaTile
from archsim.families.gemv.deltas.session import ChunkSession, least_service
from archsim.formats import FloatFormat, Formats
from archsim.hardware.constants import OpConstants
from archsim.hardware.joined_ops import RowsJoined
from archsim.hardware.numerics import Kernel, Numerics
from archsim.hardware.operators import Tally
from archsim.hardware.port_streams import Bank, Run, Stream, Widths, cut_runs, even, fetch_cycles
from archsim.hardware.products import TileShape, product_kernel, tile_constants
from archsim.hardware.unit import Session, Unit, Work, ceil_div
from archsim.program.ir import Buffer, Op, Region
from archsim.program.joined import Joining, Side


class MacArray(Unit[MacArrayConfig]):
    """The unit that executes MacTile and BlockTile ops."""

    name = "mac_array"
    summary = "R x C multipliers, an adder tree a row, an accumulator a row: GEMV tiles, one chunk of C inputs a cycle"
    item_name = "MAC"

    def __init__(
        self,
        config: MacArrayConfig,
        ports: Widths,
        formats: Formats,
        weight_read_latency_cycles: int,
        skips_chunks: bool = False,
    ) -> None:
        """`skips_chunks`: it skips chunks of a delta network in which nothing has changed."""
        super().__init__(config, ports, formats)
        self._skips_chunks = skips_chunks
        self._weight_read_latency_cycles = weight_read_latency_cycles
        self._operators = ArrayOperators(config, formats)

    @property
    def identity(self) -> tuple[Hashable, ...]:
        return (*super().identity, self._weight_read_latency_cycles, self._skips_chunks)

    @property
    def static(self) -> bool:
        return not self._skips_chunks

    @property
    def recorded(self) -> bool:
        """True: a tile of changes takes what the columns of its step make it take, whenever it begins."""
        return True

    def session(self, buffers: Sequence[Buffer]) -> Session:
        return super().session(buffers) if self.static else ChunkSession(self)

    def compute_cycles(self, op: Op) -> int:
        """The occupancy in cycles: ceil(K / C) x B chunks, of each accumulation if there are several.

        Where x and h have trees of their own, only the chunks of the longer one.
        """
        tile = self._tile(op)
        if isinstance(tile, DeltaTile):
            return least_service(tile, self.ports).compute_cycles
        return self.config.chunks(tile.matrices, self.formats.one_accumulation) * tile.batch

    def depth_cycles(self, op: Op) -> int:
        """The depth in cycles: weight SRAM read, multiplier and tree, accumulator, converter, the way out.

        There is a converter where accumulators and sums differ in format.
        """
        converter = self.config.converter_latency_cycles if self.formats.converts_sums else 0
        before = self._weight_read_latency_cycles + self.config.tree_depth_cycles
        tile = self._tile(op)
        return before + self._accumulator_depth_cycles(tile) + converter + self._drain_cycles(tile)

    def _accumulator_depth_cycles(self, tile: MacTile | BlockTile) -> int:
        """The cycles of the last chunk's addition, and of adding up the partial sums where there are several.

        The B vectors of a batch take turns, so that one of them has ceil(adder latency / B) partial sums; a tile that
        begins its sums has no more than chunks.
        """
        addition = self.config.partial_sums(self._floating)
        partial = ceil_div(addition, tile.batch)
        if tile.start:
            partial = min(partial, self.compute_cycles(tile) // tile.batch)
        return addition * (1 + (partial - 1).bit_length())

    def _drain_cycles(self, tile: MacTile | BlockTile) -> int:
        """The cycles by which sums leave through a write port later than the array makes them, a vector a cycle.

        A vector's sums are there at once. Where they are more than a word, those of the last vectors wait their turn.
        """
        return max(0, self._sum_words(tile) - tile.batch)

    def port_cycles(self, op: Op) -> int:
        """The cycles for which ports hold the tile: its operands', or as many as its sums have words.

        Sums leave behind the last chunk, so that they wait for no operand but those of that one.
        """
        tile = self._tile(op)
        if isinstance(tile, DeltaTile):
            return least_service(tile, self.ports).port_cycles
        reading = fetch_cycles(self.read_streams(op), self.ports, self.compute_cycles(op))
        return max(reading, self._sum_words(tile))

    def write_cycles(self, op: Op, shared: Collection[str] = ()) -> int:
        """The cycles in which sums pass into the accumulators, a vector a cycle, or through a write port."""
        tile = self._tile(op)
        return max(tile.batch, self._sum_words(tile, shared))

    def _sum_words(self, tile: MacTile | BlockTile | DeltaTile, shared: Collection[str] = ()) -> int:
        """The words of the sums on the busiest write port of the array's own: `most_words` of the write streams."""
        words: Counter[Bank] = Counter()
        for region in tile.writes:
            bank, bits = self.bank(region), region.bits
            width = self.ports[bank[0]] if bits and bank[0] not in shared else None
            if width is not None:
                words[bank] += ceil_div(bits, width)
        return max(words.values(), default=0)

    @property
    def _floating(self) -> bool:
        return isinstance(self.formats.format("accumulator"), FloatFormat)

    def read_ports(self, op: Op) -> tuple[Region, ...]:
        """All operands but the bias, which has a port of its own."""
        return self._tile(op).ported

    def read_streams(self, op: Op) -> tuple[Stream, ...]:
        """Weights and vectors chunk by chunk; sums that the tile begins with may come at any time until it ends."""
        tile = self._tile(op)
        found = [*self._weight_streams(tile), *self._vector_streams(tile)]
        onto = tile.onto if isinstance(tile, MacTile) else None
        if onto is not None:
            last = Run(self.compute_cycles(tile) - tile.batch, onto.values, onto.entries)
            found.append(Stream(self.bank(onto), onto.bits, (last,)))
        return tuple(found)

    def write_streams(self, op: Op) -> tuple[Stream, ...]:
        """The sums, which hold up no chunk: what they wait for a port, behind the pipeline, is part of the depth."""
        sums = self._tile(op).writes
        return tuple(Stream(self.bank(region), region.bits, even(region.values, region.values)) for region in sums)

    def _vector_streams(self, tile: MacTile | BlockTile) -> list[Stream]:
        """The streams of the vectors. Chunk 0 of each vector and lane is taken first, then chunk 1 of each.

        Of a block of several steps all lanes of a step's chunk come together.
        """
        found: list[Stream] = []
        kept = self.config.kept
        for group, (before, columns, first) in zip(tile.vector_groups, self._places(tile), strict=True):
            entry, inputs = before * kept.of, kept.chunk_inputs(columns)
            for number, vector in enumerate(group):
                batch = vector.buffer.width
                if len(group) == 1:
                    runs = cut_runs(entry, vector.entries, inputs, first_step=first, lanes=batch)
                else:
                    step = first + number * batch
                    runs = cut_runs(entry, vector.entries, inputs, first_step=step, each=batch, hold=tile.batch)
                found.append(Stream(self.bank(vector), vector.bits, runs))
        return found

    def _weight_streams(self, tile: MacTile | BlockTile) -> list[Stream]:
        """The streams of the weights, which stay in the array while the vectors of a batch pass.

        Rows of matrices that are one accumulation lie one behind the other and come as one stream. So do those of
        columns apart: a row of the array has the weights of all its columns side by side, chunk by chunk.
        """
        found: list[Stream] = []
        kept = self.config.kept
        stored = [kept.stored(k) for _, k in tile.matrices]
        for region, k, (before, columns, first) in zip(tile.weight_regions, stored, self._places(tile), strict=True):
            entry = before * kept.kept
            runs = cut_runs(entry, k, columns, first_step=first, each=region.entries, hold=tile.batch)
            found.append(Stream(self.bank(region), region.bits, runs))
        if len(found) == 1 or not (self.formats.one_accumulation or self.config.apart is not None):
            return found
        runs = sum((stream.runs for stream in found), ())
        if self.config.apart is not None:
            runs = tuple(sorted((chunk for run in runs for chunk in run.chunks), key=attrgetter("first_step")))
        return [Stream(found[0].bank, sum(stream.bits for stream in found), runs)]

    def _places(self, tile: MacTile | BlockTile) -> list[tuple[int, int, int]]:
        """For each matrix of a tile where its inputs begin.

        That is (groups, columns, step): the groups of the accumulation's vector before it (without sparsity an entry is
        a group), the columns that multiply it, and the step in which the accumulation begins.
        """
        found: list[tuple[int, int, int]] = []
        groups = step = 0
        for matrix, inputs in tile.matrices:
            found.append((groups, self.config.columns_of(matrix), step))
            if self.config.apart is not None:  # side by side, each from its first step on
                continue
            if self.formats.one_accumulation:
                groups += self.config.kept.groups(inputs)
            else:
                step += ceil_div(inputs, self.config.inputs_of(matrix)) * tile.batch
        return found

    def work(self, op: Op) -> Work:
        tile, inputs = self._tile(op), self.config.kept.chunk_inputs(self.config.columns)
        share = tile.moved_share(tile.weight_regions[0]) if isinstance(tile, DeltaTile) else 1
        return Work(tile.macs * share, Fraction(self.config.rows * inputs))

    def kernel(self, op: Op, numerics: Numerics) -> Kernel:
        """The sums of products, with the bias if there is one, in the formats of accumulators and sums.

        In float32 the order in which a row's products are added is the linear algebra library's, not the adder tree's:
        it is the same in every run on one machine, and rounding apart it does not matter. Integers are exact.
        """
        tile = self._tile(op)
        if isinstance(tile, BlockTile):
            return block_kernel([product_kernel(shape, numerics) for shape in self._shapes_of_block(tile)])
        kernel = product_kernel(self._shape_of_tile(tile), numerics)
        return kernel if tile.onto is None else onto_kernel(kernel)

    def joining(self, op: Op, numerics: Numerics) -> Joining | None:
        """Tiles of the same vectors, where integers are added: a library may add floats of more rows differently."""
        tile = self._tile(op)
        floating = isinstance(self.formats.format("accumulator"), FloatFormat)
        if (
            isinstance(tile, BlockTile | DeltaTile)
            or floating
            or tile.onto is not None
            or tile.sums.entries != tile.rows
        ):
            return None
        count = len(tile.weights)
        return Joining(Side.ROWS, tile.vectors, tuple(range(count, 2 * count)))

    def joined_kernel(self, ops: Sequence[Op], numerics: Numerics) -> Kernel:
        """The kernel of a tile that has the rows of all."""
        tiles = [tile for tile in map(self._tile, ops) if isinstance(tile, MacTile)]
        first, rows = tiles[0], RowsJoined(numerics)
        biases = [tile.bias for tile in tiles if tile.bias is not None]
        places = range(len(first.weights))
        origins = tuple(
            tuple(region for tile in tiles for region in (tile.origins[place] or (tile.weights[place],)))
            for place in places
            if first.origins
        )
        whole = replace(
            first,
            weights=tuple(rows.region([tile.weights[place] for tile in tiles]) for place in places),
            sums=rows.region([tile.sums for tile in tiles]),
            bias=rows.region(biases) if biases else None,
            origins=origins,
        )
        return self.kernel(whole, rows.numerics)

    def constants(self, op: Op, numerics: Numerics) -> OpConstants:
        """The integers of the tile; the steps of a block have the same ones."""
        tile = self._tile(op)
        shape = self._shapes_of_block(tile)[0] if isinstance(tile, BlockTile) else self._shape_of_tile(tile)
        return tile_constants(shape, numerics)

    def _shapes_of_block(self, tile: BlockTile) -> list[TileShape]:
        steps = zip(tile.vectors, tile.sums, strict=True)
        shapes = (self._shape((tile.weights,), (x,), sums, (tile.origin,)) for x, sums in steps)
        return [replace(shape, bias=tile.bias) for shape in shapes]

    def _shape_of_tile(self, tile: MacTile) -> TileShape:
        shape = replace(self._shape(tile.weights, tile.vectors, tile.sums, tile.origins), start=tile.start)
        if tile.onto is None:
            return replace(shape, bias=tile.bias)
        multiplied = replace(tile.sums, start=tile.sums.stop - tile.rows)
        return replace(shape, sums=multiplied, start=False)

    def _shape(
        self,
        weights: tuple[Region, ...],
        vectors: tuple[Region, ...],
        sums: Region,
        origins: tuple[tuple[Region, ...], ...],
    ) -> TileShape:
        """The shape of a tile that begins new sums, without a bias."""
        columns = tuple(self.config.inputs_of(region.buffer.kind) for region in weights)
        one = self.formats.one_accumulation and self.config.apart is None
        accumulator = self.formats.format("accumulator")
        group = self.config.kept.of
        return TileShape(weights, vectors, None, sums, True, columns, one, accumulator, origins, group)

    def tally(self, op: Op) -> Tally:
        """The operators that an op switches: products and sums of the rows and columns that the tile uses."""
        tile = self._tile(op)
        if isinstance(tile, DeltaTile):
            return self._operators.mean_tile(
                tile.rows, tile.matrices[0][0], tile.multiplied, tile.batch, len(tile.chunks)
            )
        return self._operators.tile(tile.rows, tile.matrices, tile.batch)

    def inventory(self) -> Tally:
        return self._operators.inventory()

    def _tile(self, op: Op) -> MacTile | BlockTile:
        if not isinstance(op, MacTile | BlockTile):
            raise self.refuse(op)
        return op
