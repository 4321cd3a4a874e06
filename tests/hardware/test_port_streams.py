"""Words on memory ports: against a port and a datapath that are walked cycle by cycle, and by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archsim.config.deferred import Deferred
from archsim.hardware.port_streams import (
    NotedPorts,
    Ports,
    Run,
    Stream,
    cut_runs,
    even,
    fetch_cycles,
    fetch_tails,
    held_cycles,
    repeated,
    spread,
    write_cycles,
)


@dataclass(frozen=True)
class Vector:
    """Entries of a vector in chunks: each value's step is found by walking over the chunks, one value at a time."""

    start: int
    entries: int
    per_chunk: int
    each: int
    lanes: int
    hold: int
    first_step: int
    bits: int

    @property
    def stream(self) -> Stream:
        runs = cut_runs(
            self.start,
            self.entries,
            self.per_chunk,
            first_step=self.first_step,
            each=self.each,
            lanes=self.lanes,
            hold=self.hold,
        )
        return Stream(("memory",), self.entries * self.each * self.lanes * self.bits, runs)

    def steps(self) -> list[int]:
        """The step of each value, in the order of the values."""
        chunks: dict[int, list[int]] = {}
        for entry in range(self.start, self.start + self.entries):
            chunks.setdefault(entry // self.per_chunk, []).append(entry)
        found = []
        for chunk, entries in chunks.items():
            for lane in range(self.lanes):
                step = self.first_step + chunk * self.lanes * self.hold + lane
                found += [step] * (len(entries) * self.each)
        return found


@st.composite
def vectors(draw: st.DrawFn) -> Vector:
    weights = draw(st.booleans())
    lanes = draw(st.integers(1, 3))
    return Vector(
        start=draw(st.integers(0, 9)),
        entries=draw(st.integers(1, 20)),
        per_chunk=draw(st.integers(1, 7)),
        each=draw(st.integers(1, 3)) if weights else 1,
        lanes=1 if weights else lanes,
        hold=lanes if weights else 1,
        first_step=draw(st.integers(0, 5)),
        bits=draw(st.sampled_from([1, 3, 8, 16])),
    )


def words_of(steps: Sequence[int], bits: int, width: int) -> list[list[int]]:
    """The steps of the values that each word has a bit of."""
    words: list[list[int]] = []
    for value, step in enumerate(steps):
        for bit in range(value * bits, (value + 1) * bits):
            if bit // width == len(words):
                words.append([])
            words[bit // width].append(step)
    return words


def walked_reads(found: Sequence[Vector], width: int, count: int) -> int:
    """Cycles until the last of `count` steps is done: a word a cycle arrives, a step goes when its words are there."""
    words = [min(word) for vector in found for word in words_of(vector.steps(), vector.bits, width)]
    words.sort()
    cycle, step, arrived = 0, 0, 0
    while step < count:
        arrived = min(len(words), arrived + 1)
        waiting = words[arrived:]
        if not waiting or waiting[0] > step:
            step += 1
        cycle += 1
    return cycle


def walked_writes(found: Sequence[Vector], width: int, count: int) -> int:
    """Cycles until all words are written: a step a cycle makes its values, a word that is whole goes in that cycle."""
    words = [max(word) for vector in found for word in words_of(vector.steps(), vector.bits, width)]
    words.sort()
    cycle, written = 0, 0
    while written < len(words) or cycle < count:
        if written < len(words) and words[written] <= cycle:
            written += 1
        cycle += 1
    return cycle


def walked(reads: Sequence[int], writes: Sequence[int], values: int, lanes: int, width: int) -> int:
    """Cycles of ports and lanes together, for operands and results of so many bits a value, all through one bank.

    Within a cycle the read port brings a word, each lane works on its next value if all its bits are there, and the
    write port takes a word whose values are all done.
    """
    steps = [value // lanes for value in range(values)]
    brought = [
        (min(word), found, k) for found, b in enumerate(reads) for k, word in enumerate(words_of(steps, b, width))
    ]
    brought.sort(key=lambda word: word[0])  # as needed, else as listed
    made = sorted(
        (max(places), found, places) for found, b in enumerate(writes) for places in words_of(range(values), b, width)
    )
    done: set[int] = set()
    cycle = 0
    while made or len(done) < values:
        here = {(found, k) for _, found, k in brought[: cycle + 1]}
        for lane in range(lanes):
            value = next((v for v in range(lane, values, lanes) if v not in done), None)
            if value is not None and all((f, ((value + 1) * b - 1) // width) in here for f, b in enumerate(reads)):
                done.add(value)
        if made and done.issuperset(made[0][2]):
            made.pop(0)
        cycle += 1
    return cycle


BITS = st.lists(st.sampled_from([3, 8, 16, 32]), min_size=1, max_size=3)


@given(BITS, BITS, st.integers(1, 20), st.integers(1, 9), st.integers(1, 20).map(lambda n: 8 * n) | st.integers(1, 70))
def test_results_wait_for_the_lanes_that_wait(
    reads: list[int], writes: list[int], values: int, lanes: int, width: int
) -> None:
    """As walked, or as long as the last step would be held if it had values for all lanes.

    Where words hold whole values and no result has more words than the operand that comes last, waiting for one port
    and for the other overlap.
    """
    count, ports = -(-values // lanes), {"memory": width}
    streams = [[Stream(("memory",), values * b, even(values, lanes)) for b in bits] for bits in (reads, writes)]
    held = max(count, held_cycles(streams[0], streams[1], ports, count))
    reading, writing = fetch_cycles(streams[0], ports, count), write_cycles(streams[1], ports, count)
    assert held == max(count, reading, walked(reads, writes, values, lanes, width))
    whole = all(width % bits == 0 for bits in (*reads, *writes))
    if whole and len(writes) == 1 and writes[0] <= reads[-1]:
        assert held == max(count, reading, writing)


@pytest.mark.parametrize(("lanes", "cycles"), [(1, 4), (2, 4), (4, 4)])
def test_results_leave_as_operands_come(lanes: int, cycles: int) -> None:
    """4 values, a word each: value v comes in cycle v, its lane works on it, and it leaves, whatever other lanes do."""
    values = Stream(("state",), 4 * 8, even(4, lanes))
    assert max(4 // lanes, held_cycles([values], [values], {"state": 8}, 4 // lanes)) == cycles


def test_values_that_lie_in_two_words() -> None:
    """2 values of 16 bits on a lane, words of 8: value 0 is there in cycle 1, value 1 in cycle 3.

    Results leave in cycles 1 and 2, and 3 and 4: 5 cycles, though 4 words come and 4 go.
    """
    values = Stream(("state",), 2 * 16, even(2, 1))
    assert held_cycles([values], [values], {"state": 8}, 2) == 5


def test_results_that_are_wider_than_the_operands_end_later() -> None:
    """4 values on 4 lanes, words of 16 bits: operands a and b of 8 bits, results of 16.

    Words of a come in cycles 0 and 1, of b in 2 and 3: values 0 and 1 are there in 2, 2 and 3 in 3. Their results, a
    word each, leave in cycles 2, 3, 4 and 5: 6 cycles, where reading takes 4 and writing 4. The two words that b has
    less than the result are the two cycles more.
    """
    operands = [Stream(("state",), 4 * 8, even(4, 4))] * 2
    results, widths = [Stream(("state",), 4 * 16, even(4, 4))], {"state": 16}
    assert (fetch_cycles(operands, widths, 1), write_cycles(results, widths, 1)) == (4, 4)
    assert held_cycles(operands, results, widths, 1) == 6


@given(st.lists(vectors(), min_size=1, max_size=3), st.integers(1, 70), st.integers(0, 5))
def test_reading_is_what_a_port_and_a_datapath_do_cycle_by_cycle(found: list[Vector], width: int, more: int) -> None:
    count = 1 + more + max(step for vector in found for step in vector.steps())
    streams, ports = [vector.stream for vector in found], Ports({"memory": width})
    walked = walked_reads(found, width, count)
    assert max(count, fetch_cycles(streams, ports, count)) == walked
    tails = fetch_tails(streams, width, count)
    assert max(count, *(cycle + tail for cycle, tail in enumerate(tails))) == walked
    assert fetch_cycles(streams, ports, count) >= len(tails)


@given(st.lists(vectors(), min_size=1, max_size=3), st.integers(1, 70), st.integers(0, 5))
def test_writing_is_what_a_datapath_and_a_port_do_cycle_by_cycle(found: list[Vector], width: int, more: int) -> None:
    count = 1 + more + max(step for vector in found for step in vector.steps())
    streams = [vector.stream for vector in found]
    assert max(count, write_cycles(streams, Ports({"memory": width}), count)) == walked_writes(found, width, count)


@given(vectors(), st.integers(1, 70))
def test_a_wider_port_or_a_bank_of_ones_own_is_never_slower(vector: Vector, width: int) -> None:
    """Neither for one operand nor for two that shared a port before."""
    count = 1 + max(vector.steps())
    stream = vector.stream
    other = Stream(("memory", "other"), stream.bits, stream.runs)
    one = fetch_cycles([stream], Ports({"memory": width}), count)
    assert max(count, fetch_cycles([stream], Ports({"memory": width + 1}), count)) <= max(count, one)
    shared = fetch_cycles([stream, stream], Ports({"memory": width}), count)
    assert fetch_cycles([stream, other], Ports({"memory": width}), count) == one <= shared


def operand(values: int, per_step: int, bits: int = 16, bank: str = "") -> Stream:
    return Stream(("state", bank), values * bits, even(values, per_step))


def test_four_operands_of_a_word_each_take_four_cycles_and_in_banks_of_their_own_one() -> None:
    """Words of i, f, g and c in cycles 0 to 3, the one step in cycle 3: 4 cycles. Side by side: all in cycle 0."""
    one = [operand(4, 4) for _ in range(4)]
    assert fetch_cycles(one, {"state": 64}, 1) == 4
    apart = [operand(4, 4, bank=name) for name in "ifgc"]
    assert fetch_cycles(apart, {"state": 64}, 1) == 1


def test_the_first_step_waits_for_a_word_of_each_operand() -> None:
    """16 values of 4 operands, 4 a step, 16 values a word: the words of all four are there in cycle 3, then 4 steps.

    3 + 4 = 7 cycles, though neither the 4 words nor the 4 steps take more than 4.
    """
    assert fetch_cycles([operand(16, 4) for _ in range(4)], {"state": 256}, 4) == 7


def test_x_behind_a_narrow_port_and_then_h() -> None:
    """x of 8 values, 4 a chunk, behind a port of 1 value a cycle: chunk 0 goes in cycle 3, chunk 1 in 7; 2 of h follow.

    7 + 1 + 2 = 10 cycles; x has 8 words, and there are 4 steps.
    """
    x = Stream(("x",), 8 * 8, cut_runs(0, 8, 4))
    h = Stream(("h",), 8 * 8, cut_runs(8, 8, 4))
    assert fetch_cycles([x, h], {"x": 8, "h": 32}, 4) == 10


def test_a_chunk_that_x_begins_and_h_ends() -> None:
    """x of 6 and h of 6 in chunks of 4: x 0-3, x 4-5 with h 0-1, h 2-5. h's port passes 2 values a cycle.

    Its words 0, 1, 2 are needed by steps 1, 2, 2 and come in cycles 0, 1, 2: nothing waits. At 1 value a cycle words 0
    to 5 are needed by steps 1, 1, 2, 2, 2, 2: the last comes in cycle 5, with step 2: 6 cycles.
    """
    assert cut_runs(6, 6, 4) == (Run(1, 2, 2), Run(2, 4, 4))
    h = Stream(("h",), 6 * 8, cut_runs(6, 6, 4))
    assert fetch_cycles([h], {"h": 16}, 3) == 3
    assert fetch_cycles([h], {"h": 8}, 3) == 6


def test_weights_of_a_chunk_come_before_the_first_of_its_vectors() -> None:
    """2 rows x 4 columns a chunk, 2 chunks, 4 vectors: 8 weights behind a port of 2 a cycle are whole in cycle 3.

    Chunk 0 works in cycles 3 to 6, chunk 1, whose last word comes in cycle 7, in 7 to 10: 11 cycles; 8 words, 8 steps.
    """
    weights = Stream(("w",), 16 * 8, cut_runs(0, 8, 4, each=2, hold=4))
    assert fetch_cycles([weights], {"w": 16}, 8) == 11


def test_three_gates_to_three_banks() -> None:
    """2 values of each gate, a value a cycle, half a value a word: the last gate is made in cycles 4 and 5.

    Each is two words: written in cycles 4, 5, 6 and 7, so 8 cycles, though a bank has 4 words and there are 6 steps.
    """
    gates = [Stream(("state", name), 2 * 16, cut_runs(start, 2, 1)) for name, start in (("i", 0), ("f", 2), ("o", 4))]
    assert write_cycles(gates, {"state": 8}, 6) == 8
    assert write_cycles(gates, {"state": 16}, 6) == 2


@pytest.mark.parametrize(
    ("times", "lanes", "runs"),
    [
        (2, 4, (Run(0, 7, 2),)),
        (4, 2, (Run(0, 7, 1, 2),)),
        (2, 3, (Run(0, 2, 2), Run(1, 1, 1), Run(2, 2, 2), Run(3, 1, 1), Run(4, 1, 1))),
    ],
)
def test_values_that_are_taken_for_several_elements(times: int, lanes: int, runs: tuple[Run, ...]) -> None:
    """7 values for 2 elements each, 4 a step: 2 values a step. For 4, 2 a step: a value every 2 steps.

    For 2 elements each, 3 a step: values 0 to 6 begin with elements 0, 2, 4, .. 12, in steps 0, 0, 1, 2, 2, 3 and 4.
    """
    assert repeated(7, times, lanes) == runs


def test_no_limit_and_nothing_to_move() -> None:
    assert fetch_cycles([operand(4, 4)], {"state": None}, 1) == 0
    assert fetch_cycles([], {"state": 8}, 1) == 0
    assert fetch_cycles([Stream(("state",), 0, ())], {"state": 8}, 1) == 0


@pytest.mark.parametrize(("bits", "values"), [(1 << 45, 3), ((1 << 61) - 1, 1 << 20)])
def test_beyond_64_bits(bits: int, values: int) -> None:
    """Products that no 64-bit integer holds are exact: word k of width bits / 4 begins at value k v / 4."""
    stream = Stream(("m",), bits, even(values, 1))
    width = -(-bits // 4)
    assert stream.needed(width).tolist() == [k * width * values // bits for k in range(4)]


def test_noted_ports_are_the_ports_and_know_what_was_asked_for() -> None:
    ports = Ports({"a": 8, "b": None, "c": 4}, ("a",))
    noted = NotedPorts(ports)
    assert (len(noted), list(noted), noted.banked) == (3, ["a", "b", "c"], frozenset("a"))
    assert noted.asked == {}
    assert (noted["a"], noted.get("b"), noted.get("z")) == (8, None, None)
    assert noted.asked == {"a": 8, "b": None}


def test_widths_are_worked_out_when_they_are_asked_for() -> None:
    made: list[str] = []
    ports = Ports(Deferred({"a": lambda: made.append("a") or 8, "b": lambda: made.append("b")}))  # type: ignore[func-returns-value]
    assert ("b" in ports, made) == (True, [])
    assert (ports["a"], ports["a"], made) == (8, 8, ["a"])


@given(vectors(), st.integers(1, 70))
def test_a_result_that_comes_in_time_is_written_as_it_is_made(vector: Vector, width: int) -> None:
    """By the short way for one result alone, as by the walk over all words."""
    stream = vector.stream
    if stream.comes_in_time(width):
        made = (stream.made(width) + stream.words(width) - range(stream.words(width))).max()
        assert stream.alone_until(width) == made


@given(st.integers(1, 60), st.fractions(1, 20), st.integers(1, 16), st.integers(1, 70))
def test_values_at_a_broken_rate(values: int, steps: Fraction, bits: int, width: int) -> None:
    """However few steps: a word is needed with its first value and made with its last, floor(v steps / values)."""
    stream = Stream(("m",), values * bits, spread(values, steps))
    places = [int(value * steps / values) for value in range(values)]
    assert stream.needed(width).tolist() == [min(word) for word in words_of(places, bits, width)]
    assert stream.made(width).tolist() == [max(word) for word in words_of(places, bits, width)]
    if stream.comes_in_time(width):
        assert stream.alone_until(width) == max(
            made + stream.words(width) - k for k, made in enumerate(stream.made(width))
        )
