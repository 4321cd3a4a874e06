"""The integers behind an op's arithmetic: multipliers, shifts, zero points and tables, for models outside archsim.

docs/program_json.md says what each stands for; every unit makes those of its ops beside their arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from archsim.formats import Fixed, IntegerFormat
from archsim.formats.rounding import Conversion, Rounding
from archsim.workload.network import FunctionSpec


@dataclass(frozen=True, slots=True)
class Rescale:
    """The conversion v * multiplier / 2^shift, rounded: one for all values, or one for each row.

    A multiplier is 1 (a shift alone; a negative one goes left) or at least 2^30 and below 2^31.
    """

    multipliers: tuple[int, ...]
    shifts: tuple[int, ...]
    rounding: Rounding

    @classmethod
    def from_conversion(cls, conversion: Conversion) -> Rescale:
        """The integers of a conversion; of rows that are all alike, one for all."""
        rows = list(zip(*conversion.integers(), strict=True))
        if len(set(rows)) == 1:
            del rows[1:]
        multipliers, shifts = zip(*rows, strict=True)
        return cls(multipliers, shifts, conversion.rounding)


@dataclass(frozen=True, slots=True)
class NoConstants:
    """What stands for arithmetic that no integers define, and why."""

    definition: Literal["floating_point", "float64", "not_exported"]
    reason: str


FLOATING = NoConstants("floating_point", "an operand or the result is a floating-point number")


@dataclass(frozen=True, slots=True)
class MoveConstants:
    """A copy: codes move as they are, to every target; of an op that reads and writes nothing, nothing."""

    definition: Literal["move"] = "move"


@dataclass(frozen=True, slots=True)
class ConstantConstants:
    """One code, of which all numbers of the target are made."""

    value: int
    definition: Literal["constant"] = "constant"


@dataclass(frozen=True, slots=True)
class Accumulation:
    """One pass through the accumulators: which weights and vectors of the op, and what is done to their products.

    `operands`: places among the op's weights (and vectors). `columns`: inputs whose products are summed before they are
    added. `chunk_shift`: places by which each such sum is shifted right, with the accumulators' rounding, before it is.
    """

    operands: tuple[int, ...]
    columns: int
    vector_zero: int
    chunk_shift: int
    to_sums: Rescale


@dataclass(frozen=True, slots=True)
class TileConstants:
    """The integers of a MAC tile; `bias_to_sums` is for rows that have no product, only their bias."""

    accumulator: IntegerFormat
    accumulations: tuple[Accumulation, ...]
    bias_to_sums: Rescale
    definition: Literal["tile"] = "tile"


@dataclass(frozen=True, slots=True)
class PassConstants:
    """The integers of a pass through a systolic array: one sum of products, added to accumulators in their format."""

    accumulator: IntegerFormat
    vector_zero: int
    chunk_shift: int
    definition: Literal["pass"] = "pass"


@dataclass(frozen=True, slots=True)
class DrainConstants:
    """The integers that bring accumulators to sums, one conversion for each part of the op, and one for the bias."""

    to_sums: tuple[Rescale, ...]
    bias_to_sums: Rescale | None
    definition: Literal["drain"] = "drain"


@dataclass(frozen=True, slots=True)
class Product:
    """A product (a - a_zero) * (b - b_zero), rescaled to the target."""

    a_zero: int
    b_zero: int
    rescale: Rescale


@dataclass(frozen=True, slots=True)
class ElementwiseConstants:
    """The integers of an element-wise op, in the order in which its formula names them.

    `values`: conversions of operands that are added as they are; `one`: the code of 1 in a difference 1 - a.
    """

    products: tuple[Product, ...]
    values: tuple[Rescale, ...]
    one: int | None
    definition: Literal["elementwise"] = "elementwise"


@dataclass(frozen=True, slots=True)
class NormalizationConstants:
    """The integers of a normalization, whose steps docs/numerics.md has.

    `fraction_bits`: places of the mean and of gamma's product. `least_variance`: what a variance below 1 becomes.
    """

    fraction_bits: int
    least_variance: int
    bias: Rescale | None
    to_sums: Rescale
    definition: Literal["normalization"] = "normalization"


@dataclass(frozen=True, slots=True)
class IdentityConstants:
    """A value that only changes its format: narrow(rescale(x - source_zero))."""

    source_zero: int
    rescale: Rescale
    definition: Literal["identity"] = "identity"


@dataclass(frozen=True, slots=True)
class Addressing:
    """The way from an argument to an address: narrow(rescale(x - source_zero)) to the format `address`."""

    address: Fixed
    source_zero: int
    rescale: Rescale


@dataclass(frozen=True, slots=True)
class TableConstants:
    """A look-up table; `values` are the codes of t_0 .. t_N, zero point included."""

    addressing: Addressing
    interpolation: Literal["nearest", "linear"]
    address_limit: int
    address_shift: int
    half_span: int
    step_bits: int
    values: tuple[int, ...]
    rounding: Rounding
    definition: Literal["table"] = "table"


@dataclass(frozen=True, slots=True)
class LinesConstants:
    """Line segments: narrow(rescale(slopes[k] * a) + intercepts[k]) for an address a in segment k."""

    addressing: Addressing
    address_lowest: int
    address_highest: int
    breakpoints: tuple[int, ...]
    slopes: tuple[int, ...]
    intercepts: tuple[int, ...]
    rescale: Rescale
    definition: Literal["lines"] = "lines"


@dataclass(frozen=True, slots=True)
class RealFunction:
    """A function that is computed in float64 on real values: no integers define its roundings.

    Results are narrow(round(f((x - source_zero) * source_scale) / target_scale)).
    """

    function: FunctionSpec
    method: str
    source_zero: int
    source_scale: float
    target_scale: float
    reason: str
    definition: Literal["float64"] = "float64"


FunctionConstants = IdentityConstants | TableConstants | LinesConstants | RealFunction | NoConstants


@dataclass(frozen=True, slots=True)
class ActivationConstants:
    """The integers of an activation: what is added in front (bias), the bound of a clip, and the function."""

    bias_to_source: Rescale | None
    clip: int | None
    function: FunctionConstants
    definition: Literal["activation"] = "activation"


@dataclass(frozen=True, slots=True)
class FunctionStep:
    """A function of words on their way, behind the bound of a clip."""

    clip: int | None
    function: FunctionConstants
    definition: Literal["function"] = "function"


@dataclass(frozen=True, slots=True)
class AddStep:
    """The sum narrow(words + register - register_zero)."""

    register_zero: int
    definition: Literal["add"] = "add"


@dataclass(frozen=True, slots=True)
class SettleStep:
    """The words narrowed; with a bias narrow(words + narrow(rescale(bias)))."""

    bias: Rescale | None
    definition: Literal["settle"] = "settle"


@dataclass(frozen=True, slots=True)
class DifferenceStep:
    """The difference one - words, or words - register if there is one."""

    one: int
    definition: Literal["difference"] = "difference"


@dataclass(frozen=True, slots=True)
class TimesStep:
    """The product of words and register, narrowed if `narrow`."""

    product: Product
    narrow: bool
    definition: Literal["times"] = "times"


StepConstants = FunctionStep | AddStep | SettleStep | DifferenceStep | TimesStep
"""The integers of one of the steps that words pass in a multi-function unit."""


@dataclass(frozen=True, slots=True)
class StepsConstants:
    """The integers of all steps of a multi-function unit, in their order."""

    steps: tuple[StepConstants, ...]
    definition: Literal["steps"] = "steps"


OpConstants = (
    MoveConstants
    | ConstantConstants
    | TileConstants
    | PassConstants
    | DrainConstants
    | ElementwiseConstants
    | NormalizationConstants
    | ActivationConstants
    | StepsConstants
    | NoConstants
)
"""The integers of an op's arithmetic."""
