"""Parts of commands by themselves: whose a field is, where memory ended, what goes on, how a file is used."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import typer

from archsim.cli.commands.calibrate import _how_to_use
from archsim.cli.commands.explore import _again
from archsim.cli.commands.plot import _format, _kind
from archsim.cli.commands.technology import _print_text
from archsim.cli.crash import _hash, write_report
from archsim.cli.input_order import MODEL_SUFFIXES, check_inputs, check_order
from archsim.cli.main import _by_interrupt, _command
from archsim.cli.out_of_memory import out_of_memory
from archsim.cli.output import output
from archsim.cli.set_option import Sets
from archsim.config import parse_override
from archsim.errors import ArchError, OutputError, WorkloadError, one_line
from archsim.families.gemv.config import GemvConfig
from archsim.technology.estimates import Beside
from tests.cli.conftest import Cli
from tests.rings import few


def sets(*texts: str) -> Sets:
    return Sets.make([parse_override(text) for text in texts], GemvConfig)


def test_each_field_is_set_where_it_is() -> None:
    """In their order; a summary, which both have, is the machine's."""
    found = sets("steps=3", "mac_array.rows=4", "batch=2", "clock_mhz=100", "summary=mine")
    assert [override.path for override in found.arch] == ["mac_array.rows", "clock_mhz", "summary"]
    assert [override.path for override in found.workload] == ["steps", "batch"]
    assert found.faults == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rows=4", "unknown key; did you mean 'mac_array.rows' (architecture)?"),
        ("stepz=4", "unknown key; did you mean 'steps' (workload)?"),
        ("clock_mhs=4", "unknown key; did you mean 'clock_mhz' (architecture)?"),
    ],
)
def test_what_was_meant(text: str, message: str) -> None:
    (fault,) = sets(text, "steps=2").faults
    assert fault.message == message
    assert fault.where == f"--set {text}"


def test_a_key_like_no_other_names_all_of_the_machine() -> None:
    (fault,) = sets("qqqqqq=1").faults
    start, _, end = fault.message.partition("; of a workload: ")
    assert start.startswith("unknown key; of this machine: ")
    assert {"mac_array", "dram", "clock_mhz"} <= set(start.rpartition(": ")[2].split(", "))
    assert end == "archsim docs workloads"


def test_all_sections_that_have_it_are_named() -> None:
    (fault,) = sets("lanes=1").faults
    sections = ("delta_encoder", "activation", "elementwise")
    assert fault.message.removeprefix("unknown key; did you mean ").removesuffix("?").split(" or ") == [
        f"'{section}.lanes' (architecture)" for section in sections
    ]


def raised(error: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise error from cause
    except BaseException as caught:
        return caught


def test_where_memory_ended() -> None:
    """The words of the error itself, of what caused it too, and of no other error."""
    assert out_of_memory(raised(MemoryError("7 TiB"))) == "archsim (7 TiB)"
    assert out_of_memory(raised(MemoryError())) == "archsim"
    assert out_of_memory(raised(ValueError("x"), MemoryError("3 GiB"))) == "archsim (3 GiB)"
    assert out_of_memory(raised(OSError(12, "Cannot allocate memory"))) == "archsim"
    assert out_of_memory(raised(ImportError("x: Cannot allocate memory"))) == "archsim"
    assert out_of_memory(raised(ImportError("x: no such file"))) is None
    assert out_of_memory(raised(OSError(2, "No such file"))) is None
    assert out_of_memory(raised(ValueError("out of memory"))) is None


def test_the_function_of_archsim_that_it_came_through_last(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`_again` of the command explore asks for a word, which has no room; what is called by it is not archsim's."""

    class NoRoom(str):
        def startswith(self, *_: object) -> bool:
            raise MemoryError("x")

    monkeypatch.setattr(sys, "argv", ["archsim", NoRoom("y")])
    with pytest.raises(MemoryError) as caught:
        _again("edge", tmp_path)
    assert out_of_memory(caught.value) == "archsim.cli.commands.explore._again.<locals>.<genexpr> (x)"


def test_ctrl_c_behind_what_came_of_it() -> None:
    def while_handling(first: BaseException, then: BaseException) -> BaseException:
        try:
            try:
                raise first
            except BaseException:
                raise then  # noqa: B904 - its context is meant
        except BaseException as caught:
            return caught

    assert _by_interrupt(while_handling(KeyboardInterrupt(), ValueError("x")))
    assert not _by_interrupt(while_handling(KeyError("y"), ValueError("x")))


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["run", "x"], "archsim run"),
        (["nothing"], "archsim"),
        ([], "archsim"),
        (["--version", "run"], "archsim"),
        (["x", "run"], "archsim"),
    ],
)
def test_whose_help_says_more(monkeypatch: pytest.MonkeyPatch, words: list[str], command: str) -> None:
    monkeypatch.setattr(sys, "argv", ["archsim", *words])
    assert _command() == command


