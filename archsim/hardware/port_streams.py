"""Times the words of operands and results on memory ports (docs/microarchitecture/units.md, "Memory ports").

A datapath works in *steps*, one a cycle: a chunk of a vector, `lanes` values. An operand comes through a port as words,
in the order in which the steps need its values; operands that share a port take turns, whichever a step needs first.
A step goes when its last word is there, so that an op holds its unit for

    max over words k (from 0) of  k + N - step(k)

cycles, N being its steps and step(k) the first one that needs the word. Results are the same thing backwards: a word
can be written when the step that makes its last value is over. Where a lane waits for its operands, so does the word
that its result belongs to; that matters to results that are wider than the operands which come last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from math import ceil, gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from archsim.config.deferred import Deferred

Bank = tuple[str, ...]
"""A bank of a memory: the memory's name, and what the bank is for; of a memory with one bank the name alone."""

Widths = Mapping[str, int | None]
"""Memory name -> the width of its ports in bits a cycle; None: no limit."""

Steps = NDArray[np.int64]

KEPT = 4096
"""Answers that are kept: ops of a program are mostly of a few shapes."""


class Ports(Mapping[str, int | None]):
    """The width of each memory's ports in bits a cycle; None: no limit.

    `banked` are the memories with a bank for each kind of data: their ports are of that width in each bank.
    """

    def __init__(self, widths: Widths, banked: Iterable[str] = ()) -> None:
        self._widths = widths if isinstance(widths, Deferred) else dict(widths)
        self.banked = frozenset(banked)

    def __getitem__(self, memory: str) -> int | None:
        return self._widths[memory]

    def __contains__(self, memory: object) -> bool:
        return memory in self._widths

    def __iter__(self) -> Iterator[str]:
        return iter(self._widths)

    def __len__(self) -> int:
        return len(self._widths)


class NotedPorts(Ports):
    """The ports of a machine, of which it is noted whose width somebody asks for."""

    def __init__(self, ports: Ports) -> None:
        super().__init__({}, ports.banked)
        self._ports = ports
        self.asked: dict[str, int | None] = {}

    def __getitem__(self, memory: str) -> int | None:
        self.asked[memory] = width = self._ports[memory]
        return width

    def __contains__(self, memory: object) -> bool:
        return memory in self._ports

    def __iter__(self) -> Iterator[str]:
        return iter(self._ports)

    def __len__(self) -> int:
        return len(self._ports)


