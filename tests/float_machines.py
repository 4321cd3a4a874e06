"""The machines of the presets edge_64x64 and edge_16x16 in float32, for tests that take them as some machine.

There a MAC tile is one accumulation without a converter, and results are held to a bound. What archsim says about the
presets themselves, which are int8, is tested with the presets.
"""

from __future__ import annotations

from pathlib import Path

MACHINES = Path(__file__).resolve().parent / "machines"

FLOAT_64X64 = str(MACHINES / "edge_64x64.yaml")
FLOAT_16X16 = str(MACHINES / "edge_16x16.yaml")