@pytest.mark.parametrize(
    ("words", "again"),
    [
        (["explore", "edge"], "archsim explore edge --out r/x --resume"),
        (["explore", "edge", "--out", "y"], "archsim explore edge --out y --resume"),
        (["explore", "edge", "--out=y z", "--resume"], "archsim explore edge '--out=y z' --resume"),
        (["explore", "--resume", "--outer", "edge"], "archsim explore --outer edge --out r/x --resume"),
        ([], "archsim explore edge --out r/x --resume"),
    ],
)
def test_how_an_exploration_goes_on(monkeypatch: pytest.MonkeyPatch, words: list[str], again: str) -> None:
    monkeypatch.setattr(sys, "argv", ["archsim", *words])
    assert _again("edge", Path("r/x")) == again


def test_how_a_file_of_ranges_is_named() -> None:
    """In quotes where YAML would read it as something else."""
    assert _how_to_use(Path("o/r.yaml"), "../o/r.yaml") == (
        "\nRanges: o/r.yaml. To use them put these two lines into the workload file:\n"
        "calibration:\n  file: ../o/r.yaml\nor run with --set calibration.file=../o/r.yaml\n"
    )
    for name in ("1.yaml", "a b.yaml", "a:b", ""):
        text = _how_to_use(Path("r.yaml"), name)
        assert f'  file: "{name}"\n' in text
        assert f"--set 'calibration.file=\"{name}\"'\n" in text


def test_prices_in_columns(capsys: pytest.CaptureFixture[str]) -> None:
    """Words to the left, numbers to the right; two that are equal are the same, which no ratio says."""
    _print_text(
        (Beside("a multiplication", "pJ", 3.0, 1.5), Beside("read", "pJ/bit", 2.0, 2.0)), "x/ours.yaml", "y/their.yaml"
    )
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["price", "unit", "their", "ours", "ratio"]
    assert lines[1].split() == ["a", "multiplication", "pJ", "3", "1.5", "2.00"]
    assert lines[2].split()[-1] == "same"
    assert lines[1].index("pJ") == lines[2].index("pJ") == lines[0].index("unit")
    assert {len(line) for line in lines[:3]} == {len(lines[0])}
    assert lines[3:] == ["", "Leakage of both is for low_power transistors at 350 K."]


def test_the_form_of_a_figure() -> None:
    assert _format(None, None) == "svg"
    assert _format(None, Path("x.pdf")) == _format("pdf", None) == _format("pdf", Path("x.pdf")) == "pdf"
    assert _format("pdf", Path("x.PDF")) == _format("pdf", Path("x.figure")) == _format("pdf", Path("pdf")) == "pdf"
    with pytest.raises(OutputError, match=r"--format pdf: --out x\.png names a file of another form"):
        _format("pdf", Path("x.png"))
    with pytest.raises(typer.BadParameter, match=f"there is no '{'g' * 40}'; allowed: "):
        _format("g" * 41, None)
    assert _kind("roofline") == "roofline"
    with pytest.raises(typer.BadParameter, match=f"there is no figure '{'g' * 40}'; allowed: "):
        _kind("g" * 41)


