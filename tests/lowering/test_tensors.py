"""Tensors as a program's memories hold them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from archsim.api import simulate
from archsim.checking.numbers import prepare
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.formats import parse_format
from archsim.lowering.tensors import _places
from archsim.workload import load_tensors, load_workload


def test_a_block_of_x_runs_along_the_inputs_of_one_sequence() -> None:
    """bfp4 with an exponent for 2 numbers: (1, 0.001) of a sequence share one, those of two sequences do not.

    Of 4 bits a block with 1 in it has steps of 1/4, in which 0.001 is 0; (0.001, 0.002) have finer ones.
    """
    arch = load_arch("tiny_2x2", [parse_override("formats={all: float32, input: bfp4/block2}")])
    workload = load_workload("lstm:2,2,t=1,b=2")
    x = np.array([[[1.0, 0.001], [0.001, 0.002]]], np.float32)  # (T, B, I)
    tensors = replace(load_tensors(workload), x=x)
    program = find_schedule(None, "gemv").build(workload.spec, arch.config)
    numbers = prepare(program, arch.config, workload, tensors)
    (buffer,) = [buffer for buffer in program.buffers if buffer.name == "dram.x"]
    stored = numbers.begin(build_units(arch.config)).state.array(buffer)  # (T, I, B)
    rounded = parse_format("bfp4/block2").rounded(np.array([[0.001], [0.002]]))[0]  # type: ignore[attr-defined]
    assert stored[0, :, 0].tolist() == [1.0, 0.0]
    assert stored[0, :, 1].tolist() == rounded[:, 0].tolist()
    assert 0 < stored[0, 0, 1] < stored[0, 1, 1]


def test_a_machine_may_give_its_last_h_in_the_output_alone() -> None:
    """An Ethos-U copies each h to its output: h_n is that of the last step; c_n is where c has been all the time."""
    results = simulate("ethos_u55_128", "lstm:3,4,t=3").results
    assert results is not None
    assert results.output.shape == (3, 1, 4)
    assert np.array_equal(results.h_n[0], results.output[-1])
    assert not np.array_equal(results.output[-1], results.output[0])
    assert results.c_n[0] is not None
    assert results.c_n[0].shape == (1, 4)


def test_where_a_cells_h_stands_in_its_layers_output() -> None:
    """Directions side by side; the last step of one in reverse is the first one in time."""
    spec = load_workload("lstm:3,4,t=5,layers=2,bidirectional=1").spec
    found = [(place.tensor, place.columns.start, place.columns.stop, place.last) for place in _places(spec)]
    assert found == [
        ("l0.dram.output", 0, 4, 4),
        ("l0.dram.output", 4, 8, 0),
        ("dram.output", 0, 4, 4),
        ("dram.output", 4, 8, 0),
    ]
