"""archsim rtl: the folder, refusals in one line, --check and --json."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.cli.conftest import Cli
from tests.families.gemv.rtl.cases import need_verilator
from tests.rings import exhaustive

TINY = ("tiny_2x2", "lstm_3_2_t4", "--out", "rtl", "--set", "formats=tflite_int8")
TABLE = ("--set", "activation.method=table")


def test_folder(cli: Cli) -> None:
    outcome = cli("rtl", *TINY, *TABLE)
    assert (outcome.code, outcome.out, outcome.err) == (0, "RTL: rtl/\n", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((*TINY,), "no RTL of activation.method exact: table and piecewise_linear alone"),
        ((*TINY, *TABLE, "--set", "sequencer.issue_cycles=0"), "no RTL of sequencer.issue_cycles 0"),
        ((*TINY, *TABLE, "--set", "state_buffer.ports=1RW"), "no RTL of state_buffer.ports 1RW: 1R1W alone"),
        ((*TINY, *TABLE, "--set", "mac_array.x_columns=1"), "no RTL of mac_array.x_columns"),
        ((*TINY, *TABLE, "--set", "peepholes=true"), "no RTL of 'peephole_i[0]' (Peephole)"),
        ((*TINY, *TABLE, "-s", "hoisted_interleaved"), "no RTL of hoisted schedules"),
        (
            (*TINY, *TABLE, "--set", "num_layers=2", "-s", "fused_interleaved_wavefront"),
            "no RTL of wavefront schedules",
        ),
        (
            (*TINY, *TABLE, "--set", "batch=2", "--set", "sequence_lens=[1, 4]"),
            "no RTL of sequences of different lengths",
        ),
        (("tiny_2x2", "lstm_3_2_t4", "--out", "rtl"), "no RTL of floating-point formats (float32)"),
        (("tpu_v1", "lstm:3,2,t=2", "--out", "rtl"), "no RTL of family systolic: gemv alone"),
        ((*TINY, *TABLE, "--synth", "asic"), "--synth asic: no such target; targets: xilinx, ecp5, ice40, generic"),
    ],
)
def test_refusals(cli: Cli, options: tuple[str, ...], message: str) -> None:
    outcome = cli("rtl", *options)
    assert outcome.code == 2
    assert outcome.err.startswith(f"archsim: error: {message}")
    assert outcome.err.count("\n") == 1


def test_without_tools(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said in one line, before anything is computed."""
    monkeypatch.setattr("archsim.rtl.tools.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("archsim.rtl.tools.shutil.which", lambda name: "/bin/g++" if name == "g++" else None)
    for option, tool in (("--check", "Verilator"), ("--synth=xilinx", "Yosys")):
        outcome = cli("rtl", *TINY, *TABLE, option)
        wanted = f"archsim: error: {option.split('=')[0]} needs {tool}, which is not here: pip install 'archsim[rtl]'\n"
        assert (outcome.code, outcome.err) == (2, wanted)


def test_without_a_compiler(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.rtl.tools.shutil.which", lambda name: None)
    outcome = cli("rtl", *TINY, *TABLE, "--check")
    assert (outcome.code, outcome.err) == (2, "archsim: error: --check needs g++, which is not here\n")


@exhaustive
def test_check(cli: Cli) -> None:
    """74 ops: 9 of the prologue, 3 x 16 and 15 of the steps, 2 of the epilogue."""
    need_verilator()
    assert shutil.which("g++")
    outcome = cli("rtl", *TINY, *TABLE, "--check", "--json")
    found = json.loads(outcome.out)
    assert outcome.code == 0
    assert found == {
        "ops": 74,
        "ops_equal": 74,
        "codes": 116,
        "codes_equal": 116,
        "passed": True,
        "first_difference": None,
    }
