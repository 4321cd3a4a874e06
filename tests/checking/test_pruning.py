"""A machine that keeps n of m weights: what is compared with what, and what the report says of the weights it lost."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.checking import integer_reference
from archsim.checking.pruning import kept_mask
from archsim.checking.validation import GOLDEN
from archsim.config import parse_override
from archsim.explore import Space, explore
from archsim.families.load import load_arch
from archsim.golden.integer_units import IntegerMachine
from archsim.program.sparsity import Sparsity
from archsim.report import report_text
from archsim.report.files.saved import stats_json, torch_outputs
from archsim.workload import CellKind, load_tensors
from tests.checking.exact_runs import ONE_Q, differing, drawn_tensors, run_machine, run_reference, small_case
from tests.present import present

TWO_OF_FOUR, ONE_OF_TWO = "mac_array.sparsity={kept: 2, of: 4}", "mac_array.sparsity={kept: 1, of: 2}"


def run(*sets: str, workload: str = "lstm:6,5,t=4,b=2") -> Simulation:
    roomy = ("accumulators.entries=64", "input_buffer.capacity_bytes=1KiB")
    return simulate(load_arch("tiny_2x2", [parse_override(text) for text in (*roomy, *sets)]), workload)


@pytest.mark.parametrize("sets", [(), ("formats=tflite_int8", "activation.method=table"), ("formats=bfloat16",)])
def test_errors_are_against_the_network_with_all_weights(sets: tuple[str, ...]) -> None:
    """W_ih has 20 rows of 6 columns, a group of 4 and one of 2: 4 weights of 6 are kept; W_hh, 5 columns, 3 of 5."""
    found = run(TWO_OF_FOUR, *sets)
    numbers = present(found.numbers)
    pruning, accuracy = present(numbers.pruning), present(found.accuracy)
    assert (pruning.kept, pruning.of, pruning.weights, pruning.pruned) == (2, 4, 20 * 11, 20 * (2 + 2))
    for before, after in zip(load(found), numbers.tensors.cells, strict=True):
        assert np.array_equal(
            after.weight_ih, np.where(kept_mask(before.weight_ih, Sparsity(2, 4)), before.weight_ih, 0)
        )
    error = present(found.results).output - numbers.model.output
    signal = np.square(numbers.model.output).sum()
    assert accuracy.tensors[0].sqnr_db == pytest.approx(10 * np.log10(signal / np.square(error).sum()))
    alone = np.square(numbers.golden.output - numbers.model.output).sum()
    assert pruning.sqnr_db == pytest.approx(10 * np.log10(signal / alone))
    assert found.validation.passed is (None if sets == ("formats=bfloat16",) else True)
    text = report_text(found)
    assert "By magnitude: 80 of 220 weights" in " ".join(text.split())
    assert json.loads(stats_json(found))["pruning"]["pruned"] == 80


def load(found: Simulation) -> Any:
    return load_tensors(found.workload).cells


def test_a_machine_that_keeps_all_says_nothing() -> None:
    found = run()
    assert present(found.numbers).pruning is None
    assert found.accuracy is None
    assert "pruning" not in json.loads(stats_json(found))


@pytest.mark.parametrize("sets", [(), ("formats=tflite_int8", "activation.method=table")])
def test_a_network_that_is_as_sparse_already_stays_as_it_is(tmp_path: Path, sets: tuple[str, ...]) -> None:
    """The same numbers as on a machine that keeps all weights, in every bit, and the report says so."""
    whole = run(*sets)
    (cell,) = load(whole)
    tensors: dict[str, Any] = {}
    for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
        values = getattr(cell, name)
        kept = kept_mask(values, Sparsity(1, 2)) if values.ndim == 2 else True
        tensors[f"{name}_l0"] = np.where(kept, values, np.float32(0))
    np.savez(tmp_path / "w.npz", **tensors)
    (tmp_path / "w.yaml").write_text(
        "summary: sparse\nkind: lstm\ninput_size: 6\nhidden_size: 5\nsteps: 4\nbatch: 2\nweights: {file: w.npz}\ninput: {seed: 2}\n"
    )
    dense, sparse = (run(*sets, *more, workload=str(tmp_path / "w.yaml")) for more in ((), (ONE_OF_TWO,)))
    assert np.array_equal(present(dense.results).output, present(sparse.results).output)
    assert sparse.validation.passed
    assert present(present(sparse.numbers).pruning).pruned == 0
    assert "weights are as sparse as that: none was pruned" in " ".join(report_text(sparse).split())


def test_codes_of_a_file_are_pruned_as_they_are(tmp_path: Path) -> None:
    """int8 codes with a scale a gate: within a row the codes have the order of the numbers."""
    random = np.random.default_rng(3)
    tensors: dict[str, Any] = {}
    for name, inputs in (("weight_ih_l0", 6), ("weight_hh_l0", 5)):
        tensors[name] = random.integers(-127, 127, (20, inputs)).astype(np.int8)
        tensors[f"{name}_scale"] = random.uniform(0.002, 0.006, 4)
        tensors[f"bias_{name[7:]}"] = random.normal(0, 0.2, 20).astype(np.float32)
    np.savez(tmp_path / "w.npz", **tensors)
    (tmp_path / "w.yaml").write_text(
        "summary: codes\nkind: lstm\ninput_size: 6\nhidden_size: 5\nsteps: 4\nbatch: 2\nweights: {file: w.npz}\ninput: {seed: 2}\n"
    )
    sets = ("formats=tflite_int8", "formats.weight=int8/gate", "activation.method=table", TWO_OF_FOUR)
    found = run(*sets, workload=str(tmp_path / "w.yaml"))
    (cell,) = present(found.numbers).tensors.cells
    given = tensors["weight_ih_l0"].astype(np.int64)
    assert np.array_equal(cell.coded["weight_ih"].codes, np.where(kept_mask(given, Sparsity(2, 4)), given, 0))
    assert found.validation.bitwise
    assert found.validation.passed


def test_results_of_a_file_are_those_of_all_weights(tmp_path: Path) -> None:
    """They agree with the model, and the verdict says how far the machine is from them."""
    text = "summary: brought\nkind: lstm\ninput_size: 6\nhidden_size: 5\nsteps: 4\nbatch: 2\n"
    text += "weights: {seed: 1}\ninput: {seed: 2}\n"
    (tmp_path / "n.yaml").write_text(text)
    whole = run(workload=str(tmp_path / "n.yaml"))
    np.savez(tmp_path / "e.npz", **torch_outputs(whole.workload, present(whole.results)))
    (tmp_path / "n.yaml").write_text(text + "expected: {file: e.npz}\n")
    found = run(TWO_OF_FOUR, workload=str(tmp_path / "n.yaml"))
    brought = found.validation.brought
    assert found.validation.passed
    assert {check.subject for check in brought} == {GOLDEN}
    difference = np.abs(present(found.results).output - present(whole.results).output).max()
    assert brought[0].unbounded_error == pytest.approx(difference, rel=1e-4)


def test_h_begins_with_a_group() -> None:
    """I = 3, 1 of 2: x takes two groups of columns, the second with one, and a chunk of 2 weights both; h then begins
    a chunk. With accumulators that round and saturate it matters where chunks end: one that did not fill up the last
    group of x would compute other numbers."""

    def not_filled(*arguments: Any) -> IntegerMachine:
        return replace(IntegerMachine(*arguments), group=1)

    case = small_case("fused_interleaved", ONE_Q, {"mac_array.sparsity": {"kept": 1, "of": 2}}, kind=CellKind.LSTM)
    noticed = 0
    for seed in range(4):
        numbers = case.numbers(drawn_tensors(case, seed))
        machine = run_machine(case, numbers).results()
        assert differing(machine, run_reference(case, numbers)) == []
        with mock.patch.object(integer_reference, "IntegerMachine", not_filled):
            noticed += bool(differing(machine, run_reference(case, numbers)))
    assert noticed


def test_an_axis_of_an_exploration(tmp_path: Path) -> None:
    (tmp_path / "space.yaml").write_text(
        "summary: which weights are kept\narchitecture: edge_16x16\nworkloads: ['lstm:16,16,t=3']\n"
        "parameters:\n  mac_array.sparsity: [null, {kept: 1, of: 2}, {kept: 2, of: 4}]\n"
        "objectives:\n  - minimize: energy.total_uj\n  - maximize: accuracy.output.sqnr_db\n"
    )
    points = explore(Space.load(tmp_path / "space.yaml"), out=tmp_path / "out", workers=1).points
    whole, half, of_four = (np.array(point.objectives) for point in points)
    assert whole[0] > of_four[0] > half[0]
    assert whole[1] > of_four[1] > half[1]
