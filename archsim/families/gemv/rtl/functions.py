"""Collects the activation functions of a program, and their tables or lines."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from archsim.families.gemv.config import GemvConfig
from archsim.families.gemv.rtl.formats import address_of
from archsim.families.gemv.rtl.ratio import NOTHING, Ratio, ratio
from archsim.families.gemv.rtl.words import Field, Word
from archsim.formats import Encoding, Rounding
from archsim.formats.rounding import rounded
from archsim.hardware.functions.piecewise import PiecewiseMethod
from archsim.hardware.functions.table import TableMethod
from archsim.workload.network import FunctionSpec

INTERCEPT_BITS = 63


@dataclass(slots=True)
class Functions:
    """The tables, or lines, of each function and target; `words` are those of the ROM."""

    config: GemvConfig
    words: list[int] = field(default_factory=list)
    known: dict[tuple[FunctionSpec, float, int, bool], tuple[int, Ratio]] = field(default_factory=dict)

    @property
    def linear(self) -> bool:
        """Whether a table is read between two entries."""
        return self.config.activation.table.interpolation == "linear"

    @property
    def line_word(self) -> Word:
        """A word of the ROM of lines: the breakpoint before it, slope, intercept."""
        return line_word(self.config)

    def place(self, function: FunctionSpec, target: Encoding, into_hidden: bool) -> tuple[int, Ratio]:
        """The first word of a function with results of an encoding, and (lines) the ratio of its products."""
        assert isinstance(target.scale, float)
        key = (function, target.scale, target.zero, into_hidden)
        if key not in self.known:
            first = len(self.words)
            self.known[key] = first, self._add(function, target)
        return self.known[key]

    def _add(self, function: FunctionSpec, target: Encoding) -> Ratio:
        address = address_of(self.config)
        if self.config.activation.method.name == "table":
            table = TableMethod(self.config.activation.table, address).table(function, target)
            self.words += [int(code) for code in table]
            return NOTHING
        method = PiecewiseMethod(self.config.activation.piecewise_linear, address)
        lines = method.lines(function)
        slopes, fraction_bits = method.slope_codes(lines)
        scale = float(target.scale)
        intercepts = np.clip(rounded(lines.intercepts / scale, Rounding.HALF_UP), -(2.0**61), 2.0**61).astype(np.int64)
        places = [0, *(int(point * 2.0**address.fraction_bits) for point in lines.breakpoints)]
        segments = self.config.activation.piecewise_linear.segments
        found = list(zip(places, slopes.tolist(), intercepts.tolist(), strict=True))
        # A fit may need fewer segments than there are: the last one again, from the same place on.
        found += [found[-1]] * (segments - len(found))
        names = ("breakpoint", "slope", "intercept")
        self.words += [self.line_word.pack(dict(zip(names, line, strict=True))) for line in found]
        return ratio(2.0 ** -(fraction_bits + address.fraction_bits) / scale)


def line_word(config: GemvConfig) -> Word:
    """The word of a line segment."""
    slope_bits = config.activation.piecewise_linear.coefficient_bits
    return Word(
        "line_t",
        (Field("breakpoint", address_of(config).bits), Field("slope", slope_bits), Field("intercept", INTERCEPT_BITS)),
    )
