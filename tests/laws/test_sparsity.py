"""Structured sparsity: a machine that keeps n of m weights computes the pruned network, and is in nothing but cycles,
bytes and energy another one."""

from __future__ import annotations

from hypothesis import assume, given, settings

from archsim.checking.pruning import MATRICES, kept_mask, prune
from archsim.engines.events.options import Jitter
from archsim.metrics.unit_facts import facts_of
from archsim.program.sparsity import DENSE, Sparsity
from archsim.program.verifier import find_hazards
from tests.rings import examples
from tests.strategies import (
    AMPLE,
    RESIDENT,
    Case,
    bits,
    cases,
    compare,
    jitters,
    seeds,
    sparse,
    tensors,
    unit_options,
)

sparse_cases = (
    cases().flatmap(unit_options).flatmap(sparse).filter(lambda case: case.config.weight_sparsity is not DENSE)
)
WIDE = 1 << 20
PORTS = ("weight_sram.port_bits", "input_buffer.port_bits", "state_buffer.port_bits")


@settings(max_examples=examples(40))
@given(sparse_cases, seeds, jitters())
def test_the_numbers_are_those_of_the_pruned_network(case: Case, seed: int, jitter: Jitter) -> None:
    """Whatever the latencies; and those of a machine that keeps all weights, given the pruned ones."""
    assert find_hazards(case.program) == ()
    numbers = tensors(case.spec, seed, 0.5)
    pruned, _ = prune(numbers, case.config.weight_sparsity)
    _, computed = case.execute(numbers)
    _, shaken = case.execute(numbers, jitter=jitter)
    assert computed is not None
    assert bits(computed) == bits(case.interpret(numbers)) == bits(shaken)
    assert compare(computed, pruned, case.spec).passed
    assert case.numbers(pruned).pruning.pruned == 0  # type: ignore[union-attr]


@settings(max_examples=examples(25))
@given(sparse_cases)
def test_executors_agree_and_cycles_keep_the_bounds(case: Case) -> None:
    stats = case.simulate(timing_only=True, executor="machine").stats
    assert max(stats.bounds.values()) * case.spec.steps <= stats.body_cycles
    assert stats.macs == case.spec.macs
    assert stats.mac_utilization <= 1
    assert case.simulate(timing_only=True, executor="fast").stats == stats


@settings(max_examples=examples(25))
@given(sparse_cases)
def test_what_is_kept_is_multiplied_once_each(case: Case) -> None:
    """A multiplication a kept weight, sequence and step, behind as many multiplexers as it has further choices."""
    kept, spec = case.config.weight_sparsity, case.spec
    tally = facts_of(case.program, case.units)["mac_array"].activity.actions.operators
    multiplied, chosen = (
        sum(count for operator, count in tally.items() if operator.kind == kind) for kind in ("multiply", "multiplex")
    )
    weights = sum(
        rows * kept.stored(inputs)
        for cell in spec.cells
        for rows, inputs in (
            (cell.rows, cell.input_size),
            (cell.rows, cell.recurrent_size),
            (cell.proj_size, cell.hidden_size),
        )
    )
    assert multiplied == weights * spec.steps * spec.batch
    assert chosen == multiplied * (kept.choices - 1)


@settings(max_examples=examples(40))
@given(sparse_cases)
def test_it_is_never_slower_where_x_and_h_are_two_accumulations(case: Case) -> None:
    """And every operand passes in a word. (In one accumulation h begins with a group, which may be a chunk more.)"""
    assume(case.schedule in RESIDENT and "ahead" not in case.schedule)
    ample = {f"{memory}.capacity_bytes": AMPLE for memory in case.memories}
    wide = case.with_fields({"formats": "tflite_int8"} | ample | dict.fromkeys(PORTS, WIDE))
    dense = wide.with_fields({"mac_array.sparsity": None})
    found, before = (of.simulate(timing_only=True).stats for of in (wide, dense))
    assert found.latency_cycles <= before.latency_cycles


@settings(max_examples=examples(40))
@given(cases(), seeds)
def test_a_group_has_its_largest_weights(case: Case, seed: int) -> None:
    """No weight that is not kept is larger than one of its group that is, and every whole group keeps as many."""
    sparsity = Sparsity(seed % 3 + 1, seed % 3 + 3)
    for cell in tensors(case.spec, seed, 0.5).cells:
        for matrix in (getattr(cell, name) for name in MATRICES):
            if matrix is None:
                continue
            kept = kept_mask(matrix, sparsity)
            for start in range(0, matrix.shape[1], sparsity.of):
                group, mask = abs(matrix[:, start : start + sparsity.of]), kept[:, start : start + sparsity.of]
                assert (mask.sum(axis=1) == sparsity.stored(mask.shape[1])).all()
                for weights, of_row in zip(group, mask, strict=True):
                    assert weights[~of_row].max(initial=0.0) <= weights[of_row].min()
