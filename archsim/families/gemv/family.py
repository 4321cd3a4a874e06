"""Defines the family gemv as one value, which the registry lists."""

from __future__ import annotations

from archsim.families.cells.reference_ops import REFERENCE_CELL_OPS
from archsim.families.family import Family
from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.families.gemv.bounds import GEMV_BOUNDS
from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.deltas.ops import BiasTile, DeltaTile, EncodeDeltas
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.gemv.units import GEMV_KINDS, gemv_units
from archsim.families.rtl import RtlDesign, RtlSource


def _rtl(source: RtlSource) -> RtlDesign:
    """The machine as SystemVerilog; imported when it is asked for."""
    from archsim.families.gemv.rtl.design import make_rtl

    return make_rtl(source)


GEMV = Family(
    name="gemv",
    summary="one MAC array for tiles of a GEMV, activation and element-wise units behind it, weights behind DRAM",
    config=GemvConfig,
    unit_kinds=GEMV_KINDS,
    units=gemv_units,
    schedules=GEMV_SCHEDULES,
    bounds=GEMV_BOUNDS,
    explained={
        "recurrence": ("wait_recurrence",),
        "weight_sram": ("wait_port",),
        "dram": ("wait_input", "wait_weights"),
        "sequencer": ("wait_issue",),
    },
    reference_ops=REFERENCE_CELL_OPS | {MacTile, BlockTile, DeltaTile, BiasTile, EncodeDeltas},
    rtl=_rtl,
)
