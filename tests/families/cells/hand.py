"""Cells whose numbers can be followed in the head: small whole numbers, and functions that leave them alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from archsim.config import parse_override
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.lowering.tensors import Results
from archsim.program.verifier import find_hazards
from archsim.workload import CellKind, CellTensors, NetworkTensors
from archsim.workload.tensors import weight_shapes
from tests.float_machines import FLOAT_16X16
from tests.strategies import SCHEDULE_NAMES, Case, bits, compare, network

IDENTITY = {"name": "affine"}
"""1 x + 0: a cell's equations become polynomials."""

LSTM = {"kind": CellKind.LSTM, "activations": (IDENTITY,) * 3}
GRU = {"kind": CellKind.GRU, "activations": (IDENTITY,) * 2}
RNN = {"kind": CellKind.RNN, "activations": (IDENTITY,)}

ALONE = tuple(name for name in SCHEDULE_NAMES if not name.endswith("wavefront"))
every_schedule = pytest.mark.parametrize("schedule", ALONE)


def _machine(*sets: str) -> GemvConfig:
    config = load_arch(FLOAT_16X16, [parse_override(text) for text in sets]).config
    assert isinstance(config, GemvConfig)
    return config


MACHINE = _machine("accumulators.entries=1024")
ONE_BANK = _machine("accumulators.entries=1024", "state_buffer.banks=one")


def numbers(case: Case, x: Any, cells: Sequence[Mapping[str, Any]]) -> NetworkTensors:
    """The tensors of a network: x (T, B, I); for each cell weights by their names, h_0 (B, P) and c_0 (B, H).

    A weight or state that is not given is 0.
    """
    found = []
    for cell, given in zip(case.spec.cells, cells, strict=True):
        shapes = weight_shapes(cell) | {"h_0": (case.spec.batch, cell.output_size)}
        if cell.kind is CellKind.LSTM:
            shapes["c_0"] = (case.spec.batch, cell.hidden_size)
        assert given.keys() <= shapes.keys(), "a weight that this cell does not have"
        absent = {"bias_ih", "bias_hh", "weight_hr", "peephole", "layer_norm", "c_0"} - shapes.keys()
        arrays = {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        for name, values in given.items():
            arrays[name] = np.array(values, np.float32).reshape(shapes[name])
        found.append(CellTensors(**arrays, **dict.fromkeys(absent)))  # type: ignore[arg-type]
    sequence = np.array(x, np.float32).reshape(case.spec.steps, case.spec.batch, case.spec.input_size)
    return NetworkTensors(tuple(found), sequence, None)


def run(schedule: str, x: Any, cells: Sequence[Mapping[str, Any]], **fields: Any) -> Results:
    """What the machine of these tests computes, as `run_on`."""
    return run_on(MACHINE, schedule, x, cells, **fields)


def run_on(machine: GemvConfig, schedule: str, x: Any, cells: Sequence[Mapping[str, Any]], **fields: Any) -> Results:
    """What the machine computes; checked against the hazards, the interpreter's bits and the golden model."""
    case = Case(machine, network(**{"input_size": 1, "hidden_size": 1} | fields), schedule)
    assert find_hazards(case.program) == ()
    tensors = numbers(case, x, cells)
    _, results = case.execute(tensors)
    assert results is not None
    assert bits(results) == bits(case.interpret(tensors))
    assert compare(results, tensors, case.spec).passed
    return results
