"""Outputs in a table are the mapping and the text that they are one by one, here and after their travel."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore import Space, explore
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task
from archsim.explore.run.outcome import Kind, Outcome, read_outcomes, write_outcomes
from archsim.explore.run.output_table import OutputTable
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write

ROWS: list[dict[str, Any]] = [
    {"cycles": 3, "share": 0.1, "binding": "mac %s", "per_step": 2, "energy": None},
    {"cycles": 10**17, "share": 1e-9, "binding": 'a "b"', "per_step": 2.5, "energy": None},
]


def columns() -> dict[str, Column]:
    places = np.arange(2)
    return {
        "cycles": Column(np.array([3, 10**17])),
        "share": Column(np.array([0.1, 1e-9])),
        "binding": Column(Picked(("mac %s", 'a "b"'), places)),
        "per_step": Column(Picked((2, 2.5), places)),
        "energy": Column.same(None, 2),
    }


def outcomes(table: OutputTable) -> list[Outcome]:
    done = [Outcome(f"k{row}", Kind.DONE, {"work": table.row(row)}, "fast") for row in (1, 0)]
    return [*done, Outcome("k2", Kind.INFEASIBLE, {}, reason=Reason("capacity", "sram", 3, 2, "bytes"), alone="so")]


def test_a_row_is_a_mapping_and_its_text_that_of_the_mapping() -> None:
    table = OutputTable(columns())
    for row, wanted in enumerate(ROWS):
        assert table.row(row) == wanted
        assert wanted == table.row(row)
        assert table.row(row).text == json.dumps(wanted, separators=(",", ":"))
    plain = Outcome("k1", Kind.DONE, {"work": ROWS[1]}, "fast")
    assert outcomes(table)[0] == plain
    assert outcomes(table)[0].to_json() == plain.to_json()
    assert Outcome.from_json(plain.to_json()) == plain


def test_outcomes_travel_as_columns() -> None:
    found = read_outcomes(write_outcomes(outcomes(OutputTable(columns()))))
    assert found == outcomes(OutputTable(columns()))
    assert [outcome.alone for outcome in found] == ["", "", "so"]
    assert [outcome.to_json() for outcome in found] == [each.to_json() for each in outcomes(OutputTable(columns()))]
    for outcome, wanted in zip(found, (ROWS[1], ROWS[0]), strict=False):
        assert [type(value) for value in outcome.outputs["work"].values()] == [type(v) for v in wanted.values()]


def test_what_is_no_finite_number_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = OutputTable({"share": Column(np.array([np.inf]))}).row(0).text


def tasks_of(space: Space) -> list[Task]:
    designs = [design for design in space.designs(range(space.size)) if design.reason is None]
    return [Task(design.key, design.number, design.schedule) for design in designs]


@pytest.mark.parametrize("workloads", ['["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "gru:5,4,t=20,layers=2"]'])
def test_a_batch_of_tasks_is_what_each_is(write: Write, workloads: str) -> None:
    """Of one network and of two, some of which do not fit: outcomes, their text, and how many went one by one."""
    space = Space.load(write(('["lstm:3,4,t=3"]', workloads), ("[256, 2KiB]", "[256, 800, 64KiB]")))
    evaluator, tasks = DesignEvaluator(Setup.from_space(space, "auto"), fewest=1), tasks_of(space)
    found = evaluator.run_all(tasks)
    assert {outcome.kind for outcome in found} == {Kind.DONE, Kind.INFEASIBLE}
    assert not any(outcome.alone for outcome in found)
    for outcome, task in zip(found, tasks, strict=True):
        wanted = evaluator.run(task)
        assert outcome == wanted
        assert outcome.to_json() == wanted.to_json()


def test_what_cannot_go_in_a_batch_is_counted_with_the_reason(write: Write) -> None:
    one_port = ("parameters:", "set: {state_buffer.banks: one}\nparameters:\n  state_buffer.ports: [1R1W, 1RW]")
    space = Space.load(write(one_port, ("[256, 2KiB]", "[2KiB]")))
    found = DesignEvaluator(Setup.from_space(space, "auto"), fewest=1).run_all(tasks_of(space))
    reason = "units are granted the one port of state_buffer in the order in which they ask"
    assert {(outcome.executor, outcome.alone) for outcome in found} == {("fast", ""), ("machine", reason)}
    few = DesignEvaluator(Setup.from_space(space, "auto"), fewest=100).run_all(tasks_of(space))
    assert few == found
    assert {outcome.alone for outcome in few} == {"fewer than 100 designs share its program"}


def test_a_study_says_how_many_went_one_by_one(write: Write) -> None:
    machine = explore(Space.load(write()), workers=1, prune=False, executor="machine")
    assert machine.alone == {"the machine was asked for": machine.simulated}
