"""The area model's multipliers are those of the RTL, counted by Yosys before it maps them."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from archsim.families.gemv.config import GemvConfig
from archsim.families.registry import build_units
from archsim.hardware.operators import OperatorKind
from archsim.rtl.folder import write_design
from archsim.rtl.synth import count_operators
from tests.families.gemv.rtl.cases import expected_of, inputs_of, need_yosys
from tests.families.gemv.rtl.planted import DEEP, LSTM, SmallCase
from tests.rings import exhaustive

OF_A_LANE = 1
"""Multipliers of an activation lane that the model has not: the ratio from argument to address, set at run time."""


@exhaustive
@pytest.mark.parametrize("case", [LSTM, DEEP], ids=["lstm", "deep"])
def test_multipliers(case: SmallCase, tmp_path: Path) -> None:
    """MAC array: rows x columns, and a converter a row. Element-wise: two products a lane, each with its ratio."""
    need_yosys()
    design = expected_of(case).design
    write_design(design, tmp_path)
    found = {unit.name: unit.multipliers for unit in count_operators(design, tmp_path)}
    arch, _ = inputs_of(case)
    config = cast("GemvConfig", arch.config)
    model = {
        name: sum(n for operator, n in unit.inventory().items() if operator.kind is OperatorKind.MULTIPLY)
        for name, unit in build_units(config).items()
    }
    rows, lanes = config.mac_array.rows, config.elementwise.lanes
    assert model["mac_array"] == rows * config.mac_array.columns + rows == found["mac_array"]
    assert model["elementwise"] == 4 * lanes == found["elementwise"]
    assert found["activation"] == model["activation"] + OF_A_LANE * config.activation.lanes
