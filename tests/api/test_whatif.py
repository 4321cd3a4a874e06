"""Which changes of a design are tried, which of them are counted instead of shown, and when pairs are tried."""

from __future__ import annotations

from fractions import Fraction

import pytest

from archsim.api import whatif as module
from archsim.api.change import notch_changes
from archsim.api.whatif import WhatIf, what_if
from archsim.config import parse_override
from archsim.families.gemv.schedules import GEMV_SCHEDULES
from archsim.families.load import Arch, load_arch
from archsim.workload import load_workload
from tests.rings import exhaustive

WORK = load_workload("lstm_3_2_t4")


def tiny(*sets: str) -> Arch:
    return load_arch("tiny_2x2", [parse_override(text) for text in sets])


def shown_schedules(found: WhatIf) -> list[str]:
    return [m.change.schedule for m in found.changes if m.change.schedule and not m.change.settings]


@exhaustive
def test_each_other_schedule_is_shown_or_counted() -> None:
    """Those of the same figures as one before, or as the design, are counted; each that is shown has its own."""
    found = what_if(tiny(), WORK)
    assert found.before is not None
    shown = shown_schedules(found)
    assert found.schedule not in shown
    assert found.left_out == ()
    assert len(shown) + found.alike == len(GEMV_SCHEDULES) - 1
    figures = [m.outcome.figures for m in found.changes if m.change.schedule]
    assert len(set(figures)) == len(figures)
    assert found.before.figures not in figures
    assert (found.misfit, found.still_short) == ("", 0)


@exhaustive
def test_of_a_design_that_does_not_fit_only_what_makes_it_fit_is_shown() -> None:
    """160 bytes of weights in 100: no number by a notch is a larger memory, and only schedules that stream fit.

    All others are counted as still too short; the design itself is neither.
    """
    arch = tiny("weight_sram.capacity_bytes=100")
    found = what_if(arch, WORK, "fused")
    assert found.before is None
    assert found.misfit.startswith("weight_sram: needs 160 bytes, has 100, 60 short")
    assert found.cheaper == ()
    stay = [schedule.name for schedule in GEMV_SCHEDULES if "streamed" not in schedule.name]
    assert found.still_short == len(list(notch_changes(arch.config))) + len(stay) - 1
    assert all("streamed" in name for name in shown_schedules(found))
    assert len(shown_schedules(found)) + found.alike == len(GEMV_SCHEDULES) - len(stay)
    settings = [str(m.change) for m in found.changes if m.change.settings]
    assert settings == ["--set weight_sram.capacity_bytes=1KiB"]
    assert found.left_out == ()
    assert found.not_halved == 0


@exhaustive
@pytest.mark.parametrize("more", [0, 1])
def test_pairs_are_tried_where_no_single_change_saves_as_much(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exactly what the best one saves is enough; of a millionth more pairs are tried, of three changes three."""
    found = what_if(tiny(), WORK)
    assert found.before is not None
    before = found.before.latency_cycles
    best = min(m.outcome.latency_cycles for m in found.changes if len(m.change.settings) < 2)
    monkeypatch.setattr(module, "HELPS", Fraction(before - best, before) + Fraction(more, 10**6))
    monkeypatch.setattr(module, "PAIRED", 3)
    notches = {change.settings[0] for change in notch_changes(found.arch.config)}
    pairs = [m for m in what_if(tiny(), WORK).changes if len(m.change.settings) == 2]
    faster = [m for m in pairs if set(m.change.settings) <= notches]
    assert len(faster) == 3 * more
