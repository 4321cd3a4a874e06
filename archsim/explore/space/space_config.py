"""Defines the space file, strictly validated: what is varied, what is asked, and how it is searched."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from archsim.config.types import PositiveNumber, StrictModel, Text, size_in_bytes

MAX_PARAMETERS = 64
MAX_CHOICES = 4096
MAX_BUDGET = 10_000_000

ExpressionText = Annotated[str, Field(strict=True, min_length=1, max_length=500)]


def constant_as_text(value: object) -> object:
    """A constant as an expression: a number or true as it stands in one, a size ("4MiB") in bytes; others unchanged."""
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str):
        with suppress(ValueError):
            return str(size_in_bytes(value.strip()))
    return value


Derived = Annotated[ExpressionText, BeforeValidator(constant_as_text)]
"""What a derived field follows from: an expression, or a constant, which is the same in every point."""
Number = Annotated[float, Field(ge=-1e18, le=1e18)]
Value = Any
Choices = Annotated[tuple[Value, ...], Field(min_length=1, max_length=MAX_CHOICES)]


class Aggregate(StrEnum):
    """How an objective over several workloads becomes one number."""

    GEOMEAN = "geomean"
    MAX = "max"
    WEIGHTED = "weighted"


class SamplerName(StrEnum):
    """How points are chosen."""

    GRID = "grid"
    RANDOM = "random"
    SOBOL = "sobol"
    NSGA2 = "nsga2"
    NSGA3 = "nsga3"
    TPE = "tpe"


AboveZero = Annotated[int, Field(strict=True, ge=1)]


class Linear(StrictModel):
    """The values from, from + step, ... up to `to`."""

    first: int | Number = Field(alias="from", description="first value")
    last: int | Number = Field(alias="to", description="largest value")
    step: AboveZero | PositiveNumber = Field(description="distance of neighbours, above 0")


class Log2(StrictModel):
    """The values from, 2 from, 4 from, ... up to `to`."""

    first: AboveZero | PositiveNumber = Field(alias="from", description="first value")
    last: AboveZero | PositiveNumber = Field(alias="to", description="largest value")


class Range(StrictModel):
    """A range of values: equidistant ones, or powers of 2."""

    linear: Linear | None = Field(default=None, description="equidistant values")
    log2: Log2 | None = Field(default=None, description="a value and its doubles")

    @model_validator(mode="after")
    def _exactly_one(self) -> Range:
        if (self.linear is None) == (self.log2 is None):
            raise ValueError("expected exactly one of 'linear' and 'log2'")
        return self


class WorkloadUse(StrictModel):
    """One of several workloads, with its weight."""

    workload: Text = Field(description="a preset's name, a path relative to the space file, or inline")
    weight: PositiveNumber = Field(default=1.0, description="its share with `aggregate: weighted`")


class ObjectiveConfig(StrictModel):
    """An expression over fields and results that is minimized or maximized."""

    minimize: ExpressionText | None = Field(default=None, description="expression to minimize")
    maximize: ExpressionText | None = Field(default=None, description="expression to maximize")
    name: Text | None = Field(default=None, description="name in tables and figures; the expression if left out")

    @model_validator(mode="after")
    def _exactly_one(self) -> ObjectiveConfig:
        if (self.minimize is None) == (self.maximize is None):
            raise ValueError("expected exactly one of 'minimize' and 'maximize'")
        return self


class SpaceConfig(StrictModel):
    """The content of a space file."""

    summary: Text = Field(description="one line that says what this space is")
    architecture: Text = Field(description="the machine that is varied: a preset's name, or a path")
    set: dict[Text, Value] = Field(default={}, description="fields that differ from its file in every point")
    workloads: Annotated[tuple[Text | WorkloadUse, ...], Field(min_length=1, max_length=32)] = Field(
        description="workloads that every design is judged by"
    )
    aggregate: Aggregate = Field(default=Aggregate.GEOMEAN, description="how several workloads become one number")
    schedule: Text | None = Field(
        default=None, description="order of the work, where it is no parameter; the family's first if left out"
    )
    parameters: Annotated[dict[Text, Choices | Range], Field(min_length=1, max_length=MAX_PARAMETERS)] = Field(
        description="what is varied: paths of fields of the architecture or of the workloads, or `schedule`"
    )
    derived: Annotated[dict[Text, Derived], Field(max_length=64)] = Field(
        default={}, description="fields that follow from others: an expression over fields, or a constant"
    )
    constraints: Annotated[tuple[ExpressionText, ...], Field(max_length=64)] = Field(
        default=(), description="what must hold, over fields and results"
    )
    objectives: Annotated[tuple[ObjectiveConfig, ...], Field(min_length=1, max_length=8)] = Field(
        description="what is minimized or maximized"
    )
    sampler: SamplerName = Field(default=SamplerName.GRID, description="how points are chosen")
    population: Annotated[int, Field(ge=4, le=10_000)] = Field(
        default=64, description="points that a sampler that learns proposes at once"
    )
    budget: Annotated[int, Field(ge=1, le=MAX_BUDGET)] | None = Field(
        default=None, description="points to look at; the whole grid if left out"
    )
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = Field(default=0, description="of the sampler")
    prune: bool = Field(default=True, description="skip designs whose bounds are dominated already")

    @model_validator(mode="after")
    def _budget_is_given(self) -> SpaceConfig:
        if self.budget is None and self.sampler is not SamplerName.GRID:
            raise ValueError(f"the sampler {self.sampler} needs a budget")
        return self

    @property
    def sampler_learns(self) -> bool:
        """Whether what is asked next depends on results: a pruned point would then mislead the sampler."""
        return self.sampler in (SamplerName.NSGA2, SamplerName.NSGA3, SamplerName.TPE)
