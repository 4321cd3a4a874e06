"""What the numbers in each buffer stand for, where every range has a scale of its own."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.formats import Encoding
from archsim.formats.scaling import Method
from archsim.lowering.encodings import program_encodings
from archsim.workload import load_tensors, load_workload
from archsim.workload.calibration import Calibration, Range
from archsim.workload.tensors import CellTensors

SETS = (
    "formats={all: int16, weight: int8/gate, accumulator: int32}",
    "activation.method=table",
    "activation.address_format=q4.12",
)

KINDS = ("x", "h", "c", "gate", "activation", "vector", "y")
CELLS = ("", "_l0", "_l0_reverse", "_l1", "_l1_reverse")
SCALES = {
    kind + cell: 0.001 + 0.0001 * place for place, (kind, cell) in enumerate((k, c) for k in KINDS for c in CELLS)
}
"""A scale for each name that a range may have."""


def encoded(workload: str, *fields: str) -> tuple[Mapping[str, Encoding], tuple[CellTensors, ...]]:
    """The encodings of a workload's buffers on a machine of integers, and its tensors."""
    work = load_workload(workload, [parse_override(field) for field in fields])
    config = load_arch("edge_16x16", [parse_override(text) for text in SETS]).config
    program = find_schedule(None, "gemv").build(work.spec, config)
    ranges = {name: Range(-1.0, 1.0, "int16", scale) for name, scale in SCALES.items()}
    tensors = load_tensors(work)
    found = program_encodings(
        program, work.spec, config.formats, tensors, Calibration(Method.MAX, 100.0, Method.MAX, ranges)
    )
    return found, tensors.cells


def names(found: Mapping[str, Encoding], *buffers: str) -> list[str]:
    """The ranges that these buffers have their scales from."""
    by_scale = {scale: name for name, scale in SCALES.items()}
    scales = [found[buffer].scale for buffer in buffers]
    return [by_scale[scale] for scale in scales if isinstance(scale, float)]


def of_gates(matrix: np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None, gates: int) -> list[float]:
    """The scale of each row of a matrix: the largest magnitude of its gate is code 127."""
    assert matrix is not None
    most = np.abs(matrix.reshape(gates, -1)).max(axis=1).astype(np.float64) / 127
    return [float(scale) for scale in np.repeat(most, len(matrix) // gates)]


def test_two_layers_of_lstm() -> None:
    """A layer's x is the h of the one before; states before and after the run are those in between."""
    found, _ = encoded("lstm:3,4,t=2,layers=2")
    assert names(found, "dram.x", "l0.x") == ["x", "x"]
    assert names(found, "l0.h", "l0.dram.h_0", "l0.dram.h_n", "l0.dram.output", "l1.x") == ["h_l0"] * 5
    assert names(found, "l1.h", "l1.dram.h_0", "l1.dram.h_n", "dram.output") == ["h_l1"] * 4
    for layer in ("l0", "l1"):
        assert names(found, *(f"{layer}.{name}" for name in ("c", "dram.c_0", "dram.c_n"))) == [f"c_{layer}"] * 3
        assert names(found, f"{layer}.sums") == [f"gate_{layer}"]
        assert names(found, f"{layer}.gates", f"{layer}.tanh_c") == [f"activation_{layer}"] * 2


def test_products_and_biases_have_the_scale_of_weight_and_input() -> None:
    """Of each row; the second layer's input has the scale of the first one's h."""
    found, cells = encoded("lstm:3,4,t=2,layers=2")
    for layer, source in ((0, "x"), (1, "h_l0")):
        rows = of_gates(cells[layer].weight_ih, 4)
        assert np.ravel(found[f"l{layer}.dram.W_ih"].scale).tolist() == pytest.approx(rows)
        bias = [scale * SCALES[source] for scale in rows]
        assert np.ravel(found[f"l{layer}.dram.bias"].scale).tolist() == pytest.approx(bias)
        assert np.ravel(found[f"l{layer}.dram.W_hh"].scale).tolist() == pytest.approx(
            of_gates(cells[layer].weight_hh, 4)
        )


def test_a_gru_has_a_bias_behind_the_others_in_the_scale_of_h() -> None:
    """b_hn, which is added to W_hn h; the candidate's pre-activation is one of the gates'."""
    found, (cell,) = encoded("gru:3,4,t=2")
    x_rows, h_rows = of_gates(cell.weight_ih, 3), of_gates(cell.weight_hh, 3)
    bias = [scale * SCALES["x"] for scale in x_rows] + [scale * SCALES["h_l0"] for scale in h_rows[8:]]
    assert np.ravel(found["dram.bias"].scale).tolist() == pytest.approx(bias)
    assert names(found, "candidate", "gates", "sums") == ["gate_l0", "activation_l0", "gate_l0"]


def test_vectors_that_are_multiplied_again_have_ranges_of_their_own() -> None:
    """r * h of a GRU that resets before the product, and o * tanh(c) before a projection, whose matrix is one gate."""
    found, _ = encoded("gru:3,4,t=2", "linear_before_reset=false")
    assert names(found, "vector", "h") == ["vector_l0", "h_l0"]
    found, (cell,) = encoded("lstm:3,4,t=2,proj=2")
    assert names(found, "vector", "h", "c") == ["vector_l0", "h_l0", "c_l0"]
    matrix = found["dram.W_hr"].scale
    assert cell.weight_hr is not None
    assert np.unique(matrix).tolist() == pytest.approx([np.abs(cell.weight_hr).max() / 127])


def test_directions_have_ranges_of_their_own_but_one_h() -> None:
    found, cells = encoded("lstm:3,4,t=2,bidirectional=1")
    assert names(found, "l0.h", "l0r.h", "dram.output") == ["h_l0"] * 3
    assert names(found, "l0.c", "l0r.c") == ["c_l0", "c_l0_reverse"]
    assert names(found, "l0.sums", "l0r.sums") == ["gate_l0", "gate_l0_reverse"]
    assert names(found, "l0.gates", "l0r.gates") == ["activation_l0", "activation_l0_reverse"]
    for prefix, cell in zip(("l0", "l0r"), cells, strict=True):
        assert np.ravel(found[f"{prefix}.dram.W_hh"].scale).tolist() == pytest.approx(of_gates(cell.weight_hh, 4))


def test_merged_directions_have_a_range_of_their_own() -> None:
    """What is merged is h of both; the next layer reads what it becomes."""
    found, _ = encoded("lstm:3,4,t=2,layers=2,bidirectional=1", "merge_mode=sum")
    assert names(found, "l0.directions", "l0.dram.directions") == ["h_l0"] * 2
    assert names(found, "l0.merged", "l0.dram.output", "l1.x", "l1r.x") == ["y_l0"] * 4
    assert names(found, "l1.directions", "l1.merged", "dram.output") == ["h_l1", "y_l1", "y_l1"]


def test_a_cell_without_gates() -> None:
    found, (cell,) = encoded("rnn:3,4,t=2")
    assert names(found, "h", "sums") == ["h_l0", "gate_l0"]
    assert np.unique(np.asarray(found["dram.W_ih"].scale)).tolist() == pytest.approx(of_gates(cell.weight_ih, 1)[:1])
