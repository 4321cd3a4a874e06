"""The machine computes what the program means, whatever the latencies; and the program means the LSTM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import SCHEDULE_NAMES, Case, bits, cases, jitters, seeded_jitter, specs, tensors

from archsim.api.validation import TOLERANCE, compare
from archsim.arch import Arch
from archsim.components.base import Service
from archsim.golden import lstm
from archsim.machine.options import Jitter
from archsim.workload import LstmSpec, load_workload

seeds = st.integers(0, 99)


def _largest_error(got: np.ndarray, want: np.ndarray) -> float:
    """Relative to the largest magnitude, as archsim.api.validation defines it."""
    return float(np.max(np.abs(got - want)) / np.max(np.abs(want)))


@given(cases(), seeds)
def test_the_machine_computes_what_the_interpreter_does(case: Case, seed: int):
    numbers = tensors(case.spec, seed)
    _, computed = case.execute(numbers)
    assert bits(computed) == bits(case.interpret(numbers))


@given(cases(), seeds, jitters())
def test_also_when_every_op_takes_a_random_time(case: Case, seed: int, jitter: Jitter):
    """Deep queues let the units run as far apart as the dependencies allow."""
    numbers = tensors(case.spec, seed)
    deep = replace(case.machine_spec(), queue_depth=10_000, issue_cycles=0)
    want = bits(case.interpret(numbers))
    for spec in (case.machine_spec(), deep):
        _, computed = case.execute(numbers, jitter=jitter, machine_spec=spec)
        assert bits(computed) == want


@settings(max_examples=25)
@given(cases(), seeds)
def test_also_when_one_unit_lags_far_behind(case: Case, seed: int):
    """Each unit in turn 1,000 times slower, then only its results 1,000 times later."""
    numbers = tensors(case.spec, seed)
    want = bits(case.interpret(numbers))
    deep = replace(case.machine_spec(), queue_depth=10_000, issue_cycles=0)
    for slow in case.units:
        for occupancy, depth in ((1000, 0), (0, 1000)):

            def jitter(
                phase: int,
                repetition: int,
                op: int,
                service: Service,
                unit: str = slow,
                more: tuple[int, int] = (occupancy, depth),
            ) -> Service:
                if case.program.phases[phase].ops[op].unit != unit:
                    return service
                return Service(service.compute_cycles + more[0], service.port_cycles, service.depth_cycles + more[1])

            _, computed = case.execute(numbers, jitter=jitter, machine_spec=deep)
            assert bits(computed) == want


@given(cases(), seeds)
def test_the_program_means_the_lstm(case: Case, seed: int):
    """Against the golden model, from a nonzero initial state."""
    numbers = tensors(case.spec, seed)
    assert np.all(numbers.h_0 != 0)
    assert np.all(numbers.c_0 != 0)
    _, computed = case.execute(numbers)
    verdict = compare(computed, numbers)
    assert verdict.passed, verdict
    golden = lstm(
        numbers.x,
        numbers.weight_ih,
        numbers.weight_hh,
        numbers.bias_ih,
        numbers.bias_hh,
        numbers.h_0,
        numbers.c_0,
    )
    for got, want in zip((computed.output, computed.h_n, computed.c_n), golden, strict=True):
        assert got.shape == want.shape
        assert _largest_error(got, want) <= TOLERANCE
    assert np.array_equal(computed.output[-1], computed.h_n[0])


@pytest.mark.parametrize("schedule", SCHEDULE_NAMES)
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (1, 5, 4, 1), (5, 1, 4, 2), (4, 7, 1, 3), (1, 1, 6, 3), (12, 12, 1, 1)], ids=str
)
def test_the_smallest_sizes(schedule: str, sizes: tuple[int, int, int, int]):
    """I = 1, H = 1, T = 1, and several sequences at once, on a few machines each."""

    @settings(max_examples=4)
    @given(cases(st.just(LstmSpec(*sizes)), [schedule]))
    def check(case: Case):
        numbers = tensors(case.spec, 5)
        want = case.interpret(numbers)
        for jitter in (None, seeded_jitter(1, 50)):
            _, computed = case.execute(numbers, jitter=jitter)
            assert bits(computed) == bits(want)
        assert compare(want, numbers).passed

    check()


@settings(max_examples=25)
@given(cases(), seeds)
def test_batch_lanes_are_independent(case: Case, seed: int):
    """Each sequence of a batch gets what it would get alone: other lanes' numbers do not leak into it."""
    numbers = tensors(case.spec, seed)
    other = replace(numbers, x=numbers.x.copy(), h_0=numbers.h_0.copy(), c_0=numbers.c_0.copy())
    for array in (other.x, other.h_0, other.c_0):
        array[:, 1:] *= -3
    first, second = case.interpret(numbers), case.interpret(other)
    assert np.allclose(first.output[:, 0], second.output[:, 0], rtol=0, atol=1e-6)
    if case.spec.batch > 1:
        assert not np.allclose(first.output[:, 1:], second.output[:, 1:], rtol=0, atol=1e-6)


