"""Which fields of a configuration a computation read, by a machine of two sections."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.config.read_tracking import FieldReader, ReadTracker, read_only_as
from archsim.config.types import StrictModel
from archsim.errors import SimulatorBug


class Array(StrictModel):
    """A section with a property and a method of its own."""

    rows: int = 2
    columns: int = 3

    @property
    def macs(self) -> int:
        """Reads both fields."""
        return self.rows * self.columns

    def more_rows(self, by: int) -> int:
        """Reads one of them."""
        return self.rows + by


class Machine(StrictModel):
    """A section and a field."""

    array: Array = Array()
    clock: float = 10.0


def tracked() -> tuple[ReadTracker, Any]:
    reads = ReadTracker(Machine())
    return reads, reads.stand_in


ALWAYS = {"__class__": Machine}
"""The type of the configuration counts as read from the beginning."""


def test_what_is_read_is_noted_with_its_path() -> None:
    reads, machine = tracked()
    assert reads.values == ALWAYS
    assert machine.clock == 10.0
    assert reads.values == ALWAYS | {"clock": 10.0}
    assert machine.array.columns == 3
    assert reads.values == ALWAYS | {"clock": 10.0, "array.__class__": Array, "array.columns": 3}


def test_properties_and_methods_read_their_fields_alone() -> None:
    reads, machine = tracked()
    assert machine.array.more_rows(by=5) == 7
    assert reads.values == ALWAYS | {"array.__class__": Array, "array.rows": 2}
    assert machine.array.macs == 6
    assert reads.values == ALWAYS | {"array.__class__": Array, "array.rows": 2, "array.columns": 3}


def test_what_looks_at_all_of_a_section_reads_all_of_it() -> None:
    """Comparing and printing; of the whole configuration each of its fields."""
    for look in (lambda section: section == Array(), hash, repr, lambda section: section.model_dump()):
        reads, machine = tracked()
        look(machine.array)
        assert reads.values == ALWAYS | {"array.__class__": Array, "array": Array()}
    reads, machine = tracked()
    assert machine == Machine()
    assert reads.values == ALWAYS | {"array": Array(), "clock": 10.0}
    other_reads, other = tracked()
    assert machine.array == other.array
    assert other_reads.values == ALWAYS | {"array.__class__": Array, "array": Array()}
    assert isinstance(machine, Machine)
    assert isinstance(machine.array, Array)


def test_a_question_notes_its_answer_and_not_the_value() -> None:
    reads, machine = tracked()
    assert read_only_as(machine.array, "rows", lambda rows: rows > 1) is True
    assert read_only_as(machine, "clock", lambda clock: clock > 50) is False
    assert reads.values == ALWAYS | {"array.__class__": Array}
    assert [(asked.path, asked.answer) for asked in reads.questions] == [("array.rows", True), ("clock", False)]
    assert reads.questions[0].question(1) is False
    assert read_only_as(Array(rows=9), "rows", lambda rows: rows > 1) is True, "of a configuration itself"


def test_after_the_end_nothing_is_read() -> None:
    reads, machine = tracked()
    section = machine.array
    reads.close()
    for read in (lambda: machine.clock, lambda: section.rows, lambda: read_only_as(section, "rows", bool)):
        with pytest.raises(SimulatorBug, match="is read after what depends on it was made"):
            read()
    with pytest.raises(SimulatorBug, match="rows: a configuration is not changed"):
        section.rows = 5


def test_fields_at_paths() -> None:
    """One or several, as a tuple; None where a configuration has no such field."""
    assert FieldReader(("array.rows",)).values_in(Machine()) == (2,)
    assert FieldReader(("array.rows", "clock")).values_in(Machine()) == (2, 10.0)
    assert FieldReader(("array.rows", "array.depth")).values_in(Machine()) is None
    assert FieldReader(("depth",)).values_in(Machine()) is None
