"""Runs the machine on integer codes."""

from __future__ import annotations

import numpy as np

from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.serial.schedule import UnitByUnit
from archsim.fidelity.peers.elasticai import Codes, DrawnCell
from archsim.formats import Encoding
from archsim.hardware.numerics import Numerics
from archsim.program.ir import Region
from archsim.workload import load_workload


def run_on_codes(cell: DrawnCell) -> Codes:
    """h of each step (T, H), by the ops of the program in their order, each with its unit's kernel."""
    config = load_arch("elasticai_lstm").config
    program = UnitByUnit().build(load_workload(f"lstm:1,{cell.units},t={len(cell.x)}").spec, config)  # type: ignore[arg-type]
    units = build_units(config)
    held = {
        buffer.name: np.zeros((buffer.slots or len(cell.x), buffer.entries, buffer.width), np.int64)
        for buffer in program.buffers
    }
    held["dram.x"][:, 0, 0] = cell.x
    held["dram.W_ih"][0], held["dram.W_hh"][0] = cell.w_ih, cell.w_hh
    held["dram.bias"][0, :, 0] = cell.bias << 4  # in the width of sums
    encodings = {buffer.name: Encoding(buffer.number_format) for buffer in program.buffers}
    numerics = Numerics(encodings)

    def at(region: Region, step: int) -> Codes:
        found: Codes = held[region.buffer.name][region.slot(step), region.start : region.stop]
        return found

    (body,) = program.phases
    for step in range(body.repeat):
        for op in body.ops:
            kernel = units[op.unit].kernel(op, numerics)
            for region, values in zip(op.writes, kernel.effect([at(region, step) for region in op.reads]), strict=True):
                at(region, step)[:] = values
    return held["dram.output"][:, :, 0]
