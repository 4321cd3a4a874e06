"""Tables of a run as pandas DataFrames: the same columns, values and types, and the same as the files read again."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from archsim import simulate
from archsim.api.tables import Table
from archsim.errors import OutputError
from tests.optional import need


@pytest.fixture(scope="module")
def tables() -> dict[str, Table]:
    run = simulate("tiny_2x2", "lstm:3,2,t=4,layers=2", timing_only=True)
    return {"ops": run.ops(), "steps": run.steps()}


@pytest.mark.parametrize("name", ["ops", "steps"])
def test_a_frame_is_the_table(tables: dict[str, Table], name: str, tmp_path: Path) -> None:
    pandas = need("pandas")
    need("pyarrow")
    table = tables[name]
    frame = table.to_pandas()
    assert list(frame.columns) == list(table.data)
    assert len(frame) == len(table) > 0
    for column, values in table.data.items():
        assert frame[column].tolist() == values.tolist()
        if values.dtype.kind != "O":
            assert frame[column].dtype == values.dtype, "numbers stay numbers"
    table.to_parquet(tmp_path / "table.parquet")
    pandas.testing.assert_frame_equal(pandas.read_parquet(tmp_path / "table.parquet"), frame)
    first = next(column for column, values in table.data.items() if values.dtype == np.int64)
    before = table[first].tolist()
    frame[first] = frame[first] + 1
    assert table[first].tolist() == before, "a frame that is changed leaves the run as it was"


def test_what_pandas_is_for(tables: dict[str, Table]) -> None:
    """LSTM(3, 2) and LSTM(2, 2) of 4 steps: 4 x 8 x (5 + 4) = 288 multiplications, all on the array, 160 of layer 0."""
    need("pandas")
    frame = tables["ops"].to_pandas()
    macs = frame.groupby("unit")["macs"].sum()
    assert (macs["mac_array"], macs.sum()) == (288, 288)
    assert frame[frame.step >= 0].groupby("layer")["macs"].sum().to_dict() == {0: 160, 1: 128}
    assert tables["steps"].to_pandas()["macs"].tolist() == [40] * 4 + [32] * 4


def test_without_pandas_it_is_said_what_to_install(tables: dict[str, Table], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(OutputError, match="a DataFrame needs pandas: pip install pandas"):
        tables["ops"].to_pandas()
