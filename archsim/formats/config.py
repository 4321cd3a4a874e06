"""Describes the formats section of an architecture: a number format for each kind of data, or one for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticKnownError

from archsim.config.allowed import Wording
from archsim.config.types import Named, StrictModel
from archsim.formats.floating import BlockFloat, Float32
from archsim.formats.integer import Fixed, Granularity, Scaled
from archsim.formats.number import FloatFormat, IntegerFormat, NumberFormat
from archsim.formats.offered import usable
from archsim.formats.parse import MAX_BITS, allowed_names, parse_format

KINDS = ("weight", "input", "hidden", "accumulator", "gate", "activation", "cell")
"""What has a format of its own."""

NORMALIZED_SUMS = "normalized_sums"
"""The kind of a gate's sums before they are normalized: their format follows from those of others."""

MAX_ASYMMETRIC_BITS = 16
"""A zero point lengthens a factor by a bit; with 32 bits a product would no longer fit into 64."""

FORMAT_SETS: dict[str, dict[str, str]] = {
    "tflite_int8": {
        "weight": "int8/gate/gemmlowp",
        "input": "int8/asymmetric/gemmlowp",
        "hidden": "int8/asymmetric/gemmlowp",
        "accumulator": "int32/gemmlowp",
        "gate": "q4.12/gemmlowp",
        "activation": "q1.15/gemmlowp",
        "cell": "int16/power_of_two/gemmlowp",
    }
}
"""Named sets. tflite_int8: the integer LSTM of TensorFlow Lite (8x8 -> 16 bits), see docs/numerics.md."""


def _known(name: str) -> str:
    return parse_format(name).name


FormatName = Annotated[str, AfterValidator(_known)]
"""The name of a number format."""


def _number_format(value: object) -> NumberFormat:
    if isinstance(value, NumberFormat):
        return usable(value)
    if not isinstance(value, str):
        raise PydanticKnownError("string_type")
    return parse_format(value)


AnyFormat = Annotated[NumberFormat, Named(_number_format), Wording("a string")]
"""A field that names a number format in files; in Python it may be given as a name or as the format itself."""


