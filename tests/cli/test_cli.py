"""The command line as a user meets it: what is printed, what is written, and the exit code."""

import errno
import json
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest

from archsim.config.presets import PresetKind, preset_file
from archsim.report.files.folder import FILES, PAGE, PICTURES
from tests.arrays import stored
from tests.cli.conftest import Cli
from tests.float_machines import FLOAT_16X16
from tests.rings import exhaustive, few

FLOAT_FILES = tuple(name for name in FILES if name not in ("accuracy.csv", "accuracy.png", "format_ranges.png"))
IN_FLOAT32 = ("--set", "formats=float32", "--set", "activation.method=polynomial")
ROOM_FOR_FLOAT32 = (*IN_FLOAT32, "--set", "weight_sram.capacity_bytes=24MiB")
TABLE = ("--set", "activation.method=table")
TINY = ("tiny_2x2", "lstm_3_2_t4")
TINY_RESULTS = Path("results/tiny_2x2-lstm_3_2_t4-fused_interleaved")


def test_run_alone_means_the_reference(cli: Cli) -> None:
    run = cli("run", "--timing-only", "--no-plots")
    assert run.code == 0
    assert "lstm_200_1000_t70 on edge_64x64, schedule fused_interleaved" in run.out
    [folder] = Path("results").glob("edge_64x64-lstm_200_1000_t70-fused_interleaved-????????")
    assert (folder / "stats.json").is_file()


