"""The NPU's micro-ops and words, moved one by one, cycle by cycle: what the authors' C++ model was read to do.

Independent of archsim's ops: a program is a list of instructions for five units with queues, and a vector is waited for
by counting tags. Of the published machine alone: 7 tiles, 40 x 40, 3 sequences a core. Of a short vector (H <= 280)
the tiles have no place for the last words: an instruction drops them. The authors' loader raises a tag then, too, which
their compiler does not count; with it units read vectors that are not written yet, and `Run.stale` counts them.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

UNITS = ("mvu", "evrf", "mfu0", "mfu1", "ld")
TILES, WIDTH, BATCH, CHUNK = 7, 40, 3, 12
MICRO_OP_TO_WORD, REGISTER_READ, FUNCTIONS, TAG = 40, 2, 9, 7
"""Cycles through the matrix-vector unit, of a register file, through a multi-function unit, until a tag is counted."""


def ceil_div(a: int, b: int) -> int:
    return -(-a // b)


@dataclass(frozen=True)
class Uop:
    """Something that a unit does in a cycle; `tag`: how many vectors must be written first.

    `last`: it raises a tag; `counted`: the compiler knows of it.
    """

    tag: int = 0
    stream: bool = True
    last: bool = False
    output: bool = False
    counted: bool = True


Instruction = dict[str, list[Uop]]


@dataclass
class Compiler:
    """Writes the instructions of a cell, and counts the vectors written so far."""

    inputs: int
    hidden: int
    drops_raise_tags: bool
    program: list[Instruction] = field(default_factory=list)
    written: int = 0
    tags: dict[str, int] = field(default_factory=dict)

    @property
    def words(self) -> int:
        return max(CHUNK, ceil_div(self.hidden, WIDTH))

    def note(self, name: str) -> None:
        self.written += 1
        self.tags[name] = self.written

    def words_of(self, count: int, *, stream: bool = True, output: bool = False) -> list[Uop]:
        return [Uop(0, stream, n == BATCH * count - 1, output) for n in range(BATCH * count)]

    def load(self, name: str, instructions: int, words: int) -> None:
        for _ in range(instructions):
            self.note(name)
            self.program.append({"ld": self.words_of(words, stream=False)})

    def load_x(self) -> None:
        self.load("x", TILES, ceil_div(self.inputs, TILES * WIDTH))

    def product(self, columns: int, tag: int) -> list[Uop]:
        """Chunks of 12 row blocks (the last up to 23), column by column; words come of the last column."""
        uops, left = [], self.words
        while left:
            rows = CHUNK if left >= 2 * CHUNK else left
            uops += [Uop(tag, last=column == columns - 1) for column in range(columns) for _ in range(rows)]
            left -= rows
        return uops

    def chain(self, source: str, mfu0: str, mfu1: str, target: str, *, of_x: bool = False, read: bool = False,
              to_tiles: bool = False, output: bool = False) -> None:  # fmt: skip
        """One vector; `mfu0`, `mfu1`: the register vector that each waits for, or none."""
        tag, words = self.tags.get(source, 0), BATCH * self.words
        columns = ceil_div(self.inputs if of_x else self.hidden, TILES * WIDTH)
        one: Instruction = {} if read else {"mvu": self.product(columns, tag)}
        one["evrf"] = [Uop(tag, stream=not read)] * words
        one["mfu0"] = [Uop(self.tags.get(mfu0, 0))] * words
        one["mfu1"] = [Uop(self.tags.get(mfu1, 0))] * words
        self.program.append(one)
        if not to_tiles:
            self.note(target)
            one["ld"] = self.words_of(self.words, output=output)
            return
        left = self.words
        for _ in range(TILES):
            if left > 0:
                part = min(left, ceil_div(self.hidden, TILES * WIDTH))
                self.note(target)
                self.program.append({"ld": self.words_of(part, output=output)})
                left -= part
        if left > 0:
            *dropped, end = self.words_of(left)
            self.program.append({"ld": [*dropped, replace(end, last=self.drops_raise_tags, counted=False)]})


def compiled(kind: str, inputs: int, hidden: int, steps: int, drops_raise_tags: bool) -> list[Instruction]:
    """The published chains of a cell, in their order."""
    to = Compiler(inputs, hidden, drops_raise_tags)
    if kind == "gru":
        to.load("ones", 1, to.words)
    to.load_x()
    gates = {"lstm": "fgio", "gru": "zrn", "rnn": "h"}[kind]
    for step in range(steps):
        last = step == steps - 1
        for gate in gates:
            to.chain("x", "", "", f"x_{gate}", of_x=True)
        if not last:
            to.load_x()
        if kind == "rnn":
            to.chain("h", "x_h", "", "h", to_tiles=True, output=last)
        elif kind == "lstm":
            for gate in "fio":
                to.chain("h", f"x_{gate}", "", gate)
            to.chain("h", "x_g", "i", "ig")
            to.chain("c", "f", "ig", "c", read=True)
            to.chain("c", "o", "", "h", read=True, to_tiles=True, output=last)
        else:
            to.chain("h", "x_z", "", "z")
            to.chain("ones", "z", "", "zh", read=True)
            to.chain("h", "x_r", "", "rh", to_tiles=True)
            to.chain("rh", "x_n", "", "n")
            to.chain("n", "z", "zh", "h", read=True, to_tiles=True, output=last)
    return to.program


class Queue:
    """What was put in, each thing to be had so many cycles later."""

    def __init__(self) -> None:
        self._due: deque[tuple[int, Uop]] = deque()

    def __len__(self) -> int:
        return len(self._due)

    def put(self, due: int, uop: Uop | None = None) -> None:
        self._due.append((due, uop or Uop()))

    def head(self, now: int) -> Uop | None:
        return self._due[0][1] if self._due and self._due[0][0] <= now else None

    def take(self) -> None:
        self._due.popleft()


NOTHING = Uop(-1)


@dataclass(frozen=True)
class Run:
    """Cycles until the last word of the last h has left the loader, and micro-ops before what they read is written."""

    cycles: int
    stale: int


def cycles(kind: str, inputs: int, hidden: int, steps: int) -> int:
    """The cycles of a run in which every vector is waited for."""
    found = run(kind, inputs, hidden, steps, drops_raise_tags=False)
    assert not found.stale
    return found.cycles


def run(kind: str, inputs: int, hidden: int, steps: int, *, drops_raise_tags: bool) -> Run:
    """A run; `drops_raise_tags`: as in the authors' loader, the last word that is dropped raises a tag, too."""
    program = compiled(kind, inputs, hidden, steps, drops_raise_tags)
    queues = {unit: Queue() for unit in UNITS}
    for unit in UNITS:  # an instruction a cycle; two cycles to the unit; one uop a cycle; a unit left out takes one
        free = 0
        for number, instruction in enumerate(program):
            for each in instruction.get(unit, [NOTHING]):
                free = max(free, number + 2)
                queues[unit].put(free, each)
                free += 1
    missing = sum(each.output for instruction in program for each in instruction.get("ld", ()))
    words = {unit: Queue() for unit in UNITS}  # in front of each unit
    ahead = {"mfu0": Queue(), "mfu1": Queue()}
    tags, seen, written, stale, now = Queue(), 0, 0, 0, -1
    while missing:
        now += 1
        for unit, behind in zip(UNITS, (*UNITS[1:], ""), strict=True):
            uop, queue = queues[unit].head(now), queues[unit]
            if uop is None:
                pass
            elif uop is NOTHING:
                queue.take()
            elif uop.tag <= seen and unit == "mvu":
                queue.take()
                stale += uop.tag > written
                for _ in range(BATCH if uop.last else 0):
                    words[behind].put(now + MICRO_OP_TO_WORD + 1)
            elif uop.tag <= seen and unit == "evrf" and (not uop.stream or words[unit].head(now)):
                queue.take()
                stale += uop.tag > written
                if uop.stream:
                    words[unit].take()
                words[behind].put(now + REGISTER_READ + 1)
            elif uop.tag <= seen and unit in ahead and len(ahead[unit]) <= REGISTER_READ:
                queue.take()
                stale += uop.tag > written
                ahead[unit].put(now + REGISTER_READ)
            elif unit == "ld" and (not uop.stream or words[unit].head(now)):
                queue.take()
                if uop.stream:
                    words[unit].take()
                if uop.last:
                    tags.put(now + TAG, uop)
                missing -= uop.output
            if unit in ahead and words[unit].head(now) and ahead[unit].head(now):
                words[unit].take()
                ahead[unit].take()
                words[behind].put(now + FUNCTIONS + 1)
        raised = tags.head(now)
        if raised:
            tags.take()
            seen, written = seen + 1, written + raised.counted
    return Run(now + 1, stale)
