"""What a batch says of its designs, compared with what they say one by one, by both executors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from archsim.api.batch import BatchEvaluator, Designs
from archsim.api.evaluate import Evaluator
from archsim.errors import ArchsimError
from archsim.explore.run.evaluation import stats_outputs
from archsim.families.load import Arch
from archsim.families.machine_config import MachineConfig
from archsim.workload import Workload


class Asked(NamedTuple):
    """What all designs of a batch run."""

    workload: Workload
    schedule: str | None


def by_itself(evaluator: Evaluator, config: MachineConfig, asked: Asked, executor: str) -> Any:
    """The executor and the figures of a design, or what was said instead."""
    try:
        evaluation = evaluator.evaluate(Arch("drawn", config), asked.workload, asked.schedule, executor)
    except ArchsimError as error:
        return type(error), str(error)
    return evaluation.executor, list(stats_outputs(evaluation.stats).items())


def check(configs: Sequence[MachineConfig], workload: Workload, schedule: str | None, seen: Counter[str]) -> None:
    """Compare a batch with its designs one by one, and one of each group with the machine; `seen` counts the kinds."""
    evaluator, asked = Evaluator(), Asked(workload, schedule)
    designs = Designs.from_configs(configs, [schedule] * len(configs))
    found = BatchEvaluator(Evaluator().programs).evaluate(designs, workload.spec)
    told: set[int] = set()
    for figures in found.figures:
        values = {name: column.values() for name, column in figures.columns.items()}
        for place, design in enumerate(figures.designs.tolist()):
            of_batch = [(name, column[place]) for name, column in values.items()]
            _, outputs = by_itself(evaluator, configs[design], asked, "fast")
            assert of_batch == outputs
            assert [type(value) for _, value in of_batch] == [type(value) for _, value in outputs]
            if place == 0:
                assert by_itself(evaluator, configs[design], asked, "machine") == ("machine", outputs)
            seen["evaluated"] += 1
            told.add(design)
    for rows, error in found.refused:
        for design in rows.tolist():
            assert by_itself(evaluator, configs[design], asked, "auto") == (type(error), str(error))
            seen["refused"] += 1
            told.add(design)
    for rows, why in found.left:
        assert not why.startswith("a batch failed"), why
        for design in rows.tolist():
            assert by_itself(evaluator, configs[design], asked, "auto")[0] != "fast", why
            seen["left"] += 1
            told.add(design)
    assert told == set(range(len(configs)))
    assert sum(len(figures.designs) for figures in found.figures) + sum(
        len(rows) for rows, _ in (*found.refused, *found.left)
    ) == len(configs)
