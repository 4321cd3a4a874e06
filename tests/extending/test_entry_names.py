"""An entry has the name of its object, which is the one that files and commands know it by."""

from __future__ import annotations

from typing import Any

import pytest

from archsim.config.extensions import IMPORTERS, STATISTICS, UNITS, EntryGroup
from archsim.hardware import unit_definition as units
from archsim.hardware.unit import UnitConfig
from archsim.hardware.unit_definition import UnitDefinition
from archsim.importers import importer as importers
from archsim.importers.importer import Importer
from archsim.metrics import statistic as statistics
from archsim.metrics.statistic import Statistic
from tests.extending.entries import offered


def nothing(*given: Any) -> Any:
    raise AssertionError("nobody asks for it")


OBJECTS: dict[str, tuple[EntryGroup[Any], Any, str]] = {
    UNITS: (units.UNITS, UnitDefinition("mine", "a unit", UnitConfig, nothing), "unit"),
    STATISTICS: (statistics.STATISTICS, Statistic("mine", "MACs", "how many", "none", nothing), "statistic"),
    IMPORTERS: (importers.IMPORTERS, Importer("mine", "reads mine", (".mine",), nothing), "importer"),
}


@pytest.mark.parametrize("group", list(OBJECTS))
def test_an_entry_of_another_name_cannot_be_used(group: str) -> None:
    entries, found, what = OBJECTS[group]
    with offered(group, mine=found, other=found):
        survey = entries.survey()
        assert list(survey.usable) == ["mine"]
        (broken,) = survey.broken
        assert f"the entry must have the name of its {what}, which is 'mine'" in str(broken)
        assert survey.broken_names == ("other",)
