"""archsim rtl: the folder, refusals in one line, --check and --json."""

from __future__ import annotations

import json
import re
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.families.gemv.rtl.cases import need_verilator
from tests.families.gemv.rtl.timing_faults import TIMING_FAULTS
from tests.rings import exhaustive

TINY = ("tiny_2x2", "lstm_3_2_t4", "--out", "rtl", "--set", "formats=tflite_int8")
WIDE = ("--set", "formats.weight=int32", "--set", "formats.accumulator=int48")
TABLE = ("--set", "activation.method=table")
ENCODER = "delta_encoder={lanes: 1, latency_cycles: 1, capacity_bytes: 1KiB, port_bits: 64}"
ONE_PORT = ("--set", "state_buffer.banks=one", "--set", "state_buffer.ports=1RW")


def test_folder(cli: Cli) -> None:
    outcome = cli("rtl", *TINY, *TABLE)
    assert (outcome.code, outcome.out, outcome.err) == (0, "RTL: rtl/\n", "")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            (*TINY, "--set", "activation.method=exact"),
            "no RTL of activation.method exact: table and piecewise_linear alone",
        ),
        (
            (*TINY, "--set", "activation.method=gemmlowp"),
            "no RTL of activation.method gemmlowp: table and piecewise_linear alone",
        ),
        ((*TINY, *TABLE, "--set", "sequencer.issue_cycles=0"), "no RTL of sequencer.issue_cycles 0"),
        ((*TINY, *TABLE, *ONE_PORT), "no RTL of state_buffer.ports 1RW: 1R1W alone"),
        ((*TINY, *TABLE, "--set", "mac_array.x_columns=1"), "no RTL of mac_array.x_columns"),
        ((*TINY, *TABLE, "--set", "mac_array.sparsity={kept: 1, of: 2}"), "no RTL of mac_array.sparsity"),
        ((*TINY, *TABLE, "--set", ENCODER), "no RTL of delta_encoder"),
        ((*TINY, *TABLE, "--set", "peepholes=true"), "no RTL of 'peephole_i[0]' (Peephole)"),
        (
            (*TINY, *TABLE, "--set", "bidirectional=true", "--set", "merge_mode=sum"),
            "no RTL of 'l0.merge' (MergeSum)",
        ),
        (
            ("tiny_2x2", "linear:3,2,t=2", "--out", "rtl", "--set", "formats=tflite_int8", *TABLE),
            "no RTL of linear layers",
        ),
        ((*TINY, *TABLE, "-s", "hoisted_interleaved"), "no RTL of hoisted schedules"),
        (
            (*TINY, *TABLE, "--set", "num_layers=2", "-s", "fused_interleaved_wavefront"),
            "no RTL of wavefront schedules",
        ),
        (
            (*TINY, *TABLE, "--set", "batch=2", "--set", "sequence_lens=[1, 4]"),
            "no RTL of sequences of different lengths",
        ),
        # A product of 32 bits with 8, or with 28, and a sign: 41 or 61 bits, and one more for the sum of two.
        ((*TINY, *TABLE, *WIDE, "--set", "formats.hidden=int28"), "no RTL of sums of a chunk of 62 bits: up to 60"),
        ((*TINY, *TABLE, *WIDE, "--set", "formats.input=int28"), "no RTL of sums of a chunk of 62 bits: up to 60"),
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


def test_a_folder_with_files_of_somebody_else_is_not_written_over(cli: Cli) -> None:
    """A design of before is; a README.md and a Makefile without one may be a project's own."""
    Path("mine").mkdir()
    for name in ("Makefile", "README.md", "notes.txt"):
        Path("mine", name).write_text("precious")
    arguments = ("tiny_2x2", "lstm_3_2_t4", "--set", "formats=tflite_int8", *TABLE, "--out")
    refused = cli("rtl", *arguments, "mine")
    assert refused.code == 2
    assert refused.err == (
        "archsim: error: mine: holds files that are of no design (Makefile, README.md); choose another --out\n"
    )
    assert all(path.read_text() == "precious" for path in Path("mine").iterdir())
    assert cli("rtl", *arguments, "new").code == 0
    Path("new/Makefile").write_text("changed")
    assert cli("rtl", *arguments, "new").code == 0
    assert Path("new/Makefile").read_text() != "changed"


def test_without_tools(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is said in one line, before anything is computed."""
    monkeypatch.setattr("archsim.rtl.tools.importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("archsim.rtl.tools.shutil.which", lambda name: "/bin/g++" if name == "g++" else None)
    monkeypatch.setattr("archsim.rtl.yosys.metadata.version", _not_installed)
    for option, tool in (("--check", "Verilator"), ("--synth=xilinx", "Yosys")):
        outcome = cli("rtl", *TINY, *TABLE, option)
        wanted = f"archsim: error: {option.split('=')[0]} needs {tool}, which is not here: pip install 'archsim[rtl]'\n"
        assert (outcome.code, outcome.err) == (2, wanted)


def _not_installed(package: str) -> str:
    raise metadata.PackageNotFoundError(package)


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
        "waveform": None,
    }


@exhaustive
def test_a_check_that_fails(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage too few in the simulation: the difference is told, and a waveform kept that opens."""
    need_verilator()
    next(fault for fault in TIMING_FAULTS if fault.what == "a stage less").plant(monkeypatch)
    outcome = cli("rtl", *TINY, *TABLE, "--check")
    assert outcome.code == 1
    _, counts, difference, waveform = outcome.out.splitlines()
    assert counts == "Under Verilator: 0 of 74 ops equal in start, free and done, 116 of 116 codes equal"
    assert re.fullmatch(
        r"First difference: 'load W_ih\[0\]' \(prologue\): done: cycle (\d+): expected \1, got \d+", difference
    )
    assert waveform == "Waveform: rtl/trace.vcd; testbench.cycle counts its cycles"
    header, _, changes = Path("rtl/trace.vcd").read_text(encoding="ascii").partition("$enddefinitions $end\n")
    (code,) = re.findall(
        r"\$scope module testbench \$end.*?\$var wire 32 (\S+) cycle \[31:0\] \$end", header, re.DOTALL
    )
    cycles = [int(found, 2) for found in re.findall(rf"^b([01]+) {re.escape(code)}$", changes, re.MULTILINE)]
    assert cycles == list(range(len(cycles)))
    assert len(cycles) > 100
