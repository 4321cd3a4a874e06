"""What a delta network's own arithmetic makes of its input is worked out once, and kept as long as it is used."""

from __future__ import annotations

from archsim.api.dense_run import dense_activity
from archsim.api.evaluate import Evaluator
from archsim.api.own_activity import OwnActivities, OwnNumbers
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.workload import load_workload


def test_those_used_last_are_kept() -> None:
    """Two at most: of a, b, a, c the one that goes is b, so that a is still there and b is computed again."""
    arch, evaluator = load_arch("edgedrnn"), Evaluator()
    schedule, units = find_schedule(None, arch.config.family), build_units(arch.config)
    works = {name: load_workload(f"gru:8,8,t=2,delta=0.1,seed={seed}") for seed, name in enumerate("abc", 1)}
    own = OwnActivities(2)
    for name, computed in (("a", 1), ("b", 2), ("a", 2), ("c", 3), ("a", 3), ("b", 4), ("c", 5)):
        cached = evaluator.cached(arch, works[name].spec, schedule, units)
        found = own.of(works[name], schedule, cached, arch)
        assert found is not None
        assert len(found) == 1
        assert len(found[0].steps) == 2
        assert own.computed == computed
        assert own.kept == min(computed, 2)
    # Numbers are more than the activity: they are computed once, and have it, too.
    cached = evaluator.cached(arch, works["c"].spec, schedule, units)
    numbers = own.numbers(works["c"], schedule, cached, arch)
    assert isinstance(numbers, OwnNumbers)
    assert (own.computed, own.kept) == (6, 2)
    assert own.numbers(works["c"], schedule, cached, arch) is numbers
    assert own.of(works["c"], schedule, cached, arch) is numbers.activity
    assert own.computed == 6
    assert numbers.validation.passed


def test_an_ordinary_network_has_none() -> None:
    arch, evaluator, work = load_arch("tiny_2x2"), Evaluator(), load_workload("lstm_3_2_t4")
    assert evaluator.own_numbers(arch, work) is None
    assert evaluator.activities.computed == 0


def test_every_column_is_sent_in_every_step_of_a_dense_run() -> None:
    """Column 0 is the bias, in the first step alone; then two of x, and three of h behind them."""
    spec = load_workload("gru:2,3,t=3,layers=2").spec
    first, second = dense_activity(spec)
    assert [(step.x, step.h) for step in first.steps] == [
        ((0, 1, 2), (3, 4, 5)),
        ((1, 2), (3, 4, 5)),
        ((1, 2), (3, 4, 5)),
    ]
    assert [(step.x, step.h) for step in second.steps] == [
        ((0, 1, 2, 3), (4, 5, 6)),
        ((1, 2, 3), (4, 5, 6)),
        ((1, 2, 3), (4, 5, 6)),
    ]
    [without] = dense_activity(load_workload("gru:2,3,t=1", [parse_override("bias=false")]).spec)
    assert [(step.x, step.h) for step in without.steps] == [((1, 2), (3, 4, 5))]
