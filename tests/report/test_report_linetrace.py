"""Every column of every line of a line trace agrees with the records."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from archsim.api import Simulation
from archsim.cli.commands import program
from archsim.errors import SimulatorBug
from archsim.families.load import load_arch
from archsim.program.ir import PhaseKind
from archsim.report import line_trace
from archsim.trace import Window
from archsim.workload import load_workload
from tests.report.conftest import Run


def columns(lines: list[str], units: list[str]) -> Iterator[tuple[int, str, dict[str, str]]]:
    """(cycle, phase, unit -> cell) of each line below the header, cut where the header's names begin."""
    header = lines[2]
    starts = [header.index(f" {unit}") + 1 for unit in units] + [None]
    for line in lines[3:]:
        cycle, phase = line[: starts[0]].split()
        cells = [line[a : b and b - 2] for a, b in itertools.pairwise(starts)]
        yield int(cycle), phase, {unit: cell.rstrip() for unit, cell in zip(units, cells, strict=True)}


def expected(simulation: Simulation, unit: str, cycle: int) -> str:
    """What a unit does in a cycle, straight from the records."""
    holds, pipeline, done = [], False, []
    records = sorted(simulation.trace.records, key=lambda record: record.start)
    for record in records:
        phase = simulation.program.phases[record.phase]
        op = phase.ops[record.op]
        if op.unit != unit:
            continue
        name = f"{op.label}@{record.repetition}" if phase.kind is PhaseKind.BODY else op.label
        if record.start <= cycle < record.free:
            holds.append(name)
        pipeline = pipeline or record.free <= cycle < record.done
        if record.done == cycle:
            done.append(f">{name}")
    assert len(holds) <= 1
    return " ".join([holds[0] if holds else "~" if pipeline else ".", *done])


@pytest.mark.parametrize("schedule", ["fused", "split_gate_major"])
def test_every_cell_of_every_cycle_agrees_with_the_records(run: Run, schedule: str) -> None:
    simulation = run(schedule=schedule, window=Window(0, 4), timing_only=True)
    units = list(simulation.trace.units)
    lines = list(line_trace(simulation, 0, None))
    seen = list(columns(lines, units))
    total = simulation.trace.total_cycles
    assert [cycle for cycle, _, _ in seen] == list(range(total + 1))
    for cycle, phase, cells in seen:
        assert cells == {unit: expected(simulation, unit, cycle) for unit in units}
        where = [p.name for p in simulation.trace.phases if p.start <= cycle < p.end]
        assert [phase] == (where or ["end"])
    everything = "\n".join(lines)
    for record in simulation.trace.records:
        assert simulation.program.phases[record.phase].ops[record.op].label in everything


def test_the_legend_explains_the_marks(small: Simulation) -> None:
    first, second, header = itertools.islice(line_trace(small, 0, 0), 3)
    assert first.startswith("#")
    assert second.startswith("#")
    for mark in ("op@t", ">op", "~", "."):
        assert mark in first + second
    assert header.split() == ["cycle", "phase", *small.trace.units]


def test_a_part_of_the_trace_is_that_part(small: Simulation) -> None:
    whole = list(line_trace(small, 0, None))
    cycle = whole[3:]

    def rows(first: int, last: int | None) -> list[list[str]]:
        return [line.split(None, 1)[1].split() for line in list(line_trace(small, first, last))[3:]]

    def of_whole(first: int, stop: int) -> list[list[str]]:
        return [line.split(None, 1)[1].split() for line in cycle[first:stop]]

    total = small.trace.total_cycles
    assert rows(150, 160) == of_whole(150, 161)
    assert rows(0, 0) == of_whole(0, 1)
    assert rows(total - 1, None) == of_whole(total - 1, total + 1)
    assert rows(total - 1, 10 * total) == rows(total - 1, None)
    assert rows(20, 19) == []
    assert rows(total + 1, None) == []


def test_lines_are_made_one_by_one(small: Simulation) -> None:
    lines = line_trace(small, 0, None)
    assert isinstance(lines, Iterator)
    assert len(list(itertools.islice(lines, 5))) == 5
    assert next(lines).split()[0] == "2"


def test_a_run_without_all_records_is_refused_at_once(run: Run) -> None:
    with pytest.raises(SimulatorBug, match="window=Window"):
        line_trace(run(workload=("steps=9",)), 0, None)


def test_no_line_ends_in_blanks(small: Simulation) -> None:
    assert not [line for line in line_trace(small, 0, None) if line != line.rstrip()]


def test_a_trace_without_an_end_has_as_many_lines_as_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """--to is by default --from + 1,999 (2,000 lines); here of 5 lines: cycles 3 to 7."""
    monkeypatch.setattr(program, "DEFAULT_LINES", 5)
    lines = list(program._line_trace(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), None, 3, None))
    assert [int(line.split()[0]) for line in lines if line.split()[0].isdigit()] == [3, 4, 5, 6, 7]
    assert lines[-1].startswith("... ")
