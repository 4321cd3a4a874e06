"""The machine computes what the program means, whatever the latencies; and the program means the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.checking.validation import TOLERANCE
from archsim.engines.events.options import Jitter
from archsim.errors import ScheduleError
from archsim.families.load import Arch, load_arch
from archsim.families.schedules import find_schedule
from archsim.golden import lstm
from archsim.hardware.unit import Service
from archsim.workload import CellKind, Workload, load_workload
from archsim.workload.network import MergeMode
from tests.float_machines import FLOAT_16X16
from tests.rings import every_value, examples, few, law
from tests.strategies import (
    SCHEDULE_NAMES,
    Case,
    bits,
    cases,
    changed,
    compare,
    either,
    jitters,
    network,
    one_layer_lstms,
    runs_as_wavefront,
    seeded_jitter,
    seeds,
    tensors,
    workload,
)

MERGES: dict[MergeMode, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    MergeMode.SUM: np.add,
    MergeMode.MUL: np.multiply,
    MergeMode.AVE: lambda one, two: (one + two) * np.float32(0.5),
}
"""What the directions of a layer become, in float32, in which the drawn machines compute."""

WAVEFRONTS = tuple(name for name in SCHEDULE_NAMES if name.endswith("wavefront"))


def _largest_error(got: np.ndarray, want: np.ndarray) -> float:
    """Relative to the largest magnitude, as archsim.checking.validation defines it."""
    return float(np.max(np.abs(got - want)) / np.max(np.abs(want)))


@given(cases(), seeds)
def test_the_machine_computes_what_the_interpreter_does(case: Case, seed: int) -> None:
    numbers = tensors(case.spec, seed)
    _, computed = case.execute(numbers)
    assert bits(computed) == bits(case.interpret(numbers))


@given(cases(), seeds, jitters())
def test_also_when_every_op_takes_a_random_time(case: Case, seed: int, jitter: Jitter) -> None:
    """Deep queues let the units run as far apart as the dependencies allow."""
    numbers = tensors(case.spec, seed)
    deep = replace(case.machine_spec(), queue_depth=10_000, issue_cycles=0)
    want = bits(case.interpret(numbers))
    for spec in (case.machine_spec(), deep):
        _, computed = case.execute(numbers, jitter=jitter, machine_spec=spec)
        assert bits(computed) == want


@settings(max_examples=examples(25))
@given(cases(), seeds)
def test_also_when_one_unit_lags_far_behind(case: Case, seed: int) -> None:
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
def test_the_program_means_the_network(case: Case, seed: int) -> None:
    """Against the golden model, from a nonzero initial state."""
    numbers, spec = tensors(case.spec, seed), case.spec
    assert all(np.all(cell.h_0 != 0) and (cell.c_0 is None or np.all(cell.c_0 != 0)) for cell in numbers.cells)
    _, computed = case.execute(numbers)
    verdict = compare(computed, numbers, spec)  # type: ignore[arg-type]
    assert verdict.passed, verdict
    assert computed.output.shape == (spec.steps, spec.batch, spec.output_size)  # type: ignore[union-attr]
    assert [h.shape for h in computed.h_n] == [(spec.batch, cell.output_size) for cell in spec.cells]  # type: ignore[union-attr]
    for c_n, cell in zip(computed.c_n, spec.cells, strict=True):  # type: ignore[union-attr]
        assert (c_n is None) == (cell.kind is not CellKind.LSTM)
        assert c_n is None or c_n.shape == (spec.batch, cell.hidden_size)


@given(cases(), seeds)
def test_the_last_outputs_are_the_last_states(case: Case, seed: int) -> None:
    """Forward at each sequence's last step, in reverse at its first; what is behind its end is 0.

    Where directions become one, a sequence of one step alone has both states in its output.
    """
    computed, spec = case.interpret(tensors(case.spec, seed)), case.spec
    lengths = spec.lengths or (spec.steps,) * spec.batch
    merge = MERGES.get(spec.merge_mode(len(spec.layers) - 1))
    if merge is not None:
        for lane, length in enumerate(lengths):
            assert not computed.output[length:, lane].any()
            if length == 1:
                assert np.array_equal(computed.output[0, lane], merge(*(h_n[lane] for h_n in computed.h_n[-2:])))
        return
    start = 0
    for cell, h_n in zip(spec.layers[-1], computed.h_n[-len(spec.layers[-1]) :], strict=True):
        for lane, length in enumerate(lengths):
            outputs = computed.output[:, lane, start : start + cell.output_size]
            assert np.array_equal(outputs[0 if cell.reverse else length - 1], h_n[lane])
            assert not outputs[length:].any()
        start += cell.output_size


@given(cases(one_layer_lstms()), seeds)
def test_the_program_means_the_lstm(case: Case, seed: int) -> None:
    """One layer, against the golden model called by hand."""
    numbers = tensors(case.spec, seed)
    (cell,) = numbers.cells
    _, computed = case.execute(numbers)
    weights = cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh
    output, h_n, c_n = lstm(numbers.x, *weights, cell.h_0[None], cell.c_0[None])  # type: ignore[arg-type, index]
    for got, want in ((computed.output, output), (computed.h_n[0], h_n[0]), (computed.c_n[0], c_n[0])):  # type: ignore[union-attr]
        assert got.shape == want.shape  # type: ignore[union-attr]
        assert _largest_error(got, want) <= TOLERANCE  # type: ignore[arg-type]
    assert np.array_equal(computed.output[-1], computed.h_n[0])  # type: ignore[union-attr]


@law
@every_value
@pytest.mark.parametrize("schedule", SCHEDULE_NAMES)
@pytest.mark.parametrize(
    "sizes", [(1, 1, 1, 1), (1, 5, 4, 1), (5, 1, 4, 2), (4, 7, 1, 3), (1, 1, 6, 3), (12, 12, 1, 1)], ids=str
)
def test_the_smallest_sizes(schedule: str, sizes: tuple[int, int, int, int]) -> None:
    """I = 1, H = 1, T = 1, and several sequences at once, on a few machines each."""

    @settings(max_examples=examples(4))
    @given(cases(st.just(workload(*sizes)), [schedule]))
    def check(case: Case) -> None:
        numbers = tensors(case.spec, 5)
        want = case.interpret(numbers)
        for jitter in (None, seeded_jitter(1, 50)):
            _, computed = case.execute(numbers, jitter=jitter)
            assert bits(computed) == bits(want)
        assert compare(want, numbers, case.spec).passed

    check()


@settings(max_examples=examples(25))
@given(cases(), seeds)
def test_batch_lanes_are_independent(case: Case, seed: int) -> None:
    """Each sequence of a batch gets what it would get alone: other lanes' numbers do not leak into it."""
    numbers = tensors(case.spec, seed)
    cells = tuple(
        replace(cell, h_0=_others_changed(cell.h_0), c_0=None if cell.c_0 is None else _others_changed(cell.c_0))
        for cell in numbers.cells
    )
    x = numbers.x.copy()
    x[:, 1:] *= -3
    with np.errstate(over="ignore", invalid="ignore"):  # functions without bounds may leave float32's range
        first, second = case.interpret(numbers), case.interpret(replace(numbers, cells=cells, x=x))
    assert np.allclose(first.output[:, 0], second.output[:, 0], rtol=0, atol=1e-6)
    functions = {function.name for cell in case.spec.cells for function in cell.functions}
    clipped = any(cell.clip for cell in case.spec.cells)
    if case.spec.batch > 1 and functions <= {"sigmoid", "tanh"} and not clipped:
        assert not np.allclose(first.output[:, 1:], second.output[:, 1:], rtol=0, atol=1e-6)


