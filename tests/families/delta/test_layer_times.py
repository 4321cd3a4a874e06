"""A layer's step on a delta machine, to the cycle, derived by hand from the rules of docs/delta.md."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archsim.families.delta.layer_times import LayerRules, LayerTimes, busy_cycles, layer_times
from archsim.workload.activity import StepColumns

EDGEDRNN = LayerRules(
    inputs=8,
    hidden=16,
    burst_beats=6,
    encoder_cycles=2,
    part_gap_cycles=2,
    fifo_entries=32,
    fifo_cycles=2,
    fetch_cycles=1,
    mark_cycles=1,
)
"""I 8, H 16 on 8 PEs: a GRU's column has 3 * 16 weights, 6 beats."""


def test_a_step_in_which_nothing_has_changed() -> None:
    """Two marks. Column 8, the last of x, leaves the encoder in cycle 2 + 8 = 10, is at the output in 12 and takes that
    cycle; column 24 leaves in 4 + 24 = 28, so that the encoder is through at the end of 28, and is at the output in 30.
    """
    found = layer_times(StepColumns((), ()), EDGEDRNN)
    assert found == LayerTimes(scanned=29, multiplied=31, busy=2, stood_still=0)


def test_the_bias_in_step_1() -> None:
    """Column 0 leaves in cycle 2, is at the output in 4, and its beats are 5 to 10; all else as with nothing."""
    found = layer_times(StepColumns((0,), ()), EDGEDRNN)
    assert found == LayerTimes(scanned=29, multiplied=31, busy=8, stood_still=0)


def test_step_8_of_the_shipped_model_at_threshold_16() -> None:
    """Layer 1 multiplies columns 11 and 15 of h, layer 2 columns 19, 23, 26, 27, 28 of its h (44, 48, 51, 52, 53).

    Layer 1: the mark of x takes cycle 12. 11 leaves in 15, is at the output in 17: beats 18 to 23; 15, at the output in
    21, right behind it: 24 to 29. Column 24 is zero: its mark is there in 30 and takes it. Activation 4 cycles later,
    in 34; 5 * (16 / 8 + 1) = 15 more are 49, the last word, so layer 2 begins in 50.
    Layer 2, counted from there: mark of x (column 16) 20; 19 leaves in 23: 26 to 31; then back to back 32, 38, 44, and
    50 to 55; the mark of column 32, at the output since 38, takes 56. Activation 60, last word 75.
    So the step takes 50 + 76 cycles.
    """
    first = layer_times(StepColumns((), (11, 15)), EDGEDRNN)
    assert first == LayerTimes(scanned=29, multiplied=31, busy=14, stood_still=0)
    second = layer_times(StepColumns((), (19, 23, 26, 27, 28)), replace(EDGEDRNN, inputs=16))
    assert second == LayerTimes(scanned=37, multiplied=57, busy=32, stood_still=0)


def test_a_column_whose_last_of_a_part_has_changed_sends_no_mark() -> None:
    """Column 8 leaves in 10, at the output in 12: 13 to 18. Column 24 leaves in 28, at the output in 30: 31 to 36."""
    found = layer_times(StepColumns((8,), (24,)), EDGEDRNN)
    assert found == LayerTimes(scanned=29, multiplied=37, busy=12, stood_still=0)
    assert busy_cycles(StepColumns((8,), (24,)), EDGEDRNN) == 12


def test_a_mark_waits_for_the_burst_before_it_and_the_next_burst_for_the_mark() -> None:
    """Columns 6 and 7: at the output in 10 and 11, beats 11 to 16 and 17 to 22; the mark of column 8 takes 23.

    It has been there since 12. Column 9 leaves in 13, is there in 15: 24 to 29. The mark of column 24 takes 30.
    """
    found = layer_times(StepColumns((6, 7), (9,)), EDGEDRNN)
    assert found == LayerTimes(scanned=29, multiplied=31, busy=20, stood_still=0)


SMALL = replace(EDGEDRNN, inputs=4, hidden=4, burst_beats=3, fifo_entries=1)


@pytest.mark.parametrize(
    ("entries", "stood_still", "scanned", "multiplied"), [(1, 4, 17, 22), (2, 1, 14, 21), (3, 0, 13, 21)]
)
def test_the_encoder_stands_still_while_the_fifo_is_full(
    entries: int, stood_still: int, scanned: int, multiplied: int
) -> None:
    """x all changed, of h the last. Bursts of 3: column 1 leaves in 3, its beats are 6 to 8, then 9, 12, 15 to 17.

    One place: column 2 enters in 4 while 1 goes to the output. Column 1 leaves the output in its first beat, 6, 2 moves
    up, so 3 (nominally 5) leaves in 7, 2 late; 4 then in 9 + 1 = 10, 4 late; h is 4 late as well: column 8 leaves in
    12 + 4 = 16, is at the output in 18: 19 to 21. Two places: 4 waits for 1's first beat: 7, 1 late; 8 leaves in 13, at
    the output in 15, and is right behind 4: 18 to 20. Three places: column 5 is the first that could wait, until 7, and
    leaves in 9 in any case.
    """
    found = layer_times(StepColumns((1, 2, 3, 4), (8,)), replace(SMALL, fifo_entries=entries))
    assert found == LayerTimes(scanned, multiplied, 15, stood_still)


@pytest.mark.parametrize(("entries", "stood_still"), [(31, 34), (32, 31), (33, 28)])
def test_a_fifo_of_32(entries: int, stood_still: int) -> None:
    """64 columns of x in bursts of 3 (H 8): column n has its first beat in 6 + 3 (n - 1).

    Column 65, the first of h, nominally in 69, finds 32 in the FIFO and one at the output: it leaves the cycle after
    the first beat of column 32, 6 + 93 + 1 = 100, 31 late. One place fewer: after that of column 33, 3 cycles later.
    """
    rules = replace(EDGEDRNN, inputs=64, hidden=8, burst_beats=3, fifo_entries=entries)
    found = layer_times(StepColumns(tuple(range(1, 65)), ()), rules)
    assert found.stood_still == stood_still
    assert found.scanned == 4 + 72 + stood_still + 1
