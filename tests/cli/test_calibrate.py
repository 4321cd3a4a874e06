"""archsim calibrate: what it shows, what it writes, what it refuses."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from archsim.cli.commands.calibrate import MethodName
from archsim.formats import Formats
from archsim.formats.scaling import Method
from archsim.workload import load_workload
from archsim.workload.calibration import needed_ranges, read_calibration
from tests.cli.conftest import Cli
from tests.present import present

TINY = ("tiny_2x2", "lstm_3_2_t4")
EXACT = ("--set", "activation.method=exact")
INT8 = ("--set", "formats=int8", *EXACT)
MY = """\
summary: mine
kind: gru
input_size: 3
hidden_size: 2
steps: 4
batch: 1
weights: {seed: 0}
input: {seed: 1}
"""


def rows(out: str) -> dict[str, list[str]]:
    """The table's rows by tensor."""
    lines = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()
    first = next(number for number, line in enumerate(lines) if line.split()[:2] == ["tensor", "range"])
    found = (line.split() for line in lines[first + 1 :])
    return {words[0]: words[1:] for words in found if len(words) > 5 and words[2] == ".."}


def test_the_options_are_the_methods() -> None:
    assert [method.value for method in MethodName] == [method.value for method in Method]


def test_a_table_of_what_the_formats_need(cli: Cli) -> None:
    formats = Formats.model_validate("tflite_int8")
    run = cli("calibrate", *TINY, *EXACT, "--set", "formats=tflite_int8")
    assert (run.code, run.err) == (0, "")
    assert "Calibration of lstm_3_2_t4 for the formats of tiny_2x2" in run.out
    found = rows(run.out)
    assert list(found) == list(needed_ranges(load_workload("lstm_3_2_t4").spec, formats)) == ["x", "h_l0", "c_l0"]
    assert found["c_l0"][3] == "int16/power_of_two/gemmlowp"
    assert found["c_l0"][4].startswith("2^-")
    assert all(len(line) <= 100 for line in run.out.splitlines())
    assert list(Path().iterdir()) == []


def test_scales_and_shares_by_hand(cli: Cli) -> None:
    """x of four numbers; the 50th percentile of |x| is halfway between 1 and 2, so that 2 and -4 saturate."""
    np.savez("x.npz", input=np.array([[0.0], [1.0], [2.0], [-4.0]], np.float32))
    Path("w.yaml").write_text(
        "summary: s\nkind: rnn\ninput_size: 1\nhidden_size: 1\nsteps: 4\nbatch: 1\nbatched: false\n"
        "weights: {seed: 0}\ninput: {file: x.npz}\n"
    )
    run = cli("calibrate", "tiny_2x2", "w.yaml", "--set", "formats.input=int8", "--method", "percentile",
              "--percentile", "50")  # fmt: skip
    assert run.err == ""
    assert rows(run.out) == {"x": ["-1.5", "..", "1.5", "int8", f"{1.5 / 127:.4g}", "0", "50.0", "%"]}
    assert "percentile 50" in run.out
    run = cli("calibrate", "tiny_2x2", "w.yaml", "--set", "formats.input=int8/asymmetric")
    assert rows(run.out)["x"] == ["-4", "..", "2", "int8/asymmetric", f"{6 / 255:.4g}", "42", "0", "%"]


