"""docs/program_json.md names every field that the exported program and trace can have."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from archsim.export.buffer_data import BufferData
from archsim.export.contents import EntryData
from archsim.export.format_data import FormatData
from archsim.export.machine_data import (
    CopiesData,
    MachineData,
    MemoryData,
    PortData,
    SequencerData,
    ServiceData,
    UnitData,
)
from archsim.export.op_data import OpData, OperandData, SlotPointer
from archsim.export.op_times import OpRow, PhaseRow
from archsim.export.program_json import PhaseData, TokenData
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.merge import MergeProduct, MergeSum
from archsim.families.cells.reference_ops import REFERENCE_CELL_OPS
from archsim.hardware import constants
from archsim.hardware.unit import PortUse
from tests.export.exports import exported_program, exported_trace

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "program_json.md").read_text(encoding="utf-8")

ROWS = (
    *(BufferData, EntryData, FormatData, MachineData, MemoryData, PortData, SequencerData, ServiceData, UnitData),
    *(CopiesData, OpData, OperandData, SlotPointer, OpRow, PhaseRow, PhaseData, TokenData, PortUse),
    *(constants.Accumulation, constants.Addressing, constants.ActivationConstants, constants.ElementwiseConstants),
    *(constants.IdentityConstants, constants.LinesConstants, constants.NoConstants, constants.Product),
    *(constants.RealFunction, constants.Rescale, constants.TableConstants, constants.TileConstants),
)


def named(name: str) -> bool:
    """Whether the page has the name as code."""
    words = " ".join(re.findall(r"`[^`\n]+`", PAGE)) + " ".join(re.findall(r"^    .*$", PAGE, flags=re.MULTILINE))
    return re.search(rf"\b{name}\b", words) is not None


def test_a_name_that_is_not_there_is_noticed() -> None:
    assert named("take_until")
    assert not named("take_unti")
    assert not named("sequences")  # only in the prose


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.__name__)
def test_the_page_names_every_field(row: Any) -> None:
    missing = [field.name for field in fields(row) if not named(field.name)]
    assert missing == []


@pytest.mark.parametrize("found", [exported_program, exported_trace], ids=["program", "trace"])
def test_the_page_names_every_field_of_the_whole(found: Any) -> None:
    whole = found("tiny_2x2", "lstm_3_2_t4", None)
    assert [name for name in whole if not named(name)] == []
    assert whole["version"] == 1


def test_the_page_names_every_op_of_the_cells_and_its_arguments() -> None:
    assert [op.__name__ for op in REFERENCE_CELL_OPS if op.__name__ != "Transfer" and not named(op.__name__)] == []
    for op in (CandidateSum, GruUpdate, ResetHidden, CellUpdate, HiddenUpdate, Peephole, MergeProduct, MergeSum):
        own = {field.name for field in fields(op)} - {field.name for field in fields(constants.Product)}
        common = {field.name for field in fields(OpData)} | {"target", "hold"}
        assert [name for name in sorted(own - common) if not named(name)] == []