class Formats(StrictModel):
    """The number formats by kind of data; `formats: float32` sets all of them."""

    shorthand: ClassVar[str] = "all"
    """The key that a plain string stands for."""

    all: AnyFormat | None = Field(
        default=None, exclude=True, description="number format, or set of formats, of all kinds that are not given"
    )
    weight: AnyFormat = Field(description="number format of the weights")
    input: AnyFormat = Field(description="number format of the input x")
    hidden: AnyFormat = Field(description="number format of the hidden state h and of the output")
    accumulator: AnyFormat = Field(description="number format of the accumulators and of the bias")
    gate: AnyFormat = Field(description="number format of the gate pre-activations")
    activation: AnyFormat = Field(description="number format of the activation units' results")
    cell: AnyFormat = Field(description="number format of the cell state c")

    @model_validator(mode="before")
    @classmethod
    def _for_all(cls, value: object) -> object:
        if isinstance(value, str | NumberFormat):
            value = {"all": value}
        if isinstance(value, dict) and isinstance(value.get("all"), str | NumberFormat):
            given = {key: own for key, own in value.items() if key != "all"}
            return {**_set_of(value["all"]), **given}
        return value

    @model_validator(mode="after")
    def _go_together(self) -> Formats:
        for kind in KINDS:
            _check_kind(kind, self.format(kind))
        vectors = {kind: self.format(kind) for kind in ("weight", "input", "hidden")}
        accumulator = self.format("accumulator")
        if isinstance(accumulator, IntegerFormat):
            needed = (Fixed,) if isinstance(accumulator, Fixed) else (Fixed, Scaled)
            wrong = [f"{kind} {found}" for kind, found in vectors.items() if not isinstance(found, needed)]
            if wrong:
                kinds = "q formats" if len(needed) == 1 else "q or int formats"
                raise ValueError(
                    f"accumulator {accumulator} sums products of {kinds}, not of {', '.join(wrong)}; "
                    "float32 takes products of any format"
                )
        return self

    def format(self, kind: str) -> NumberFormat:
        """The number format of one of KINDS, or of NORMALIZED_SUMS."""
        found: NumberFormat = getattr(self, kind)
        return found

    @property
    def normalized_sums(self) -> NumberFormat:
        """The format of a gate's sums before layer normalization, which lie where those after it do.

        Where accumulators have the scale of their products, and sums are integers, each gate has a scale of its own.
        """
        gate = self.format("gate")
        if isinstance(self.format("accumulator"), Scaled) and isinstance(gate, IntegerFormat):
            return Scaled(gate.bits, rounding=gate.rounding, wraps=gate.wraps)
        return gate

    @property
    def projected_sums(self) -> NumberFormat:
        """The format of a projection's sums on their way into h, in the gate's bits.

        Where accumulators have the scale of their products, and gates have more bits than h, they are in h's scale,
        so that they are rounded once, the gate's way; a zero point lengthens a code less it by a bit.
        """
        gate, hidden = self.format("gate"), self.format("hidden")
        if not isinstance(self.format("accumulator"), Scaled) or not isinstance(hidden, Scaled):
            return gate
        if isinstance(gate, IntegerFormat) and gate.bits > hidden.bits:
            return Scaled(gate.bits, rounding=gate.rounding, wraps=gate.wraps)
        return gate

    @property
    def one_accumulation(self) -> bool:
        """Whether W_ih x and W_hh h go into the same accumulators: their products have the same scale."""
        if isinstance(self.format("accumulator"), FloatFormat):
            return True
        return isinstance(self.format("weight"), Fixed) and isinstance(self.input, Fixed) and self.input == self.hidden

    @property
    def converts_sums(self) -> bool:
        """Whether a converter stands behind the accumulators."""
        return self.accumulator != self.gate

    @property
    def exact(self) -> bool:
        """Whether all arithmetic is on integers, so that a reference must agree in every bit."""
        return all(isinstance(self.format(kind), IntegerFormat) for kind in KINDS)

    @property
    def floating(self) -> bool:
        """Whether all arithmetic is in floating point."""
        return all(isinstance(self.format(kind), FloatFormat) for kind in KINDS)

    @property
    def float32(self) -> bool:
        """Whether every kind is float32."""
        return all(isinstance(self.format(kind), Float32) for kind in KINDS)


def _set_of(name: str | NumberFormat) -> Mapping[str, str | NumberFormat]:
    if isinstance(name, NumberFormat):
        return dict.fromkeys(KINDS, name)
    if name in FORMAT_SETS:
        return FORMAT_SETS[name]
    try:
        parse_format(name)
    except ValueError as error:
        text = str(error)
        raise ValueError(
            text.replace(allowed_names(), f"{allowed_names()}, or the set {', '.join(FORMAT_SETS)}")
        ) from None
    return dict.fromkeys(KINDS, name)


def _check_kind(kind: str, number_format: NumberFormat) -> None:
    """ValueError if a kind of data cannot have the format."""
    if kind != "accumulator" and number_format.bits > MAX_BITS:
        raise ValueError(f"{kind} {number_format}: more than {MAX_BITS} bits; only an accumulator may have them")
    if isinstance(number_format, BlockFloat) and kind not in ("weight", "input", "hidden"):
        raise ValueError(f"{kind} {number_format}: only weight, input and hidden can share exponents")
    if not isinstance(number_format, Scaled):
        return
    if number_format.granularity is not Granularity.TENSOR and kind != "weight":
        raise ValueError(f"{kind} {number_format}: only weights have a scale for each gate or row")
    if number_format.asymmetric and number_format.bits > MAX_ASYMMETRIC_BITS:
        raise ValueError(f"{kind} {number_format}: only up to {MAX_ASYMMETRIC_BITS} bits have a zero point")
    if number_format.asymmetric and kind not in ("input", "hidden"):
        raise ValueError(f"{kind} {number_format}: only input and hidden have a zero point")
    if number_format.power_of_two and kind == "accumulator":
        raise ValueError(f"{kind} {number_format}: the scale of an accumulator is that of its products")
