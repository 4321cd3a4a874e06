"""Runs Arm's compiler Vela (package ethos-u-vela) on a drawn LSTM, and reads its estimate."""

from __future__ import annotations

import csv
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from archsim.errors import SimulatorBug
from archsim.fidelity.peers.missing import module
from archsim.fidelity.peers.tflite_lstm import random_lstm

PACKAGE = "ethos-u-vela"


@dataclass(frozen=True, slots=True)
class EstimatedOperator:
    """An operator as Vela names it, and its cycles: of the engine, of SRAM, of flash; `cycles` is the longest."""

    name: str
    engine_cycles: int
    sram_cycles: int
    flash_cycles: int
    cycles: int


def vela_operators(inputs: int, units: int, steps: int, seed: int = 0) -> tuple[EstimatedOperator, ...]:
    """Vela's estimate of an LSTM on Ethos-U55-128, operator by operator; PeerMissingError if it is not installed."""
    module("ethosu.vela", PACKAGE)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "lstm.tflite"
        file.write_bytes(random_lstm(inputs, units, steps, seed))
        command = [sys.executable, "-m", "ethosu.vela", str(file), "--accelerator-config", "ethos-u55-128"]
        command += ["--output-dir", folder, "--verbose-performance"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        table = Path(folder) / "lstm_per-layer.csv"
        if run.returncode or not table.exists():
            raise SimulatorBug(f"Vela ended with {run.returncode}: {run.stderr.strip()[-200:]}")
        with table.open(newline="") as lines:
            rows = [row for row in csv.DictReader(lines) if row["Target"] == "NPU"]
    return tuple(
        EstimatedOperator(row["NNG Operator"], *(int(row[column]) for column in COLUMNS))
        for row in rows
        if int(row["Op Cycles"])  # a function that is part of the operator before it has a row of zeros
    )


COLUMNS = ("NPU", "SRAM AC", "OffFlash AC", "Op Cycles")
