"""Tables of a run, held against its figures: bytes, steps of several bodies, groups of rows, how many ops may be."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api import Simulation, run_tables, simulate, tables
from archsim.api.op_rows import OpRow, StepRow, column_types, columns, meanings
from archsim.api.tables import ParquetWriter, Table
from archsim.engines.choose import MACHINE
from archsim.errors import ScheduleError
from archsim.trace import Window
from tests.optional import need

SIMULATE = sys.modules["archsim.api.simulate"]
"""The module; the package has the function under its name."""

TWO_LAYERS = ("tiny_2x2", "lstm:3,2,t=4,layers=2")


@pytest.fixture(scope="module")
def run() -> Simulation:
    return simulate(*TWO_LAYERS, timing_only=True)


@pytest.mark.parametrize("case", [TWO_LAYERS, ("elasticai_lstm", "lstm:1,4,t=2"), ("tpu_v1", "lstm:4,4,t=2")])
def test_bytes_of_all_ops_are_the_traffic_of_the_run(case: tuple[str, str]) -> None:
    """What an op adds to where it lies is read and written; each memory is counted once a way."""
    found = simulate(*case)
    ops, traffic = found.ops(), found.stats.traffic_bytes
    for column, way in (("read_bytes", "read"), ("written_bytes", "write")):
        moved = sum(sum(kinds.values()) for ways in traffic.values() for name, kinds in ways.items() if name == way)
        assert ops[column].sum() == moved, way


@pytest.mark.parametrize("workload", ["gru:8,8,t=6,delta=0.1", "lstm:8,8,t=6,delta=0.1,layers=2"])
def test_columns_that_are_skipped_are_not_read(workload: str) -> None:
    """Each repetition of an op has the bytes that all read in the mean, as a float, which may be a rounded one."""
    found = simulate("edgedrnn", workload, timing_only=True)
    dense = simulate("edgedrnn", workload.replace("delta=0.1", "delta=0"), timing_only=True)
    ops, traffic = found.ops(), found.stats.traffic_bytes
    for column, way in (("read_bytes", "read"), ("written_bytes", "write")):
        moved = sum(sum(kinds.values()) for ways in traffic.values() for name, kinds in ways.items() if name == way)
        assert ops[column].sum() == pytest.approx(moved, rel=1e-12), way
    assert ops["read_bytes"].sum() < dense.ops()["read_bytes"].sum()


def test_each_op_names_its_phase_and_its_step(run: Simulation) -> None:
    """Layer 1 has its own body behind that of layer 0. Outside of the bodies there is no step."""
    ops = run.ops()
    bodies = np.char.startswith(ops["phase"].astype(str), "body")
    assert (ops["step"][~bodies] == -1).all()
    assert (ops["step"][bodies] == ops["repetition"][bodies]).all()
    assert dict.fromkeys(ops["phase"].tolist()) == dict.fromkeys(
        ["prologue", "body of layer 0", "handover to layer 1", "body of layer 1", "epilogue"]
    )
    assert len(ops) == run.program.op_instances
    for before, after in (("issue", "start"), ("start", "free"), ("free", "done")):
        assert (ops[f"{before}_cycle"] <= ops[f"{after}_cycle"]).all()
    occupied = ops["free_cycle"] - ops["start_cycle"]
    assert (np.maximum(ops["compute_cycles"], ops["port_cycles"]) <= occupied).all()
    waits = ops["waited_cycles"] > 0
    assert (ops["waited_for"][waits] != "").all()


def test_the_label_of_an_op_has_its_layer_its_name_and_its_tile(run: Simulation) -> None:
    """And a unit's ops compute for as long as its cycle stack says that it did useful work or padding."""
    ops = run.ops()
    parts = zip(*(ops[name].tolist() for name in ("label", "layer", "name", "tile")), strict=True)
    assert all(label == f"l{layer}.{name}" + (f"[{tile}]" if tile else "") for label, layer, name, tile in parts)
    assert {"0.1", "1.0"} <= set(ops["tile"].tolist())
    for unit, stack in run.stats.unit_cycle_stacks.items():
        assert ops["compute_cycles"][ops["unit"] == unit].sum() == stack["useful"] + stack["padding"]


