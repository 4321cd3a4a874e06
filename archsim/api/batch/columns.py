"""Figures of many designs as columns, with the very numbers that one design after the other gives.

A figure that is a quotient of whole numbers is that quotient rounded once. Where both fit into a double, dividing does
it; else fractions do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import fsum
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

Scalar = int | float | str | None
Value = TypeVar("Value")
Part = TypeVar("Part")

EXACT = 1 << 53
"""Below it every whole number is exact as a double."""
WORTH_ARRAYS = 256
"""The least sums that are faster as arrays than one by one."""
WORTH_SORTING = 1024
"""The least values that are faster to sort first than to write one by one."""
ALL = slice(None)
"""The places of all designs."""
FEW_CODES = 4
"""Up to so many times as many codes as designs a table of all codes is faster than sorting."""


@dataclass(frozen=True, slots=True, eq=False)
class Picked(Generic[Value]):
    """A value for each of N designs: the distinct ones, and which of them each design has."""

    values: Sequence[Value]
    codes: Codes

    def at(self, rows: Codes | slice) -> Picked[Value]:
        """A column of some of the designs, with the values that they have."""
        codes = self.codes[rows]
        if len(self.values) == 1:
            return Picked(self.values, codes)
        used, codes = _used(codes, len(self.values))
        return Picked([self.values[value] for value in used.tolist()], codes)

    def of(self, row: int) -> Value:
        """The value of one design."""
        value: Value = self.values[int(self.codes[row])]
        return value

    def parts(self, part: Callable[[Value], Part]) -> Picked[Part]:
        """A part of each value; what several values have as the same object stands once."""
        of_values = list(map(part, self.values))
        places = {number: place for place, number in enumerate(dict.fromkeys(map(id, of_values)))}
        distinct = list({id(each): each for each in of_values}.values())
        return Picked(distinct, np.array([places[id(each)] for each in of_values], np.intp)[self.codes])

    def each(self) -> Iterator[Value]:
        """The value of every design."""
        return map(self.values.__getitem__, self.codes.tolist())


@dataclass(frozen=True, eq=False)
class Column:
    """A figure of N designs: numbers in an array, or any values with which of them each design has."""

    of: Ints | Floats | Picked[Scalar]

    @staticmethod
    def same(value: Scalar, designs: int) -> Column:
        """The column of a figure that all designs share."""
        return Column(Picked((value,), np.zeros(designs, np.intp)))

    @cached_property
    def compact(self) -> Column:
        """A column with distinct values and who has which, where these are few."""
        if isinstance(self.of, Picked):
            return self
        if len(self.of) == 1:
            return Column(Picked(self.of.tolist(), np.zeros(1, np.intp)))
        # By their bits, so that 0.0 and -0.0 are two.
        if len(self.of) and (self.of.view(np.int64) == self.of[:1].view(np.int64)).all():
            return Column(Picked(self.of[:1].tolist(), np.zeros(len(self.of), np.intp)))
        if len(self.of) < WORTH_SORTING:
            return self
        bits, first, codes = np.unique(self.of.view(np.int64), return_index=True, return_inverse=True)
        return self if 2 * len(bits) > len(codes) > 1 else Column(Picked(self.of[first].tolist(), codes))

    def at(self, rows: Codes | slice) -> Column:
        """The figure of some of the designs."""
        if isinstance(rows, slice) and rows == ALL:
            return self
        return Column(self.of.at(rows) if isinstance(self.of, Picked) else self.of[rows])

    def __len__(self) -> int:
        return len(self.of.codes) if isinstance(self.of, Picked) else len(self.of)

    def value(self, row: int) -> Scalar:
        """The figure of one design, as Python's own number."""
        return self.of.of(row) if isinstance(self.of, Picked) else self.of[row].item()

    def values(self) -> list[Scalar]:
        """The figure of every design, as Python's own numbers."""
        return list(self.of.each()) if isinstance(self.of, Picked) else self.of.tolist()


def compacted(columns: Mapping[str, Column]) -> dict[str, Column]:
    """The columns of a table, each as `Column.compact` has it; of short ones those of one value are found at once."""
    arrays = {name: column.of for name, column in columns.items() if not isinstance(column.of, Picked)}
    designs = len(next(iter(arrays.values()), ()))
    if not 1 < designs < WORTH_SORTING:
        return {name: column.compact for name, column in columns.items()}
    bits = np.stack([array.view(np.int64) for array in arrays.values()])
    same = dict(zip(arrays, (bits == bits[:, :1]).all(axis=1).tolist(), strict=True))
    one = np.zeros(designs, np.intp)
    return {
        name: Column(Picked(arrays[name][:1].tolist(), one)) if same.get(name) else column
        for name, column in columns.items()
    }


def classes(codes: Sequence[Codes], designs: int) -> tuple[Codes, Codes]:
    """Designs that have all codes in common: the first design of each class, and the class of every design."""
    together = np.zeros(designs, np.int64)
    count = 1
    for each in codes:
        kinds = int(each.max(initial=0)) + 1
        if kinds == 1:
            continue
        if count * kinds >= 1 << 62:
            _, together = np.unique(together, return_inverse=True)
            count = int(together.max(initial=0)) + 1
        together = together * kinds + each
        count *= kinds
    if count == 1:
        return np.zeros(min(1, designs), np.intp), np.zeros(designs, np.intp)
    if count > FEW_CODES * designs:
        _, first, inverse = np.unique(together, return_index=True, return_inverse=True)
        return first, inverse
    of_code = np.full(count, designs, np.intp)
    of_code[together[::-1]] = np.arange(designs)[::-1]  # of those with the same code the first stands
    used = np.flatnonzero(of_code < designs)
    places = np.empty(count, np.intp)
    places[used] = np.arange(len(used))
    return of_code[used], places[together]