@dataclass(frozen=True, slots=True)
class Run:
    """Values that steps take evenly: from `first_step` on, `per_step` of them for every `hold` steps.

    With `steps` they are spread over so many steps instead, value v in step floor(v steps / values); a fraction where
    a step takes no whole number of them.
    """

    first_step: int
    values: int
    per_step: int
    hold: int = 1
    steps: int | Fraction = 0

    def taken(self, place: int) -> int:
        """The step, counted from the first one, that takes the value at that place."""
        if not self.steps:
            return self.hold * (place // self.per_step)
        return place * self.steps.numerator // (self.values * self.steps.denominator)

    def taken_in(self, places: Steps) -> Steps:
        """The steps, counted from the first one, of values that are given by their places."""
        if not self.steps:
            return self.hold * (places // self.per_step)
        rate = Fraction(self.steps) / self.values
        if self.values * rate.numerator >> 63:  # beyond 64 bits NumPy goes on with Python's integers
            places = places.astype(object)
        return places * rate.numerator // rate.denominator

    @property
    def chunks(self) -> tuple[Run, ...]:
        """The run cut into what each step takes."""
        starts = range(0, self.values, self.per_step)
        return tuple(
            Run(self.first_step + self.hold * number, min(self.per_step, self.values - start), self.per_step, self.hold)
            for number, start in enumerate(starts)
        )


@dataclass(frozen=True)
class Stream:
    """The values of one operand or result on its way through a port, in the order of the steps.

    `bits`: of all values together, which also counts exponents that values share.
    """

    bank: Bank
    bits: int
    runs: tuple[Run, ...]

    @property
    def memory(self) -> str:
        """The name of the memory."""
        return self.bank[0]

    @cached_property
    def values(self) -> int:
        """The number of values."""
        return sum(run.values for run in self.runs)

    def words(self, width: int) -> int:
        """The number of words of `width` bits."""
        return -(-self.bits // width)

    def comes_in_time(self, width: int) -> bool:
        """Whether no step takes more values than a word has, so that, alone on a port, no step ever waits."""
        run = self.runs[0]
        return len(self.runs) == 1 and run.hold == 1 and self.bits * run.per_step <= width * self.values

    def alone_until(self, width: int) -> int:
        """The cycles until its last word is written, alone on a port for which it comes in time.

        Steps make at most a word, so that no two full words are made in one and none waits; but the last word, which
        need not be full, may be made with the one before it.
        """
        made = [self._made(width, word) + 1 for word in range(max(0, self.words(width) - 2), self.words(width))]
        return max(made[-1], made[0] + len(made) - 1)

    def _made(self, width: int, word: int) -> int:
        """The step that completes a word of the one run that there is."""
        stop = -(-(word + 1) * width * self.values // self.bits)
        return self.runs[0].first_step + self.runs[0].taken(min(stop, self.values) - 1)

    def needed(self, width: int) -> Steps:
        """The step that first needs each word: the one that takes the word's first value."""
        bits, values = self._bits_and_values
        return self._steps_of(np.arange(self.words(width)) * width * values // bits)

    def made(self, width: int) -> Steps:
        """The step that completes each word: the one that makes the word's last value."""
        return self._steps_of(self.last_values(width))

    def last_values(self, width: int) -> Steps:
        """The place of the last value of each word."""
        bits, values = self._bits_and_values
        stop = -(-(np.arange(self.words(width)) + 1) * width * values // bits)
        return np.asarray(np.minimum(stop, self.values) - 1, np.int64)

    def last_words(self, width: int) -> Steps:
        """The word with the last bit of each value."""
        bits, values = self._bits_and_values
        return np.asarray((-(-(np.arange(self.values) + 1) * bits // values) - 1) // width, np.int64)

    @property
    def _bits_and_values(self) -> tuple[Any, Any]:
        """Bits and values in lowest terms; beyond 64 bits NumPy goes on with Python's integers."""
        common = gcd(self.bits, self.values)
        bits, values = self.bits // common, self.values // common
        fits = 2 * self.bits * values < 1 << 63
        return (bits, values) if fits else (np.array(bits, object), np.array(values, object))

    def _steps_of(self, values: NDArray[Any]) -> Steps:
        """The steps of values, which are given by their places."""
        found = np.zeros(len(values), np.int64)
        before = 0
        for run in self.runs:
            mine = (values >= before) & (values < before + run.values)
            place = values[mine].astype(np.int64) - before
            found[mine] = run.first_step + run.taken_in(place)
            before += run.values
        return found


_Port = tuple[tuple[Stream, ...], int]
"""What passes a bank's port, and its width."""


def spread(values: int, steps: int | Fraction) -> tuple[Run, ...]:
    """The runs of values that are spread evenly over so many steps."""
    return (Run(0, values, ceil(values / Fraction(steps)), steps=steps),)


def even(values: int, per_step: int) -> tuple[Run, ...]:
    """The runs of values that are taken so many a step, from the first step on."""
    return (Run(0, values, per_step),)


def repeated(values: int, times: int, lanes: int) -> tuple[Run, ...]:
    """The runs of values that are each taken for so many elements, of which a step takes `lanes`.

    Value v comes with element v * times.
    """
    if lanes % times == 0:
        return even(values, lanes // times)
    if times % lanes == 0:
        return (Run(0, values, 1, times // lanes),)
    steps = Counter(value * times // lanes for value in range(values))
    return tuple(Run(step, count, count) for step, count in steps.items())


def cut_runs(
    start: int, entries: int, per_chunk: int, *, first_step: int = 0, each: int = 1, lanes: int = 1, hold: int = 1
) -> tuple[Run, ...]:
    """The runs of the entries [start, start + entries) of a vector that is taken in chunks of `per_chunk` entries.

    Chunk 0 begins in `first_step`. A chunk of vectors takes a step for each of the `lanes`; a chunk of weights, which
    have `each` values an entry, is taken in its first step and stays for `hold`.
    """
    steps_of_chunk = lanes * hold
    found: list[Run] = []
    place, stop = start, start + entries
    while place < stop:  # at most a rest of the chunk under way, whole chunks, and what is left
        chunk, inside = divmod(place, per_chunk)
        count, chunks = min(per_chunk - inside, stop - place), 1
        if count == per_chunk:
            chunks = (stop - place) // per_chunk
        found.append(Run(first_step + chunk * steps_of_chunk, count * chunks * each * lanes, count * each, hold))
        place += count * chunks
    return tuple(found)


def fetch_cycles(streams: Sequence[Stream], widths: Widths, steps: int) -> int:
    """The cycles for which reading holds an op of so many steps: at least the words of the busiest port.

    More than these, and than the steps, where early steps wait for words.
    """
    return max((_bank_cycles(found, width, steps) for found, width in _by_bank(streams, widths)), default=0)


def held_cycles(reads: Sequence[Stream], writes: Sequence[Stream], widths: Widths, steps: int) -> int:
    """The cycles for which ports hold an op of so many steps, whose results are written as lanes make them."""
    reading, writing = fetch_cycles(reads, widths, steps), write_cycles(writes, widths, steps)
    if reading <= steps or not writing:  # no step waits, or nothing does for it
        return max(reading, writing)
    operands, results = tuple(_by_bank(reads, widths)), tuple(_by_bank(writes, widths))
    return max(reading, writing, _written_late(operands, results, steps))


def fetch_tails(streams: Sequence[Stream], width: int, steps: int) -> tuple[int, ...]:
    """For each word on one port, in order, the cycles from its arrival to the end of the op that nothing shortens."""
    return tuple((steps - _needed(streams, width)).tolist())


def write_cycles(streams: Sequence[Stream], widths: Widths, steps: int) -> int:
    """The cycles for which writing holds an op of so many steps: at least the words of the busiest port.

    More than these, and than the steps, where a bank's words are made late.
    """
    return max((_written(found, width, steps) for found, width in _by_bank(streams, widths)), default=0)


@lru_cache(KEPT)
def _written_late(operands: tuple[_Port, ...], results: tuple[_Port, ...], steps: int) -> int:
    """The cycles until all words are written, where operands hold up those of the lanes that need them.

    0 for streams that do not all have the same values a step.
    """
    every = [stream for streams, _ in (*operands, *results) for stream in streams]
    (one, *others) = every[0].runs
    if others or any(stream.runs != (one,) for stream in every) or one.steps or one.hold > 1 or one.first_step:
        return 0
    there = np.zeros((steps, one.per_step), np.int64)
    for streams, width in operands:
        needed = [stream.needed(width) for stream in streams]
        order = np.argsort(np.concatenate(needed), kind="stable")
        cycle = np.empty_like(order)
        cycle[order] = np.arange(len(order))
        for stream, words in zip(
            streams, np.split(cycle, np.cumsum([len(found) for found in needed])[:-1]), strict=True
        ):
            values = there.reshape(-1)[: one.values]
            np.maximum(values, words[stream.last_words(width)], out=values)
    turns = np.arange(steps)[:, np.newaxis]
    worked = (np.maximum.accumulate(there - turns) + turns).reshape(-1)
    ends = [0]
    for streams, width in results:
        made = np.sort(np.concatenate([worked[stream.last_values(width)] for stream in streams]))
        ends.append(int((made + len(made) - np.arange(len(made))).max()))
    return max(ends)


def most_words(streams: Sequence[Stream], widths: Widths) -> int:
    """The words of the busiest port."""
    return max((_words(found, width) for found, width in _by_bank(streams, widths)), default=0)


def _by_bank(streams: Sequence[Stream], widths: Widths) -> Iterator[_Port]:
    """The streams of each bank whose port has a width."""
    banks: dict[Bank, list[Stream]] = {}
    for stream in streams:
        if stream.bits:
            banks.setdefault(stream.bank, []).append(stream)
    for bank, found in banks.items():
        width = widths[bank[0]]
        if width is not None:
            yield tuple(found), width


def _words(streams: Sequence[Stream], width: int) -> int:
    return sum(stream.words(width) for stream in streams)


def _bank_cycles(streams: tuple[Stream, ...], width: int, steps: int) -> int:
    if len(streams) == 1 and streams[0].comes_in_time(width):
        return streams[0].words(width)
    return _read(streams, width, steps)


@lru_cache(KEPT)
def _read(streams: tuple[Stream, ...], width: int, steps: int) -> int:
    words = _words(streams, width)
    held = int((np.arange(words) + steps - _needed(streams, width)).max())
    return held if held > max(words, steps) else words


def _needed(streams: Sequence[Stream], width: int) -> Steps:
    """The steps that need the words of one port, in the order in which these come: as needed, else as listed."""
    return np.sort(np.concatenate([stream.needed(width) for stream in streams]))


def _made(streams: Sequence[Stream], width: int) -> Steps:
    """The steps that complete the words of one port, in the order in which these are written."""
    return np.sort(np.concatenate([stream.made(width) for stream in streams]))


@lru_cache(KEPT)
def _written(streams: tuple[Stream, ...], width: int, steps: int) -> int:
    words = _words(streams, width)
    if len(streams) == 1 and streams[0].comes_in_time(width):
        held = streams[0].alone_until(width)
    else:
        held = int((_made(streams, width) + words - np.arange(words)).max())
    return held if held > max(words, steps) else words