def test_each_step_is_made_of_its_ops(run: Simulation) -> None:
    """It starts with the first of them and ends with the last; a body's first step counts from the body's start."""
    ops, steps = run.ops(), run.steps()
    starts = {phase.name: trace.start for phase, trace in zip(run.program.phases, run.trace.phases, strict=True)}
    assert len(steps) == 8
    before: dict[str, int] = {}
    for n in range(len(steps)):
        phase, step = steps["phase"][n], steps["step"][n]
        mine = (ops["phase"] == phase) & (ops["step"] == step)
        assert steps["start_cycle"][n] == ops["start_cycle"][mine].min()
        assert steps["end_cycle"][n] == ops["done_cycle"][mine].max()
        assert steps["ops"][n] == mine.sum()
        assert steps["macs"][n] == ops["macs"][mine].sum()
        assert steps["cycles"][n] == steps["end_cycle"][n] - before.get(phase, starts[phase])
        before[phase] = steps["end_cycle"][n]
    assert [steps["step"].tolist(), len(set(steps["phase"]))] == [[0, 1, 2, 3] * 2, 2]


def test_columns_have_a_type_and_a_meaning_with_its_unit() -> None:
    assert column_types(StepRow) == (str, int, int, int, int, int, int)
    types = dict(zip(columns(OpRow), column_types(OpRow), strict=True))
    assert {name for name, kind in types.items() if kind is float} == {"read_bytes", "written_bytes"}
    assert {name for name, kind in types.items() if kind is str} == {
        *("phase", "name", "tile", "label", "unit", "waited_for")
    }
    said = dict(zip(columns(OpRow), meanings(OpRow), strict=True))
    assert said["macs"] == "of the model that it does (MACs)"
    assert said["unit"] == "the unit that executes it", "what has no unit has no brackets"


@pytest.mark.parametrize(("rows", "groups"), [(2, [2]), (3, [3]), (4, [3, 1]), (7, [3, 3, 1])])
def test_parquet_is_written_some_rows_at_a_time(
    rows: int, groups: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three at once here: the rest when the file is closed, and nothing if there is none."""
    need("pyarrow")
    import pyarrow.parquet

    monkeypatch.setattr(tables, "BATCH_ROWS", 3)
    writer = ParquetWriter(tmp_path / "steps.parquet", StepRow)
    values = [("body", n, 10 * n, 10 * n + 12, 10, 4, 40) for n in range(rows)]
    for one in values:
        writer.add(one)
    writer.close()
    file: Any = pyarrow.parquet.ParquetFile(tmp_path / "steps.parquet")
    assert [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)] == groups
    assert file.read().to_pylist() == [dict(zip(columns(StepRow), one, strict=True)) for one in values]
    assert file.schema_arrow.field("cycles").metadata[b"meaning"].endswith(b"or the phase began (cycles)")


def test_a_table_without_rows_has_its_columns() -> None:
    table = Table.of(StepRow, [])
    assert len(table) == 0
    assert [values.dtype.kind for values in table.data.values()] == ["O", *"iiiiii"]


def test_as_many_ops_as_may_be_kept(run: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    ops = run.program.op_instances
    monkeypatch.setattr(run_tables, "MAX_OPS", ops)
    assert len(run.ops()) == ops
    monkeypatch.setattr(run_tables, "MAX_OPS", ops - 1)
    for table in (run.ops, run.steps):
        with pytest.raises(ScheduleError, match=f"a table of {ops} ops is more than the {ops - 1} that are kept"):
            table()


@pytest.mark.parametrize("window", [None, Window(0, 1), Window(1, 2), Window(3, 9)])
def test_whoever_listens_to_all_ops_records_the_same(window: Window | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of all ops are kept of a run of as many as may be; of one more none, and the records are the same."""

    def simulated() -> Simulation:
        return simulate(*TWO_LAYERS, timing_only=True, executor=MACHINE, window=window)

    kept = simulated()
    ops = kept.program.op_instances
    monkeypatch.setattr(SIMULATE, "MAX_STACK_OPS", ops)
    assert simulated().times is not None
    monkeypatch.setattr(SIMULATE, "MAX_STACK_OPS", ops - 1)
    plain = simulated()
    assert plain.times is None
    assert plain.trace == kept.trace
    records = [(record.phase, record.repetition, record.op) for record in plain.trace.records]
    assert all(one < other for one, other in pairwise(records))
    heard: list[object] = []
    listened = simulate(*TWO_LAYERS, timing_only=True, window=window, listeners=[heard.append])
    assert listened.trace == kept.trace
    assert listened.times is None
    assert len(heard) == ops
