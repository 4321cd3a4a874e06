"""Plausible mistakes, and the line that each gets: what, where, and what is allowed; exit code 2."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from archsim.config.presets import PresetKind, preset_file
from tests.cli.conftest import Cli

RUN = "run tiny_2x2 lstm_3_2_t4"
MISTAKES = {
    # swapped arguments
    "run lstm_3_2_t4 tiny_2x2": "lstm_3_2_t4: is a workload, and tiny_2x2 an architecture; the architecture comes "
    "first: tiny_2x2 lstm_3_2_t4",
    "run mine.yaml tiny_2x2": "mine.yaml: is a workload, and tiny_2x2 an architecture; the architecture comes first: "
    "tiny_2x2 mine.yaml",
    "run lstm:3,2 tiny_2x2": "lstm:3,2: is a workload; the architecture comes first, then the workload",
    "run mine.yaml": "mine.yaml: is a workload; the architecture comes first, then the workload",
    "run tiny_2x2 machine.yaml": "machine.yaml: is an architecture; the workload comes behind it",
    "run tiny_2x2 edge_16x16": "edge_16x16: is an architecture, not a workload; presets: ...",
    # typos
    "rnu tiny_2x2": "No such command 'rnu'. Did you mean 'run'? See archsim --help.",
    "run tiny_2x3": "tiny_2x3: no preset of that name; did you mean 'tiny_2x2'? ...",
    f"{RUN} --schedule fused_gate_mayor": "--schedule fused_gate_mayor: no such schedule; did you mean "
    "'fused_gate_major'? ...",
    f"{RUN} --set mac_array.row=4": "--set mac_array.row=4: mac_array.row: unknown key; did you mean 'rows'? ...",
    f"{RUN} --set rows=4": "--set rows=4: rows: unknown key; did you mean 'mac_array.rows' (architecture)?",
    f"{RUN} --timingonly": "No such option: --timingonly ...--timing-only... See archsim run --help.",
    "run tiny_2x2 lsmt:3,2": "lsmt:3,2: unknown kind 'lsmt'; kinds: lstm, gru, rnn, ...",
    "whatif tiny_2x2 lstm_3_2_t4 --by area": "Invalid value for '--by': 'area' is not one of 'latency', 'step', "
    "'energy'. See archsim whatif --help.",
    f"{RUN} --trace gtkwave": "Invalid value for '--trace': 'gtkwave' is not one of 'perfetto', 'vcd', 'konata'. See "
    "archsim run --help.",
    "list schedule": "Invalid value: there is no list of 'schedule'; allowed: machines, ...",
    # the wrong file
    "run tiny_2x2 model.onnx": "model.onnx: is a model file; this makes a workload of it: archsim import model.onnx "
    "--out model.yaml",
    "run tiny_2x2 nowhere.yaml": "nowhere.yaml: cannot be read: No such file or directory",
    "explore tiny_2x2": "tiny_2x2: is an architecture, not a design space; presets: cloud, delta, edge, formats; ...",
    "explore machine.yaml": "machine.yaml: is an architecture, not a design space; type: archsim run machine.yaml, or "
    "name it in a space (key architecture)",
    "explore mine.yaml": "mine.yaml: is a workload, not a design space; type: archsim run ARCH mine.yaml, or name it "
    "in a space (key workloads)",
    "run space.yaml": "space.yaml: is a design space, not an architecture; type: archsim explore space.yaml",
    "run tiny_2x2 space.yaml": "space.yaml: is a design space; type: archsim explore space.yaml",
    "compare tiny_2x2 space.yaml": "space.yaml: is a design space, not an architecture; type: ...",
    "rerun nowhere": "nowhere: is no folder; expected one that archsim run has written",
    # the wrong unit
    f"{RUN} --set clock_mhz=100MHz": "--set clock_mhz=100MHz: clock_mhz: expected a number from 1e-18 to 1e+18 (core "
    "clock in MHz; ...), got the string '100MHz'",
    f"{RUN} --set weight_sram.capacity_bytes=4KB": "--set weight_sram.capacity_bytes=4KB: weight_sram.capacity_bytes: "
    "expected a size ..., got '4KB': decimal units are not allowed; write KiB (1,024-based) for KB",
}
"""Command line: the line on stderr, in which "..." stands for any words."""

SPACE = """\
summary: asked for by a sampler of another package
architecture: tiny_2x2
workloads: ["lstm:3,4,t=3"]
parameters:
  mac_array.rows: [2, 4]
