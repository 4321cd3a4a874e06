"""Which worker gets which tasks: each exactly once, like ones together."""

from hypothesis import given
from hypothesis import strategies as st

from archsim.explore.run.evaluation import Task
from archsim.explore.run.shares import Shares


@given(st.integers(0, 40), st.integers(1, 5), st.data())
def test_every_task_is_taken_once_whoever_asks(count: int, workers: int, data: st.DataObject) -> None:
    """One that is put back is taken again, alone."""
    tasks = [Task(f"{n}", n % 7, f"s{n % 3}") for n in range(count)]
    shares = Shares(tasks, workers)
    taken: list[Task] = []
    back = 0
    while len(shares):
        got = shares.take(data.draw(st.integers(0, workers - 1)), data.draw(st.integers(1, 9)))
        assert got
        if back < 3 and data.draw(st.booleans()):
            shares.put_back(got[0])
            assert shares.take(0, 9) == [got[0]]
            back += 1
        taken += got
    assert sorted(taken, key=lambda task: int(task.key)) == tasks


def test_like_tasks_go_to_one_worker() -> None:
    """Of two schedules, in whatever order, each worker gets one while it has some; then it helps the other."""
    tasks = [Task(f"{n}", n, ("fused", "split")[n % 2]) for n in range(8)]
    shares = Shares(tasks, 2)
    assert {task.schedule for task in shares.take(0, 3)} == {"fused"}
    assert {task.schedule for task in shares.take(1, 3)} == {"split"}
    assert [task.schedule for task in shares.take(0, 3)] == ["fused"]
    assert [task.schedule for task in shares.take(0, 3)] == ["split"]