def _others_changed(state: np.ndarray) -> np.ndarray:
    changed = state.copy()
    changed[1:] *= -3
    return changed


one_way = either.filter(
    lambda load: (
        load.spec.steps > 1 and load.spec.lengths is None and len({cell.reverse for cell in load.spec.cells}) == 1
    )
)
"""More than one step, all cells in one direction."""


@settings(max_examples=examples(25))
@given(cases(one_way), seeds)
def test_a_sequence_continues_from_its_state(case: Case, seed: int) -> None:
    """T steps are T - 1 steps, then 1 step from the h and c they end with; in reverse the first comes last."""
    whole = tensors(case.spec, seed)
    all_steps = case.interpret(whole)
    early, late = slice(None, -1), slice(-1, None)
    if case.spec.cells[0].reverse:
        early, late = slice(1, None), slice(None, 1)
    before = case.with_steps(case.spec.steps - 1).interpret(replace(whole, x=whole.x[early]))
    cells = tuple(
        replace(cell, h_0=h.astype(np.float32), c_0=None if c is None else c.astype(np.float32))
        for cell, h, c in zip(whole.cells, before.h_n, before.c_n, strict=True)
    )
    after = case.with_steps(1).interpret(replace(whole, cells=cells, x=whole.x[late]))
    assert before.output.tobytes() == all_steps.output[early].tobytes()
    assert bits(after)[1:] == bits(all_steps)[1:]
    assert after.output.tobytes() == all_steps.output[late].tobytes()


