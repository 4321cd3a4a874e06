"""Figures of several programs at once: those of each by itself, and what one cannot do is not the others' loss."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from archsim.api.batch import EVERYTHING, BatchEvaluator, BatchFigures, Designs, Wanted, evaluate
from archsim.api.batch.columns import Codes
from archsim.api.batch.energy import Columns, NotAlike
from archsim.api.batch.figures import Part
from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.workload import NetworkSpec, load_workload

SPEC = load_workload("lstm:24,40,t=7").spec
TWO_LAYERS = load_workload("lstm:24,40,t=7,layers=2").spec
ROWS = (8, 16, 32, 64)
"""Each has a program of its own; the first one's figures come by themselves, those of the others together."""


def _designs(schedules: Sequence[str] = ("fused",)) -> Designs:
    configs = [load_arch("edge_16x16", [parse_override(f"mac_array.rows={rows}")]).config for rows in ROWS]
    pairs = [(config, schedule) for schedule in schedules for config in configs]
    return Designs.from_configs([config for config, _ in pairs], [schedule for _, schedule in pairs])


def _evaluate(
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    schedules: Sequence[str] = ("fused",),
    spec: NetworkSpec = SPEC,
    wanted: Wanted = EVERYTHING,
) -> tuple[BatchFigures, list[int]]:
    """What becomes of the designs, and how many come at a time; `seconds`: for how long programs are found."""
    monkeypatch.setattr(evaluate, "TOGETHER_SECONDS", seconds)
    found, sizes = BatchFigures(), []
    for part in BatchEvaluator(ProgramCache(8)).parts(_designs(schedules), spec, wanted):
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


def test_figures_of_other_names_are_made_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two layers: one handed over to the next, sums of x that are kept until then, and both layers side by side.

    Names come in the order in which each program by itself has them.
    """
    schedules = ("fused", "hoisted", "fused_wavefront")
    apart, _ = _evaluate(monkeypatch, -1.0, schedules, TWO_LAYERS)
    together, sizes = _evaluate(monkeypatch, 1e9, schedules, TWO_LAYERS)
    assert sizes == [1, 11]
    assert len({tuple(part.columns) for part in together.figures}) == len(schedules)
    found, alone = _by_design(together), _by_design(apart)
    assert found == alone
    assert {design: list(figures) for design, figures in found.items()} == {
        design: list(figures) for design, figures in alone.items()
    }


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("latency_us", "bounds", "roofline"), 1),
        (("latency_us", "traffic_bytes"), 3),
        (("energy.total_uj",), 3),
    ],
)
def test_figures_that_are_wanted_of_programs_that_have_other_names(
    names: tuple[str, ...], groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Designs are taken apart by names of figures that somebody asks for, not of others."""
    schedules = ("fused", "hoisted", "fused_wavefront")
    whole = _by_design(_evaluate(monkeypatch, 1e9, schedules, TWO_LAYERS)[0])
    found, sizes = _evaluate(monkeypatch, 1e9, schedules, TWO_LAYERS, Wanted(names))
    assert sizes == [1, 11]
    assert [len(part.designs) for part in found.figures[:1]] == [1]
    assert len(found.figures[1:]) == groups
    for design, figures in _by_design(found).items():
        expected = {name: value for name, value in whole[design].items() if Wanted(names).below(name)}
        assert {name: value for name, value in figures.items() if name in expected} == expected
        assert figures.items() <= whole[design].items()
        assert "program_ops" not in figures


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
