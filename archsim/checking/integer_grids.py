"""Gives the integer references the grids of a cell's numbers."""

from __future__ import annotations

from archsim.checking.integer_methods import grid_of
from archsim.checking.numbers import Numbers
from archsim.families.cells.normalize import raw_sums
from archsim.formats import Encoding, Fixed, IntegerFormat
from archsim.golden.integer import Grid
from archsim.golden.integer_units import Grids
from archsim.workload.calibration import LSTM_GATES


def cell_grids(numbers: Numbers, prefix: str, source: str) -> Grids:
    """The grids of the cell with that prefix; `source`: the buffer of its x."""

    def grid(name: str) -> Grid:
        return grid_of(numbers.encodings[name])

    def optional(name: str) -> Grid | None:
        return grid(prefix + name) if prefix + name in numbers.encodings else None

    sums = [prefix + raw_sums(gate) for gate in range(len(LSTM_GATES))]
    accumulator = numbers.formats.format("accumulator")
    assert isinstance(accumulator, IntegerFormat)
    return Grids(
        w_ih=grid(f"{prefix}dram.W_ih"),
        w_hh=optional("dram.W_hh"),
        x=grid(source),
        h=grid(f"{prefix}h"),
        accumulator=grid_of(Encoding(accumulator, accumulator.scale if isinstance(accumulator, Fixed) else 1.0)),
        gate=grid(f"{prefix}sums"),
        activation=grid(f"{prefix}gates"),
        w_hr=optional("dram.W_hr"),
        vector=optional("vector"),
        cell=optional("c"),
        peephole=optional("peephole"),
        layer_norm=optional("layer_norm"),
        projected=optional("projected"),
        sums=tuple(grid(name) for name in sums if name in numbers.encodings),
    )
