"""Cycles of a trace at their edges, tables that are exported, and what is said of RTL that was compared."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from archsim.cli.commands import program as program_module
from archsim.cli.commands.rtl import _document, _print, _refuse_foreign
from archsim.cli.commands.run import _exit_code, _tables
from archsim.errors import OutputError
from tests.cli.conftest import Cli
from tests.rings import exhaustive

TINY = ("tiny_2x2", "lstm_3_2_t4")


def cycles_of(cli: Cli) -> int:
    found: int = json.loads(cli("run", *TINY, "--json", "--timing-only").out)["latency_cycles"]
    return found


@exhaustive
def test_a_trace_begins_and_ends_where_it_is_asked_to(cli: Cli) -> None:
    """A line a cycle; the run ends at its last cycle, which may be asked for, and the one behind it may not."""
    total = cycles_of(cli)
    one = cli("trace", *TINY, "--from", "5", "--to", "5")
    assert one.code == 0
    assert one.out.splitlines()[-1] == f"... {total - 5:,} more cycles; --from and --to choose which to show"
    several = cli("trace", *TINY, "--from", "5", "--to", "9").out.splitlines()
    assert len(several) == len(one.out.splitlines()) + 4
    assert several[-1].startswith(f"... {total - 9:,} more cycles")
    assert "more cycles" not in cli("trace", *TINY, "--from", "5", "--to", f"{total}").out
    assert "... 1 more cycles" in cli("trace", *TINY, "--from", "5", "--to", f"{total - 1}").out
    assert cli("trace", *TINY, "--from", f"{total}").code == 0
    late = cli("trace", *TINY, "--from", f"{total + 1}")
    assert (late.code, late.err) == (2, f"archsim: error: --from {total + 1:,}: the run ends at cycle {total:,}\n")


def test_a_trace_has_as_many_lines_as_are_the_default(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty from the first: cycles 3 to 22."""
    monkeypatch.setattr(program_module, "DEFAULT_LINES", 20)
    total = cycles_of(cli)
    given = cli("trace", *TINY, "--from", "3", "--to", "22").out
    assert cli("trace", *TINY, "--from", "3").out == given
    assert f"... {total - 22:,} more cycles" in given