objectives:
  - minimize: latency
sampler: tpe
budget: 2
"""

MISSING = {
    "explore space.yaml --no-plots": ("optuna", "archsim[explore]"),
    "explore edge --dask tcp://127.0.0.1:9 --no-plots": ("distributed", "archsim[dask]"),
    f"{RUN} --export ops --timing-only --no-plots": ("pyarrow", "archsim[tables]"),
}
"""Command line: the package that is not there, and the extra that its line names."""


@pytest.fixture
def files(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(preset_file(PresetKind.SPACE, "edge").read_text(), encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(preset_file(PresetKind.WORKLOAD, "lstm_3_2_t4").read_text(), encoding="utf-8")
    (tmp_path / "machine.yaml").write_text(preset_file(PresetKind.ARCH, "tiny_2x2").read_text(), encoding="utf-8")
    (tmp_path / "space.yaml").write_text(SPACE, encoding="utf-8")


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("command", "line"), MISTAKES.items())
def test_a_mistake_gets_its_line(cli: Cli, command: str, line: str) -> None:
    ran = cli(*command.split())
    assert (ran.code, ran.out) == (2, "")
    [said] = ran.err.splitlines()
    pattern = ".*".join(re.escape(part) for part in f"archsim: error: {line}".split("..."))
    assert re.fullmatch(pattern, said), said


@pytest.mark.parametrize(
    ("command", "line"), [("run tiny_2x2 lstm_3_2_t4 {}", "argument(s) ({}). See"), ("report {}", "error: {}: ")]
)
def test_a_long_word_is_not_repeated_whole(cli: Cli, command: str, line: str) -> None:
    """A word of 1,001 characters, more than any path has, is cut to 1,000, three of them dots; one of 1,000 stays."""
    cut = "9" * 997 + "..."
    for word, repeated in (("9" * 5_000, cut), ("9" * 1_001, cut), ("9" * 1_000, "9" * 1_000)):
        ran = cli(*command.format(word).split())
        assert ran.code == 2
        assert line.format(repeated) in ran.err


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(("command", "package"), MISSING.items())
def test_a_missing_extra_is_named(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, command: str, package: tuple[str, str]
) -> None:
    name, extra = package
    monkeypatch.setitem(sys.modules, name, None)  # as if it were not installed
    ran = cli(*command.split())
    assert ran.code == 2
    [said] = ran.err.splitlines()
    assert said.startswith("archsim: error: ")
    assert f'pip install "{extra}"' in said


def test_a_list_of_a_kind_and_as_data(cli: Cli) -> None:
    machines = cli("list", "machines")
    assert machines.code == 0
    assert machines.out.startswith("Architectures (arch_configs/)\n")
    assert "Workloads" not in machines.out
    whole = json.loads(cli("list", "--json").out)
    assert {"machines", "workloads", "schedules", "units", "spaces"} <= whole.keys()
    assert json.loads(cli("list", "spaces", "--json").out) == {"spaces": whole["spaces"]}
    assert {entry["name"] for entry in whole["spaces"]} == {"cloud", "delta", "edge", "formats"}
    assert len(whole["schedules"]) > 28


def test_schedules_are_grouped(cli: Cli) -> None:
    """Eight orders of work and a line for each ending, not 28 lines; every name can be made of these."""
    listed = cli("list", "schedules").out
    lines = listed.split("\n\n")[0].splitlines()[1:]
    assert len(lines) == 11
    assert "  ..._streamed            all of those above: weights that do not fit stream from DRAM every step" in lines
    [wavefront] = [line for line in lines if line.startswith("  ..._wavefront ")]
    assert "those above but hoisted_interleaved, hoisted_gate_major: layer l at step t" in wavefront


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("archsim wha", ["whatif"]),
        ("archsim run edge_64", ["edge_64x64", "edge_64x64_q4_12"]),
        ("archsim run tiny_2x2 si", ["silero_vad"]),
        ("archsim explore fo", ["formats"]),
        ("archsim list sch", ["schedules"]),
        ("archsim run --schedule hoisted_g", ["hoisted_gate_major", "hoisted_gate_major_streamed"]),
    ],
)
def test_tab_completes(cli: Cli, monkeypatch: pytest.MonkeyPatch, words: str, offered: list[str]) -> None:
    """As bash asks for it."""
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    monkeypatch.setenv("_ARCHSIM_COMPLETE", "complete_bash")
    assert cli().out.split() == offered