@settings(max_examples=25)
@given(cases(specs.filter(lambda spec: spec.steps > 1)), seeds)
def test_a_sequence_continues_from_its_state(case: Case, seed: int):
    """T steps are T - 1 steps, then 1 step from the h and c they end with."""
    whole = tensors(case.spec, seed)
    all_steps = case.interpret(whole)
    head = case.with_steps(case.spec.steps - 1)
    before = head.interpret(replace(whole, x=whole.x[:-1]))
    tail = case.with_steps(1)
    state = {"h_0": before.h_n.astype(np.float32), "c_0": before.c_n.astype(np.float32)}
    after = tail.interpret(replace(whole, x=whole.x[-1:], **state))
    assert before.output.tobytes() == all_steps.output[:-1].tobytes()
    assert after.h_n.tobytes() == all_steps.h_n.tobytes()
    assert after.c_n.tobytes() == all_steps.c_n.tobytes()


@pytest.mark.parametrize("schedule", SCHEDULE_NAMES)
def test_initial_state_from_a_file(schedule: str, tmp_path):
    """The whole flow, from files, with a nonzero initial state and an outside witness."""
    spec = LstmSpec(5, 6, 4, 2)
    numbers = tensors(spec, 8)
    names = {
        "weight_ih_l0": "weight_ih",
        "weight_hh_l0": "weight_hh",
        "bias_ih_l0": "bias_ih",
        "bias_hh_l0": "bias_hh",
    }
    stored = {name: getattr(numbers, field) for name, field in names.items()}
    golden = lstm(numbers.x, *stored.values(), numbers.h_0, numbers.c_0)
    expected = dict(zip(("output", "h_n", "c_n"), golden, strict=True))
    np.savez(tmp_path / "all.npz", **stored, input=numbers.x, first_h=numbers.h_0, first_c=numbers.c_0, **expected)
    path = tmp_path / "stateful.yaml"
    path.write_text(
        "summary: a nonzero initial state\nkind: lstm\ninput_size: 5\nhidden_size: 6\nsteps: 4\nbatch: 2\n"
        "weights: {file: all.npz}\ninput: {file: all.npz}\n"
        "initial_state: {file: all.npz, h_0: first_h, c_0: first_c}\nexpected: {file: all.npz}\n"
    )

    @settings(max_examples=4)
    @given(cases(st.just(spec), [schedule]))
    def check(case: Case):
        stateful = replace(case, workload=load_workload(str(path)))
        run = stateful.simulate()
        assert run.validation.passed
        assert len(run.validation.checks) == 6
        assert bits(run.results) == bits(case.execute(numbers)[1])
        stateless = replace(numbers, h_0=np.zeros_like(numbers.h_0), c_0=np.zeros_like(numbers.c_0))
        assert _largest_error(case.interpret(stateless).output, golden[0]) > 0.01
        assert run.arch == Arch("random", case.config)

    check()