def test_help_loads_no_library_that_computes() -> None:
    """Neither NumPy nor pydantic's models: `archsim --help` is there at once."""
    code = (
        "import sys; sys.argv = ['archsim', '--help']; from archsim.cli.main import main\n"
        "try: main()\n"
        "finally: print([name for name in ('numpy', 'pydantic.main', 'archsim.metrics') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_a_command_uses_one_thread_for_matrices_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    code = (
        "import os, sys; sys.argv = ['archsim', '--version']; from archsim.cli.main import main\n"
        "try: main()\n"
        "finally: print(*(os.environ[f'{name}_NUM_THREADS'] for name in ('OPENBLAS', 'OMP', 'MKL')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1 2 1"


FLOAT32 = pytest.param("float32", FLOAT_FILES, marks=exhaustive)
BFLOAT16 = pytest.param("bfloat16", FILES, marks=exhaustive)


@pytest.mark.parametrize(("formats", "files"), [FLOAT32, ("q4.12", FILES), BFLOAT16])
def test_run_writes_a_folder_with_everything(cli: Cli, formats: str, files: tuple[str, ...]) -> None:
    method = TABLE if formats == "q4.12" else ()
    run = cli("run", *TINY, *method, "--set", f"formats={formats}", "--plots")
    assert run.code == 0
    assert run.err == ""
    [folder] = Path("results").iterdir()  # no temporary folder is left
    assert f"Results: {folder}/" in run.out
    assert folder.name.startswith(f"{TINY_RESULTS.name}-")
    assert sorted(path.name for path in folder.iterdir()) == sorted(files)
    for name in files:
        assert (folder / name).stat().st_size > 100, name


def test_json_is_one_object_and_equals_the_file(cli: Cli) -> None:
    run = cli("run", *TINY, "--json", "--no-plots", "--out", "here")
    stats = json.loads(run.out)
    assert run.err == ""
    assert run.out == Path("here/stats.json").read_text()
    for key in (
        "latency_cycles",
        "prologue_cycles",
        "cycles_per_step",
        "latency_us",
        "macs",
        "mac_utilization",
        "cycle_stack",
        "traffic_bytes",
        "bounds",
        "phase_traffic_bytes",
        "energy",
        "area",
        "roofline",
        "validation",
    ):
        assert key in stats
    assert stats["validation"]["passed"] is True
    assert stats["validation"]["max_abs_error"] < stats["validation"]["max_rel_error"] + 1e-6 < 1e-5
    assert stats["macs"] == 4 * 2 * (3 + 2) * 4
    assert stats["latency_us"] == pytest.approx(stats["latency_cycles"] / 100)
    assert sum(stats["cycle_stack"].values()) == stats["latency_cycles"]
    assert stats["mac_utilization"] == pytest.approx(stats["macs"] / (4 * stats["latency_cycles"]))
    assert stats["traffic_bytes"]["dram"]["read"]["W_ih"] == 8 * 3 * 4
    assert stats["bounds"]["compute"] == 4 * 3  # ceil(8 rows / 2) tiles of ceil(5 / 2) chunks


@exhaustive
def test_outputs_are_in_torch_shapes_and_equal_the_witness(cli: Cli) -> None:
    assert cli("run", FLOAT_16X16, "silero_vad", "--no-plots", "--out", "here").code == 0
    outputs = stored("here/outputs.npz")
    assert {name: outputs[name].shape for name in outputs} == {
        "output": (310, 1, 128),
        "h_n": (1, 1, 128),
        "c_n": (1, 1, 128),
    }
    assert outputs["output"].dtype == np.float32
    np.testing.assert_array_equal(outputs["output"][-1], outputs["h_n"][0])
    stats = json.loads(Path("here/stats.json").read_text())
    assert {check["reference"] for check in stats["validation"]["checks"]} == {"golden model", "expected (file)"}


@exhaustive
def test_a_preset_in_int8_is_checked_bit_for_bit(cli: Cli) -> None:
    """The file's expected results are of the model in float32: here the golden model is held to them."""
    run = cli("run", "edge_64x64", "silero_vad", "--no-plots", "--json", "--out", "here")
    assert run.code == 0
    stats = json.loads(run.out)
    checks = stats["validation"]["checks"]
    brought = [check for check in checks if check["reference"] == "expected (file)"]
    assert {check["name"] for check in brought} == {"output", "h_n", "c_n", "scores"}
    assert {(check["subject"], check["passed"]) for check in brought} == {("golden model", True)}
    checks = [check for check in checks if check["reference"] == "integer reference"]
    assert {check["name"]: check["compared_numbers"] for check in checks} == {
        "output": 310 * 128,
        "h_n": 128,
        "c_n": 128,
    }
    assert {check["differing_numbers"] for check in checks} == {check["tolerance"] for check in checks} == {0}
    assert stats["validation"]["passed"] is True
    assert stats["validation"]["tolerance"] == stats["validation"]["max_abs_error"] == 0
    assert stats["accuracy"]["task"]["witness"]["frames"] == 310
    outputs = stored("here/outputs.npz")
    assert outputs["output"].dtype == np.float32
    assert len(np.unique(outputs["output"])) <= 2**8, "values that 8 bits can tell apart"
    assert len(np.unique(outputs["c_n"])) > 100, "16 bits for c"


def test_timing_only_computes_nothing_and_says_so(cli: Cli) -> None:
    timed = cli("run", *TINY, "--timing-only", "--no-plots", "--json", "--out", "timed")
    full = cli("run", *TINY, "--no-plots", "--json", "--out", "full")
    assert sorted(path.name for path in Path("timed").iterdir()) == [
        "arch.yaml",
        "manifest.json",
        "report.txt",
        "stats.json",
        "workload.yaml",
    ]
    fast, slow = json.loads(timed.out), json.loads(full.out)
    assert fast.pop("executor")["name"] == slow.pop("executor")["name"] == "machine"
    assert fast.pop("validation")["passed"] is None
    assert slow.pop("validation")["passed"] is True
    assert fast == slow
    assert "timing only" in Path("timed/report.txt").read_text()


@pytest.mark.parametrize(
    "options", [("--no-plots",), pytest.param(("--plots",), marks=exhaustive)], ids=["text", "plots"]
)
def test_same_input_same_bytes(cli: Cli, options: tuple[str, ...]) -> None:
    """Without plots in the fast ring, where tests/report has each plot drawn twice."""
    for place in ("a", "b"):  # the page names its folder
        Path(place).mkdir()
        with chdir(place):
            assert cli("run", *TINY, *TABLE, "--set", "formats=tflite_int8", "--out", "r", *options).code == 0
    names = {path.name for path in Path("a/r").iterdir()}
    assert names == {name for name in FILES if "--plots" in options or name not in (*PICTURES, PAGE)}
    for name in names:
        assert Path("a/r", name).read_bytes() == Path("b/r", name).read_bytes(), name


@pytest.mark.parametrize(
    ("arch", "workload", "change"),
    [
        ("tiny_2x2", "lstm_3_2_t4", "clock_mhz=32"),
        pytest.param("edge_64x64", "silero_vad", "mac_array.rows=32", marks=exhaustive),  # its files are relative
    ],
)
def test_the_resolved_inputs_run_again(cli: Cli, arch: str, workload: str, change: str) -> None:
    """The folder's own arch.yaml and workload.yaml give the same figures, --set and relative files included."""
    first = cli("run", arch, workload, "--set", change, "--no-plots", "--json", "--out", "x/a")
    again = cli("run", "x/a/arch.yaml", "x/a/workload.yaml", "--no-plots", "--json", "--out", "x/b")
    assert first.code == again.code == 0
    one, two = json.loads(first.out), json.loads(again.out)
    assert (one.pop("overrides"), two.pop("overrides")) == ([change], [])
    assert (two.pop("arch"), two.pop("workload")) == ("arch", "workload")
    assert (one.pop("arch"), one.pop("workload")) == (arch, workload)
    assert one == two


def test_a_technology_of_ones_own_is_found_again(cli: Cli) -> None:
    """A file named with --set is found from the results' folder, wherever that is."""
    preset = preset_file(PresetKind.TECHNOLOGY, "node_45nm")
    Path("mine.yaml").write_text(preset.read_text().replace("energy_pj_per_bit: 5.1", "energy_pj_per_bit: 10.2"))
    plain = json.loads(cli("run", *TINY, "--no-plots", "--json", "--out", "x/a").out)
    run = cli("run", *TINY, "--set", "technology=mine.yaml", "--no-plots", "--json", "--out", "x/b")
    assert "technology: ../../mine.yaml" in Path("x/b/arch.yaml").read_text()
    again = cli("run", "x/b/arch.yaml", "x/b/workload.yaml", "--no-plots", "--json", "--out", "x/c")
    one, two = json.loads(run.out)["energy"], json.loads(again.out)["energy"]
    assert one["part_uj"] == two["part_uj"]
    assert one["part_uj"]["dram"] == pytest.approx(2 * plain["energy"]["part_uj"]["dram"])
    assert one["part_uj"]["mac_array"] == plain["energy"]["part_uj"]["mac_array"]


def test_set_changes_architecture_and_workload(cli: Cli) -> None:
    run = cli("run", *TINY, "--set", "clock_mhz=200", "--set", "steps=2", "--json", "--timing-only", "--no-plots")
    stats = json.loads(run.out)
    assert stats["latency_us"] == pytest.approx(stats["latency_cycles"] / 200)
    assert stats["macs"] == 4 * 2 * 5 * 2


def test_what_was_set_is_said(cli: Cli) -> None:
    run = cli("run", *TINY, "--set", "clock_mhz=200", "--set", "steps=2", "--timing-only", "--no-plots", "--out", "o")
    said = " ".join(run.out.split())
    assert "loading included, with steps=2" in said
    assert "MACs a cycle at 200 MHz, with clock_mhz=200" in said
    assert "with --set: clock_mhz=200, steps=2" in Path("o/report.txt").read_text()
    assert json.loads(Path("o/stats.json").read_text())["overrides"] == ["clock_mhz=200", "steps=2"]


def test_version(cli: Cli) -> None:
    from archsim import __version__

    assert cli("--version").out == f"archsim {__version__}\n"


def in_a_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a command line with real streams; ARCHSIM stands for archsim."""
    archsim = f"{sys.executable} -c 'from archsim.cli.main import main; main()'"
    return subprocess.run(
        ["bash", "-c", command.replace("ARCHSIM", archsim)], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("command", "code"),
    few(
        [
            ("ARCHSIM run tiny_2x2 lstm_3_2_t4 --no-plots --json >&-", 0),
            ("ARCHSIM run tiny_2x2 lstm_3_2_t4 --no-plots --json > /dev/full", 2),
            ("set -o pipefail; ARCHSIM trace tiny_2x2 lstm:3,2,t=200 --to 5000 | head -1", 141),
            ("LC_ALL=C PYTHONUTF8=0 PYTHONIOENCODING=ascii ARCHSIM run tiny_2x2 uni.yaml --no-plots", 0),
        ],
        1,
    ),
)
def test_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, code: int) -> None:
    """Closed, full, gone, or without the characters: never a traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).resolve().parents[2]))
    text = "summary: größer\nkind: lstm\ninput_size: 3\nhidden_size: 2\nsteps: 4\nbatch: 1\n"
    Path("uni.yaml").write_text(text + "weights: {seed: 0}\ninput: {seed: 1}\n", encoding="utf-8")
    run = in_a_shell(command)
    assert run.returncode == code, run.stderr
    assert "Traceback" not in run.stderr


