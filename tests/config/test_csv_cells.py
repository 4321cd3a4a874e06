"""No cell of a CSV file that archsim writes begins as a formula, whatever a user's file is called."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest

import archsim
from archsim.api.op_rows import OpRow
from archsim.api.tables import CsvWriter
from archsim.config.csv_cells import FORMULA_STARTS, harmless, harmless_row
from archsim.config.presets import PresetKind, preset_file
from archsim.explore.results.table import Table, csv_bytes
from tests.cli.conftest import Cli, cli  # noqa: F401 - the fixture


@pytest.mark.parametrize("start", FORMULA_STARTS)
def test_a_formula_becomes_a_text(start: str) -> None:
    assert harmless(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


def test_what_is_no_formula_stays() -> None:
    cells = ("a=b", "", " =x", "'=x", -1, -1.5, None, True)
    assert harmless_row(cells) == list(cells)


def test_points_of_an_exploration() -> None:
    """Names of columns and texts are made harmless; numbers are not, negative ones too."""
    text = csv_bytes(Table.of_cells({"=1+1": ["@sum", None], "change": [-3, -0.5], "ok": ["+a", "b"]})).decode()
    assert text == "'=1+1,change,ok\n'@sum,-3,'+a\n,-0.5,b\n"


def test_a_table_of_ops(tmp_path: Path) -> None:
    table = CsvWriter(tmp_path / "ops.csv", OpRow)
    table.add(("=body", -1))
    table.close()
    assert (tmp_path / "ops.csv").read_text(encoding="utf-8").splitlines()[1] == "'=body,-1"


def test_a_comparison_of_files_with_such_names(cli: Cli) -> None:  # noqa: F811
    for name, kind, preset in (("=cmd", PresetKind.ARCH, "tiny_2x2"), ("@sum", PresetKind.WORKLOAD, "lstm_3_2_t4")):
        Path(f"{name}.yaml").write_text(preset_file(kind, preset).read_text(encoding="utf-8"), encoding="utf-8")
    outcome = cli("compare", "=cmd.yaml", "--workloads", "@sum.yaml", "--format", "csv")
    assert outcome.code == 0, outcome.err
    rows = list(csv.reader(io.StringIO(outcome.out)))
    assert any(cell.startswith("'=cmd") for cell in rows[1])
    assert "'@sum" in rows[1]
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row)


def test_there_is_no_other_writer() -> None:
    """Whoever writes CSV passes its cells through this one place."""
    files = {file for file in Path(archsim.__file__).parent.rglob("*.py") if "csv.writer(" in file.read_text("utf-8")}
    assert len(files) >= 4
    for file in files:
        text = file.read_text("utf-8")
        calls = re.findall(r"\.writerow\((.*)\)$", text, flags=re.MULTILINE)
        unsafe = [call for call in calls if "harmless_row(" not in call and "dataclasses.fields" not in call]
        assert unsafe == [], f"{file}: {unsafe}"
