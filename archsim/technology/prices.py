"""Prices operators and memories of any width in a technology, from its tables (docs/energy.md)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from math import sqrt

from archsim.hardware.operators import Operator, OperatorKind
from archsim.hardware.storage import OffChip, Registers, Sram, Storage
from archsim.technology.beside import Dram
from archsim.technology.conditions import USUAL, Conditions
from archsim.technology.config import OperatorTable, Technology
from archsim.technology.interpolate import inside, interpolate, interpolate_grid
from archsim.technology.spread import SURE, Spread

UM2_PER_MM2 = 1_000_000
PJ_PER_UJ = 1_000_000

MULTIPLEXER_SHARE = 7 / 16
"""A two-input multiplexer of a bit beside a full adder, both of drive X1: 1.862 and 4.256 um2, 7 and 16 sites, in
Nangate's open cell library for 45 nm. That its energy goes with its area is inferred."""


@dataclass(frozen=True, slots=True)
class OperatorPrice:
    """The price of one operation and of one operator.

    `extrapolated` says how far the table goes that this lies beyond, or "".
    """

    energy_pj: float
    area_mm2: float
    extrapolated: str = ""
    energy_spread: Spread = SURE
    area_spread: Spread = SURE


@dataclass(frozen=True, slots=True)
class MemoryPrice:
    """The price of a memory: of an access of `access_bits` or a part of them, and of all of it."""

    access_bits: int
    read_pj: float
    write_pj: float
    leakage_mw: float
    area_mm2: float
    extrapolated: str = ""
    energy_spread: Spread = SURE
    leakage_spread: Spread = SURE
    area_spread: Spread = SURE

    def access_pj(self, direction: str) -> float:
        """The energy in pJ of an access, "read" or "write"."""
        return self.read_pj if direction == "read" else self.write_pj


class Prices:
    """The prices of a technology under some conditions; each is worked out once."""

    def __init__(self, technology: Technology, conditions: Conditions = USUAL) -> None:
        self.technology = technology
        self.conditions = conditions
        self.energy_factor = conditions.energy_factor(technology)
        """The factor on the tables' energy of what switches on the chip."""
        self.leakage_factor = conditions.leakage_factor(technology)
        """The factor on the tables' leakage."""
        self._operators: dict[Operator, OperatorPrice] = {}
        self._memories: dict[Storage, MemoryPrice] = {}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the technology's numbers and the conditions."""
        return sha256(f"{self.technology.model_dump_json()}{self.conditions}".encode()).hexdigest()

    @property
    def logic_leakage_mw_per_mm2(self) -> float:
        """What a mm2 of logic leaks."""
        return self.technology.logic_leakage.power_mw_per_mm2 * self.leakage_factor

    def dram(self, name: str) -> Dram:
        """What a type of DRAM takes; ValueError if the technology does not have it."""
        known = {dram.name: dram for dram in self.technology.dram}
        if name not in known:
            raise ValueError(f"no DRAM of type {name!r}; the technology has {', '.join(known)}")
        return known[name]

    def operator(self, operator: Operator) -> OperatorPrice:
        """The price of an operator of any width."""
        known = self._operators.get(operator)
        if known is None:
            known = self._operators[operator] = _operator(self, operator)
        return known

    def memory(self, storage: Storage) -> MemoryPrice:
        """The price of a memory; ValueError if it is DRAM of a type that the technology does not have."""
        known = self._memories.get(storage)
        if known is None:
            known = self._memories[storage] = _memory(self, storage)
        return known


def _operator(prices: Prices, operator: Operator) -> OperatorPrice:
    """The table and the width that price an operator.

    A comparator is an integer adder (inferred). A multiplexer of two numbers is MULTIPLEXER_SHARE of an integer adder.

    A multiplier of a x b bits is one of sqrt(a b) x sqrt(a b): it has a b cells, one for each partial product.
    """
    technology, factor = prices.technology, prices.energy_factor
    if operator.words:
        return _lookup(prices, operator)
    if operator.kind in (OperatorKind.REGISTER, OperatorKind.TABLE):
        bit = technology.register_bit
        area_mm2 = bit.area_um2 / UM2_PER_MM2
        return OperatorPrice(bit.energy_pj * factor, area_mm2, "", bit.energy_spread, bit.area_spread)
    table = _table(technology, operator)
    bits = sqrt(operator.bits * operator.other_bits) if operator.other_bits else float(operator.bits)
    points = [point.bits for point in table.points]
    energy_pj = interpolate(points, [point.energy_pj for point in table.points], bits) * factor
    area_um2 = interpolate(points, [point.area_um2 for point in table.points], bits)
    if operator.kind is OperatorKind.MULTIPLEX:
        energy_pj, area_um2 = energy_pj * MULTIPLEXER_SHARE, area_um2 * MULTIPLEXER_SHARE
    beyond = "" if inside(points, bits) else f"the table has {points[0]} to {points[-1]} bits"
    return OperatorPrice(energy_pj, area_um2 / UM2_PER_MM2, beyond, table.energy_spread, table.area_spread)


