"""Describes a technology file: what an operator, a bit and an access cost in some node, with sources."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from archsim.config.types import Count, PositiveNumber, StrictModel, Text
from archsim.technology.beside import Dram, Leakage, Overhead, Wires
from archsim.technology.spread import SURE, Source, Spread

Points = Annotated[tuple["OperatorPoint", ...], Field(max_length=16)]
Axis = Annotated[tuple[Count, ...], Field(max_length=32)]
Grid = tuple[tuple[PositiveNumber, ...], ...]


class OperatorPoint(StrictModel):
    """The cost of an operator of some width."""

    bits: Annotated[Count, Field(le=64)] = Field(
        description="bits of an operand; of a floating-point number those of its significand, with the leading 1"
    )
    energy_pj: PositiveNumber = Field(description="energy of an operation in pJ")
    area_um2: PositiveNumber = Field(description="area in um2")


class OperatorTable(StrictModel):
    """The costs of an operator in several widths.

    Between them and beyond, straight lines in the logarithms (docs/energy.md).
    """

    source: Source = Field(description="where the numbers come from")
    points: Points = Field(description="widths, from the narrowest to the widest")
    energy_spread: Spread = Field(default=SURE, description="how far sources disagree about energies")
    area_spread: Spread = Field(default=SURE, description="how far sources disagree about areas")

    @model_validator(mode="after")
    def _grow(self) -> OperatorTable:
        _increasing("bits", [point.bits for point in self.points])
        for quantity in ("energy_pj", "area_um2"):
            _never_falling(quantity, [getattr(point, quantity) for point in self.points])
        return self


class RegisterBit(StrictModel):
    """The cost of a flip-flop, and with it of a bit of a small table."""

    source: Source = Field(description="where the numbers come from")
    energy_pj: PositiveNumber = Field(description="energy of writing or reading a bit in pJ, its clock included")
    area_um2: PositiveNumber = Field(description="area of a bit in um2")
    energy_spread: Spread = Field(default=SURE, description="how far sources disagree about the energy")
    area_spread: Spread = Field(default=SURE, description="how far sources disagree about the area")


class LogicLeakage(StrictModel):
    """The power that logic leaks all the time."""

    source: Source = Field(description="where the number comes from")
    power_mw_per_mm2: PositiveNumber = Field(description="leakage of operators and registers in mW per mm2")
    spread: Spread = Field(default=SURE, description="how far sources disagree")


class SramGrids(StrictModel):
    """The costs of SRAMs with ports of one kind: a row for each number of words, a number for each width."""

    read_pj: Grid = Field(description="energy of reading a word in pJ")
    write_pj: Grid = Field(description="energy of writing a word in pJ")
    leakage_mw: Grid = Field(description="leakage in mW")
    area_mm2: Grid = Field(description="area in mm2")


class SramTable(StrictModel):
    """The table of SRAMs by words and width."""

    source: Source = Field(description="where the numbers come from")
    words: Axis = Field(description="words of an SRAM, rising: a row of each grid")
    width_bits: Axis = Field(description="bits of a word, rising: a column of each grid")
    single_port: SramGrids = Field(description="one port that reads or writes")
    dual_port: SramGrids = Field(description="a read port and a write port")
    energy_spread: Spread = Field(default=SURE, description="how far sources disagree about energies")
    leakage_spread: Spread = Field(default=SURE, description="how far sources disagree about leakage")
    area_spread: Spread = Field(default=SURE, description="how far sources disagree about areas")

    @model_validator(mode="after")
    def _is_a_grid(self) -> SramTable:
        _increasing("words", self.words)
        _increasing("width_bits", self.width_bits)
        for ports in ("single_port", "dual_port"):
            for quantity in SramGrids.model_fields:
                grid: Grid = getattr(getattr(self, ports), quantity)
                _check_grid(f"{ports}.{quantity}", grid, len(self.words), len(self.width_bits))
        return self


class Technology(StrictModel):
    """A technology: a node of manufacturing and the DRAM beside it."""

    summary: Text = Field(description="one line that says what this technology is")
    node_nm: PositiveNumber = Field(description="name of the node in nm")
    voltage_v: PositiveNumber = Field(description="supply of logic and memories in V, for which the energies hold")
    chain: str = Field(
        default="", max_length=200, description="name of the chain of sources; technologies of one may be compared"
    )
    integer_multiply: OperatorTable = Field(description="integer multipliers of two equal operands")
    integer_add: OperatorTable = Field(description="integer adders")
    float_multiply: OperatorTable = Field(description="floating-point multipliers")
    float_add: OperatorTable = Field(description="floating-point adders")
    register_bit: RegisterBit = Field(description="flip-flops and tables in logic")
    logic_leakage: LogicLeakage = Field(description="leakage of logic")
    leakage: Leakage = Field(description="transistors and temperature for which leakage holds, and what others leak")
    wires: Wires = Field(description="wires between memories and units")
    clock: Overhead = Field(description="clock tree, as a factor of the energy of logic")
    control: Overhead = Field(description="sequencer and control, as a factor of the energy of logic")
    layout: Overhead = Field(description="space between cells, as a factor of the area of logic")
    dram: Annotated[tuple[Dram, ...], Field(max_length=32)] = Field(description="types of DRAM")
    sram: SramTable = Field(description="SRAM by words, width and ports")

    @model_validator(mode="after")
    def _one_of_a_name(self) -> Technology:
        names = [dram.name for dram in self.dram]
        if not names:
            raise ValueError("dram: one type or more is needed")
        if len(set(names)) < len(names):
            raise ValueError(f"dram: names are given twice ({', '.join(names)})")
        return self


def _increasing(name: str, values: Sequence[float]) -> None:
    """Check that points rise, and that there are two or more, since a line needs two."""
    if len(values) < 2:
        raise ValueError(f"{name}: two or more are needed, to draw a line through")
    if any(b <= a for a, b in pairwise(values)):
        raise ValueError(f"{name} must rise")


def _never_falling(name: str, values: Iterable[float]) -> None:
    """Check that values never fall: a wider or larger thing that cost less would reward waste."""
    for a, b in pairwise(values):
        if b < a:
            raise ValueError(f"{name} falls from {a:g} to {b:g}; it must not fall with the size")


def _check_grid(name: str, grid: Grid, rows: int, columns: int) -> None:
    if len(grid) != rows or any(len(row) != columns for row in grid):
        raise ValueError(f"{name} must have {rows} rows (words) of {columns} numbers (width_bits)")
    for line in (*grid, *zip(*grid, strict=True)):
        _never_falling(name, line)
