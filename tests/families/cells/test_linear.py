"""Linear layers before, between and behind recurrent ones: numbers by the formula, cycles by hand, who refuses them."""

from __future__ import annotations

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.errors import ScheduleError, WorkloadError
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import load_arch
from archsim.workload import load_tensors, load_workload
from tests.engines.events.by_hand import hand_machine
from tests.float_machines import FLOAT_16X16
from tests.present import present
from tests.rings import few

AROUND = (
    "next_layers=[{kind: lstm, hidden_size: 9}, {kind: linear, hidden_size: 6, activations: [{name: relu}]}, "
    "{kind: gru, hidden_size: 5}, {kind: linear, hidden_size: 3, activations: [{name: sigmoid}]}]"
)
"""Behind a linear layer: recurrent ones with one between them, and one behind all."""


def run(arch: str, workload: str, schedule: str, *sets: str) -> Simulation:
    wide = ("accumulators.entries=4096", "state_buffer.banks=one")
    machine = load_arch(arch, [parse_override(text) for text in wide])
    return simulate(machine, load_workload(workload, [parse_override(text) for text in sets]), schedule)


CASES = [
    (arch, schedule.name)
    for arch in (FLOAT_16X16, "edge_16x16", "edge_64x64_q4_12")
    for schedule in GEMV_SCHEDULES
    if schedule.streams
]


@pytest.mark.parametrize(("arch", "schedule"), few(CASES, 10))
def test_every_schedule_computes_them(arch: str, schedule: str) -> None:
    """The golden model within 1e-5, or the integer reference bit for bit."""
    assert run(arch, "linear:7,8,t=4,b=2", schedule, AROUND).validation.passed


def test_the_numbers_are_those_of_the_formula() -> None:
    """W x + b, each time step for itself, and the function of it: in float64 from the workload's own tensors."""
    workload = load_workload("linear:7,8,t=4,b=2", [parse_override("activations=[{name: tanh}]")])
    found = simulate(load_arch(FLOAT_16X16), workload)
    tensors = load_tensors(workload)
    (cell,) = tensors.cells
    assert cell.weight_hh is None
    want = np.tanh(tensors.x.astype(np.float64) @ cell.weight_ih.T + present(cell.bias_ih))
    assert np.abs(present(found.results).output - want).max() < 1e-6
    assert workload.spec.macs == 7 * 8 * 4 * 2


def test_sequences_that_end_and_frames() -> None:
    assert run("edge_16x16", "linear:7,8,t=4,b=2", "fused", AROUND, "sequence_lens=[2, 4]").validation.passed
    assert run("edge_16x16", "linear:7,8,t=4,streaming=1", "fused", AROUND).validation.passed


def test_a_step_by_hand() -> None:
    """by_hand.HAND_2X2, LINEAR(4, 2): a tile of 2 rows is ceil(4 / 2) = 2 chunks, 4 deep; its 2 values pass the
    activation unit one a cycle, 2 deep; DRAM takes 4 cycles for x (16 bytes), 2 for y, each 5 deep.

    Body t has the load of x_(t+1) before the store of y_t, in order on DRAM. With L(t) the start of the load of x_t and
    S(t) that of the store of y_t: x_t is done at L(t) + 9, the tile from 10 (a token) to 16, the activation from 17 to
    21, so S(t) = L(t) + 22. The load of x_(t+2) follows the store of y_t: L(t+2) = S(t) + 2 = L(t) + 24. So two steps
    take 24 cycles, one 12."""
    found = simulate(hand_machine(), load_workload("linear:4,2,t=41"), "fused", timing_only=True)
    assert found.stats.cycles_per_step == 12


@pytest.mark.parametrize(
    ("arch", "workload", "schedule", "message"),
    [
        ("edge_16x16", "linear:4,5,t=3", "hoisted", "a linear layer has no W_hh h that could begin with"),
        ("tpu_v1", "linear:4,5,t=3", "weight_stationary", "family systolic take no linear layers"),
        ("npu_s10nx", "linear:4,5,t=3", "chains", "have no chains for linear layers"),
    ],
)
def test_who_takes_none_says_so(arch: str, workload: str, schedule: str, message: str) -> None:
    with pytest.raises(ScheduleError, match=message):
        simulate(load_arch(arch), load_workload(workload), schedule, timing_only=True)


@pytest.mark.parametrize("option", ["bidirectional=true", "reverse=true", "proj_size=2", "peepholes=true"])
def test_options_of_recurrent_layers_are_refused(option: str) -> None:
    name = option.partition("=")[0]
    with pytest.raises(WorkloadError, match=f"a layer of kind linear has no {name}"):
        load_workload("linear:4,5", [parse_override(option)])