def test_schedule(cli: Cli) -> None:
    run = cli("run", *TINY, "--schedule", "split-gate-major", "--no-plots")
    assert "schedule split_gate_major" in run.out
    assert Path("results/tiny_2x2-lstm_3_2_t4-split_gate_major").is_dir()


def test_validate(cli: Cli) -> None:
    run = cli("validate", *TINY)
    assert run.code == 0
    assert run.out.splitlines()[-1] == "VALID: the schedule, and the numbers within the bound"
    assert "0 of 12 numbers differ in any bit" in run.out  # 4 steps of 2 outputs, 2 of h_n, 2 of c_n
    verdict = json.loads(cli("validate", *TINY, "--json").out)
    assert verdict["passed"] is True
    assert verdict["compared_numbers"] == 4 * 2 + 2 + 2


def test_validate_a_preset_in_int8(cli: Cli) -> None:
    run = cli("validate", "edge_64x64", "lstm:3,2,t=4")
    assert run.code == 0
    assert run.out.splitlines()[-1] == "VALID: the schedule, and the numbers in every bit"
    assert "output: 0 of 8 numbers differ in any bit from the independent integer reference" in run.out
    assert "golden model: max error" not in run.out
    verdict = json.loads(cli("validate", "edge_64x64", "lstm:3,2,t=4", "--json").out)
    assert [check["differing_numbers"] for check in verdict["checks"]] == [0, 0, 0]
    assert verdict["output_sqnr_db"] > 20