def _used(codes: Codes, count: int) -> tuple[Codes, Codes]:
    """Which of so many codes there are, ascending, and the place of each one's code among these."""
    if count > FEW_CODES * len(codes):
        return np.unique(codes, return_inverse=True)
    used = np.flatnonzero(np.bincount(codes, minlength=count))
    places = np.empty(count, np.intp)
    places[used] = np.arange(len(used))
    return used, places[codes]


def joined(parts: Sequence[Picked[Value]]) -> Picked[Value]:
    """The values of several groups of designs, one group after the other; one that is in two groups stands once."""
    places: dict[int, int] = {}
    values: list[Value] = []
    codes: list[Codes] = []
    for part in parts:
        for value in part.values:
            if places.setdefault(id(value), len(values)) == len(values):
                values.append(value)
        codes.append(np.array([places[id(value)] for value in part.values], np.intp)[part.codes])
    return Picked(values, np.concatenate(codes))


def concatenated(columns: Sequence[Column]) -> Column:
    """The columns of several groups of designs as one, one group after the other."""
    if len(columns) == 1:
        return columns[0]
    arrays = [column.of for column in columns if not isinstance(column.of, Picked)]
    if len(arrays) == len(columns) and len({array.dtype for array in arrays}) == 1:
        return Column(np.concatenate(arrays))  # type: ignore[arg-type]  # of one kind
    picked = [each.of if isinstance(each.of, Picked) else _each_its_own(each.of) for each in columns]
    begins = np.cumsum([0, *(len(each.values) for each in picked)])
    codes = np.concatenate([each.codes + begin for each, begin in zip(picked, begins.tolist(), strict=False)])
    return Column(Picked([value for each in picked for value in each.values], codes))


def _each_its_own(values: Ints | Floats) -> Picked[Scalar]:
    return Picked(values.tolist(), np.arange(len(values)))


def quotients(numerators: Sequence[Ints], denominators: Sequence[Ints], constants: Picked[Fraction]) -> Floats:
    """The product of some whole numbers by that of others, times a constant, rounded once, for each design."""
    above, below = ([getattr(each, part) for each in constants.values] for part in ("numerator", "denominator"))
    if _most(numerators, above) < EXACT and _most(denominators, below) < EXACT:
        found: Floats = _product(numerators, above, constants.codes) / _product(denominators, below, constants.codes)
        return found
    each = enumerate(constants.each())
    exact = [float(_fraction(numerators, row) * by / _fraction(denominators, row)) for row, by in each]
    return np.array(exact, np.float64)


def numbers(numerator: Ints, over: Picked[int]) -> Column:
    """Quotients as figures show them: those that are whole as whole numbers, the others rounded once."""
    whole, rest = np.divmod(numerator, np.array(over.values, np.int64)[over.codes])
    if not rest.any():
        return Column(whole)
    rounded = quotients([numerator], [], Picked([Fraction(1, each) for each in over.values], over.codes))
    if rest.all():
        return Column(rounded)
    values: list[Scalar] = [
        i if r == 0 else f for i, r, f in zip(whole.tolist(), rest.tolist(), rounded.tolist(), strict=True)
    ]
    return Column(Picked(values, np.arange(len(values))))


def exact_sums(columns: Sequence[Floats], designs: int) -> Floats:
    """The sum of some columns for each design, as math.fsum gives it: exact, rounded once."""
    if not columns:
        return np.zeros(designs)
    if len(columns) == 1:
        return columns[0]
    if len(columns) == 2:
        found: Floats = columns[0] + columns[1]
        return found
    if designs < WORTH_ARRAYS:
        return _fsums(columns)
    # A sum and its rounding errors, which are doubles, too, are the exact sum (Knuth's TwoSum); so are the sum of these
    # errors and theirs. Where the latter are 0, as with numbers within some 2 ** 50 of each other, rounding is once.
    total, rest, unsure = columns[0], np.zeros(designs), np.zeros(designs, np.bool_)
    with np.errstate(invalid="ignore", over="ignore"):
        for column in columns[1:]:
            total, error = _two_sum(total, column)
            rest, left = _two_sum(rest, error)
            unsure |= left != 0
        sums: Floats = total + rest + 0.0  # fsum's zero has no sign
    if unsure.any():
        sums[unsure] = _fsums([column[unsure] for column in columns])
    return sums


def _fsums(columns: Sequence[Floats]) -> Floats:
    return np.array(list(map(fsum, zip(*(column.tolist() for column in columns), strict=True))), np.float64)


def _two_sum(one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """The rounded sums, and what rounding took."""
    total = one + other
    of_other = total - one
    return total, (one - (total - of_other)) + (other - of_other)


def _most(factors: Sequence[Ints], constants: Sequence[int]) -> int:
    most = max(map(abs, constants), default=1)
    for factor in factors:
        most *= int(np.abs(factor).max(initial=1))
    return most


def _product(factors: Sequence[Ints], constants: Sequence[int], codes: Codes) -> Ints:
    product: Ints = np.array(constants, np.int64)[codes]
    for factor in factors:
        product = product * factor
    return product


def _fraction(factors: Sequence[Ints], design: int) -> Fraction:
    product = 1
    for factor in factors:
        product *= int(factor[design])
    return Fraction(product)
