"""Who evaluates how much, what goes again after a death, and which figures are compared: by hand."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest

from archsim.explore import Space, Status
from archsim.explore.parts.part_plan import PATIENCE, PartPlan, part_plans
from archsim.explore.ranges.piece_job import PieceJob
from archsim.explore.ranges.pieces import _after_a_death
from archsim.explore.ranges.range_check import _share
from archsim.explore.ranges.range_search import like_points_together
from archsim.explore.results.study import Point
from archsim.explore.run.backend import ChunkSize, chunk_size, like_together
from archsim.explore.run.commands import RunCommands
from archsim.explore.run.declared import Declared, settings_digest
from archsim.explore.run.evaluation import Task
from archsim.explore.run.kept_points import _difference
from archsim.explore.run.local_deaths import MOST_DEATHS, died
from archsim.explore.run.outcome import Kind, Outcome, Outputs
from archsim.explore.run.shares import Shares
from archsim.explore.search.samplers import Sampler
from archsim.explore.space.design import Reason
from archsim.explore.space.expression import Scalar
from tests.explore.conftest import Write


def test_a_chunk_grows_by_four_at_most_and_is_halved_at_most() -> None:
    """One second is wanted. 16 in half a second: 32. 32 in a tenth: 320, at most 128. 128 in an hour: half of them."""
    size = ChunkSize(16, 4096, 1.0)
    found = [size.size]
    for tasks, seconds in ((16, 0.5), (32, 0.1), (128, 3600.0), (64, 1.0), (64, 0.8)):
        size.took(tasks, seconds)
        found.append(size.size)
    assert found == [16, 32, 128, 64, 64, 80]
    few = ChunkSize(16, 20, 2.0)
    few.took(16, 0.1)
    assert few.size == 20
    assert ChunkSize(16, 8, 1.0).size == 8
    one = ChunkSize(1, 8, 1.0)
    for seconds in (100.0, 0.0):
        one.took(1, seconds)
    assert one.size == 4
    one.took(4, 9.0)
    one.took(2, 9.0)
    one.took(1, 9.0)
    assert one.size == 1
    assert chunk_size().size == 16


def tasks(count: int) -> list[Task]:
    return [Task(f"{n}", n, "s") for n in range(count)]


def numbers(found: Sequence[Task]) -> list[int]:
    return [task.number for task in found]


def test_a_worker_takes_its_own_stretch_and_then_from_the_end_of_the_longest() -> None:
    """Of ten tasks three workers have 0 to 2, 3 to 5 and 6 to 9; of the longest at most half is taken, rounded up."""
    shares = Shares(tasks(10), 3)
    assert len(shares) == 10
    assert numbers(shares.take(0, 2)) == [0, 1]
    assert numbers(shares.take(0, 5)) == [2]
    assert numbers(shares.take(0, 5)) == [9, 8]
    assert numbers(shares.take(0, 5)) == [5, 4], "half of three"
    assert numbers(shares.take(0, 1)) == [7]
    assert len(shares) == 2
    shares.put_back(Task("7", 7, "s"))
    assert len(shares) == 3
    assert numbers(shares.take(1, 5)) == [7]
    assert numbers(shares.take(1, 5)) == [3]
    assert numbers(shares.take(2, 5)) == [6]
    assert len(shares) == 0


def test_like_tasks_stand_together() -> None:
    mixed = [Task("a", 3, "split"), Task("b", 1, "split"), Task("c", 2, "fused"), Task("d", 0, "split")]
    assert [task.key for task in like_together(mixed)] == ["c", "d", "b", "a"]


def test_like_points_stand_together(write: Write) -> None:
    """Of 4 x 3 x 2 x 2 points the schedule is number // 2 % 2; without a schedule they stand in their order."""
    space = Space.load(write())
    assert like_points_together(space, [7, 6, 5, 4, 3, 2, 1, 0]) == [0, 1, 4, 5, 2, 3, 6, 7]
    without = Space.load(write(("schedule: [fused, split]", "activation.lanes: [1, 2]"), name="without"))
    assert like_points_together(without, [7, 2, 5]) == [2, 5, 7]


