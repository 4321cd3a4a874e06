"""Numbers are encoded some entries at a time, and matrices as they are loaded, to the very codes of all at once."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from archsim.checking.numbers import Numbers, prepare
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import build_program, find_schedule
from archsim.formats import Encoding, parse_format
from archsim.lowering import tensor_codes
from archsim.lowering.tensor_codes import TensorCodes, all_within, loaded_once, stored_by_rows
from archsim.program.joined import interpret_joined
from archsim.workload import load_workload


@pytest.mark.parametrize("name", ["int8", "q4.12", "int16"])
@pytest.mark.parametrize("at_once", [1, 7, 40, 10_000])
def test_codes_are_those_of_all_at_once(name: str, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tensor_codes, "VALUES_AT_ONCE", at_once)
    random = np.random.default_rng(1)
    own = parse_format(name)
    scale = random.uniform(0.01, 0.02, (23, 1)) if name.startswith("int") else getattr(own, "scale", 1.0)
    for scales in (scale, 0.013 if name.startswith("int") else scale):
        encoding = Encoding(own, scales, 3 if name == "int8" else 0)
        values = random.normal(0, 6, (2, 5, 23)).transpose(0, 2, 1)  # as x comes: not in C order
        whole, beyond = encoding.encoded(values)
        stored, lost = stored_by_rows(values, encoding)
        assert np.array_equal(stored, whole)
        assert lost == beyond
        assert stored.dtype == encoding.stored_type
        assert stored.strides == whole.astype(encoding.stored_type, copy=False).strides


def numbers_of(workload: str, *sets: str, schedule: str | None = None) -> Numbers:
    arch, work = load_arch("edge_64x64", [parse_override(text) for text in sets]), load_workload(workload)
    program = build_program(find_schedule(schedule, "gemv"), work.spec, arch.config)
    return prepare(program, arch.config, work)


@pytest.mark.parametrize("rounding", ["even", "half_up", "truncate"])
def test_the_ends_of_entries_tell_whether_all_is_within(rounding: str) -> None:
    """Codes of -128 to 127 a step of 1: 127.4 is within, of which `even` makes 127; with a step of 0.9 it is beyond."""
    encoding = Encoding(parse_format(f"int8/{rounding}"), np.array([[1.0], [1.0]]))
    values = np.array([[[3.0, -128.0], [127.4, 5.0]]])
    assert all_within(values, encoding)
    assert not all_within(values, Encoding(encoding.format, np.array([[1.0], [0.9]])))
    assert not all_within(-values - 2, encoding)
    assert all_within(values[:, :0], encoding)


def test_codes_of_some_entries() -> None:
    """With a scale of 0.5, 1 and 2 for the three entries, slot 1 is 2, 2 and 2 in codes, where all numbers rise."""
    values = np.array([[[0.5], [1.0], [2.0]], [[1.0], [2.0], [4.0]]])
    codes = TensorCodes(values, Encoding(parse_format("int8"), np.array([[0.5], [1.0], [2.0]])))
    assert codes.shape == (2, 3, 1)
    assert codes.rows(1, 1, 3).tolist() == [[2], [2]]
    assert codes.rows(0, 0, 1).tolist() == [[1]]
    assert codes.whole().tolist() == [[[1], [1], [1]], [[2], [2], [2]]]
    assert codes.rows(1, 1, 3).dtype == np.int8


def test_weights_that_are_loaded_once_are_made_as_they_are_loaded() -> None:
    """Of a streamed schedule W_hh is read at every step, as x is: it is kept."""
    numbers = numbers_of("lstm:8,12,t=3")
    assert {"dram.W_ih", "dram.W_hh"} <= loaded_once(numbers.program)
    assert "dram.x" not in loaded_once(numbers.program)
    streamed = numbers_of("lstm:8,12,t=3", "weight_sram.capacity_bytes=600", schedule="fused_interleaved_streamed")
    assert not {"dram.W_ih", "dram.W_hh"} <= loaded_once(streamed.program)


def test_an_input_made_later_has_the_same_entries_and_the_whole_is_then_kept() -> None:
    numbers = numbers_of("lstm:8,12,t=3")
    units = build_units(load_arch("edge_64x64").config)
    state = numbers.begin(units).state
    (buffer,) = [buffer for buffer in numbers.program.buffers if buffer.name == "dram.W_hh"]
    reads = [region for op in numbers.program.phases[0].ops for region in op.reads if region.buffer is buffer]
    region = reads[0]
    before = state.view(region, 0)
    assert before is not state.view(region, 0)
    whole = state.array(buffer)
    assert whole is state.array(buffer)
    assert np.array_equal(whole[0, region.start : region.stop], before)
    assert np.shares_memory(state.view(region, 0), whole)
    assert np.shares_memory(state.slot(buffer, 0), whole)


@pytest.mark.parametrize(("name", "step", "beyond"), [("q4.4", 1 / 16, False), ("q2.6", 1 / 64, True)])
def test_weights_beyond_the_range_are_counted_as_ever(name: str, step: float, beyond: bool) -> None:
    """Up to 4/sqrt(2) in magnitude: q4.4 holds all, q2.6 those up to 2. All 32 are counted as brought to it."""
    sets = (f"formats={{all: q4.12, weight: {name}}}", "activation.method=table")
    drawn = numbers_of("lstm:2,2,t=2", *sets)
    (cell,) = drawn.tensors.cells
    assert cell.weight_hh is not None
    larger = replace(cell, weight_ih=cell.weight_ih * 4, weight_hh=cell.weight_hh * 4)
    numbers = replace(drawn, tensors=replace(drawn.tensors, cells=(larger,)))
    overflows = numbers.begin(build_units(load_arch("edge_64x64").config)).overflows
    codes = np.rint(4 / step * np.concatenate([cell.weight_ih.ravel(), cell.weight_hh.ravel()]))
    expected = int(np.count_nonzero((codes > 127) | (codes < -128)))
    assert bool(expected) is beyond
    assert overflows.overflowed.get("weight", 0) == expected
    assert overflows.values["weight"] == 32


def test_a_second_copy_of_the_weights_is_never_held() -> None:
    """Of 6.4 million weights the machine's memory holds the codes, a byte each; DRAM's would be another."""
    numbers = numbers_of("lstm:896,896,t=2", "weight_sram.capacity_bytes=8MiB")
    units = build_units(load_arch("edge_64x64").config)
    tracemalloc.start()
    computation = numbers.begin(units)
    interpret_joined(numbers.program, computation.datapath, computation.state)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * 4 * 896 * (896 + 896)
