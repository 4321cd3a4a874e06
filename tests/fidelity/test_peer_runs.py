"""How tools of others are asked and read, with tools made up in their place: GHDL's cycles and codes, Vela's table."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from archsim.errors import SimulatorBug
from archsim.fidelity import live
from archsim.fidelity.peers import elasticai, vela
from archsim.fidelity.peers.elasticai import DrawnCell, VhdlRun, drawn_cell, simulate_vhdl
from archsim.fidelity.peers.missing import PeerMissingError
from archsim.fidelity.peers.vela import EstimatedOperator, vela_operators

CELL = "signal clk_hadamard_internal:std_logic;\nclk_hadamard_internal <= clock;\nport (clk_hadamard_internal);\n"
SIGMOID = "process (clock)\nif (rising_edge(clock)) then\n"
PRINTED = "note\ncycles 40\nh 1 -2 3 4 5 \ncycles 41\nh 6 7 8 9 -10 \n"


class Ghdl:
    """Stands for GHDL: what it was asked, what the sources held then, and what it printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cell: str = CELL) -> None:
        self.commands: list[tuple[str, ...]] = []
        self.texts: dict[str, str] = {}
        self.cell = cell
        monkeypatch.setattr(shutil, "which", lambda name: f"/{name}")
        monkeypatch.setattr(elasticai, "_generate", self._generate)
        monkeypatch.setattr(elasticai, "_run", self._run)

    def _generate(self, _cell: DrawnCell, folder: Path) -> None:
        folder.mkdir()
        for name, text in (("lstm_cell", self.cell), ("lstm_cell_hardsigmoid", SIGMOID), ("other", "o")):
            (folder / f"{name}.vhd").write_text(text)

    def _run(self, *command: str) -> str:
        self.commands.append(command)
        for file in map(Path, command):
            if file.suffix == ".vhd":
                self.texts[file.name] = file.read_text()
                self.texts["x"] = (
                    (file.parents[1] / "x.txt").read_text() if file.parent.name == "vhdl" else self.texts["x"]
                )
        return PRINTED


def a_cell() -> DrawnCell:
    none = np.zeros(0, np.int64)
    return DrawnCell(none, np.zeros((20, 5), np.int64), none, np.array([7, -60]))


def test_a_run_of_ghdl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five units have addresses of 3 bits; the cell comes behind the files that it uses, and the bench behind it."""
    ghdl = Ghdl(monkeypatch)
    found = simulate_vhdl(a_cell())
    assert found.cycles == (40, 41)
    assert found.h.tolist() == [[1, -2, 3, 4, 5], [6, 7, 8, 9, -10]]
    analysed, elaborated = ghdl.commands
    assert analysed[:2] == ("ghdl", "-a")
    files = [Path(word).name for word in analysed if word.endswith(".vhd")]
    assert files == ["lstm_cell_hardsigmoid.vhd", "other.vhd", "lstm_cell.vhd", "bench.vhd"]
    assert elaborated[:2] == ("ghdl", "--elab-run")
    assert {"-gSTEPS=2", "-gHIDDEN=5", "-gADDRESS=3"} <= set(elaborated)
    assert (ghdl.texts["x"], ghdl.texts["lstm_cell.vhd"], ghdl.texts["lstm_cell_hardsigmoid.vhd"]) == (
        "7\n-60\n",
        CELL,
        SIGMOID,
    )


def test_changes_of_the_generated_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sigmoid without a clock, and the clock itself in place of its copy; each where it is asked for alone."""
    ghdl = Ghdl(monkeypatch)
    simulate_vhdl(a_cell(), immediate_sigmoid=True)
    assert ghdl.texts["lstm_cell_hardsigmoid.vhd"] == "process (all)\nif true then\n"
    assert ghdl.texts["lstm_cell.vhd"] == CELL
    simulate_vhdl(a_cell(), one_clock=True)
    assert ghdl.texts["lstm_cell_hardsigmoid.vhd"] == SIGMOID
    assert ghdl.texts["lstm_cell.vhd"] == "\n\nport (clock);\n"
    Ghdl(monkeypatch, cell="port;\n")
    with pytest.raises(SimulatorBug, match="the generated lstm_cell.vhd has no 'clk_hadamard_internal <= clock;'"):
        simulate_vhdl(a_cell(), one_clock=True)


def test_without_ghdl_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(PeerMissingError, match="needs the program ghdl"):
        simulate_vhdl(a_cell())