def test_after_a_death_a_job_is_sixteen() -> None:
    """33 points are eleven jobs of three; of 32 there are sixteen of two; one alone has died once more."""
    job = PieceJob(4, tuple(range(100, 133)))
    again = _after_a_death(job, -9)
    assert [each.numbers for each in again] == [tuple(range(n, n + 3)) for n in range(100, 133, 3)]
    assert {(each.part, each.deaths, each.exit_code) for each in again} == {(4, 1, -9)}
    assert [len(each.numbers) for each in _after_a_death(PieceJob(4, tuple(range(32))), 1)] == [2] * 16
    alone = PieceJob(4, (7,), 1)
    for deaths in (2, 3, 3):
        (alone,) = _after_a_death(alone, 5)
        assert alone == PieceJob(4, (7,), deaths, 5)
    assert MOST_DEATHS == 3
    outcome = died(Task("key", 7, "s"), 5)
    assert (outcome.key, outcome.kind, outcome.alone) == ("key", Kind.FAILED, "its worker died")
    assert outcome.reason == Reason("worker", "its worker process died 3 times, the last with exit code 5")


def test_how_many_are_looked_at_again() -> None:
    """One of sixteen, at least one."""
    assert [_share(4, evaluated) for evaluated in (0, 15, 16, 31, 32, 64, 80)] == [1, 1, 1, 1, 2, 4, 4]


class Rounds(Sampler):
    """Asks for these, and then for nothing."""

    def __init__(self, *rounds: list[int], repeats: bool = False) -> None:
        self.rounds, self.repeats = list(rounds), repeats

    def ask(self) -> list[int]:
        return self.rounds.pop(0) if self.rounds else []


def planned(sampler: Sampler, budget: int, size: int = 100) -> list[tuple[int, list[int], bool]]:
    found: list[PartPlan] = list(part_plans(sampler, size, budget, 4))
    return [(plan.place, plan.numbers.tolist(), plan.whole) for plan in found]


@pytest.mark.parametrize("size", [100, 1 << 63, 1 << 70])
def test_parts_end_with_the_round_that_fills_them(size: int) -> None:
    """With four points or more; a round that the budget cuts off makes a part that is not whole."""
    three = ([0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11])
    assert planned(Rounds(*three), 99, size) == [(0, [0, 1, 2, 3, 4, 5], True), (1, [6, 7, 8, 9, 10, 11], True)]
    assert planned(Rounds(*three), 12, size) == [(0, [0, 1, 2, 3, 4, 5], True), (1, [6, 7, 8, 9, 10, 11], True)]
    assert planned(Rounds(*three), 11, size) == [(0, [0, 1, 2, 3, 4, 5], True), (1, [6, 7, 8, 9, 10], False)]
    assert planned(Rounds(*three), 7, size) == [(0, [0, 1, 2, 3, 4, 5], True), (1, [6], False)]
    assert planned(Rounds(*three), 6, size) == [(0, [0, 1, 2, 3, 4, 5], True)]
    assert planned(Rounds(*three), 2, size) == [(0, [0, 1], False)]
    assert planned(Rounds([0, 1, 2, 3], [4]), 9, size) == [(0, [0, 1, 2, 3], True), (1, [4], False)]


@pytest.mark.parametrize("size", [100, 1 << 63])
def test_points_that_are_asked_again_are_planned_once(size: int) -> None:
    repeated = Rounds([5, 5, 3], [3, 5], [3, 7, 7, 8], repeats=True)
    assert planned(repeated, 9, size) == [(0, [5, 3, 7, 8], True)]
    idle = [[1, 2]] + [[1]] * (PATIENCE - 1) + [[3]] + [[1]] * PATIENCE + [[4]]
    assert planned(Rounds(*idle, repeats=True), 9, size) == [(0, [1, 2, 3], False)]


def test_figures_that_are_declared(write: Write) -> None:
    """Those that objectives and constraints name, without fields; below a total all, not what only begins like it."""
    path = write(
        ("minimize: body_us", "minimize: body_us / mac_array.rows"),
        ("constraints:\n", "constraints:\n  - total(traffic_bytes) < 9 and latency_us > 1\n"),
    )
    declared = Declared.of(Space.load(path))
    assert declared == Declared(("body_us", "latency_us"), ("traffic_bytes",))
    figures = {"body_us": 1, "traffic_bytes.dram.read": 2, "traffic_bytes_x": 3, "traffic_bytes": 4, "body_us.x": 5}
    assert declared.within(figures) == {"body_us": 1, "traffic_bytes.dram.read": 2}
    assert Declared.from_data([["a"], ["b"]]) == Declared(("a",), ("b",))
    assert Declared.from_data(None) is None
    reason = Reason("a", "b")
    whole = Outcome("key", Kind.DONE, {"w": figures, "v": {"latency_us": 7, "x": 1}}, "fast", reason, "why")
    part = declared.outcome(whole)
    assert part.outputs == {"w": declared.within(figures), "v": {"latency_us": 7}}
    assert (part.key, part.kind, part.executor, part.reason, part.alone) == ("key", Kind.DONE, "fast", reason, "why")


