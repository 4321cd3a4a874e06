"""The command line on machines that do not compute in float32: reports, verdicts and exit codes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from archsim.checking import integer_reference
from archsim.checking.golden_run import Golden
from archsim.checking.numbers import Numbers
from archsim.families.machine_config import MachineConfig
from archsim.families.schedule import Schedule
from tests.cli.conftest import Cli

TINY = ("tiny_2x2", "lstm_3_2_t4")
INTEGER = ("--set", "formats=tflite_int8", "--set", "activation.method=table")
NARROW = ("--set", "formats=bfloat16")


@pytest.fixture
def wrong_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """An integer reference with one number that the machine does not compute."""

    def off_by_one(numbers: Numbers, arch: MachineConfig, schedule: Schedule[Any]) -> Golden:
        golden = integer_reference.integer_golden(numbers, arch, schedule)
        output = golden.output.copy()
        output[2, 0, 1] += numbers.encodings["dram.output"].scale
        return dataclasses.replace(golden, output=output)

    monkeypatch.setattr("archsim.api.judge.integer_golden", off_by_one)


def test_run_of_integers(cli: Cli) -> None:
    run = cli("run", *TINY, *INTEGER, "--no-plots", "--out", "here")
    assert run.code == 0
    assert "PASSED: bit for bit equal to the integer reference" in run.out
    stats = json.loads(Path("here/stats.json").read_text())
    assert stats["validation"]["passed"] is True
    assert stats["validation"]["checks"][0]["differing_numbers"] == 0
    assert stats["accuracy"]["tensors"][0]["name"] == "output"
    assert len(Path("here/accuracy.csv").read_text().splitlines()) == 1 + 4


def test_run_fails_if_a_bit_differs(cli: Cli, wrong_reference: None) -> None:
    run = cli("run", *TINY, *INTEGER, "--no-plots")
    assert run.code == 1
    assert "FAILED: 1 of 12 numbers differ from the integer reference" in run.out
    [folder] = Path("results").iterdir()
    assert "FAILED: do not trust these results" in (folder / "report.txt").read_text()


def test_run_that_is_not_judged_is_good(cli: Cli) -> None:
    run = cli("run", *TINY, *NARROW, "--no-plots", "--json")
    assert run.code == 0
    stats = json.loads(run.out)
    assert stats["validation"]["passed"] is None
    assert "no exact reference" in stats["validation"]["not_judged"]
    assert stats["accuracy"]["calibration"] is None


def test_a_timing_run_has_no_accuracy_and_leaves_none_behind(cli: Cli) -> None:
    assert cli("run", *TINY, *INTEGER, "--no-plots", "--out", "here").code == 0
    timed = cli("run", *TINY, *INTEGER, "--no-plots", "--timing-only", "--json", "--out", "here", "--force")
    assert json.loads(timed.out)["accuracy"] is None
    assert not Path("here/accuracy.csv").exists()


def test_validate_integers(cli: Cli) -> None:
    run = cli("validate", *TINY, *INTEGER)
    assert run.code == 0
    assert "ok   output: 0 of 8 numbers differ in any bit from the independent integer reference" in run.out
    assert "---- output against golden model: SQNR " in run.out
    assert "not judged" not in run.out
    assert "expected (file)" not in run.out
    assert run.out.splitlines()[-1] == "VALID: the schedule, and the numbers in every bit"
    verdict = json.loads(cli("validate", *TINY, *INTEGER, "--json").out)
    assert verdict["verdict"] == "valid"
    assert (verdict["passed"], verdict["tolerance"], verdict["not_judged"]) == (True, 0, "")
    assert [check["differing_numbers"] for check in verdict["checks"]] == [0, 0, 0]
    assert verdict["output_sqnr_db"] > 10


def test_validate_fails_if_a_bit_differs(cli: Cli, wrong_reference: None) -> None:
    run = cli("validate", *TINY, *INTEGER)
    assert run.code == 1
    assert "FAIL output: 1 of 8 numbers differ in any bit from the independent integer reference" in run.out
    assert "ok   h_n: 0 of 2 numbers differ" in run.out
    assert run.out.splitlines()[-1] == "NOT VALID"
    assert json.loads(cli("validate", *TINY, *INTEGER, "--json").out)["verdict"] == "not_valid"


@pytest.mark.parametrize(("formats", "subject"), [((), "machine"), (INTEGER, "golden model"), (NARROW, "golden model")])
def test_validate_says_what_was_compared_with_a_witness(cli: Cli, formats: tuple[str, ...], subject: str) -> None:
    """In float32 the machine; other numbers are meant to differ from it, and nothing may look as if they had not."""
    cli("run", *TINY, "--no-plots", "--out", "first")
    text = (
        "summary: with a witness\nkind: lstm\ninput_size: 3\nhidden_size: 2\nsteps: 4\nbatch: 1\n"
        "weights: {seed: 0}\ninput: {seed: 1}\nexpected: {file: first/outputs.npz}\n"
    )
    Path("w.yaml").write_text(text)
    run = cli("validate", "tiny_2x2", "w.yaml", *formats)
    of_model = subject == "golden model"
    assert ("the golden model's output against expected (file): max error" in run.out) is of_model
    assert ("the machine's numbers differ from it by up to" in run.out) is of_model
    verdict = json.loads(cli("validate", "tiny_2x2", "w.yaml", *formats, "--json").out)
    assert {check["subject"] for check in verdict["checks"] if check["reference"] == "expected (file)"} == {subject}
    assert verdict["verdict"] == ("numbers_not_judged" if formats == NARROW else "valid")


def test_validate_what_is_not_judged(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Schedule and machine against the untimed program decide; no word or field says that the numbers are right."""
    run = cli("validate", *TINY, *NARROW)
    assert run.code == 0
    assert "---- numbers against a reference: not judged: floating point other than float32 alone" in run.out
    assert run.out.splitlines()[-1] == "SCHEDULE VALID, NUMBERS NOT JUDGED"
    verdict = json.loads(cli("validate", *TINY, *NARROW, "--json").out)
    assert verdict["verdict"] == "numbers_not_judged"
    assert (verdict["passed"], verdict["checks"]) == (True, [])
    assert verdict["not_judged"].startswith("floating point other than float32")
    monkeypatch.setattr("archsim.api.verdict._differing", lambda machine, untimed: (12, 3))
    run = cli("validate", *TINY, *NARROW)
    assert run.code == 1
    assert "FAIL machine against untimed program: 3 of 12 numbers differ in any bit" in run.out


def test_validate_float32_says_nothing_of_accuracy(cli: Cli) -> None:
    run = cli("validate", *TINY, "--set", "formats=float32")
    assert run.code == 0
    assert "----" not in run.out
    verdict = json.loads(cli("validate", *TINY, "--set", "formats=float32", "--json").out)
    assert verdict["output_sqnr_db"] is None
    assert verdict["checks"][0]["differing_numbers"] is None
