"""Counts the operators of a MAC array: what it is built of, and what a tile switches (docs/energy.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.formats import Formats
from archsim.hardware.operators import (
    REGISTER_BIT,
    RESCALE_BITS,
    Operator,
    Tally,
    Width,
    adder,
    multiplexer,
    multiplier,
    rescales,
    times,
    widest,
    width_of,
)
from archsim.program.ir import DataKind
from archsim.program.sparsity import DENSE

if TYPE_CHECKING:
    from archsim.families.gemv.array.mac_config import MacArrayConfig


class ArrayOperators:
    """The operators of an array of R x C multipliers.

    It multiplies weights by the wider of x and h, and has an adder tree, an accumulator and a converter a row. Integer
    products have the bits of both factors, and each level of the tree one more; in floating point everything behind the
    multipliers has the accumulators' format. Rows and columns that a tile does not use do not switch. With sparsity a
    multiplier has a multiplexer of the inputs that its weight may belong to.
    """

    def __init__(self, config: MacArrayConfig, formats: Formats) -> None:
        self._config = config
        self._accumulator = formats.format("accumulator")
        self._weight_bits = formats.format("weight").bits + config.kept.index_bits
        self._vector_bits = max(formats.format("input").bits, formats.format("hidden").bits)
        self._sum_bits = formats.format("gate").bits
        weight, vector = width_of(formats.format("weight")), widest(formats.format("input"), formats.format("hidden"))
        self.multiplier = multiplier(weight, vector)
        self._product_bits = weight.bits + vector.bits
        self._of_sums = width_of(self._accumulator)
        self._converts = formats.converts_sums
        self._one_accumulation = formats.one_accumulation
        self._chunks: dict[tuple[int, int], Tally] = {}

    @property
    def accumulate(self) -> Operator:
        """The adder of an accumulator."""
        return adder(self._of_sums)

    def tree_adder(self, level: int) -> Operator:
        """An adder of a level of the tree, counted from 1."""
        return self.accumulate if self._of_sums.floating else adder(Width(self._product_bits + level, floating=False))

    def converter(self) -> Tally:
        """The operators that convert one sum: a multiplier where the scale is no power of two, and rounding.

        There are none where formats are the same.
        """
        found: Tally = Counter()
        if self._converts:
            if rescales(self._accumulator):
                found[multiplier(self._of_sums, Width(RESCALE_BITS, floating=False))] += 1
            found[adder(Width(self._of_sums.bits, floating=False))] += 1
            found[REGISTER_BIT] += self._sum_bits * self._config.converter_latency_cycles
        return found

    def chunk(self, inputs: int, columns: int) -> Tally:
        """The operators that one row switches in one cycle, for so many products of so many columns.

        The products are reduced by their tree and accumulated, through their registers.
        """
        known = self._chunks.get((inputs, columns))
        if known is not None:
            return known
        config, found = self._config, Counter({self.multiplier: inputs})
        if config.kept is not DENSE:
            found[multiplexer(self._vector_bits)] += inputs * (config.kept.choices - 1)
        found[REGISTER_BIT] += inputs * self._level_bits(0) * config.multiplier_latency_cycles
        numbers = inputs
        for level in range(1, (columns - 1).bit_length() + 1):
            found[self.tree_adder(level)] += numbers // 2
            numbers -= numbers // 2
            found[REGISTER_BIT] += numbers * self._level_bits(level) * config.adder_latency_cycles
        found[self.accumulate] += 1
        found[REGISTER_BIT] += self._accumulator.bits
        self._chunks[inputs, columns] = found
        return found

    def join(self) -> Tally:
        """The operators that join one sum of x with one of h, where each has a tree: an adder and its register."""
        if self._config.apart is None:
            return Counter()
        return Counter({self.accumulate: 1, REGISTER_BIT: self._accumulator.bits * self._config.adder_latency_cycles})

    def tile(self, rows: int, inputs: Sequence[tuple[DataKind, int]], batch: int) -> Tally:
        """The operators that a tile switches: rows of weights times B vectors, with the K of each matrix.

        Weights are registered once, inputs once a vector and column, sums converted once an accumulation.
        """
        found: Tally = Counter()
        parts = self._accumulations([(matrix, self._config.kept.stored(size)) for matrix, size in inputs])
        for columns, size in parts:
            whole, rest = divmod(size, columns)
            for chunk, count in ((columns, whole), (rest, 1)):
                if chunk and count:
                    found += times(self.chunk(chunk, columns), count * rows * batch)
        stored, total = sum(size for _, size in parts), sum(size for _, size in inputs)
        found[REGISTER_BIT] += rows * stored * self._weight_bits + total * batch * self._vector_bits
        joined = self._config.apart is not None and len(parts) > 1
        if joined:
            found += times(self.join(), rows * batch)
        return found + times(self.converter(), rows * batch * (1 if joined else len(parts)))

    def mean_tile(self, rows: int, matrix: DataKind, inputs: int, batch: int, steps: int) -> Tally:
        """The operators that a tile switches in the mean of so many steps, rounded; `inputs` of them over all steps."""
        converted = times(self.converter(), rows * batch)
        switched = self.tile(rows, [(matrix, inputs)], batch) - converted
        return Counter({operator: round(count / max(1, steps)) for operator, count in switched.items()}) + converted

    def inventory(self) -> Tally:
        """All operators of the array, with those that add up a row's partial sums where there are several."""
        rows, columns = self._config.rows, self._config.columns
        trees = [self.chunk(of, of) for of in self._config.apart or (columns,)]
        reduction = {self.accumulate: self._config.partial_sums(self._of_sums.floating) - 1}
        found = times(sum(trees, Counter()) + Counter(reduction) + self.join() + self.converter(), rows)
        held = self._config.kept.chunk_inputs(columns)
        found[REGISTER_BIT] += rows * columns * self._weight_bits + held * self._vector_bits
        return found

    def _accumulations(self, inputs: Sequence[tuple[DataKind, int]]) -> list[tuple[int, int]]:
        """The (columns, K) of each accumulation: x and h in one where formats and trees let them."""
        if self._config.apart is None and self._one_accumulation:
            return [(self._config.columns, sum(size for _, size in inputs))]
        return [(self._config.columns_of(matrix), size) for matrix, size in inputs]

    def _level_bits(self, level: int) -> int:
        """The bits of a number behind a level of the tree; level 0 are the products."""
        return self._accumulator.bits if self._of_sums.floating else self._product_bits + level
