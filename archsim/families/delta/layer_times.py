"""Times one layer's time step on a delta machine: encoder, index FIFO, weight stream and PE array beside each other.

All cycles are counted from the one in which the step begins: the first after the last word of h of the layer before.
docs/delta.md derives the rules, and steps of the published runs, by hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from archsim.workload.activity import StepColumns


@dataclass(frozen=True, slots=True)
class LayerRules:
    """What the times of a layer follow from, besides the columns that are multiplied.

    `inputs` and `hidden`: I and H; `burst_beats`: beats of the weights of a column; the rest as the sections of the
    architecture file have them.
    """

    inputs: int
    hidden: int
    burst_beats: int
    encoder_cycles: int
    part_gap_cycles: int
    fifo_entries: int
    fifo_cycles: int
    fetch_cycles: int
    mark_cycles: int

    def column_cycle(self, column: int) -> int:
        """The cycle in which a column leaves an encoder that never stands still."""
        return self.encoder_cycles + column + (self.part_gap_cycles if column > self.inputs else 0)

    @property
    def scan_cycles(self) -> int:
        """The least cycles of the encoder: until the last column of h has left it."""
        return self.column_cycle(self.inputs + self.hidden) + 1


@dataclass(frozen=True, slots=True)
class LayerTimes:
    """The times of one step of a layer, in cycles.

    `scanned`: the last column has left the encoder; `multiplied`: the last beat, or mark, is through the PE array;
    `busy`: in which the array took a beat or mark; `stood_still`: in which the encoder waited for a place in the FIFO.
    """

    scanned: int
    multiplied: int
    busy: int
    stood_still: int


def layer_times(columns: StepColumns, rules: LayerRules) -> LayerTimes:
    """The times of a step that multiplies these columns."""
    places = rules.fifo_entries + 1  # the FIFO, and the register behind it, which holds the entry at the output
    left: list[int] = []
    """The cycle in which each entry has left the register: that of its first beat, or of the mark."""
    late = free = busy = 0
    for column, mark in _entries(columns, rules):
        entered = rules.column_cycle(column) + late
        at_output = entered + rules.fifo_cycles
        first = max(at_output if mark else at_output + rules.fetch_cycles, free)
        cycles = rules.mark_cycles if mark else rules.burst_beats
        free, busy = first + cycles, busy + cycles
        left.append(first)
        if len(left) >= places and column < rules.inputs + rules.hidden:
            # The FIFO is full until the oldest entry in it has moved up: no column leaves the encoder before that.
            late = max(late, left[-places] + 1 - rules.column_cycle(column + 1))
    return LayerTimes(rules.scan_cycles + late, free, busy, late)


def busy_cycles(columns: StepColumns, rules: LayerRules) -> int:
    """The cycles of the PE array for a step: a burst for each column, and a mark for each part that ends with zero."""
    marks = sum(mark for _, mark in _entries(columns, rules))
    return columns.count * rules.burst_beats + marks * rules.mark_cycles


def _entries(columns: StepColumns, rules: LayerRules) -> list[tuple[int, bool]]:
    """What enters the FIFO, in order: (column, whether it is the mark of a part whose last column is zero)."""
    entries: list[tuple[int, bool]] = []
    for part, last in ((columns.x, rules.inputs), (columns.h, rules.inputs + rules.hidden)):
        entries += [(column, False) for column in part]
        if not part or part[-1] != last:
            entries.append((last, True))
    return entries
