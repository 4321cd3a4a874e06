"""What every unit that evaluates activation functions is described by."""

from __future__ import annotations

from pydantic import Field

from archsim.config.types import Count, Cycles
from archsim.formats.config import AnyFormat
from archsim.hardware.functions.method_registry import EXACT, AnyMethod
from archsim.hardware.functions.piecewise import PiecewiseConfig
from archsim.hardware.functions.table import TableConfig
from archsim.hardware.unit import UnitConfig


class FunctionConfig(UnitConfig):
    """Width, depth and method."""

    lanes: Count = Field(description="values per cycle")
    latency_cycles: Cycles | None = Field(
        default=None, description="pipeline stages of the function unit; the method's own if left out"
    )
    method: AnyMethod = Field(default=EXACT, description="how a function is evaluated")
    address_format: AnyFormat | None = Field(
        default=None, description="q format in which tables and lines see their argument; formats.gate if left out"
    )
    table: TableConfig = Field(default=TableConfig(), description="look-up table, used by the method of that name")
    piecewise_linear: PiecewiseConfig = Field(
        default=PiecewiseConfig(), description="line segments, used by the method of that name"
    )
