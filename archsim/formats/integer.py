"""Defines formats whose numbers are integer codes: fixed point, and integers with a calibrated scale."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from archsim.formats.number import IntegerFormat
from archsim.formats.rounding import Rounding


class Granularity(StrEnum):
    """How many weights share a scale."""

    TENSOR = "tensor"
    GATE = "gate"
    ROW = "row"


@dataclass(frozen=True)
class Fixed(IntegerFormat):
    """The format qM.N: M integer bits, the sign among them, and N fraction bits; a code stands for code / 2^N."""

    integer_bits: int
    fraction_bits: int
    rounding: Rounding = Rounding.EVEN
    wraps: bool = False

    @property
    def name(self) -> str:
        return f"q{self.integer_bits}.{self.fraction_bits}" + _options(self)

    @property
    def bits(self) -> int:
        return self.integer_bits + self.fraction_bits

    @property
    def scale(self) -> float:
        """The number that code 1 stands for."""
        return 2.0**-self.fraction_bits


@dataclass(frozen=True)
class Scaled(IntegerFormat):
    """The format intN: a code stands for (code - zero) * scale, both from calibration."""

    width: int
    granularity: Granularity = Granularity.TENSOR
    asymmetric: bool = False
    power_of_two: bool = False
    rounding: Rounding = Rounding.EVEN
    wraps: bool = False

    @property
    def name(self) -> str:
        name = f"int{self.width}"
        if self.granularity is not Granularity.TENSOR:
            name += f"/{self.granularity}"
        return name + "/asymmetric" * self.asymmetric + "/power_of_two" * self.power_of_two + _options(self)

    @property
    def bits(self) -> int:
        return self.width


def _options(number_format: IntegerFormat) -> str:
    rounding = "" if number_format.rounding is Rounding.EVEN else f"/{number_format.rounding}"
    return rounding + "/wrap" * number_format.wraps
