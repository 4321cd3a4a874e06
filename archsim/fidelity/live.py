"""Runs other people's tools, as far as they are installed, beside the machines that they predict or simulate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from archsim.fidelity.elasticai import elasticai_row
from archsim.fidelity.ethosu import ethosu_row
from archsim.fidelity.peers.elasticai import drawn_cell, simulate_vhdl
from archsim.fidelity.peers.missing import PeerMissingError
from archsim.fidelity.peers.vela import vela_operators
from archsim.fidelity.row import Row

STEPS = 3


@dataclass(frozen=True, slots=True)
class Live:
    """Rows of the runs that could be made, and for each tool that is missing a line that says what it needs."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...]


def run_live(seed: int, runs: int = 3) -> Live:
    """Draw so many networks for each tool, run it on them, and simulate the same on ours."""
    rows: list[Row] = []
    missing: list[str] = []
    for machine, run in TOOLS.items():
        random = np.random.default_rng(seed)
        try:
            rows += [run(random) for _ in range(runs)]
        except PeerMissingError as error:
            missing.append(f"{machine}: {error}")
    return Live(tuple(rows), tuple(missing))


def _vhdl(random: np.random.Generator) -> Row:
    units = int(random.choice([size for size in range(3, 41) if size & (size - 1)]))  # no power of two elaborates
    run = simulate_vhdl(drawn_cell(units, STEPS, seed=units))
    return elasticai_row(units, STEPS, sum(run.cycles), drawn=True)


def _vela(random: np.random.Generator) -> Row:
    inputs, units = (int(random.integers(*limits)) for limits in ((1, 200), (16, 260)))
    total = sum(operator.cycles for operator in vela_operators(inputs, units, STEPS, seed=units))
    return ethosu_row(inputs, units, STEPS, total, drawn=True)


TOOLS: Mapping[str, Callable[[np.random.Generator], Row]] = {"elasticai_lstm": _vhdl, "ethos_u55_128": _vela}
"""For each machine with a tool of its own a run of a drawn network on both."""
