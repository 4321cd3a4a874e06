"""Figures that are asked for are those of all figures, and what nobody asks for is not made."""

from __future__ import annotations

import pytest

from archsim.api.batch import EVERYTHING, BatchEvaluator, Designs, Wanted, timed
from archsim.api.batch.columns import Scalar
from archsim.api.programs.program_cache import ProgramCache
from archsim.config import parse_override
from archsim.explore.space.names import result_names
from archsim.families.load import load_arch
from archsim.workload import load_workload

SPEC = load_workload("lstm:24,40,t=7").spec


def _columns(wanted: Wanted) -> dict[str, list[Scalar]]:
    """The figures of three designs of one program, in their order."""
    arches = [load_arch("edge_16x16", [parse_override(f"activation.lanes={lanes}")]) for lanes in (2, 4, 8)]
    designs = Designs.from_configs([arch.config for arch in arches], ["fused"] * len(arches))
    (found,) = BatchEvaluator(ProgramCache(8)).evaluate(designs, SPEC, wanted).figures
    return {name: column.values() for name, column in found.columns.items()}


def _of(name: str, columns: dict[str, list[Scalar]]) -> dict[str, list[Scalar]]:
    return {figure: values for figure, values in columns.items() if figure == name or figure.startswith(f"{name}.")}


def test_each_figure_by_itself_is_that_of_all_figures() -> None:
    whole = _columns(EVERYTHING)
    asked = [name for name in result_names() if _of(name, whole)]
    assert len(asked) > 25
    for name in asked:
        found = _columns(Wanted((name,)))
        assert _of(name, found) == _of(name, whole)
        assert found.items() <= whole.items()
        assert list(found) == [figure for figure in whole if figure in found]


@pytest.mark.parametrize("name", ["energy.total_uj", "cycle_stack.useful", "bounds.compute", "roofline.peak_gops"])
def test_one_entry_may_be_asked_for(name: str) -> None:
    assert _of(name, _columns(Wanted((name,)))) == _of(name, _columns(EVERYTHING))


def test_names_are_told_apart_at_their_dots() -> None:
    assert Wanted(("energy.total_uj",)).below("energy")
    assert Wanted(("energy",)).below("energy.total_uj")
    assert not Wanted(("energy_total",)).below("energy")
    assert not Wanted(("traffic_bytes.dram",)).below("phase_traffic_bytes", "traffic")
    assert not Wanted(()).below("energy")


def test_ceilings_are_made_for_who_asks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def unasked(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(timed, "_bursts", unasked)
    assert _columns(Wanted(("latency_us", "energy.total_uj", "bounds", "cycle_stack")))
