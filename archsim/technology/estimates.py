"""Makes a technology of another estimator's prices, and sets the prices of two technologies beside each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from archsim.hardware.operators import Operator, OperatorKind
from archsim.hardware.storage import Sram
from archsim.technology.beside import Device, Dram
from archsim.technology.conditions import Conditions
from archsim.technology.config import LogicLeakage, OperatorPoint, OperatorTable, RegisterBit, SramGrids, Technology
from archsim.technology.prices import UM2_PER_MM2, Prices
from archsim.technology.spread import Spread

BITS = (8, 16, 32)
"""Widths of the integer operators that are set beside each other."""

SRAM_KIB = (1, 8, 32, 128, 512)
"""Sizes of the SRAMs that are, with words of 64 bits and one port."""

SAME_CONDITIONS = Conditions("low_power", 350.0)
"""Transistors and temperature for which leakage is set beside each other, whatever those of the tables."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """The prices that another estimator has, at the points of a technology's tables.

    `leakage_at`: transistors and temperature for which SRAM leaks that much. `dram_pj_per_bit`: type -> a bit in device
    and interface together, of the types that the estimator has.
    """

    estimator: str
    logic_source: str
    sram_source: str
    dram_source: str
    multiply: tuple[OperatorPoint, ...]
    add: tuple[OperatorPoint, ...]
    register_bit: OperatorPoint
    logic_leakage_mw_per_mm2: float
    single_port: SramGrids
    dual_port: SramGrids
    leakage_at: tuple[Device, float]
    dram_pj_per_bit: Mapping[str, float]


def technology_of(base: Technology, found: Estimates) -> Technology:
    """The base with every price that the estimator has; what it does not have stays, with its source.

    The chain of sources is the estimator's own, so that no comparison with the base goes without a word.
    """
    sure = Spread(low=1.0, high=1.0, source=f"{found.estimator} gives none")
    bit = found.register_bit
    return base.model_copy(
        update={
            "summary": f"{base.node_nm:g} nm, integer logic, SRAM and DRAM's bits as {found.estimator} has them",
            "chain": f"{found.estimator} beside {base.chain or base.summary}"[:200],
            "integer_multiply": _operators(found.multiply, found, sure),
            "integer_add": _operators(found.add, found, sure),
            "register_bit": RegisterBit(
                source=found.logic_source,
                energy_pj=bit.energy_pj,
                area_um2=bit.area_um2,
                energy_spread=sure,
                area_spread=sure,
            ),
            "logic_leakage": LogicLeakage(
                source=f"{found.logic_source}; for the file's transistors and temperature (inferred)",
                power_mw_per_mm2=found.logic_leakage_mw_per_mm2,
                spread=sure,
            ),
            "dram": tuple(_dram(dram, found, sure) for dram in base.dram),
            "sram": base.sram.model_copy(
                update={
                    "source": found.sram_source,
                    "single_port": _usual_leakage(found.single_port, base, found),
                    "dual_port": _usual_leakage(found.dual_port, base, found),
                    "energy_spread": sure,
                    "leakage_spread": sure,
                    "area_spread": sure,
                }
            ),
        }
    )


def _operators(points: tuple[OperatorPoint, ...], found: Estimates, sure: Spread) -> OperatorTable:
    return OperatorTable(source=found.logic_source, points=points, energy_spread=sure, area_spread=sure)


def _usual_leakage(grids: SramGrids, base: Technology, found: Estimates) -> SramGrids:
    """The SRAMs with the leakage of the base's transistors and temperature, by the factors of its section leakage.

    Under the estimator's conditions (`energy_model.device`, `temperature_k`) they leak what the estimator says.
    """
    factor = Conditions(*found.leakage_at).leakage_factor(base)
    leakage = tuple(tuple(five_digits(number / factor) for number in row) for row in grids.leakage_mw)
    return grids.model_copy(update={"leakage_mw": leakage})


def _dram(base: Dram, found: Estimates, sure: Spread) -> Dram:
    """A type of DRAM whose bit costs what the estimator says, split into device and interface as in the base."""
    whole = found.dram_pj_per_bit.get(base.name)
    if whole is None:
        return base
    ours = base.energy_pj_per_bit + base.phy_pj_per_bit
    return base.model_copy(
        update={
            "source": f"{found.dram_source}, {whole:g} pJ a bit, split as in the base (inferred): {base.source}"[:1200],
            "energy_pj_per_bit": five_digits(whole * base.energy_pj_per_bit / ours),
            "phy_pj_per_bit": five_digits(whole * base.phy_pj_per_bit / ours),
            "energy_spread": sure,
            "phy_spread": sure,
        }
    )


def five_digits(number: float) -> float:
    """The number with five digits, which is more than any source has."""
    return float(f"{number:.5g}")


@dataclass(frozen=True, slots=True)
class Beside:
    """A price in two technologies."""

    what: str
    unit: str
    other: float
    ours: float

    @property
    def ratio(self) -> float:
        """The other's over ours."""
        return self.other / self.ours


def beside(other: Technology, ours: Technology) -> tuple[Beside, ...]:
    """The prices of integer logic, registers, SRAM and DRAM's bits in two technologies.

    Leakage is for SAME_CONDITIONS.
    """
    return tuple(
        Beside(what, unit, one, two)
        for (what, unit, one), (_, _, two) in zip(_prices(other, ours), _prices(ours, other), strict=True)
    )


def _prices(technology: Technology, other: Technology) -> Iterator[tuple[str, str, float]]:
    """Each price with its name and unit; of DRAM those of the types that both have."""
    prices = Prices(technology, SAME_CONDITIONS)
    for kind, name in ((OperatorKind.MULTIPLY, "multiplier"), (OperatorKind.ADD, "adder")):
        for bits in BITS:
            operator = prices.operator(Operator(kind, bits, bits if kind is OperatorKind.MULTIPLY else 0))
            yield f"{name}, {bits} bits", "pJ", operator.energy_pj
            yield f"{name}, {bits} bits", "um2", operator.area_mm2 * UM2_PER_MM2
    yield "register, a bit", "pJ", technology.register_bit.energy_pj
    yield "register, a bit", "um2", technology.register_bit.area_um2
    yield "logic leaks", "mW/mm2", prices.logic_leakage_mw_per_mm2
    for kib in SRAM_KIB:
        sram = prices.memory(Sram(1, 1024 * kib, 64, dual_port=False))
        yield f"SRAM of {kib} KiB, 64 bits read", "pJ", sram.read_pj
        yield f"SRAM of {kib} KiB, 64 bits written", "pJ", sram.write_pj
        yield f"SRAM of {kib} KiB", "mm2", sram.area_mm2
        yield f"SRAM of {kib} KiB leaks", "mW", sram.leakage_mw
    both = {dram.name for dram in other.dram}
    for dram in technology.dram:
        if dram.name in both:
            yield f"{dram.name}, a bit", "pJ", dram.energy_pj_per_bit + dram.phy_pj_per_bit