@pytest.mark.parametrize(
    ("arch", "workload", "error", "message"),
    [
        ("lstm_3_2_t4", "tiny_2x2", ArchError, "first: tiny_2x2 lstm_3_2_t4"),
        ("w.yaml", "nothing", ArchError, "w.yaml: is a workload; the architecture comes first, then the workload"),
        ("tiny_2x2", "a.yaml", WorkloadError, "a.yaml: is an architecture; the workload comes behind it"),
        ("tiny_2x2", "s.yaml", WorkloadError, "s.yaml: is a design space; type: archsim explore s.yaml"),
        ("tiny_2x2", "x/m.ONNX", WorkloadError, "archsim import x/m.ONNX --out m.yaml"),
    ],
)
def test_inputs_in_each_other_s_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arch: str, workload: str, error: type[Exception], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("w.yaml").write_text("summary: x\nhidden_size: 4\n")
    Path("a.yaml").write_text("summary: x\nclock_mhz: 100\n")
    Path("s.yaml").write_text("summary: x\narchitecture: tiny_2x2\nparameters: {}\nobjectives: []\n")
    with pytest.raises(error) as caught:
        check_order(arch, workload)
    assert str(caught.value).endswith(message)


def test_inputs_in_their_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Also those that cannot be read, or are of no kind: their loader says what is wrong with them."""
    monkeypatch.chdir(tmp_path)
    Path("broken.yaml").write_text("{")
    Path("a.txt").write_text("family: gemv\n")
    for arch, workload in (
        ("tiny_2x2", "lstm_3_2_t4"),
        ("tiny_2x2", "broken.yaml"),
        ("nothing", "a.txt"),
        ("lstm_3_2_t4", "x"),
    ):
        check_order(arch, workload)
    assert len(MODEL_SUFFIXES) == len(set(MODEL_SUFFIXES))


def test_inputs_that_do_not_exist_are_said_before_their_files_are_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A workload that is none is left to its loader where fields are set, or the machine is a file."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_text("clock_mhz: x\n")
    for arch, workload, altered in (
        ("tiny_2x2", "lstm_3_2_t4", False),
        ("tiny_2x2", "lstm:3", False),
        ("tiny_2x2", "nothing", True),
        ("a.yaml", "nothing", False),
    ):
        check_inputs(arch, workload, altered=altered)
    with pytest.raises(WorkloadError, match="nothing: no preset of that name"):
        check_inputs("tiny_2x2", "nothing", altered=False)
    for arch in ("nothing", "x:y"):
        with pytest.raises(ArchError, match=f"{arch}: "):
            check_inputs(arch, "lstm_3_2_t4", altered=True)
    long = f"lstm:{'3' * 99}"
    with pytest.raises(ArchError) as caught:
        check_inputs(long, "tiny_2x2", altered=False)
    assert str(caught.value) == f"{long[:80]}: is a workload; the architecture comes first, then the workload"


def test_files_of_a_crash_have_hashes_up_to_a_gibibyte(tmp_path: Path) -> None:
    """Larger ones, and what is no regular file, have none."""
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert _hash(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert _hash(Path("\0")) == _hash(tmp_path) == ""
    with file.open("wb") as sparse:
        sparse.truncate((1 << 30) + 1)
    assert _hash(file) == ""


def test_a_crash_names_what_stands_behind_an_equals_sign(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x=y").write_bytes(b"abc")
    Path("y").write_bytes(b"abc")
    report = write_report(ValueError("of a test"), ["run", "--set=a=y", "b"])
    assert report is not None
    text = report.read_text()
    assert "command: archsim 'run' '--set=a=y' 'b'\n'--set=a=y': sha256 ba7816bf" in text
    assert text.count("sha256") == 1
    assert text.endswith("ValueError: of a test\n")


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "x.txt"
    with output(file) as write:
        write("a\n")
        assert not file.exists()
    assert file.read_bytes() == b"a\n"
    with pytest.raises(ZeroDivisionError), output(file) as write:
        write(str(1 // 0))
    assert [path.name for path in tmp_path.iterdir()] == ["x.txt"]
    assert file.read_bytes() == b"a\n"
    with pytest.raises(OutputError, match="is a folder; --out names a file"), output(tmp_path):
        pass


@pytest.mark.parametrize("name", few(["manifest.json", "stats.json", "arch.yaml", "workload.yaml"], 1))
def test_what_a_folder_of_results_needs_is_not_replaced_by_out(cli: Cli, name: str) -> None:
    """A page of a run in the place of its manifest left a folder of which nothing could be made any more."""
    cli("run", "tiny_2x2", "lstm_3_2_t4", "--no-plots", "--timing-only", "--out", "x")
    before = Path("x", name).read_bytes()
    commands = (
        ("report", "x"),
        ("compare", "x", "x"),
        ("trace", "x/arch.yaml", "x/workload.yaml"),
        ("program", "x/arch.yaml", "x/workload.yaml", "--json", "--timing-only"),
    )
    for words in commands:
        refused = cli(*words, "--out", f"x/{name}")
        assert (refused.code, len(refused.err.splitlines())) == (2, 1)
        assert refused.err.startswith(f"archsim: error: x/{name}: ")
        assert refused.err.endswith("; choose another --out\n")
    assert Path("x", name).read_bytes() == before


@pytest.mark.parametrize("name", few(["\x1b[31mred\nx", os.fsdecode(b"bad\xff")], 1))
def test_names_that_are_no_text_are_escaped_in_all_that_is_written(cli: Cli, name: str) -> None:
    """Files of others: a machine's and a workload's name go to the terminal, report.txt, stats.json and the page."""
    escaped = one_line(name)
    cli("run", "tiny_2x2", "lstm_3_2_t4", "--no-plots", "--timing-only", "--out", "x")
    for kept, suffix in (("arch", "a"), ("workload", "w")):
        Path(f"{name}{suffix}.yaml").write_bytes(Path(f"x/{kept}.yaml").read_bytes())
    run = cli("run", f"{name}a.yaml", f"{name}w.yaml", "--no-plots", "--timing-only", "--out", name)
    assert (run.code, run.err) == (0, "")
    assert run.out.endswith(f"Results: {escaped}/\n")
    assert json.loads(Path(name, "stats.json").read_text(encoding="utf-8"))["arch"] == f"{escaped}a"
    report = cli("report", name)
    assert (report.code, report.out) == (0, f"Page: {escaped}/report.html\n")
    compared = cli("compare", name, name)
    for text in (run.out, compared.out, Path(name, "report.txt").read_text(encoding="utf-8")):
        assert text.replace("\n", "").isprintable()


def test_inputs_that_no_results_can_name_are_refused_before_anything_is_computed(cli: Cli) -> None:
    folder = Path(os.fsdecode(b"bad\xff"))
    folder.mkdir()
    np.savez(folder / "x.npz", x=np.zeros((2, 1, 3), np.float32))
    cell = "kind: gru\ninput_size: 3\nhidden_size: 2\nsteps: 2"
    text = f"summary: x\n{cell}\nweights: {{seed: 0}}\ninput: {{file: x.npz, tensor: x}}\n"
    (folder / "w.yaml").write_text(text, encoding="utf-8")
    run = cli("run", "tiny_2x2", str(folder / "w.yaml"), "--no-plots", "--out", "x")
    assert (run.code, run.out) == (2, "")
    assert "bad\\udcff/x.npz: a name that is not UTF-8 cannot stand in a folder of results" in run.err
    assert not Path("x").exists()
