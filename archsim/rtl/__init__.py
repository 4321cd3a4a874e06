"""RTL of a machine: written, checked against the simulation under Verilator, synthesized by Yosys."""
