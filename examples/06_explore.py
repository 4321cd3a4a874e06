"""A small design space, searched in full, and its Pareto front read.

Latency, energy and area of an LSTM(40, 64) on arrays of six shapes, in three orders of work. For whatever is not on the
front there is a design that is at least as good in all three and better in one.
"""

from __future__ import annotations

from pathlib import Path

from archsim.explore import Space, explore

Path("space.yaml").write_text(
    """\
summary: arrays and orders of work for a keyword spotter's LSTM(40, 64)
architecture: edge_16x16
set:
  weight_sram.capacity_bytes: 64KiB
workloads: ["lstm:40,64,t=50"]
parameters:
  mac_array.rows: [8, 16, 32]
  mac_array.columns: [8, 16]
  schedule: [fused_interleaved, fused_gate_major, split_interleaved]
derived:
  weight_sram.banks: mac_array.rows
  weight_sram.port_bits: 8 * mac_array.columns
objectives:
  - minimize: latency
  - minimize: energy
  - minimize: area
"""
)

study = explore(Space.load("space.yaml"), workers=1)
print(study)
print("\nThe front: rows  columns  schedule              latency_us   uJ       mm2")
for point in study.pareto():
    inputs, (latency, energy, area) = point.inputs, point.objectives or (0, 0, 0)
    print(
        f"{inputs['mac_array.rows']:>15}{inputs['mac_array.columns']:>9}  {inputs['schedule']:<20}"
        f"{latency:>12,.2f}{energy:>7.3f}{area:>9.3f}"
    )