def test_what_turns_figures_into_points_has_a_digest(write: Write) -> None:
    """Objectives with names and directions, constraints, and pruning; not the budget."""
    space = Space.load(write())
    others = [
        Space.load(write(("minimize: body_us", "maximize: body_us"), name="a")),
        Space.load(write(("name: macs_per_cycle", "name: macs"), name="b")),
        Space.load(write(("<= 64", "<= 65"), name="c")),
        Space.load(write(("minimize: body_us", "minimize: latency_us"), name="d")),
    ]
    digests = {settings_digest(each, False) for each in (space, *others)} | {settings_digest(space, True)}
    assert len(digests) == 6
    assert settings_digest(space.with_budget(3), False) == settings_digest(space, False)


def test_the_commands_of_a_point(write: Write) -> None:
    """Of two workloads two; what is fixed, varied and derived, as YAML has it, and quoted where a shell needs it."""
    fixed = "set: {activation.method: exact, dram.efficiency: 0.5, bias_buffer: {capacity_bytes: 64KiB}}\nparameters:"
    space = Space.load(write(("parameters:", fixed), ('["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "gru:5,4,t=2"]')))
    inputs: dict[str, Scalar] = {"mac_array.rows": 2, "flag": True, "share": 0.25, "word": "a b", "schedule": "split"}
    point = Point(0, inputs, "split", Status.EVALUATED)
    commands = RunCommands(space)
    one, two = commands.of(point)
    words = shlex.split(one)
    assert words[:6] == ["archsim", "run", "tiny_2x2", "lstm:3,4,t=3", "--schedule", "split"]
    sets = [word for before, word in pairwise(words) if before == "--set"]
    assert sets[:2] == ["activation.method=exact", "dram.efficiency=0.5"]
    assert sets[2].startswith('bias_buffer={"capacity_bytes": ')
    assert sets[3:] == ["mac_array.rows=2", "flag=true", "share=0.25", "word=a b"]
    assert words[-1] == "--timing-only"
    assert two == one.replace("lstm:3,4,t=3", "gru:5,4,t=2")
    other = commands.of(replace(point, inputs={**inputs, "flag": 1, "share": 0.5}, schedule="fused"))[0]
    assert "--schedule fused " in other
    assert "flag=1" in shlex.split(other)
    assert "share=0.5" in shlex.split(other)
    accurate = Space.load(write(("minimize: body_us", "minimize: accuracy.output.rms_error"), name="accurate"))
    assert "--timing-only" not in RunCommands(accurate).of(point)[0]


def compared(then: Outputs | None, now: Outputs | None, **judged: object) -> str:
    """What differs of a point with these figures on the disk, and evaluated again."""
    point = Point(
        3, {}, "s", Status.EVALUATED, (1.0, 2.0), None if then is None else {"w": then}, "" if then is None else "fast"
    )
    outcome = Outcome("key", Kind.DONE, {} if now is None else {"w": now}, "fast")
    return _difference(point, outcome, replace(point, **judged))  # type: ignore[arg-type]


def test_what_is_not_the_same_when_it_is_evaluated_again() -> None:
    figures: Outputs = {"a": 10, "b": 2.0, "c": "word", "d": None, "accuracy.output.rms_error": 1.0}
    assert compared(figures, figures) == ""
    assert compared(figures, {**figures, "b": 2.0 * (1 + 5e-10)}) == ""
    assert compared(figures, {**figures, "b": 2.0 * (1 + 2e-9)}).startswith(
        "b is 2.0 on the disk, and evaluated again 2.0"
    )
    assert compared(figures, {**figures, "a": 11}) == "a is 10 on the disk, and evaluated again 11"
    assert compared(figures, {**figures, "c": "other"}) == "c is word on the disk, and evaluated again other"
    assert compared(figures, {**figures, "d": 0}) == "d is None on the disk, and evaluated again 0"
    assert compared({**figures, "more": 1}, figures) == "more is 1 on the disk, and evaluated again None"
    assert compared({}, figures) == "a is None on the disk, and evaluated again 10"
    assert compared(figures, {**figures, "accuracy.output.rms_error": 9.0}) == "", "numbers are not computed again"
    assert compared(None, None) == ""
    assert compared(None, figures) == "it has no figures on the disk, and evaluated again some"
    assert compared(figures, None) == "it has figures on the disk, and evaluated again none"
    status = "it is evaluated on the disk, and by its figures infeasible"
    assert compared(figures, figures, status=Status.INFEASIBLE) == status
    other = compared(figures, figures, objectives=(1.0, 3.0))
    assert other == "an objective is 2.0 on the disk, and by its figures 3.0"
    assert compared(figures, figures, objectives=(1.0, 2.0 * (1 + 5e-10))) == ""
