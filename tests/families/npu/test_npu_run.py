"""A run on a machine of the family npu through every command."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from archsim.api import simulate
from archsim.cli.main import main
from archsim.workload import load_workload
from tests.arrays import stored
from tests.families.npu.machines import machine

LOAD = "lstm:50,90,t=4,b=5"


Archsim = Callable[..., tuple[int, str, str]]


@pytest.fixture
def archsim(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Archsim:
    """(exit code, stdout, stderr) of a command line."""

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["archsim", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        return int(ended.value.code or 0), out, err

    return run


@pytest.mark.exhaustive
@pytest.mark.parametrize("load", [LOAD, "gru:50,90,t=3,b=6", "rnn:50,90,t=3,b=1"])
def test_run_with_figures_and_again_from_its_own_files(tmp_path: Path, archsim: Archsim, load: str) -> None:
    folder = tmp_path / "out"
    code, out, err = archsim("run", "npu_s10nx", load, "--out", str(folder), "--json", "--plots")
    assert (code, err) == (0, "")
    figures = json.loads(out)
    assert figures["schedule"] == "chains"
    assert figures["validation"]["passed"] is True
    for stack in figures["unit_cycle_stacks"].values():
        assert sum(stack.values()) == figures["latency_cycles"]
    for name in ("timeline.png", "utilization.png", "cycle_stack.png", "accuracy.csv", "report.txt"):
        assert (folder / name).stat().st_size > 0, name
    report = (folder / "report.txt").read_text()
    assert "Cycle stack of the matrix-vector unit" in report
    assert "PASSED: bit for bit equal to the integer reference" in report
    again = tmp_path / "again"
    arch, work = str(folder / "arch.yaml"), str(folder / "workload.yaml")
    code, out, _ = archsim("run", arch, work, "--out", str(again), "--json", "--no-plots")
    assert code == 0
    assert json.loads(out)["latency_cycles"] == figures["latency_cycles"]
    one, two = (stored(place / "outputs.npz")["output"] for place in (folder, again))
    np.testing.assert_array_equal(one, two)


def test_validate_program_trace_and_list(archsim: Archsim) -> None:
    code, out, _ = archsim("validate", "npu_s10nx", LOAD)
    assert (code, out.splitlines()[-1]) == (0, "VALID: the schedule, and the numbers in every bit")
    code, out, _ = archsim("program", "npu_s10nx", LOAD)
    assert code == 0
    assert "first (operand)" in out
    assert "fifo.mvu" in out
    code, out, _ = archsim("trace", "npu_s10nx", LOAD, "--to", "40")
    assert code == 0
    assert [unit for unit in ("mvu", "evrf", "mfu0", "mfu1", "ld", "wb") if unit in out.splitlines()[2]] == [
        "mvu", "evrf", "mfu0", "mfu1", "ld", "wb",
    ]  # fmt: skip
    code, out, _ = archsim("list")
    assert code == 0
    assert "npu_s10nx" in out
    assert "Schedules of the family npu" in out


def test_an_inline_gru_is_the_one_of_the_machines_programs(archsim: Archsim) -> None:
    """Sizes do not say where r is applied; the published compiler applies it before the product. What is said holds."""

    def cycles(machine: str, *words: str) -> tuple[list[str], int]:
        code, out, _ = archsim("run", machine, "gru:50,90,t=3,b=1", "--timing-only", "--json", *words)
        assert code == 0
        return json.loads(out)["overrides"], json.loads(out)["body_cycles"]

    own = cycles("npu_s10nx")
    assert own[0] == ["linear_before_reset=false"]
    assert cycles("npu_s10nx", "--set", "linear_before_reset=false") == own
    torchs = cycles("npu_s10nx", "--set", "linear_before_reset=true")
    assert torchs[0] == ["linear_before_reset=true"]
    assert torchs[1] < own[1], "no product waits for another one's result"
    assert cycles("edge_16x16")[0] == [], "elsewhere it is torch's"
    assert simulate("npu_s10nx", "gru:50,90,t=3,b=1", timing_only=True).stats.body_cycles == own[1]
    assert simulate("npu_s10nx", load_workload("gru:50,90,t=3,b=1"), timing_only=True).stats.body_cycles == torchs[1]


def test_set_and_refusals(tmp_path: Path, archsim: Archsim) -> None:
    folder = ("--out", str(tmp_path / "x"), "--timing-only", "--no-plots", "--json", "--force")
    code, slow, _ = archsim("run", "npu_s10nx", LOAD, "--set", "mfu.add_latency_cycles=9", *folder)
    assert code == 0
    _, nominal, _ = archsim("run", "npu_s10nx", LOAD, *folder)
    assert json.loads(slow)["latency_cycles"] > json.loads(nominal)["latency_cycles"]
    for words, text in (
        (("npu_s10nx", LOAD, "--schedule", "fused"), "is for machines of the family gemv"),
        (("tiny_2x2", "lstm_3_2_t4", "--schedule", "chains"), "is for machines of the family npu"),
        (("npu_s10nx", "lstm:50,90,b=7"), "mvu: needs 7 sequences"),
        (("npu_s10nx", LOAD, "--set", "mac_array.rows=3"), "mac_array"),
    ):
        code, _, err = archsim("run", *words, *folder)
        assert code == 2, words
        assert text in err
        assert len(err.strip().splitlines()) == 1


def test_accuracy_has_the_cell_state() -> None:
    found = simulate(machine(), load_workload(LOAD))
    assert found.accuracy is not None
    by_name = {tensor.name: tensor for tensor in found.accuracy.tensors}
    assert set(by_name) == {"output", "c"}
    assert by_name["c"].sqnr_db > by_name["output"].sqnr_db  # type: ignore[operator]  # 16 bits against 8
