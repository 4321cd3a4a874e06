"""The space of designs that share one program, which several benchmarks evaluate."""

from __future__ import annotations

SPACE = """\
summary: designs of one program
architecture: edge_64x64
workloads: ["lstm:200,1000,t={steps}"]
parameters:
  mac_array.columns: [8, 16, 32, 64, 128]
  activation.lanes: [4, 8, 16, 32, 64]
  elementwise.lanes: [2, 4, 8, 16]
  sequencer.queue_depth: [2, 4, 8, 16]
  state_buffer.port_bits: [256, 512]
  weight_sram.port_bits: [32, 64, 128, 256, 512]
objectives:
  - minimize: latency_us
  - minimize: energy.total_uj
"""
"""The file of a space of 4,000 designs, as older versions read it, too; {steps} stands for the time steps."""
