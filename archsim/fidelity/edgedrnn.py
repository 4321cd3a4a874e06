"""Compares EdgeDRNN with its RTL: exact, from recorded activity."""

from __future__ import annotations

from archsim.api import simulate
from archsim.config.presets import PresetKind, preset_folder
from archsim.families.load import load_arch
from archsim.fidelity.row import Row
from archsim.workload import load_workload

SOURCE = "github SensorsINI/EdgeDRNN, commit 2f57fc6, simulated at the register level (Verilator), weights always there"
INPUTS = "structure, latencies, and which columns each step multiplies (arch_configs/published/edgedrnn)"
PREDICTED = "when each column is encoded, fetched and multiplied"

RUNS = {
    "shipped_th0": (1000, 189_044),
    "shipped_th16": (1000, 126_857),
    "8_8_16_2_200_1_16_16": (200, 32_739),
}
"""Recorded activity: its steps, and the published cycles of all steps but the first, which begins after a reset."""


def edgedrnn() -> tuple[Row, ...]:
    """The rows on the cycles of a run, for each recorded activity."""
    arch, folder = load_arch("edgedrnn"), preset_folder(PresetKind.ARCH) / "published" / "edgedrnn"
    rows = []
    for name, (steps, published) in RUNS.items():
        workload = f"gru:8,16,layers=2,t={steps}"
        ends = simulate(arch, load_workload(workload, (), folder / f"{name}.nz.txt"), timing_only=True).step_end_cycles
        assert ends is not None
        figure = f"{name}: cycles of steps 2 to {steps:,}"
        simulated = ends[-1] - ends[0]
        rows.append(Row("edgedrnn", workload, figure, "cycles", published, simulated, 0.0, SOURCE, INPUTS, PREDICTED))
    return tuple(rows)
