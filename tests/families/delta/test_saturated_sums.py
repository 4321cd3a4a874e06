"""Sums of a delta network that are cut off: counted by machine and reference alike, and said with what would hold them.

An RNN(4, 4) without biases, all weights of x 1, those of h 0, in two steps: x is 1, 1, 1, 1 and then 0. Each row's sum
is 4 in the first step and 0 in the second.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.api.verdict import judge
from archsim.checking.validation import compare_bits, with_saturations
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.report.files.saved import stats_json
from archsim.report.text.report_text import report_text
from archsim.report.text.validate_text import verdict_text
from archsim.workload import load_workload
from tests.present import present

WORKLOAD = """
summary: four rows that all add x
kind: rnn
input_size: 4
hidden_size: 4
steps: 2
bias: false
weights: {file: tensors.npz}
input: {file: tensors.npz, tensor: x}
"""
FORMATS = ("weight=q2.6", "input=q2.6", "hidden=q2.6", "activation=q2.6", "cell=q2.6")
CHUNKS = (
    "delta_encoder={lanes: 1, latency_cycles: 1, capacity_bytes: 4KiB, port_bits: 64}",
    "accumulators.entries=64",
    "activation.address_format=q4.8",
)


@pytest.fixture
def network(tmp_path: Path) -> Path:
    x = np.array([[1, 1, 1, 1], [0, 0, 0, 0]], np.float32)[:, None]
    ones = np.ones((4, 4), np.float32)
    np.savez(tmp_path / "tensors.npz", x=x, weight_ih_l0=ones, weight_hh_l0=0 * ones)
    (tmp_path / "network.yaml").write_text(WORKLOAD)
    return tmp_path / "network.yaml"


def on_pes(network: Path, accumulator: str, timing_only: bool = False) -> Simulation:
    """The run on four PEs, where every product is added to the sum in the accumulators' format."""
    sets = ["pe_array.pes=4", *(f"formats.{text}" for text in (*FORMATS, "gate=q4.8", f"accumulator={accumulator}"))]
    return simulate(load_arch("edgedrnn", sets), load_workload(str(network)), timing_only=timing_only)


@pytest.mark.parametrize(
    ("accumulator", "saturated", "remedy", "last"),
    [
        # 1, 2 (cut off to 2 - 2^-12), 3, 3; then 1, 0, -1 and -2, each 2^-12 less, of which the last is: 4 of a row.
        ("q2.12", 16, "formats.accumulator=q4.12", np.tanh(-2)),
        # 1, 2, 3, 4: the last one is cut off; four times 1 less is -2^-12: 1 of a row.
        ("q3.12", 4, "formats.accumulator=q4.12", 0),
        ("q4.12", 0, "", 0),
    ],
)
def test_by_hand(network: Path, accumulator: str, saturated: int, remedy: str, last: float) -> None:
    """4 rows add 4 products of x in each step, and in the second one 4 of h, which has changed: 48 sums."""
    found = on_pes(network, accumulator)
    assert found.validation.passed
    (sums,) = present(found.accuracy).saturated
    assert (sums.kind, sums.saturated, sums.sums, sums.reached) == ("accumulator", saturated, 48, 4)
    assert sums.remedy == remedy
    assert present(found.results).output[1] == pytest.approx(last, abs=2**-6)
    document = json.loads(stats_json(found))["accuracy"]["saturated_sums"]
    assert [(each["saturated"], each["sums"], each["share"]) for each in document] == [(saturated, 48, saturated / 48)]
    text = " ".join(report_text(found).split())
    assert (f"{saturated} of 48 sums saturated" in text) == bool(saturated)
    assert ("in the golden model they reach 4: --set formats.accumulator=q4.12 would hold that" in text) == bool(remedy)


def test_what_wraps_loses_nothing(network: Path) -> None:
    """4 is 0 modulo 4, and so is what four times 1 less makes of it: the second step's sum is right again."""
    found = on_pes(network, "q2.12/wrap")
    assert found.validation.passed
    assert present(found.accuracy).saturated == ()
    assert not present(found.results).output[1].any()


def test_chunks_by_hand(network: Path) -> None:
    """Two columns: a tile's accumulators take 2, which is cut off, and 2 more, too; then -2, which fits, and -4.

    That is 3 of a row, 12. The sums take 2 - 2^-12, of which q1.12 keeps 1 - 2^-12, and -2: -1 - 2^-12, cut off: 8.
    """
    formats = [*FORMATS, "accumulator=q2.12", "gate=q1.12"]
    sets = [parse_override(text) for text in (*CHUNKS, "activation.method=table", *(f"formats.{f}" for f in formats))]
    arch, workload = load_arch("tiny_2x2", sets), load_workload(str(network), ["delta=0"])
    found = simulate(arch, workload, "split_interleaved")
    assert found.validation.passed
    assert [(each.kind, each.saturated) for each in present(found.accuracy).saturated] == [
        ("accumulator", 12),
        ("gate", 8),
    ]
    text = " ".join(report_text(found).split())
    assert "--set formats.accumulator=q4.12 --set formats.gate=q4.12 would hold that" in text
    verdict = judge(arch, workload, "split_interleaved")
    assert "---- 12 of " in verdict_text(verdict)
    assert "saturated sums (gate): 0 of 8 numbers differ" in verdict_text(verdict)


def test_a_count_that_is_not_the_references_fails(network: Path) -> None:
    found = on_pes(network, "q2.12")
    results = present(found.results)
    verdict = compare_bits(results, results)  # type: ignore[arg-type]  # it has what is compared
    assert with_saturations(verdict, {"accumulator": 16}, {"accumulator": 16}).passed
    assert with_saturations(verdict, {"accumulator": 1}, {}).passed is False, "where the reference has none"
    failed = with_saturations(verdict, {"accumulator": 15}, {"accumulator": 16})
    assert not failed.passed
    assert failed.checks[-1].note == "15 saturated, in the reference 16."
    assert [check.name for check in found.validation.checks][-1] == "saturated sums (accumulator)"


def test_a_run_without_numbers_counts_none(network: Path) -> None:
    assert on_pes(network, "q2.12", timing_only=True).accuracy is None
    assert "sums saturated" not in report_text(on_pes(network, "q2.12", timing_only=True))