def _lookup(prices: Prices, operator: Operator) -> OperatorPrice:
    """The price of a table: as registers, or as an SRAM where that is smaller, its energy that of reading a word.

    Words that are narrower than the least of the technology's SRAMs lie side by side in one of its words. No SRAM is
    smaller than that least one, so that a larger table never has less area.
    """
    bit, sram = prices.technology.register_bit, prices.technology.sram
    width = max(operator.bits, sram.width_bits[0])
    words = max(-(-operator.words * operator.bits // width), sram.words[0])
    ram = prices.memory(Sram(1, -(-words * width // 8), width, dual_port=False))
    area_mm2 = operator.words * operator.bits * bit.area_um2 / UM2_PER_MM2
    if ram.area_mm2 < area_mm2:
        return OperatorPrice(ram.read_pj, ram.area_mm2, ram.extrapolated, ram.energy_spread, ram.area_spread)
    energy_pj = operator.bits * bit.energy_pj * prices.energy_factor
    return OperatorPrice(energy_pj, area_mm2, "", bit.energy_spread, bit.area_spread)


def _table(technology: Technology, operator: Operator) -> OperatorTable:
    if operator.kind is OperatorKind.MULTIPLY:
        return technology.float_multiply if operator.floating else technology.integer_multiply
    return technology.float_add if operator.floating else technology.integer_add


def _memory(prices: Prices, storage: Storage) -> MemoryPrice:
    match storage:
        case Sram():
            return _sram(prices, storage)
        case Registers():
            technology = prices.technology
            bit, leaks = technology.register_bit, technology.logic_leakage.spread
            area_mm2 = storage.bits * bit.area_um2 / UM2_PER_MM2
            leakage_mw, energy_pj = area_mm2 * prices.logic_leakage_mw_per_mm2, bit.energy_pj * prices.energy_factor
            spreads = bit.energy_spread, leaks, bit.area_spread
            return MemoryPrice(1, energy_pj, energy_pj, leakage_mw, area_mm2, "", *spreads)
        case OffChip():
            dram = prices.dram(storage.dram_type)
            energy_pj = dram.energy_pj_per_bit
            return MemoryPrice(1, energy_pj, energy_pj, 0.0, 0.0, "", dram.energy_spread)


def _sram(prices: Prices, storage: Sram) -> MemoryPrice:
    """The price of an SRAM, of banks of a word a port; copies of banks have area and leakage of their own.

    A port wider than the table is several macros side by side, each used alone.
    """
    table = prices.technology.sram
    beside = -(-storage.port_bits // table.width_bits[-1])
    width_bits = -(-storage.port_bits // beside)
    macros = storage.banks * beside
    words = max(1.0, 8 * storage.capacity_bytes / (macros * width_bits))
    built = macros + storage.further_banks * beside
    grids = table.dual_port if storage.dual_port else table.single_port
    read_pj, write_pj, leakage_mw, area_mm2 = (
        interpolate_grid(table.words, table.width_bits, grid, words, width_bits)
        for grid in (grids.read_pj, grids.write_pj, grids.leakage_mw, grids.area_mm2)
    )
    beyond = ""
    if not (inside(table.words, words) and inside(table.width_bits, width_bits)):
        covered = [f"{axis[0]:,} to {axis[-1]:,}" for axis in (table.words, table.width_bits)]
        beyond = f"SRAM of {words:,.0f} words x {width_bits} bits: the table has {covered[0]} words x {covered[1]} bits"
    return MemoryPrice(
        width_bits,
        read_pj * prices.energy_factor,
        write_pj * prices.energy_factor,
        built * leakage_mw * prices.leakage_factor,
        built * area_mm2,
        beyond,
        table.energy_spread,
        table.leakage_spread,
        table.area_spread,
    )
