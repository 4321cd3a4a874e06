"""Figures of several programs at once: those of each by itself, and what one cannot do is not the others' loss."""

from __future__ import annotations

import pytest

from archsim.api.batch import BatchEvaluator, BatchFigures, Designs, Wanted, evaluate
from archsim.api.batch.columns import Codes
from archsim.api.batch.energy import Columns, NotAlike
from archsim.api.batch.figures import Part
from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import load_workload

SPEC = load_workload("lstm:24,40,t=7").spec
ROWS = (8, 16, 32, 64)
"""Each has a program of its own; the first one's figures come by themselves, those of the others together."""


def _designs() -> Designs:
    arches = [load_arch("edge_16x16", [parse_override(f"mac_array.rows={rows}")]) for rows in ROWS]
    return Designs.from_configs([arch.config for arch in arches], ["fused"] * len(arches))


def _evaluate(monkeypatch: pytest.MonkeyPatch, seconds: float) -> tuple[BatchFigures, list[int]]:
    """What becomes of the designs, and how many come at a time; `seconds`: for how long programs are timed."""
    monkeypatch.setattr(evaluate, "TOGETHER_SECONDS", seconds)
    found, sizes = BatchFigures(), []
    for part in BatchEvaluator(ProgramCache(8)).parts(_designs(), SPEC):
        sizes.append(len(part.designs))
        found.add(part)
    return found, sizes


def _by_design(found: BatchFigures) -> dict[int, dict[str, object]]:
    return {
        design: {name: column.value(row) for name, column in part.columns.items()}
        for part in found.figures
        for row, design in enumerate(part.designs.tolist())
    }


def test_figures_together_are_those_of_each_program_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    apart, one_by_one = _evaluate(monkeypatch, -1.0)
    together, sizes = _evaluate(monkeypatch, 1e9)
    assert one_by_one == [1, 1, 1, 1, 0]
    assert sizes == [1, 3]
    assert len(together.figures) == 2
    assert _by_design(together) == _by_design(apart)
    assert list(together.figures[1].columns) == list(apart.figures[3].columns)


@pytest.mark.parametrize("error", [NotAlike("some have no figures"), ZeroDivisionError()])
def test_what_one_program_cannot_do_is_left_alone(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    whole = _by_design(_evaluate(monkeypatch, 1e9)[0])
    figures = Part.figures

    def failing(part: Part, wanted: Wanted) -> list[tuple[Codes | slice, Columns]]:
        if any(program.reads["mac_array.rows"] == ROWS[2] for program in part._programs.values):
            raise error
        return figures(part, wanted)

    monkeypatch.setattr(Part, "figures", failing)
    found, _ = _evaluate(monkeypatch, 1e9)
    why = str(error) or "a batch failed: ZeroDivisionError"
    assert [(rows.tolist(), text) for rows, text in found.left] == [([2], why)]
    assert _by_design(found) == {design: figures for design, figures in whole.items() if design != 2}
