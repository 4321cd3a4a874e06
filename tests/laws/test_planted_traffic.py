"""The laws of streamed traffic see a load too many or too few: faults planted in programs that are right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.hardware.dram.transfers import Transfer
from archsim.metrics.traffic import compute_traffic
from archsim.program.ir import Op, Phase, PhaseKind, Program
from tests.laws.closed_forms import cut_of, flat, traffic
from tests.strategies import Case, workload

CASES = {
    "some stay": ("weight_sram.capacity_bytes=159", "fused_streamed"),
    "parts of tiles": ("weight_sram.capacity_bytes=48", "split_streamed"),
    "blocks of steps": ("weight_sram.capacity_bytes=68", "hoisted_streamed"),
}


def case(name: str) -> Case:
    """LSTM(3, 2), T = 5 on tiny_2x2: W_ih 96 bytes, W_hh 64; the biases have a memory of their own."""
    capacity, schedule = CASES[name]
    texts = (capacity, "state_buffer.hoist_steps=2", "state_buffer.capacity_bytes=1024")
    arch = load_arch("tiny_2x2", [parse_override(text) for text in texts])
    return Case(arch.config, workload(3, 2, 5, 1), schedule)  # type: ignore[arg-type]


def narrower(op: Transfer) -> Transfer:
    """Brings a row less into its slot than it takes from DRAM."""
    return replace(op, target=replace(op.target, stop=op.target.stop - 1))


FAULTS: dict[str, Callable[[Transfer], tuple[Op, ...]]] = {
    "a load is missing": lambda op: (),
    "a load is there twice": lambda op: (op, op),
    "a load is left out in the last repetition": lambda op: (replace(op, skip_last=op.skip_last + 1),),
    "a load is there in a repetition more": lambda op: (replace(op, skip_last=op.skip_last - 1),),
    "a load brings a row too few": lambda op: (narrower(op),),
}


def planted(program: Program, fault: Callable[[Transfer], tuple[Op, ...]]) -> Program:
    """The fault in the first streamed load of the last body that has one; what it waits for is not counted."""

    def damaged(phase: Phase) -> Phase:
        number = next(n for n, op in enumerate(phase.ops) if is_load(op))
        op = phase.ops[number]
        assert isinstance(op, Transfer)
        ops = (*phase.ops[:number], *fault(op), *phase.ops[number + 1 :])
        return Phase(phase.name, phase.kind, phase.repeat, ops, ((),) * len(ops), phase.steps, phase.unroll)

    bodies = [n for n, p in enumerate(program.phases) if p.kind is PhaseKind.BODY and any(map(is_load, p.ops))]
    last = bodies[-1]
    return replace(program, phases=tuple(damaged(p) if n == last else p for n, p in enumerate(program.phases)))


def is_load(op: Op) -> bool:
    """Of a streamed tile, in a repetition that may be left out, so that one more would still be one of the run."""
    return isinstance(op, Transfer) and "stream " in op.label and op.skip_last > 0


@pytest.mark.parametrize("name", CASES)
def test_without_a_fault_the_law_holds(name: str) -> None:
    of = case(name)
    assert flat(compute_traffic(of.program)) == traffic(of.spec, cut_of(of))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", CASES)
def test_the_law_sees_a_planted_fault(name: str, fault: str) -> None:
    of = case(name)
    found, right = flat(compute_traffic(planted(of.program, FAULTS[fault]))), traffic(of.spec, cut_of(of))
    changed = {key for key in found.keys() | right.keys() if found.get(key) != right.get(key)}
    assert changed
    assert {memory for memory, _, _ in changed} <= {"dram", "weight_sram"}


@pytest.mark.parametrize("name", CASES)
def test_conservation_sees_a_load_that_loses_a_row(name: str) -> None:
    """What leaves DRAM no longer enters the weight SRAM."""
    program = case(name).program
    right, wrong = map(compute_traffic, (program, planted(program, FAULTS["a load brings a row too few"])))
    for kind in ("W_ih", "W_hh"):
        assert right["dram"]["read"][kind] == right["weight_sram"]["write"][kind]
    assert any(wrong["dram"]["read"][kind] != wrong["weight_sram"]["write"][kind] for kind in ("W_ih", "W_hh"))
