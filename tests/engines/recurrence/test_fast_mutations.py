"""Faults planted into the recurrence are noticed by the comparison with the machine, each of them.

The compiled functions are taken as source, changed in one place, and run as plain Python.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from archsim.engines.events import MachineSpec
from archsim.engines.recurrence import executor, kernel, period, state
from archsim.errors import SimulatorBug
from archsim.program.ir import Program
from tests.engines.recurrence.fast_runs import assert_same, fast, generic_runs, loop_runs, machine, stream_runs
from tests.rings import examples, few

MUTATIONS = {
    "issue wins a tie": ("ISSUE_CODE if issued > arrived", "ISSUE_CODE if issued >= arrived"),
    "issue never counts": ("ISSUE_CODE if issued > arrived else cause", "cause"),
    "the lower cause wins a tie": ("token == arrived and arrays.dep_cause[d] > cause", "token == arrived and False"),
    "a unit does not wait for the op before": ("max(state.free_at[u], issued, arrived)", "max(issued, arrived)"),
    "no issue interval": ("0 if arrays.joined[k] else timing.issue_cycles", "0"),
    "ops that are left out cost nothing": ("issued += interval  # the", "issued += 0  # the"),
    "tokens take no time": ("token += timing.token_latency_cycles", "token += 0"),
    "a phase begins without a token": ("skipped = timing.token_latency_cycles, 0, 0", "skipped = 0, 0, 0"),
    "the queue is one place deeper": ("issued_ops[u] >= queue_depth:", "issued_ops[u] > queue_depth:"),
    "a queue is never full": ("if queued and rings.issued_ops", "if False and rings.issued_ops"),
    "ops retire out of order": (
        "max(free + services.depth[k], state.done_at[u] + services.write[k])",
        "free + services.depth[k]",
    ),
    "two results pass a write port at once": ("state.done_at[u] + services.write[k]", "state.done_at[u]"),
    "DONE is FREE": ("token = rings.dones[of_row, other] if", "token = rings.frees[of_row, other] if"),
    "FIRST is the first cycle": (
        "words[k] = max(start + services.first_word[k], state.done_at[u])",
        "words[k] = start",
    ),
    "first words overtake": ("max(start + services.first_word[k], state.done_at[u])", "start + services.first_word[k]"),
    "a follower does not wait for the last word": ("if drained > free:", "if False:"),
    "a joined op is issued on its own": ("0 if arrays.joined[k] else", "0 if False else"),
    "the last ops are not left out": ("r >= arrays.repeat - arrays.skip_last[k]", "r >= arrays.repeat"),
    "the first ops are not left out": ("r < arrays.skip_first[k] or", "r < 0 or"),
    "the skip runs into the end": ("inner_stop = arrays.repeat - arrays.tail", "inner_stop = arrays.repeat"),
    "the skip begins in the beginning": (
        "first_snapshot = arrays.head + max(arrays.max_lag - 1, 0)",
        "first_snapshot = 0",
    ),
    "units are not compared": (
        "if state.free_at[u] - snapshot.free_at[u] != by or state.done_at[u] - snapshot.done_at[u] != by:",
        "if False:",
    ),
    "the sequencer is left behind": ("issued += periods * by", "issued += 0"),
    "units are left behind": ("free_at[u] += later", "free_at[u] += 0"),
    "tokens are left behind": ("rings.dones[row, k] += later", "rings.dones[row, k] += 0"),
    "queues are left behind": ("rings.starts[place] += later", "rings.starts[place] += 0"),
    "waits of what is skipped are lost": ("+= periods * (state.waits[u, c] - snapshot.waits[u, c])", "+= 0"),
    "ends are those of a period too early": ("(turns + 1) * shift", "turns * shift"),
    "ends of another place in the period": ("like = snapshot.repetition + 1 +", "like = snapshot.repetition +"),
    "a repetition too many": ("periods = (inner_stop - 1 - r) // length", "periods = (inner_stop + 1 - r) // length"),
}
"""What is planted: (a piece of the source, what stands there instead).

Left out is what changes nothing on any program found: to compare the tokens and the starts that are looked back on,
which the proof asks for, and to leave out tokens of ops that take no part (what stands in their place is earlier).
"""

EXAMPLES = 1_000


def mutated(old: str, new: str) -> Callable[..., Any]:
    """run_phase as plain Python, with a piece of it or of its helpers replaced."""
    sources = [inspect.getsource(module) for module in (state, period, kernel)]
    found = sum(source.count(old) for source in sources)
    assert found == 1, f"{old!r} stands {found} times in the kernel"
    plain: dict[str, Any] = {}
    for source in sources:
        changed = source.replace(old, new).replace("@compiled\n", "").replace("@inlined\n", "")
        scope: dict[str, Any] = {"__name__": "mutated"}
        exec(compile(changed, "mutated kernel", "exec"), scope)
        scope |= plain  # instead of the compiled helpers that it has imported
        plain |= {name: found for name, found in scope.items() if getattr(found, "__module__", "") == "mutated"}
    return plain["run_phase"]  # type: ignore[no-any-return]


def compare(monkeypatch: pytest.MonkeyPatch, function: Callable[..., Any], runs: int = EXAMPLES) -> bool:
    """Whether so many drawn runs are all as on the machine."""
    monkeypatch.setattr(executor, "run_phase", function)

    @settings(
        max_examples=runs,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(generic_runs(max_repeat=40), generic_runs(max_repeat=40), loop_runs(), stream_runs()))
    def law(run: tuple[Program, MachineSpec]) -> None:
        assert_same(fast(*run).trace, machine(*run))

    try:
        law()
    except (AssertionError, IndexError, SimulatorBug, RuntimeWarning):  # the last from a division by zero
        return False
    return True


@pytest.mark.parametrize("name", few(MUTATIONS, 4))
def test_it_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not compare(monkeypatch, mutated(*MUTATIONS[name]))


def test_without_a_fault_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    same = mutated("issued += interval  # the", "issued += interval  # the")
    assert compare(monkeypatch, same, examples(EXAMPLES))