def test_the_file_and_how_to_use_it(cli: Cli) -> None:
    """The two lines that are printed make the workload take exactly the ranges that were shown."""
    Path("in").mkdir()
    Path("in/my.yaml").write_text(MY)
    run = cli("calibrate", "tiny_2x2", "in/my.yaml", *INT8, "--method", "mse", "--out", "out/ranges.yaml")
    assert (run.code, run.err) == (0, "")
    saved = read_calibration(Path("out/ranges.yaml"))
    assert saved.method is Method.MSE
    assert list(saved.ranges) == ["x", "h_l0", "gate_l0", "activation_l0"]
    lines = run.out.splitlines()
    at = next(number for number, line in enumerate(lines) if "these two lines" in line)
    assert lines[at + 1 : at + 3] == ["calibration:", "  file: ../out/ranges.yaml"]
    Path("in/again.yaml").write_text(MY + "\n".join(lines[at + 1 : at + 3]) + "\n")
    config = load_workload("in/again.yaml").config
    assert Path("in", present(config.calibration.file)).resolve() == Path("out/ranges.yaml").resolve()
    assert lines[at + 3] == "or run with --set calibration.file=../out/ranges.yaml"
    first = Path("out/ranges.yaml").read_text()
    command = f"archsim calibrate tiny_2x2 in/my.yaml --method mse {' '.join(INT8)}"
    assert first.splitlines()[0] == f"# Ranges of my for the formats of tiny_2x2: {command}"
    assert cli("calibrate", "tiny_2x2", "in/my.yaml", *INT8, "--method", "mse", "--out", "out/ranges.yaml").code == 0
    assert Path("out/ranges.yaml").read_text() == first
    assert sorted(path.name for path in Path("out").iterdir()) == ["ranges.yaml"]


def test_a_file_that_the_workload_names_is_made_anew(cli: Cli) -> None:
    """Whatever it holds, and by the workload's own section."""
    Path("my.yaml").write_text(MY + "calibration: {file: ranges.yaml, method: mse, input: {seed: 3, steps: 20}}\n")
    assert cli("calibrate", "tiny_2x2", "my.yaml", *INT8, "--out", "ranges.yaml").code == 0
    found = read_calibration(Path("ranges.yaml"))
    assert found.method is Method.MSE
    run = cli("calibrate", "tiny_2x2", "my.yaml", *INT8, "--out", "ranges.yaml", "--weight-method", "mse")
    assert "T = 20, B = 1" in run.out
    assert read_calibration(Path("ranges.yaml")).ranges == found.ranges
    assert read_calibration(Path("ranges.yaml")).weight_method is Method.MSE


def test_names_that_yaml_would_misread_are_quoted(cli: Cli) -> None:
    run = cli("calibrate", *TINY, *INT8, "--set", "steps=2", "--out", "a: b #.yaml")
    assert run.code == 0
    assert Path("a: b #.yaml").is_file()
    line = next(line for line in run.out.splitlines() if line.startswith("  file: "))
    assert line.endswith('a: b #.yaml"')
    Path("my.yaml").write_text(MY + 'calibration:\n  file: "a: b #.yaml"\n')
    assert load_workload("my.yaml").config.calibration.file == "a: b #.yaml"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            (),
            "tiny_2x2: formats: no kind of data in this workload has an intN format, so there is nothing to calibrate",
        ),
        (("--set", "formats.weight=int8"), "tiny_2x2: formats: of this workload's data only the weights have an intN"),
        ((*INT8, "--percentile", "20"), "--percentile"),
        ((*INT8, "--method", "least"), "--method"),
        ((*INT8, "--set", "calibration.input={file: none.npz}"), "none.npz: cannot be read"),
        ((*INT8, "--set", "calibration.mehtod=mse"), "did you mean 'method'?"),
    ],
)
def test_refused_in_one_line(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    run = cli("calibrate", *TINY, *arguments, "--out", "ranges.yaml")
    assert run.code == 2
    assert len(run.err.splitlines()) == 1
    assert message in run.err
    assert list(Path().iterdir()) == []


def test_something_else_is_not_overwritten(cli: Cli) -> None:
    Path("my.yaml").write_text(MY)
    run = cli("calibrate", "tiny_2x2", "my.yaml", *INT8, "--out", "my.yaml")
    assert run.code == 2
    assert run.err == "archsim: error: my.yaml: exists and is not a calibration file; choose another --out\n"
    assert run.out == ""
    assert Path("my.yaml").read_text() == MY
    assert cli("calibrate", "tiny_2x2", "my.yaml", *INT8, "--out", ".").code == 2
    assert cli("calibrate", "tiny_2x2", "my.yaml", *INT8, "--out", "\0").code == 2


def test_on_a_terminal_the_same_in_colour(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = cli("calibrate", *TINY, *INT8)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    colour = cli("calibrate", *TINY, *INT8)
    assert rows(colour.out) == rows(plain.out)