@exhaustive
def test_the_default_machine_in_float32_needs_room(cli: Cli) -> None:
    """LSTM(200, 1000): 4000 * 1200 weights of 4 bytes do not fit into the 8 MiB of the preset.

    Its table wants integers as arguments.
    """
    run = cli("run", "--set", "formats=float32", "--timing-only", "--no-plots")
    assert run.code == 2
    assert "activation: method table: it needs its argument in a q format" in run.err
    run = cli("run", *IN_FLOAT32, "--timing-only", "--no-plots")
    assert run.code == 2
    assert f"weight_sram: needs {4000 * 1200 * 4:,} bytes" in run.err
    assert cli("run", *ROOM_FOR_FLOAT32, "--timing-only", "--no-plots").code == 0


def test_validate_fails_when_the_numbers_are_wrong(cli: Cli) -> None:
    """A witness that says something else: exit 1, and the check that failed is named."""
    zero = np.zeros((4, 1, 2), np.float32)
    np.savez("expected.npz", output=zero, h_n=zero[:1], c_n=zero[:1])
    text = (
        "summary: wrong on purpose\nkind: lstm\ninput_size: 3\nhidden_size: 2\nsteps: 4\nbatch: 1\n"
        "weights: {seed: 0}\ninput: {seed: 1}\nexpected: {file: expected.npz}\n"
    )
    Path("w.yaml").write_text(text)
    run = cli("validate", "tiny_2x2", "w.yaml")
    assert run.code == 1
    assert "FAIL output against expected (file)" in run.out
    assert run.out.splitlines()[-1] == "NOT VALID"
    assert cli("run", "tiny_2x2", "w.yaml", "--no-plots").code == 1


