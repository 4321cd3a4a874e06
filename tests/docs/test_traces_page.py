"""docs/traces.md: its commands and its snippet run, and its tables have every column."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archsim.api.op_rows import OpRow, StepRow
from archsim.metrics.declare import declared

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "traces.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", re.findall(r"^archsim .*$", PAGE, flags=re.MULTILINE))
def test_a_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.cli.main import main

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", shlex.split(command))
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    [folder] = tmp_path.iterdir()
    wanted = {"traces": {"trace.json.gz", "trace.vcd", "trace.konata"}, "tables": {"ops.csv", "steps.csv"}}
    assert wanted[folder.name] <= {path.name for path in folder.iterdir()}


def test_the_snippet_runs(capsys: pytest.CaptureFixture[str]) -> None:
    [code] = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(code, "docs/traces.md", "exec"), {})
    assert capsys.readouterr().out.endswith("cycles in which the array holds an op\n")


@pytest.mark.parametrize("row", [OpRow, StepRow])
def test_every_column_stands_there(row: type[OpRow] | type[StepRow]) -> None:
    for name, metric in declared(row).items():
        assert f"| `{name}` | {metric.unit or '-'} | {metric.meaning} |" in PAGE
