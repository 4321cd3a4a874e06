"""Machines validated section by section: which models do no more to a whole machine than look at it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationInfo, model_validator

from archsim.config import StrictModel
from archsim.explore.space.section_models import SectionModels
from archsim.families.load import load_arch


class Plain(StrictModel):
    """A model that looks at itself when its fields are there."""

    rows: int = 1

    @model_validator(mode="after")
    def _fits(self) -> Plain:
        if self.rows > 4:
            raise ValueError("too many")
        return self


class Before(StrictModel):
    """One that changes what it is given."""

    rows: int = 1

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        return data


class Informed(StrictModel):
    """One that looks at what else there is."""

    rows: int = 1

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Informed:
        return self


@pytest.mark.parametrize(("model", "checks"), [(Plain, 1), (Before, None), (Informed, None)])
def test_what_a_model_checks_when_its_fields_are_there(model: Any, checks: int | None) -> None:
    """None of a model that does more than that: its machines are validated as a whole."""
    found = SectionModels(model).checks
    assert (None if found is None else len(found)) == checks


def test_a_machine_passes_checks_that_raise_nothing_and_change_nothing() -> None:
    models = SectionModels(Plain)  # type: ignore[arg-type]
    assert models.holds(Plain(rows=4))
    assert not models.holds(Plain.model_construct(rows=5))


def test_the_machines_of_archsim_are_validated_section_by_section() -> None:
    for name in ("tiny_2x2", "npu_s10nx", "tpu_v1", "edgedrnn"):
        assert SectionModels(type(load_arch(name).config)).checks is not None, name