def test_program(cli: Cli) -> None:
    run = cli("program", *TINY)
    assert run.code == 0
    for label in ("load W_ih[0]", "mac[0.0]", "sigmoid_ifo[0]", "cell[1]", "hidden[1]", "store h", "store c_n"):
        assert label in run.out


def test_trace(cli: Cli) -> None:
    run = cli("trace", *TINY, "--from", "10", "--to", "12")
    assert run.code == 0
    assert len([line for line in run.out.splitlines() if line.split()[:1] in (["10"], ["11"], ["12"])]) == 3
    assert "more cycles; --from and --to choose which to show" in run.out
    whole = cli("trace", *TINY)
    assert "more cycles" not in whole.out


@pytest.mark.parametrize("schedule", ["fused_wavefront", "hoisted"])
def test_trace_of_layers_and_blocks_that_run_beside_each_other(cli: Cli, schedule: str) -> None:
    run = cli("trace", "tiny_2x2", "lstm:3,2,t=4,layers=2", "--schedule", schedule)
    assert (run.code, run.err) == (0, "")
    assert "l1.hidden[0]" in run.out


def test_list_names_everything(cli: Cli) -> None:
    run = cli("list")
    assert run.code == 0
    for name in (
        "edge_64x64",
        "tiny_2x2",
        "silero_vad",
        "lstm_3_2_t4",
        "split_gate_major",
        "mac_array",
        "dram: simple",
        "dram: ddr",
        "node_45nm",
    ):
        assert f"  {name} " in run.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "edge_64"], "edge_64: no preset of that name; did you mean 'edge_64x64'?"),
        (["run", "silero_vad", "edge_64x64"], "silero_vad: is a workload, and edge_64x64 an architecture; "),
        (["run", "lstm:3,2,t=4", "tiny_2x2"], "lstm:3,2,t=4: is a workload; the architecture comes first"),
        (["validate", "tiny_2x2", "edge"], "edge: is a design space, not a workload; presets: "),
        (
            ["explore", "edge_64x64"],
            "edge_64x64: is an architecture, not a design space; presets: cloud, ",
        ),
        (["run", "edge_64x64", "nothing"], "nothing: no preset of that name"),
        (
            ["run", *TINY, "--schedule", "spilt"],
            "--schedule spilt: no such schedule; did you mean 'split'? allowed: fused_interleaved",
        ),
        (["run", *TINY, "--set", "mac_array.rows=0"], "--set mac_array.rows=0: mac_array.rows: expected an integer"),
        (["run", *TINY, "--set", "mac_arry.rows=1"], "mac_arry: unknown key; did you mean 'mac_array' (architecture)?"),
        (["run", *TINY, "--set", "stepz=3"], "--set stepz=3: stepz: unknown key; did you mean 'steps' (workload)?"),
        (["run", *TINY, "--set", "stepz=3"], "'steps' (workload)?\n"),
        (["run", *TINY, "--set", "formts=float32"], "mean 'formats' (architecture)?\n"),
        (["run", *TINY, "--set", "input_buf=3"], "mean 'input_buffer' (architecture) or 'input' (workload) or "),
        (["program", *TINY, "--set", "columns=3"], "did you mean 'mac_array.columns' (architecture)?"),
        (["run", *TINY, "--set", "seed=3"], "mean 'weights.seed' (workload) or 'input.seed' (workload)?"),
        (["run", *TINY, "--set", "xyz=3"], "xyz: unknown key; of this machine: accumulators, "),
        (["run", *TINY, "--set", "xyz=3"], ", weight_sram; of a workload: archsim docs workloads\n"),
        (["run", *TINY, "--set", "mac_array.rows"], "expected PATH=VALUE"),
        (["run", *TINY, "--set", "formats=float8"], "unknown number format 'float8'; allowed: float32"),
        (["run", *TINY, "--set", "technology=node_3nm"], "node_3nm: no preset of that name; did you mean 'node_7nm'?"),
        (["run", *TINY, "--set", "technology=none.yaml"], "none.yaml: cannot be read: No such file or directory"),
        (
            ["run", *TINY, "--set", "dram_type=sdram"],
            "has no DRAM of type 'sdram'; it has lpddr4, ddr4, hbm2, ddr3, gddr6",
        ),
        (["run", "tiny_2x2", "silero_vad"], "weight_sram: needs 524,288 bytes"),
        (["run", "tiny_2x2", "lstm:3,2,T=4"], "cannot read 'T=4'; did you mean 't=4'; expected kind:input,hidden"),
        (["run", "tiny_2x2", "lstm:3,2,z=4"], "cannot read 'z=4'; expected kind:input,hidden"),
        (["run", "tiny_2x2", "lstm:3,2,t=x"], "sizes are whole numbers"),
        (["run", "."], "edge"),
        (["run", ""], "(empty): no preset of that name"),
        (["run", "a" * 5000], "no preset of that name"),
        (["run", "b/" * 5000], "is longer than the 1000 characters of a path"),
        (["run", "tiny_2x2", "lstm:3,2,t=5,t=6"], "'t' is given twice"),
        (["run", "tiny_2x2", "gru:3,2,bidirectional=2"], "bidirectional is 0 or 1, not '2'"),
        (["run", *TINY, "--out", "."], "holds files that are no results of a run"),
        (["run", *TINY, "--out", "/"], "is no folder for results"),
        (["run", *TINY, "--xyz"], "No such option: --xyz. See archsim run --help."),
        (["program", *TINY, "--contents"], "--contents goes with --json. See archsim program --help."),
        (["--frobnicate", "run"], "No such option: --frobnicate. See archsim --help."),
        (["fly"], "No such command 'fly'. See archsim --help."),
        (["lst"], "No such command 'lst'. Did you mean 'list'? See archsim --help."),
        (
            ["rtl", "edge_16x16", "lstm:3,2,t=2", "--set", "activation.method=table", "--out", "file"],
            "file: is not a folder; choose another --out",
        ),
        (["validate", "tiny_2x2"], "Missing argument 'WORKLOAD'. See archsim validate --help."),
        (["trace", *TINY, "--from", "-1"], "--from"),
        (["run", *TINY, "--out", "file"], "file: is not a folder; choose another --out"),
        (["run", *TINY, "--out", "mine"], "mine: holds files that are no results of a run (thesis.tex)"),
    ],
)
def test_bad_input_is_one_clear_line_and_exit_2(cli: Cli, arguments: list[str], expected: str) -> None:
    Path("file").write_text("precious")
    Path("mine").mkdir()
    Path("mine/thesis.tex").write_text("precious")
    run = cli(*arguments)
    assert run.code == 2
    assert run.out == ""
    assert len(run.err.splitlines()) == 1
    assert run.err.startswith("archsim: error: ")
    if arguments != ["run", "."]:
        assert expected in run.err
    assert Path("file").read_text() == Path("mine/thesis.tex").read_text() == "precious"
    assert sorted(path.name for path in Path().iterdir() if path.name != "results") == ["file", "mine"]
    assert not Path("results").exists() or not list(Path("results").iterdir()), "nothing half-written"