def test_a_program_that_fails_says_why() -> None:
    with pytest.raises(SimulatorBug, match=r"-c ended with 3: why$"):
        elasticai._run(sys.executable, "-c", "import sys; sys.stderr.write('why\\n'); sys.exit(3)")
    assert elasticai._run(sys.executable, "-c", "print(5)") == "5\n"


@pytest.mark.parametrize(("units", "largest"), [(9, 30), (100, 9), (400, 8)])
def test_a_drawn_cell(units: int, largest: int) -> None:
    """Codes of up to 90 / sqrt(H) of either sign, 8 at least; inputs of up to 60; the same for the same seed."""
    cell, again = drawn_cell(units, 500, seed=1), drawn_cell(units, 500, seed=1)
    assert (cell.w_ih.shape, cell.w_hh.shape, cell.bias.shape) == ((4 * units, 1), (4 * units, units), (4 * units,))
    assert (cell.units, cell.x.shape) == (units, (500,))
    assert (int(cell.w_hh.min()), int(cell.w_hh.max())) == (-largest, largest)
    assert (int(cell.x.min()), int(cell.x.max())) in {(-60, 59), (-60, 60)}
    assert np.array_equal(cell.w_hh, again.w_hh)


TABLE = """\
Target,NNG Operator,NPU,SRAM AC,OffFlash AC,Op Cycles
NPU,FullyConnected,10,20,30,30
CPU,Copy,1,1,1,1
NPU,Tanh,0,0,0,0
NPU,Add,5,4,3,5
"""


def test_vela_s_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of the processor itself, and functions that are part of another operator, are none of the engine's."""
    asked: list[tuple[int, ...]] = []

    def run(command: list[str], **_how: object) -> SimpleNamespace:
        assert "--verbose-performance" in command
        assert command[command.index("--accelerator-config") + 1] == "ethos-u55-128"
        folder = Path(command[command.index("--output-dir") + 1])
        assert (folder / "lstm.tflite").read_bytes() == b"model"
        (folder / "lstm_per-layer.csv").write_text(TABLE)
        return SimpleNamespace(returncode=0, stderr="")

    def model(*sizes: int) -> bytes:
        asked.append(sizes)
        return b"model"

    monkeypatch.setattr(vela, "module", lambda name, package: None)
    monkeypatch.setattr(vela, "random_lstm", model)
    monkeypatch.setattr(subprocess, "run", run)
    assert vela_operators(3, 4, 5, seed=6) == (
        EstimatedOperator("FullyConnected", 10, 20, 30, 30),
        EstimatedOperator("Add", 5, 4, 3, 5),
    )
    assert asked == [(3, 4, 5, 6)]
    for code in (0, 2):  # no table, whatever it ends with
        monkeypatch.setattr(
            subprocess, "run", lambda *_a, code=code, **_k: SimpleNamespace(returncode=code, stderr="so")
        )
        with pytest.raises(SimulatorBug, match=f"Vela ended with {code}: so"):
            vela_operators(3, 4, 5)


def test_which_cells_are_drawn_for_ghdl(monkeypatch: pytest.MonkeyPatch) -> None:
    """3 to 40 units and no power of two, which the generator cannot; the last step is done when all steps are."""
    rows: list[tuple[int, int, int, bool]] = []
    monkeypatch.setattr(live, "simulate_vhdl", lambda cell: VhdlRun((cell.units, 100, 1000), cell.w_hh))
    monkeypatch.setattr(
        live, "elasticai_row", lambda units, steps, done, *, drawn: rows.append((units, steps, done, drawn))
    )
    for seed in range(400):
        live.TOOLS["elasticai_lstm"](np.random.default_rng(seed))
    assert {units for units, *_ in rows} == set(range(3, 41)) - {4, 8, 16, 32}
    assert {(steps, done - units, drawn) for units, steps, done, drawn in rows} == {(3, 1100, True)}


def test_small_networks_are_held_to_nothing_of_an_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """From 16 units on 3 per cent are allowed."""
    stats = SimpleNamespace(stats=SimpleNamespace(latency_cycles=1030))
    ethosu = import_module("archsim.fidelity.ethosu")
    monkeypatch.setattr(ethosu, "simulate", lambda *_a, **_k: stats)
    rows = {units: ethosu.ethosu_row(8, units, 3, 1000, drawn=True) for units in (15, 16, 17)}
    assert {units: row.tolerance for units, row in rows.items()} == {15: None, 16: 3.0, 17: 3.0}
    assert (rows[16].error, rows[16].passed, rows[15].passed) == (3.0, True, None)
    assert not ethosu.ethosu_row(8, 16, 3, 999, drawn=True).passed
