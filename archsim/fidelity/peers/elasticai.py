"""Generates the LSTM cell of ElasticAI.creator in VHDL for drawn weights, and simulates it with GHDL."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.errors import SimulatorBug
from archsim.fidelity.peers.missing import PeerMissingError, module

PACKAGE = "elasticai.creator"
BITS, FRACTION_BITS = 8, 4
Codes = npt.NDArray[np.int64]

RACE = ("clk_hadamard_internal <= clock;", "clk_hadamard_internal")
CLOCKED = "if (rising_edge(clock)) then"
SENSITIVE = "process (clock)"


@dataclass(frozen=True, slots=True)
class DrawnCell:
    """A cell with one input and its inputs: codes of 8 bits, 4 of them fraction."""

    w_ih: Codes
    w_hh: Codes
    bias: Codes
    x: Codes

    @property
    def units(self) -> int:
        """The number H of hidden units."""
        return int(self.w_hh.shape[1])


@dataclass(frozen=True, slots=True)
class VhdlRun:
    """What a simulation gives: cycles of each step, from start to done, and h of each step (T, H)."""

    cycles: tuple[int, ...]
    h: Codes


def drawn_cell(units: int, steps: int, seed: int) -> DrawnCell:
    """A cell whose sums are about as large as its numbers reach: some wrap."""
    random = np.random.default_rng(seed)
    largest = int(max(8, 90 / units**0.5))

    def draw(*shape: int) -> Codes:
        return random.integers(-largest, largest, shape, endpoint=True)

    return DrawnCell(draw(4 * units, 1), draw(4 * units, units), draw(4 * units), random.integers(-60, 60, steps))


def simulate_vhdl(cell: DrawnCell, *, immediate_sigmoid: bool = False, one_clock: bool = False) -> VhdlRun:
    """Generate and simulate the cell; PeerMissingError if the generator or GHDL is not installed.

    `immediate_sigmoid`: take the clock out of the generated sigmoid, whose results the cell else reads a state too
    early. `one_clock`: let the element-wise machine see the clock itself, not a copy that comes a delta later.
    """
    if shutil.which("ghdl") is None:
        raise PeerMissingError("needs the program ghdl (Debian: ghdl-mcode)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _generate(cell, folder / "vhdl")
        files = sorted((folder / "vhdl").rglob("*.vhd"))
        (top,) = (file for file in files if file.name == "lstm_cell.vhd")
        if immediate_sigmoid:
            _change(top.with_name("lstm_cell_hardsigmoid.vhd"), (SENSITIVE, "process (all)"), (CLOCKED, "if true then"))
        if one_clock:
            _change(top, (RACE[0], ""), ("signal clk_hadamard_internal:std_logic;", ""), (RACE[1], "clock"))
        (folder / "x.txt").write_text("".join(f"{x}\n" for x in cell.x))
        bench = folder / "bench.vhd"
        bench.write_text(_BENCH)
        options = ["--std=08", "-frelaxed", f"--workdir={folder}"]
        _run("ghdl", "-a", *options, *map(str, [*(file for file in files if file != top), top, bench]))
        address = (cell.units - 1).bit_length()
        generics = [f"-gSTEPS={len(cell.x)}", f"-gHIDDEN={cell.units}", f"-gADDRESS={address}"]
        generics.append(f"-gFILE_OF_X={folder / 'x.txt'}")
        printed = _run("ghdl", "--elab-run", *options, "bench", *generics, "--ieee-asserts=disable")
    lines = printed.splitlines()
    cycles = tuple(int(line.split()[1]) for line in lines if line.startswith("cycles "))
    h = np.array([[int(code) for code in line.split()[1:]] for line in lines if line.startswith("h ")], np.int64)
    return VhdlRun(cycles, h)


def _generate(cell: DrawnCell, folder: Path) -> None:
    paths: Any = module("elasticai.creator.file_generation.on_disk_path", PACKAGE)
    cells: Any = module("elasticai.creator.nn.fixed_point.lstm.design.fp_lstm_cell", PACKAGE)
    tanh: Any = module("elasticai.creator.nn.fixed_point.hard_tanh", PACKAGE)
    sigmoid: Any = module("elasticai.creator.nn.fixed_point.hard_sigmoid", PACKAGE)
    width = {"total_bits": BITS, "frac_bits": FRACTION_BITS}
    design = cells.FPLSTMCell(
        name="lstm_cell",
        hardtanh=tanh.HardTanh(**width).create_design("lstm_cell_hardtanh"),
        hardsigmoid=sigmoid.HardSigmoid(**width).create_design("lstm_cell_hardsigmoid"),
        w_ih=cell.w_ih.tolist(),
        w_hh=cell.w_hh.tolist(),
        b_ih=cell.bias.tolist(),
        b_hh=np.zeros_like(cell.bias).tolist(),
        **width,
    )
    design.save_to(paths.OnDiskPath(folder.name, str(folder.parent)))


def _change(file: Path, *pairs: tuple[str, str]) -> None:
    text = file.read_text()
    for old, new in pairs:
        if old not in text:
            raise SimulatorBug(f"the generated {file.name} has no '{old}'")
        text = text.replace(old, new)
    file.write_text(text)


def _run(*command: str) -> str:
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SimulatorBug(f"{command[0]} {command[1]} ended with {run.returncode}: {run.stderr.strip()[-300:]}")
    return run.stdout


_BENCH = """
library ieee; use ieee.std_logic_1164.all; use ieee.numeric_std.all; use std.env.all; use std.textio.all;
entity bench is
  generic (STEPS, HIDDEN, ADDRESS : integer := 1; FILE_OF_X : string := "x.txt");
end;
architecture a of bench is
  signal clock, reset, enable, zero, done : std_logic := '0';
  signal x, h : std_logic_vector(7 downto 0) := (others => '0');
  signal place_of_h : std_logic_vector(ADDRESS - 1 downto 0) := (others => '0');
  signal cycle : integer := 0;
begin
  clock <= not clock after 5 ns;
  cell : entity work.lstm_cell port map (clock, reset, enable, zero, x, done, '1', place_of_h, h);
  process (clock) begin if rising_edge(clock) then cycle <= cycle + 1; end if; end process;
  process  -- as the generated network does: reset, release, wait for done, and again
    file f : text open read_mode is FILE_OF_X;
    variable read_line, out_line : line;
    variable value, begun : integer;
  begin
    zero <= '1';
    for step in 1 to STEPS loop
      readline(f, read_line); read(read_line, value);
      x <= std_logic_vector(to_signed(value, 8));
      wait until rising_edge(clock);
      begun := cycle;
      reset <= '1';
      wait until rising_edge(clock);
      reset <= '0'; enable <= '1';
      loop wait until rising_edge(clock); exit when done = '1'; end loop;
      write(out_line, string'("cycles ")); write(out_line, cycle - begun); writeline(output, out_line);
      write(out_line, string'("h "));
      for place in 0 to HIDDEN - 1 loop
        place_of_h <= std_logic_vector(to_unsigned(place, ADDRESS));
        wait until rising_edge(clock); wait until rising_edge(clock);
        write(out_line, to_integer(signed(h))); write(out_line, string'(" "));
      end loop;
      writeline(output, out_line);
      zero <= '0';
    end loop;
    finish;
  end process;
end;
"""