def test_a_key_of_neither_input_is_said_with_what_else_is_wrong(cli: Cli) -> None:
    run = cli("run", *TINY, "--set", "stepz=3", "--set", "clock_mhz=-1", "--set", "hiden_size=2")
    assert run.code == 2
    assert [line.split(": ")[2] for line in run.err.splitlines()] == [
        "--set clock_mhz=-1",
        "--set stepz=3",
        "--set hiden_size=2",
    ]


def test_debug_shows_the_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.cli.main import main
    from archsim.errors import ArchError

    monkeypatch.setattr("sys.argv", ["archsim", "run", "edge_64", "--debug"])
    with pytest.raises(ArchError):
        main()


def test_a_failed_run_leaves_the_old_results(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("run", *TINY, "--no-plots").code == 0
    before = {path.name: path.read_bytes() for path in TINY_RESULTS.iterdir()}

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("archsim.report.files.folder.stats_json", interrupted)
    run = cli("run", *TINY)
    assert run.code == 130
    assert "interrupted; no results were written" in run.err
    assert {path.name: path.read_bytes() for path in TINY_RESULTS.iterdir()} == before
    assert list(Path("results").iterdir()) == [TINY_RESULTS]


def test_another_run_replaces_results_by_force_alone_and_whole(cli: Cli) -> None:
    here = ("--no-plots", "--out", "here")
    assert cli("run", *TINY, *here).code == 0
    before = {path.name: path.read_bytes() for path in Path("here").iterdir()}
    for options, what in (
        (("--timing-only",), "timing only False, now True"),
        (("-s", "split"), "schedule fused_interleaved, now split_interleaved"),
        (("--set", "clock_mhz=200"), "another arch.yaml"),
        (("--set", "steps=2"), "another workload.yaml"),
        (("--executor", "machine"), "executor auto, now machine"),
    ):
        refused = cli("run", *TINY, *here, *options)
        said = f"here: holds the results of another run ({what}); choose another --out, or --force"
        assert (refused.code, refused.out, refused.err) == (2, "", f"archsim: error: {said}\n")
        assert {path.name: path.read_bytes() for path in Path("here").iterdir()} == before
    assert cli("run", *TINY, *here, "--timing-only", "--force").code == 0
    assert not Path("here/outputs.npz").exists(), "no file of the run before is taken for this one's"


def test_the_same_run_once_more_keeps_its_pictures_and_traces(cli: Cli) -> None:
    quick = ("--timing-only", "--no-plots", "--out", "here")
    assert cli("run", *TINY, *quick).code == 0
    for name in ("timeline.png", "trace.vcd", "ops.csv"):
        Path("here", name).write_bytes(b"as it was")
    assert cli("run", *TINY, *quick, "--export", "ops", "--export-format", "csv").code == 0
    assert Path("here/timeline.png").read_bytes() == Path("here/trace.vcd").read_bytes() == b"as it was"
    assert Path("here/ops.csv").read_bytes().startswith(b"phase,")
    assert cli("run", *TINY, *quick, "-s", "split", "--force").code == 0
    assert not Path("here/timeline.png").exists(), "a picture of another run"
    assert not Path("here/trace.vcd").exists(), "a trace of another run"


def test_what_a_killed_process_left_of_a_result_does_not_stand_in_the_way(cli: Cli) -> None:
    """A picture under the name that it has until it is whole; of a file that is none of a run's that is no excuse."""
    quick = ("--timing-only", "--no-plots", "--out", "here")
    assert cli("run", *TINY, *quick).code == 0
    Path("here/.timeline.png.partial-7").write_bytes(b"half of it")
    assert cli("run", *TINY, *quick).code == 0
    assert not Path("here/.timeline.png.partial-7").exists()
    Path("here/.thesis.tex.partial-7").write_bytes(b"precious")
    refused = cli("run", *TINY, *quick)
    assert refused.code == 2
    assert "here: holds files that are no results of a run (.thesis.tex.partial-7)" in refused.err


@pytest.mark.parametrize("name", ["utilization.png", "report.html"])
def test_a_picture_or_page_that_cannot_be_written_is_one_line(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """What was written before stays; it is the disk that is at fault, and not archsim."""

    def full(path: Path, data: bytes) -> None:
        if path.name == name:
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_bytes(data)

    monkeypatch.setattr("archsim.report.files.folder.write_whole", full)
    run = cli("run", *TINY, "--timing-only", "--out", "here")
    assert (run.code, run.err) == (2, "archsim: error: here: cannot write results: No space left on device\n")
    assert Path("here/stats.json").exists()
    assert not Path("here", name).exists()


def test_a_folder_without_a_manifest_is_not_replaced(cli: Cli) -> None:
    Path("here").mkdir()
    Path("here/stats.json").write_text("{}")
    refused = cli("run", *TINY, "--no-plots", "--out", "here")
    assert refused.code == 2
    assert "here: holds the results of another run (it has no manifest.json that can be read)" in refused.err
    assert cli("run", *TINY, "--no-plots", "--out", "here", "--force").code == 0


def test_overrides_and_options_have_folders_of_their_own_and_always_the_same(cli: Cli) -> None:
    asked = [(), ("--set", "steps=2"), ("--set", "clock_mhz=200"), ("--timing-only",), ("-s", "best")]
    for options in (*asked, asked[1]):
        assert cli("run", *TINY, "--no-plots", *options).code == 0
    folders = sorted(path.name for path in Path("results").iterdir())
    assert len(folders) == len(asked)
    folders.remove(TINY_RESULTS.name)
    assert all(re.fullmatch(r"tiny_2x2-lstm_3_2_t4-\w+-[0-9a-f]{8}", name) for name in folders)


def test_json_alone_writes_nothing(cli: Cli) -> None:
    assert json.loads(cli("run", *TINY, "--json").out)["latency_cycles"] == 198
    assert list(Path().iterdir()) == []


def test_results_that_cannot_be_written(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only folder (made by hand here: permissions do not stop root)."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    run = cli("run", *TINY, "--no-plots")
    assert run.code == 2
    assert run.err == f"archsim: error: {TINY_RESULTS}: cannot write results: Permission denied\n"


def test_a_bug_is_ours(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from archsim.errors import SimulatorBug

    def broken(*_: object, **__: object) -> None:
        raise SimulatorBug("one and one is three")

    monkeypatch.setattr("archsim.api.simulate", broken)
    run = cli("run", *TINY)
    assert run.code == 3
    assert "this is a bug in archsim" in run.err


def test_corrupt_weights_give_one_line(cli: Cli) -> None:
    Path("w.safetensors").write_bytes(b"\xff" * 100)
    text = (
        "summary: corrupt\nkind: lstm\ninput_size: 3\nhidden_size: 2\nsteps: 4\nbatch: 1\n"
        "weights: {file: w.safetensors}\ninput: {seed: 1}\n"
    )
    Path("w.yaml").write_text(text)
    run = cli("run", "tiny_2x2", "w.yaml")
    assert run.code == 2
    assert run.err.count("\n") == 1
    assert "w.safetensors: not a valid safetensors file" in run.err


def test_all_faults_of_a_file_come_at_once(cli: Cli) -> None:
    Path("a.yaml").write_text(
        "summary: three faults\nclock_mhz: fast\nformats: float32\nmac_array: {rows: true}\nwings: 2\n"
    )
    run = cli("run", "a.yaml", "lstm_3_2_t4")
    assert run.code == 2
    for part in ("a.yaml:2: clock_mhz", "a.yaml:4: mac_array.rows", "a.yaml:4: mac_array: missing", "a.yaml:5: wings"):
        assert part in run.err


def test_on_a_terminal_the_report_is_in_colour_and_its_sums_are_bold(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Elsewhere the whole report is the text that the folder holds."""
    monkeypatch.setenv("TERM", "xterm-256color")
    plain = cli("run", *TINY, "--no-plots", "--full", "--out", "plain").out
    assert plain.startswith(Path("plain/report.txt").read_text())
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    coloured = cli("run", *TINY, "--no-plots", "--full", "--out", "coloured").out
    assert "\x1b[" not in plain
    stack = coloured.split("Cycle stack of the")[1].split("Units during")[0].splitlines()
    bold = [line for line in stack[1:] if "\x1b[1m" in line and "\x1b[1;2m" not in line]
    assert ["sum" in line for line in bold].count(True) == 1
    assert all("useful" not in line for line in bold), "the sum alone is bold"
