"""Runs the independent integer reference of delta networks on a run's numbers."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import numpy.typing as npt

from archsim.checking.golden_run import Golden
from archsim.checking.integer_grids import cell_grids
from archsim.checking.integer_methods import integer_method
from archsim.checking.numbers import Numbers
from archsim.checking.reference import directions
from archsim.families.cells.streams import cell_prefixes
from archsim.families.machine_config import MachineConfig
from archsim.golden.integer_delta import DeltaMachine, run_integer_delta
from archsim.workload.network import DeltaThresholds


def integer_delta_golden(numbers: Numbers, arch: MachineConfig) -> Golden:
    """What a delta machine must compute, bit for bit, as real numbers, which are exact in float64."""
    spec = numbers.spec
    thresholds = spec.delta or DeltaThresholds()
    machine = DeltaMachine(integer_method(arch, spec), thresholds.x, thresholds.h)
    below: npt.NDArray[Any] = np.asarray(numbers.tensors.x, np.float64)[:, 0]
    h_n, c_n = [], []
    overflows: Counter[str] = Counter()
    prefixes = cell_prefixes(spec)
    for number, (direction,) in enumerate(directions(numbers.tensors, spec)):
        source = "dram.x" if number == 0 else f"{prefixes[number - 1]}h"
        result = run_integer_delta(below, direction, cell_grids(numbers, prefixes[number], source), machine)
        h_n.append(result.h_n[None])
        c_n += [] if result.c_n is None else [result.c_n[None]]
        below = result.output
        overflows.update(result.overflows)
    return Golden(below[:, None], tuple(h_n), tuple(c_n), None, overflows)