@settings(max_examples=examples(40))
@given(either.filter(lambda load: not runs_as_wavefront(load.spec)), st.sampled_from(WAVEFRONTS))
def test_a_wavefront_needs_layers_that_run_forward_alone(load: Workload, schedule: str) -> None:
    """The output of a layer in reverse is not there before its last step."""
    with pytest.raises(ScheduleError, match="a layer in reverse needs the whole"):
        find_schedule(schedule).build(load.spec, load_arch(FLOAT_16X16).config)


@law
@pytest.mark.parametrize("schedule", few(SCHEDULE_NAMES, 4))
def test_initial_state_from_a_file(schedule: str, tmp_path: Path) -> None:
    """The whole flow, from files, with a nonzero initial state and an outside witness."""
    load = workload(5, 6, 4, 2)
    numbers = tensors(load.spec, 8)
    (cell,) = numbers.cells
    h_0, c_0 = cell.h_0[None], cell.c_0[None]  # type: ignore[index]
    names = {
        "weight_ih_l0": "weight_ih",
        "weight_hh_l0": "weight_hh",
        "bias_ih_l0": "bias_ih",
        "bias_hh_l0": "bias_hh",
    }
    stored = {name: getattr(cell, field) for name, field in names.items()}
    golden = lstm(numbers.x, *stored.values(), h_0, c_0)  # type: ignore[call-arg]
    expected = dict(zip(("output", "h_n", "c_n"), golden, strict=True))
    np.savez(tmp_path / "all.npz", **stored, input=numbers.x, first_h=h_0, first_c=c_0, **expected)  # type: ignore[arg-type]
    path = tmp_path / "stateful.yaml"
    path.write_text(
        "summary: a nonzero initial state\nkind: lstm\ninput_size: 5\nhidden_size: 6\nsteps: 4\nbatch: 2\n"
        "weights: {file: all.npz}\ninput: {file: all.npz}\n"
        "initial_state: {file: all.npz, h_0: first_h, c_0: first_c}\nexpected: {file: all.npz}\n"
    )

    @settings(max_examples=examples(4))
    @given(cases(st.just(load), [schedule]))
    def check(case: Case) -> None:
        stateful = replace(case, workload=load_workload(str(path)))
        run = stateful.simulate()
        assert run.validation.passed
        assert len(run.validation.checks) == 6
        assert bits(run.results) == bits(case.execute(numbers)[1])
        zero = replace(cell, h_0=np.zeros_like(cell.h_0), c_0=np.zeros_like(cell.c_0))
        stateless = replace(numbers, cells=(zero,))
        assert _largest_error(case.interpret(stateless).output, golden[0]) > 0.01
        assert run.arch == Arch("random", case.config)

    check()


def test_a_result_is_not_a_view_of_what_it_was_read_from() -> None:
    """A projection's identity is 1,000 cycles under way while its sums are overwritten: one row, few slots."""
    changes = {"mac_array.rows": 1, "accumulators.entries": 4, "activation.latency_cycles": 1000}
    config = changed(load_arch(FLOAT_16X16).config, changes)  # type: ignore[arg-type]
    case = Case(config, network(kind=CellKind.LSTM, input_size=2, hidden_size=6, proj_size=3, steps=6), "split")
    numbers = tensors(case.spec, 4)
    assert bits(case.execute(numbers)[1]) == bits(case.interpret(numbers))
