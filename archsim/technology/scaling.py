"""Makes a technology out of another one: every number of the anchor times a factor of the node.

Nodes that are so many times the same anchor cannot contradict each other: what is no larger in the factor is no larger
in any price (docs/energy.md).
"""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import PositiveNumber, StrictModel, Text
from archsim.technology.config import OperatorTable, SramGrids, SramTable, Technology
from archsim.technology.spread import Scale


class ScaledTechnology(StrictModel):
    """A technology file that scales another one."""

    summary: Text = Field(description="one line that says what this technology is")
    node_nm: PositiveNumber = Field(description="name of the node in nm")
    voltage_v: PositiveNumber = Field(description="supply of logic and memories in V, for which the factors hold")
    scaled_from: Text = Field(description="the anchor: a preset's name or a file beside this one")
    energy: Scale = Field(description="factor of the energy of operators, registers and SRAM")
    area: Scale = Field(description="factor of all areas")
    leakage: Scale = Field(description="factor of the leakage of the same circuit")
    wires: Scale = Field(description="factor of the energy of a bit over a mm")


def scaled(anchor: Technology, by: ScaledTechnology) -> Technology:
    """The anchor at another node."""
    bit, leaks, wires = anchor.register_bit, anchor.logic_leakage, anchor.wires
    return anchor.model_copy(
        update={
            "summary": by.summary,
            "node_nm": by.node_nm,
            "voltage_v": by.voltage_v,
            "integer_multiply": _operators(anchor.integer_multiply, by),
            "integer_add": _operators(anchor.integer_add, by),
            "float_multiply": _operators(anchor.float_multiply, by),
            "float_add": _operators(anchor.float_add, by),
            "register_bit": bit.model_copy(
                update={
                    "source": _source(bit.source, by.energy),
                    "energy_pj": _times(bit.energy_pj, by.energy),
                    "area_um2": _times(bit.area_um2, by.area),
                    "energy_spread": bit.energy_spread.scaled(by.energy),
                    "area_spread": bit.area_spread.scaled(by.area),
                }
            ),
            # Of a mm2 there is more circuit: what the circuit leaks is to fall by the factor.
            "logic_leakage": leaks.model_copy(
                update={
                    "source": _source(leaks.source, by.leakage),
                    "power_mw_per_mm2": leaks.power_mw_per_mm2 * by.leakage.factor / by.area.factor,
                    "spread": leaks.spread.scaled(by.leakage),
                }
            ),
            "wires": wires.model_copy(
                update={
                    "source": _source(wires.source, by.wires),
                    "energy_pj_per_bit_mm": _times(wires.energy_pj_per_bit_mm, by.wires),
                    "spread": wires.spread.scaled(by.wires),
                }
            ),
            "sram": _sram(anchor.sram, by),
        }
    )


def _source(of: str, by: Scale) -> str:
    return f"{of}; times {by.factor:g}: {by.source}"[:1200]


def _times(number: float, by: Scale) -> float:
    # Not rounded: the product of a number and its high would else differ between nodes of equal highs.
    return number * by.factor


def _operators(table: OperatorTable, by: ScaledTechnology) -> OperatorTable:
    points = tuple(
        point.model_copy(
            update={"energy_pj": _times(point.energy_pj, by.energy), "area_um2": _times(point.area_um2, by.area)}
        )
        for point in table.points
    )
    return table.model_copy(
        update={
            "source": _source(table.source, by.energy),
            "points": points,
            "energy_spread": table.energy_spread.scaled(by.energy),
            "area_spread": table.area_spread.scaled(by.area),
        }
    )


def _sram(table: SramTable, by: ScaledTechnology) -> SramTable:
    return table.model_copy(
        update={
            "source": _source(table.source, by.energy),
            "single_port": _grids(table.single_port, by),
            "dual_port": _grids(table.dual_port, by),
            "energy_spread": table.energy_spread.scaled(by.energy),
            "leakage_spread": table.leakage_spread.scaled(by.leakage),
            "area_spread": table.area_spread.scaled(by.area),
        }
    )


def _grids(grids: SramGrids, by: ScaledTechnology) -> SramGrids:
    factors = {"read_pj": by.energy, "write_pj": by.energy, "leakage_mw": by.leakage, "area_mm2": by.area}
    update = {
        name: tuple(tuple(_times(number, factor) for number in row) for row in getattr(grids, name))
        for name, factor in factors.items()
    }
    return grids.model_copy(update=update)
