"""`archsim run --trace` and `--export`: files in the run's folder, under the names that viewers and tables have."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from archsim.api import simulate
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.cli.conftest import Cli
from tests.optional import need

TINY = ("tiny_2x2", "lstm_3_2_t4", "--no-plots")


def test_all_traces_and_tables_lie_in_the_folder(cli: Cli) -> None:
    traces = ("--trace", "perfetto", "--trace", "vcd", "--trace", "konata")
    run = cli("run", *TINY, *traces, "--export", "ops,steps", "--export-format", "csv", "--out", "x")
    assert (run.code, run.err) == (0, "")
    names = {path.name for path in Path("x").iterdir()}
    assert {"trace.json.gz", "trace.vcd", "trace.konata", "ops.csv", "steps.csv"} <= names
    assert len(Path("x/steps.csv").read_text().splitlines()) == 1 + 4


def test_with_json_too_and_without_a_folder_named(cli: Cli) -> None:
    run = cli("run", *TINY, "--json", "--trace", "konata")
    assert run.out.startswith("{")
    [folder] = Path("results").iterdir()
    assert (folder / "trace.konata").is_file()


def test_parquet_has_the_columns_and_what_they_mean(cli: Cli) -> None:
    need("pyarrow")
    import pyarrow.parquet as pq

    assert cli("run", *TINY, "--export", "ops", "--out", "x").code == 0
    table = pq.read_table("x/ops.parquet")
    ops = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True).ops()
    assert table.column_names == list(ops.data)
    assert table.column("done_cycle").to_pylist() == ops["done_cycle"].tolist()
    assert table.schema.field("issue_cycle").metadata[b"meaning"] == (
        b"when the sequencer put it into its unit's queue (cycle)"
    )
    ops.to_parquet("again.parquet")
    assert pq.read_table("again.parquet").equals(table)


def test_without_pyarrow_it_says_what_to_do(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyarrow"]:
        monkeypatch.delitem(sys.modules, name)
    run = cli("run", *TINY, "--export", "ops", "--out", "x")
    assert (run.code, run.out) == (2, "")
    assert run.err == 'archsim: error: Parquet needs pyarrow: pip install "archsim[tables]"; or CSV\n'
    assert not Path("x").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--export", "op"), "--export: there is no table 'op'; allowed: ops, steps."),
        (("--trace", "vdc"), "'vdc' is not one of 'perfetto', 'vcd', 'konata'"),
        (("--trace", "vcd", "--executor", "fast", "--timing-only"), "knows no single ops, which a trace or a table"),
    ],
)
def test_mistakes_are_one_line(cli: Cli, options: tuple[str, ...], said: str) -> None:
    run = cli("run", *TINY, *options, "--out", "x")
    assert (run.code, run.out) == (2, "")
    assert said in run.err
    assert len(run.err.splitlines()) == 1
    assert not Path("x").exists()


def test_a_table_says_in_a_line_what_it_is() -> None:
    ops = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True).ops()
    assert repr(ops).startswith(f"<{len(ops)} rows of phase, repetition, layer, step, name, ")
    assert len(repr(ops).splitlines()) == 1
