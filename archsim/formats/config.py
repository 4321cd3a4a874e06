"""The formats section of an architecture: a number format for each kind of data, or one name for all."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from archsim.config.types import StrictModel
from archsim.formats.number import NumberFormat, parse_format


def _known(name: str) -> str:
    return parse_format(name).name


FormatName = Annotated[str, AfterValidator(_known)]


class Formats(StrictModel):
    """Number formats by kind of data; `formats: float32` sets all of them."""

    weight: FormatName = Field(description="number format of the weights")
    input: FormatName = Field(description="number format of the input x")
    hidden: FormatName = Field(description="number format of the hidden state h and of the output")
    accumulator: FormatName = Field(description="number format of the accumulators and of the bias")
    gate: FormatName = Field(description="number format of the gate pre-activations")
    cell: FormatName = Field(description="number format of the cell state c")
    activation: FormatName = Field(description="number format of the activation units' results")

    @model_validator(mode="before")
    @classmethod
    def _one_for_all(cls, value: object) -> object:
        return dict.fromkeys(cls.model_fields, _known(value)) if isinstance(value, str) else value

    def format(self, kind: str) -> NumberFormat:
        """The number format of one of the fields, e.g. "weight"."""
        return parse_format(str(getattr(self, kind)))
