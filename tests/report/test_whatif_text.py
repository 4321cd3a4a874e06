"""What changes bring in words, of changes and figures that are written by hand."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.api.change import Change, Measured, Setting
from archsim.api.outcome import Outcome
from archsim.config.aims import By
from archsim.report.text.layout import Rows
from archsim.report.text.report_text import as_text
from archsim.report.text.sections.changes_section import best_changes, measured_changes
from archsim.report.text.whatif_text import TIES, _best, _percent, print_what_if
from tests.report.parts import flat, lines, thing

BEFORE = Outcome(1000, 100.0, 50.0, 4.0)


def change(
    number: int, cycles: int, energy: float | None = 50.0, area: float | None = 4.0, sooner: bool = False
) -> Any:
    setting = Setting("mac_array", "rows", number, is_sooner=sooner)
    return Measured(Change((setting,)), Outcome(cycles, cycles / 8, energy, area))


def found(
    *changes: Measured, before: Outcome | None = BEFORE, cheaper: tuple[Measured, ...] = (), **parts: object
) -> Any:
    fields: dict[str, object] = {
        "workload": thing(name="w", spec=thing(streaming=False)),
        "arch": thing(name="a", config=thing(clock_mhz=1250.0)),
        "schedule": "s", "before": before, "misfit": "", "changes": (*changes, *cheaper), "cheaper": cheaper,
        "left_out": (), "by": By.LATENCY, "alike": 0, "still_short": 0,
    }  # fmt: skip
    return thing(**(fields | parts))


def text(what: Any, shown: int | None = 12) -> list[str]:
    printed = as_text(lambda console: print_what_if(what, console, shown), 160)
    return [" ".join(line.split()) for line in printed.splitlines() if line.strip()]


def test_a_change_has_what_it_brings_and_its_figures_below_those_of_the_design() -> None:
    """8 % less latency; a step of 920 / 8 cycles."""
    assert text(found(change(8, 920, 55.0, 4.5), change(9, 1010, None, None))) == [
        "w on a, schedule s: 1,000 cycles",
        "What if (one change at a time, each simulated; best first)",
        "change latency cycles cycles a step energy, uJ area, mm2",
        "as it is 1,000 100 50 4",
        "--set mac_array.rows=8 -8.0 % 920 115 55 4.5",
        "--set mac_array.rows=9 +1.0 % 1,010 126.2 - -",
    ]


def test_what_a_change_brings_is_of_what_was_asked_for() -> None:
    """Of the energy 55 after 50 uJ, of a step 115 after 100 cycles."""
    for by, head, brings in ((By.ENERGY, "energy", "+10.0 %"), (By.STEP, "step", "+15.0 %")):
        found_lines = text(found(change(8, 920, 55.0), by=by))
        assert found_lines[2].startswith(f"change {head} cycles")
        assert found_lines[4].startswith(f"--set mac_array.rows=8 {brings} 920")


def test_percent_of_nothing_is_none() -> None:
    assert (_percent(3.0, 4.0), _percent(None, 4.0), _percent(3.0, None), _percent(3.0, 0.0)) == (
        "-25.0 %", "-", "-", "-",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("shown", "rest"),
    [
        (None, None),
        (4, None),
        (3, "and 1 change that brings less or costs cycles (--all)"),
        (2, "and 2 changes that bring less or cost cycles (--all)"),
    ],
)
def test_changes_that_are_not_shown_are_counted(shown: int | None, rest: str | None) -> None:
    said = text(found(*(change(number, 900 + number) for number in range(4))), shown)
    assert sum(line.startswith("--set") for line in said) == (4 if shown is None else shown)
    assert [line for line in said if line.startswith("and ")] == ([] if rest is None else [rest])


def test_a_design_that_does_not_fit_has_changes_that_make_it_fit() -> None:
    said = text(found(change(8, 920), before=None, misfit="too much", still_short=2))
    assert said[:5] == [
        "w on a, schedule s: does not fit", "too much", "What makes it fit (each simulated; best first)",
        "change cycles cycles a step energy, uJ area, mm2", "--set mac_array.rows=8 920 115 50 4",
    ]  # fmt: skip
    assert said[-1] == "2 other changes tried: with none of them it fits"
    assert "none of the changes that were tried" in text(found(before=None))


def test_of_a_stream_figures_are_those_of_a_frame() -> None:
    said = text(found(change(8, 920), workload=thing(name="w", spec=thing(streaming=True))))
    assert said[0] == "w on a, schedule s: 1,000 cycles a frame"
    assert said[1].startswith("What if (a frame on a machine that is on; one change")
    assert said[2] == "change latency cycles interval energy, uJ area, mm2"


def test_ties_shorter_latencies_and_schedules_that_are_alike_are_noted() -> None:
    assert TIES not in text(found(change(8, 920), change(9, 930)))
    assert TIES in text(found(change(8, 920), change(9, 920)))
    note = (
        "a latency a cycle shorter is a pipeline stage less, or a faster part; whether there is one at 1,250 MHz is not"
    )
    assert not [line for line in text(found(change(8, 920))) if line.startswith("a latency a cycle")]
    assert [line for line in text(found(change(7, 910), change(8, 920, sooner=True))) if line.startswith(note)]
    for alike, words in ((1, "1 schedule comes to the figures"), (2, "2 schedules come to the figures")):
        assert [line for line in text(found(change(8, 920), alike=alike)) if line.startswith(words)]


def test_what_is_cheaper_and_not_slower_stands_alone_with_five_lines() -> None:
    """Half the energy and a quarter less area; in the table above none of them."""
    cheaper = tuple(change(number, 1000, 25.0, 3.0) for number in range(10, 17))
    said = text(found(change(8, 920), cheaper=cheaper))
    at = said.index("Cheaper, and nothing slower (each simulated; what saves most energy first, then most area)")
    assert said[at + 1 : at + 3] == [
        "change energy area cycles energy, uJ area, mm2", "--set mac_array.rows=10 -50.0 % -25.0 % 1,000 25 3",
    ]  # fmt: skip
    assert sum(line.startswith("--set") for line in said[:at]) == 1
    assert said[at + 7 :] == ["and 2 changes that save less (--all)"]
    everything = text(found(change(8, 920), cheaper=cheaper), None)
    assert sum(line.startswith("--set") for line in everything) == 8
    assert text(found(cheaper=cheaper[:6]))[-1] == "and 1 change that saves less (--all)"
    assert text(found(cheaper=cheaper[:5]))[-1].startswith("--set mac_array.rows=14")
    assert "Cheaper" not in " ".join(text(found(before=None, cheaper=cheaper)))


def near(*better: Measured, left_out: str = "") -> Any:
    return thing(before=BEFORE, better=better, left_out=left_out)


def test_five_near_changes_are_in_the_report_and_two_on_a_screen() -> None:
    changes = near(*(change(number, 900 + number, None if number else 55.0, 4.5) for number in range(7)))
    said = lines(*measured_changes(changes))
    assert said[1:3] == ["change latency cycles energy, uJ area, mm2", "--set mac_array.rows=0 -10.0 % 900 55 4.5"]
    assert said[3] == "--set mac_array.rows=1 -9.9 % 901 - 4.5"
    assert sum(line.startswith("--set") for line in said) == 5
    assert list(best_changes(changes)) == [
        "--set mac_array.rows=0", "-10.0 %: 900 cycles, 55 uJ, 4.5 mm2",
        "--set mac_array.rows=1", "-9.9 %: 901 cycles, 4.5 mm2",
    ]  # fmt: skip
    assert list(best_changes(near(change(0, 900, None, None))))[1] == "-10.0 %: 900 cycles"


def test_a_shorter_latency_among_the_changes_shown_is_not_checked_against_the_clock() -> None:
    words = "that the clock is still reached is not checked"
    usual = [change(number, 900) for number in range(5)]
    assert words in flat(*measured_changes(near(*usual[:4], change(9, 950, sooner=True))))
    assert words not in flat(*measured_changes(near(*usual, change(9, 950, sooner=True))))
    found_lines = list(best_changes(near(change(9, 950, sooner=True), usual[0])))
    assert found_lines[1] == "-5.0 %: 950 cycles, 50 uJ, 4 mm2; clock not checked"
    assert "clock" not in found_lines[3]


def test_near_changes_that_were_not_measured_or_do_not_help_are_one_sentence() -> None:
    assert "not measured here: too long. archsim whatif" in flat(*measured_changes(near(left_out="too long")))
    assert "No number of the machine, changed by a notch, makes it faster." in flat(*measured_changes(near()))


@pytest.mark.parametrize(("before", "strong"), [(BEFORE, {0}), (None, frozenset())])
def test_the_design_as_it_is_stands_out(before: Outcome | None, strong: frozenset[int]) -> None:
    [table] = [part for part in _best(found(change(8, 920), before=before), 12) if isinstance(part, Rows)]
    assert table.strong == strong
