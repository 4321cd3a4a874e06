"""Which rows of tables stand out, and what stands in the last ones: sums, what binds, what is reached."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

from archsim.api import Simulation
from archsim.api.explain import Findings
from archsim.formats import KINDS
from archsim.report.text.binding import gap_sentence
from archsim.report.text.layout import Rows
from archsim.report.text.sections.energy_section import energy
from archsim.report.text.sections.roofline_section import roofline
from archsim.report.text.sections.room_section import room
from archsim.report.text.sections.time_section import latency, step
from archsim.report.text.sections.traffic_section import traffic
from archsim.report.text.sections.use_section import mac_stack
from archsim.report.text.sections.verdict_section import _blocks, _idealized, formats_text, note_rows
from archsim.report.text.steps import step_stacks
from tests.report.conftest import Run
from tests.report.parts import flat, lines, thing


def strong(parts: Iterable[Any]) -> list[list[str]]:
    """The first cells of the rows that stand out, of each table that has any."""
    tables = [part for part in parts if isinstance(part, Rows) and part.strong]
    return [[table.rows[number][0] for number in sorted(table.strong)] for table in tables]


def test_sums_and_what_binds_stand_out(small: Simulation) -> None:
    assert strong(latency(small)) == [["whole run"]]
    assert strong(step(small, Findings(None, ()))) == [["simulated", small.stats.binding_bound]]
    assert strong(roofline(small)) == [["reached"]]
    assert strong(mac_stack(small)) == [["sum"]]
    assert strong(energy(small)) == [["sum"]]
    assert strong(room(small)) == [list(small.stats.stored_bytes)]
    assert strong(traffic(small)) == [list(small.stats.traffic_bytes), ["read", "written"]]


def test_the_stack_of_the_multipliers_ends_with_all_of_run_and_steps(small: Simulation) -> None:
    """Buckets outside of the steps have no share of these; what has no cycle is named below."""
    rows = lines(*mac_stack(small))
    [whole] = [row for row in rows if row.startswith("sum ")]
    assert whole == f"sum {small.stats.latency_cycles:,} 100.0 % 100.0 %"
    [before] = [row for row in rows if row.startswith("prologue ")]
    assert before.split()[4] == "-"
    stack = small.stats.cycle_stack
    full = dataclasses.replace(small, stats=dataclasses.replace(small.stats, cycle_stack=dict.fromkeys(stack, 5)))
    assert "0 cycles in" in flat(*mac_stack(small))
    assert "0 cycles in" not in flat(*mac_stack(full))


def test_what_is_above_the_bound_is_explained_where_there_is_something(run: Run) -> None:
    above = run((), ("steps=9",), timing_only=True)
    exact = dataclasses.replace(
        above, stats=dataclasses.replace(above.stats, cycles_per_step=above.stats.bounds[above.stats.binding_bound])
    )
    words = "What is above the bound comes from the interplay of units"
    assert gap_sentence(above.stats, "x", {}).startswith(words)
    assert words in flat(*step(above, Findings(None, ())))
    assert words not in flat(*step(exact, Findings(None, ())))


def test_useful_cycles_and_padding_are_those_in_which_the_datapath_works(small: Simulation) -> None:
    """8 multipliers: 160 MACs, of which those of the steps are all, take 20 useful cycles."""
    stack = step_stacks(small)["mac_array"]
    assert stack["useful"] == small.stats.macs / 8 == 20
    traced = small.trace.phase_units[1]["mac_array"]
    assert stack["padding"] == traced.compute_cycles - 20 >= 0


def test_lines_that_go_on_have_no_name() -> None:
    notes = thing(arch=thing(config=thing(notes=lambda _: ["one", "two", "three"])), workload=thing(spec=None))
    assert note_rows(notes) == [("note", "one"), ("", "two"), ("", "three")]
    assert _idealized(("one", "two")) == [("idealized", "one"), ("", "two")]
    assert _idealized(()) == []


def test_blocks_of_a_hoisted_schedule_have_their_steps() -> None:
    def program(*steps: int) -> Any:
        return thing(program=thing(phases=[thing(ops=[]), thing(ops=[thing(block_steps=n) for n in steps])]))

    assert _blocks(program(0, 4, 2)) == [("blocks", "W_ih x of 4 time steps at once, for which W_ih is read once")]
    assert _blocks(program(1))[0][1].startswith("W_ih x of 1 time step at once")
    assert _blocks(program(0)) == _blocks(program()) == []


def test_kinds_of_one_format_are_named_together() -> None:
    def formats(**own: str) -> Any:
        return thing(format=lambda kind: thing(name=own.get(kind, "int8")))

    assert formats_text(formats()) == "int8"
    others = [kind for kind in KINDS if kind not in ("gate", "cell")]
    assert set(formats_text(formats(gate="q4.4", cell="q4.4")).split("; ")) == {
        f"{', '.join(others)} int8", f"{', '.join(kind for kind in KINDS if kind in ('gate', 'cell'))} q4.4",
    }  # fmt: skip