@exhaustive
def test_a_trace_that_is_too_long_is_refused(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program of as many ops as are kept is traced; of one more it is not."""
    ops = len(json.loads(cli("trace", *TINY, "--json").out)["ops"])
    monkeypatch.setattr(program_module, "MAX_RECORDED_OPS", ops)
    assert cli("trace", *TINY, "--to", "9").code == 0
    monkeypatch.setattr(program_module, "MAX_RECORDED_OPS", ops - 1)
    refused = cli("trace", *TINY, "--to", "9")
    assert refused.code == 2
    assert f"a trace of {ops:,} ops is longer than the {ops - 1:,} that are kept" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("trace", *TINY, "--from", "5", "--to", "4"), "--from 5 is after --to 4."),
        (("trace", *TINY, "--json", "--csv"), "--json and --csv exclude each other."),
        (("program", *TINY, "--timing-only"), "--timing-only goes with --json."),
        (("program", *TINY, "--contents"), "--contents goes with --json."),
        (("program", *TINY, "--timing-only", "--contents", "--json"), "--contents are numbers, which --timing-only"),
        (("run", *TINY, "--trace-arrows", "all"), "--trace-arrows all: is for --trace perfetto."),
        (("run", *TINY, "--trace-arrows", "all", "--trace", "vcd"), "--trace-arrows all: is for --trace perfetto."),
        (("run", *TINY, "--export", "ops,stepz"), "--export: there is no table 'stepz'; allowed: ops, steps."),
        (("validate", *TINY, "--tolerance", "1"), "--tolerance: is for --witness; that of a file is --set expected"),
        (("validate", *TINY, "--within-codes", "1"), "--within-codes: is for --witness; that of a file is --set"),
    ],
)  # fmt: skip
def test_options_that_do_not_go_together(cli: Cli, words: tuple[str, ...], said: str) -> None:
    run = cli(*words)
    assert (run.code, run.out) == (2, "")
    assert said in run.err


def test_tables_that_are_exported() -> None:
    """Each once, in the order in which they are named."""
    assert _tables("") == ()
    assert _tables("ops") == ("ops",)
    assert _tables(" steps, ops ,steps,") == ("steps", "ops")
    with pytest.raises(typer.BadParameter, match=f"there is no table '{'x' * 40}'; allowed: ops, steps"):
        _tables(f"ops,{'x' * 41}")


@pytest.mark.parametrize(("passed", "code"), [(True, 0), (False, 1), (None, 0)])
def test_wrong_numbers_are_exit_code_1(passed: bool | None, code: int) -> None:
    found: Any = SimpleNamespace(validation=SimpleNamespace(passed=passed))
    assert _exit_code(found) == code


def comparison(**changes: object) -> Any:
    """Of 2,000 ops 1,999 are equal, of 3,000 codes all."""
    found = {"ops": 2000, "ops_equal": 1999, "codes": 3000, "codes_equal": 3000, "finished": True, "passed": False}
    return SimpleNamespace(**(found | {"first": "op 7"} | changes))


def synthesis() -> Any:
    resources = SimpleNamespace(document=lambda: {"luts": 5}, table=lambda: "LUTs 5")
    return SimpleNamespace(resources=resources, seconds=12.6)


def test_what_is_printed_of_rtl(capsys: pytest.CaptureFixture[str]) -> None:
    out = Path("o")
    _print(out, comparison(finished=False), synthesis())
    assert capsys.readouterr().out.splitlines()[:-1] == [
        "RTL: o/",
        "Under Verilator: 1,999 of 2,000 ops equal in start, free and done, 3,000 of 3,000 codes equal",
        "The model did not come to the end of its program",
        "First difference: op 7",
        "Waveform: o/trace.vcd; testbench.cycle counts its cycles",
        "LUTs 5",
    ]
    _print(out, None, synthesis())
    assert capsys.readouterr().out.splitlines()[-1].startswith("Yosys took 13 s; its script is o/")
    _print(out, comparison(passed=True, first=None, ops_equal=2000, codes_equal=2998), None)
    assert capsys.readouterr().out.splitlines() == [
        "RTL: o/",
        "Under Verilator: 2,000 of 2,000 ops equal in start, free and done, 2,998 of 3,000 codes equal",
    ]
    _print(out, None, None)
    assert capsys.readouterr().out == "RTL: o/\n"


def test_rtl_as_json() -> None:
    wrong = _document(Path("o"), comparison(), None)
    assert [wrong[name] for name in ("ops", "ops_equal", "codes", "codes_equal")] == [2000, 1999, 3000, 3000]
    assert (wrong["passed"], wrong["first_difference"], wrong["waveform"]) == (False, "op 7", "o/trace.vcd")
    right = _document(Path("o"), comparison(passed=True, first=None), synthesis())
    assert (right["first_difference"], right["waveform"], right["synth"]) == (None, None, {"luts": 5})
    assert _document(Path("o"), None, None) == {}


def test_a_folder_of_another_thing_is_not_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A README of somebody's project; beside a source of the design it is the design's."""
    monkeypatch.setattr("archsim.rtl.folder.texts_of", lambda design: {"README.md": "", "top.sv": ""})
    design: Any = SimpleNamespace(sources=("top.sv",))
    _refuse_foreign(tmp_path / "none", design)
    _refuse_foreign(tmp_path, design)
    (tmp_path / "other").write_text("")
    _refuse_foreign(tmp_path, design)
    (tmp_path / "README.md").write_text("")
    with pytest.raises(OutputError, match=r"holds files that are of no design \(README\.md\); choose another --out"):
        _refuse_foreign(tmp_path, design)
    with pytest.raises(OutputError, match="other: is not a folder; choose another --out"):
        _refuse_foreign(tmp_path / "other", design)
    (tmp_path / "top.sv").write_text("")
    _refuse_foreign(tmp_path, design)
