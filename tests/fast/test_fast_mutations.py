"""Faults planted into the recurrence are noticed by the comparison with the machine, each of them.

The compiled function is taken as source, changed in one place, and run as plain Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archsim.engines.events import MachineSpec
from archsim.engines.recurrence import executor, kernel
from archsim.errors import SimulatorBug
from archsim.program.ir import Program
from tests.fast.fast_runs import assert_same, fast, generic_runs, loop_runs, machine
from tests.rings import examples, law

MUTATIONS = {
    "issue wins a tie": ("ISSUE_CODE if issued > arrived", "ISSUE_CODE if issued >= arrived"),
    "issue never counts": ("ISSUE_CODE if issued > arrived else cause", "cause"),
    "the lower cause wins a tie": ("token == arrived and dep_cause[d] > cause", "token == arrived and False"),
    "a unit does not wait for the op before": ("max(free_at[u], issued, arrived)", "max(issued, arrived)"),
    "no issue interval": ("issued += issue_cycles", "issued += 0"),
    "the queue is one place deeper": ("issued_ops[u] >= queue_depth:", "issued_ops[u] > queue_depth:"),
    "a queue is never full": ("if queued and issued_ops", "if False and issued_ops"),
    "ops retire out of order": ("max(free + depth[k], done_at[u])", "free + depth[k]"),
    "DONE is FREE": ("token = dones[of_row, other] if", "token = frees[of_row, other] if"),
    "FIRST is the first cycle": ("words[k] = max(start + first_word[k], done_at[u])", "words[k] = start"),
    "first words overtake": ("max(start + first_word[k], done_at[u])", "start + first_word[k]"),
    "a follower does not wait for the last word": ("if drained > free:", "if False:"),
    "a joined op is issued on its own": ("if not joined[k]:", "if True:"),
    "the last ops are not left out": ("r >= repeat - skip_last[k]", "r >= repeat"),
    "the first ops are not left out": ("if not inner and (r < skip_first[k] or", "if not inner and ("),
    "the skip runs into the end": ("inner_stop = repeat - tail", "inner_stop = repeat"),
    "the skip begins in the beginning": ("snap_next = head + max(max_lag - 1, 0)", "snap_next = 0"),
    "units are not compared": ("if instances[u] and (free_at[u] -", "if False and (free_at[u] -"),
    "the sequencer is left behind": ("issued += by\n", "issued += 0\n"),
    "units are left behind": ("free_at[u] += by", "free_at[u] += 0"),
    "tokens are left behind": ("dones += by", "dones += 0"),
    "queues are left behind": ("starts += by", "starts += 0"),
    "waits of what is skipped are lost": ("+= times * (waits[u, c] - snap_waits[u, c])", "+= 0"),
    "ends are those of a period too early": ("(turns + 1) * by", "turns * by"),
    "ends of another place in the period": ("like = snap_at + 1 +", "like = snap_at +"),
    "a repetition too many": ("times = (inner_stop - 1 - r) // length", "times = (inner_stop + 1 - r) // length"),
}
"""What is planted: (a piece of the source, what stands there instead).

Left out is what changes nothing on any program found: to compare the tokens and the starts that are looked back on,
which the proof asks for, and to leave out tokens of ops that take no part (what stands in their place is earlier).
"""

EXAMPLES = 1_000
"""At most: the first that notices a fault is the last."""


def mutated(old: str, new: str) -> Callable[..., Any]:
    """run_phase as plain Python, with a piece of it replaced."""
    source = inspect.getsource(kernel)
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the kernel"
    changed = source.replace(old, new).replace("@compiled\n", "")
    scope: dict[str, Any] = {"__name__": "mutated"}
    exec(compile(changed, "mutated kernel", "exec"), scope)
    return cast(Callable[..., Any], scope["run_phase"])


def compare(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], most: int = EXAMPLES) -> bool:
    """Whether drawn runs, so many at most, are all as on the machine."""
    monkeypatch.setattr(executor, "run_phase", function)

    @settings(
        max_examples=most,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(generic_runs(max_repeat=40), generic_runs(max_repeat=40), loop_runs()))
    def always_the_same(run: tuple[Program, MachineSpec]) -> None:
        assert_same(fast(*run).trace, machine(*run))

    try:
        always_the_same()
    except (AssertionError, IndexError, SimulatorBug):
        return False
    return True


@pytest.mark.parametrize("name", MUTATIONS)
def test_it_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not compare(monkeypatch, mutated(*MUTATIONS[name]))


@law
def test_without_a_fault_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = mutated("issued += issue_cycles", "issued += issue_cycles")
    assert compare(monkeypatch, right, examples(EXAMPLES))
