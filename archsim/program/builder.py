"""Derives a phase's dependencies from its ops' reads and writes, so that a schedule's author cannot forget one.

Rules (docs/microarchitecture/rules.md, "Dependencies"): a read waits for the last write to be visible (RAW, after
DONE); a write waits until the readers of the old value have read it (WAR, after FREE) and until the old write is
visible (WAW, after DONE). A read of a FIFO follows its writer from the first word on (RAW, after FIRST). Units take
their ops in order and retire them in order, so only the youngest op of each unit has to be named, nothing has to be
named on the op's own unit but a RAW, and nothing that an earlier op of the same unit has already waited for.

All ops of a body are put in order at once, in arrays with a row for each access, need or dependency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from archsim.program.accesses import Accesses, Flags, Ints, Role
from archsim.program.codes import CAUSE_CODES, DONE_CODE, EVENT_CODES, EVENTS, FIRST_CODE, OPERAND_CODE
from archsim.program.ir import After, Op, Phase, PhaseKind, Wait
from archsim.program.known import Deps, KnownDeps, deps_of
from archsim.program.unrolled import Unrolled, Users, Versions, begins, ends

_FREE_CODE = EVENT_CODES[After.FREE]
_RECURRENCE_CODE = CAUSE_CODES[Wait.RECURRENCE]
_BY_NAME = np.argsort(np.argsort([event.value for event in EVENTS]))
"""The place of each event in the order of their names, in which an op's dependencies are listed."""
_ALWAYS = 0
"""The window of ops that take part in all repetitions."""


def build_phase(
    name: str, kind: PhaseKind, ops: Sequence[Op], repeat: int = 1, steps: int | None = None, unroll: int = 1
) -> Phase:
    """A phase with its dependencies derived; `steps` and `unroll` as Phase has them.

    Work and result do not grow with `repeat`.
    """
    body = tuple(ops)
    accesses = Accesses.of(body)
    phase = Phase(name=name, kind=kind, repeat=repeat, ops=body, deps=_KNOWN.of(accesses), steps=steps, unroll=unroll)
    return phase.with_accesses(accesses)


def derive(accesses: Accesses) -> Deps:
    """Derive the dependencies of each op: walk the body until every slot has come round once, and on to its end.

    The dependencies found from then on hold for all repetitions: what is left out at the end lets an earlier instance
    be the last to write or to read.
    """
    if not accesses.conflict:
        return ((),) * len(accesses)
    # From here on every access finds the slot's last users as it will in all later repetitions, at the same lags.
    # Before, not every slot has come round yet, so that needs of earlier repetitions are missing.
    settled = accesses.reuse_distance
    # The repetitions that leave ops out at the end come once more behind that: there others are the last users.
    repeat = settled + 1 + int(accesses.skip_last.max(initial=0))
    # What a repetition waits for, the next one does, or for younger ops: older waits imply nothing that its do not.
    # Only where accesses to a buffer move on differently may each repetition wait for something else, and where words
    # come from repetitions before: those are read by then that all ops before in the chain have read.
    begin = settled - 1 if accesses.move_alike and not (accesses.stream & accesses.changed).any() else 0
    needs = _Body(accesses, begin, repeat).needs()
    return _as_deps(needs.of_which(needs.instance >= settled * len(accesses)), accesses)


_KNOWN = KnownDeps(derive)


@dataclass(frozen=True, slots=True, eq=False)
class _Needs:
    """Op instances that wait, each for an event of another one, because of an access."""

    instance: Ints
    access: Ints
    other: Ints
    after: Ints

    def of_which(self, chosen: Flags | Ints) -> _Needs:
        """Some of the rows."""
        return _Needs(*(array[chosen] for array in (self.instance, self.access, self.other, self.after)))

    def and_those(self, more: _Needs) -> _Needs:
        """The rows of both."""
        pairs = ((self.instance, more.instance), (self.access, more.access), (self.other, more.other))
        return _Needs(*map(np.concatenate, (*pairs, (self.after, more.after))))


class _Body:
    """The ops of a body in some repetitions, as instances in the order of the program.

    Who uses a segment is kept apart by the repetitions in which ops take part, their windows: an op that may be left
    out does not hide the one before it.
    """

    def __init__(self, accesses: Accesses, begin: int, repeat: int) -> None:
        """Take the repetitions from `begin` on, and of each access as many before as its slots need to come round."""
        self._accesses, self._ops = accesses, max(len(accesses), 1)
        skips = np.stack([accesses.skip_first, accesses.skip_last])
        distinct, window = np.unique(np.insert(skips, 0, 0, axis=1), axis=1, return_inverse=True)
        self._windows, self._window = distinct.shape[1], window.reshape(-1)[1:]
        changed = np.flatnonzero(accesses.changed & (accesses.role != Role.UPDATE))
        first, last = begin - accesses.distance[changed], accesses.skip_last[accesses.op[changed]]
        every = Unrolled.of(accesses, changed, first, repeat - last)
        self._begin, self._instances = begin * len(accesses), repeat * len(accesses)
        role = accesses.role[every.access]
        self._waits = every.of_which(role != Role.WRITE)
        of_wait = accesses.op[self._waits.access]
        self._reader = accesses.unit[of_wait] * self._windows + self._window[of_wait]
        self._writes = every.of_which(role == Role.WRITE)
        row, segment = self._writes.by_segment()
        written = self._writes.instance[row]
        self._writers = Users(segment, self._window[written % self._ops], written, self._instances)
        self._versions = Versions.of(accesses, self._waits, self._writes, self._reader)

    def needs(self) -> _Needs:
        """What the instances must wait for, but for what others of it imply."""
        operands, words = self._operands()
        old = self._old_values()
        if len(words.instance):
            # What comes to an op word by word has been read before the op writes: its last word follows theirs. So has
            # what the same unit has read before.
            reads = self._youngest(old.of_which(old.after == _FREE_CODE))
            before = np.isin(reads.instance * self._instances + reads.other, _upstream(words, self._instances))
            old = old.of_which(old.after != _FREE_CODE).and_those(reads.of_which(~before))
        return self._reduced(operands.and_those(old)).and_those(words)

    def _operands(self) -> tuple[_Needs, _Needs]:
        """The last writers of what is read or must have been written (RAW), and those that are followed by words."""
        waits, stream = self._waits, self._accesses.stream[self._waits.access]
        # A unit that has read this version of this region before has waited for all its writers.
        waited = ~self._versions.first & (self._reader % self._windows == _ALWAYS)
        values = waits.of_which(~stream & ~waited & (waits.instance >= self._begin))
        words = waits.of_which(stream)
        followed = self._last_writers(words, *words.by_segment(), FIRST_CODE)
        return self._last_writers(values, *values.by_segment(), DONE_CODE), self._youngest(followed)

    def _old_values(self) -> _Needs:
        """The last readers (WAR) and writers (WAW) on other units of what is written.

        An op's own unit takes ops in order: it has read the old value before the op starts. And it retires in order:
        its old write is visible before this one.
        """
        reads, kind = self._waits.of_which(self._versions.last), self._reader[self._versions.last]
        row, segment = reads.by_segment()
        readers = Users(segment, kind[row], reads.instance[row], self._instances)
        writes = self._writes.of_which(self._writes.instance >= self._begin)
        row, segment = writes.by_segment()
        asked, kind, other = readers.before(segment, writes.instance[row])
        # A write hides readers of its own window; one that always takes part hides those of all.
        place = segment[asked], writes.instance[row[asked]]
        hidden = self._writers.last(*place, kind % self._windows)
        if self._windows > 1:
            hidden = np.maximum(hidden, self._writers.last(*place, _ALWAYS))
        asked, other = asked[other > hidden], other[other > hidden]
        read = _Needs(writes.instance[row[asked]], writes.access[row[asked]], other, _coded(other, _FREE_CODE))
        found, unit = self._last_writers(writes, row, segment, DONE_CODE).and_those(read), self._accesses.unit
        return found.of_which(unit[found.instance % self._ops] != unit[found.other % self._ops])

    def _last_writers(self, accesses: Unrolled, row: Ints, segment: Ints, after: int) -> _Needs:
        """The last write of each window to a segment before a row of accesses, as far as the others do not hide it.

        Whoever waits for an op that always takes part waits for those before it too: it has waited for them. An op that
        some repetitions leave out hides only ops of its own window, which are left out with it.
        """
        asked, window, other = self._writers.before(segment, accesses.instance[row])
        if self._windows > 1:
            hidden = self._writers.last(segment[asked], accesses.instance[row[asked]], _ALWAYS)
            seen = (window == _ALWAYS) | (other > hidden)
            asked, other = asked[seen], other[seen]
        row = row[asked]
        return _Needs(accesses.instance[row], accesses.access[row], other, _coded(other, after))

    def _youngest(self, needs: _Needs) -> _Needs:
        """The needs of each access that are for the youngest op of a window and unit in a repetition."""
        op = needs.other % self._ops
        keys = needs.instance, needs.access, self._window[op], self._accesses.unit[op], needs.other // self._ops
        order = np.lexsort((needs.other, *keys))
        return needs.of_which(order[ends(*(key[order] for key in keys))])

    def _reduced(self, needs: _Needs) -> _Needs:
        """Drop what other needs, or earlier waits of the same unit, already imply.

        An op that is done has read its operands, and a unit retires in order: a later instance's event is behind this
        one's. So of all instances that one unit waits for on another, in the order in which it does, only those count
        that are younger than all before.
        """
        group = self._groups(needs)
        event = 2 * needs.other + (needs.after == DONE_CODE)  # of one instance DONE is behind FREE
        order = np.lexsort((needs.access, event, needs.instance, group))
        order = order[begins(group[order], needs.instance[order], event[order])]
        of_any = self._news(order, group, needs)
        of_any = of_any[needs.after[of_any] == _FREE_CODE]
        of_done = self._news(order[needs.after[order] == DONE_CODE], group, needs)
        return needs.of_which(np.concatenate([of_any, of_done]))

    def _groups(self, needs: _Needs) -> Ints:
        """A number for each two units of which the one waits for the other, in which what is implied is known.

        Waits of ops that always take part, for ops that always do, are known for good. Otherwise only to ops that take
        part in the same repetitions, in this one, and of waits for such ops of one repetition.
        """
        here, there = needs.instance // self._ops, needs.other // self._ops
        op, other = needs.instance % self._ops, needs.other % self._ops
        windows = self._window[op] * self._windows + self._window[other]
        known = np.where(windows == _ALWAYS, 0, 1 + here * (self._instances // self._ops + 1) + there)
        units = self._accesses.unit[op] * self._ops + self._accesses.unit[other]
        pairs = units * self._windows**2 + windows
        found: Ints = pairs * (int(known.max(initial=0)) + 1) + known
        return found

    def _news(self, order: Ints, group: Ints, needs: _Needs) -> Ints:
        """The youngest ops that each instance waits for in a group, as far as none before it has waited for them.

        `order`: rows of needs by group, instance, and the event that is waited for.
        """
        of_group, other = group[order], needs.other[order]
        youngest = ends(of_group, needs.instance[order])
        order, of_group, other = order[youngest], of_group[youngest], other[youngest]
        # Groups follow each other, and so do these numbers: what is known begins anew with each.
        other = np.cumsum(begins(of_group)) * self._instances + other
        return order[begins(np.maximum.accumulate(other))]


def _coded(rows: Ints, code: int) -> Ints:
    """The code, for each of some rows."""
    return np.full(len(rows), code, np.int64)


def _upstream(words: _Needs, instances: int) -> Ints:
    """Pairs of instances of which the first follows the second word by word, directly or through others.

    A pair is a number: first * instances + second.
    """
    found: dict[int, set[int]] = {}
    order = np.argsort(words.instance, kind="stable")
    for instance, other in zip(words.instance[order].tolist(), words.other[order].tolist(), strict=True):
        found.setdefault(instance, set()).update((other, *found.get(other, ())))
    return np.array([instance * instances + other for instance, all_others in found.items() for other in all_others])


def _as_deps(needs: _Needs, accesses: Accesses) -> Deps:
    """The dependencies of each op, those that are alike in several repetitions once."""
    ops = len(accesses)
    op, other = needs.instance % ops, needs.other % ops
    lag = needs.instance // ops - needs.other // ops
    keys = op, lag, other, _BY_NAME[needs.after]
    order = np.lexsort((needs.instance, *reversed(keys)))
    order = order[begins(*(key[order] for key in keys))]
    cause = np.where(needs.after == FIRST_CODE, OPERAND_CODE, accesses.cause[needs.access])
    # What comes out of this very step is an operand; only what comes from an earlier one is recurrence.
    cause[(cause == _RECURRENCE_CODE) & (lag == 0)] = OPERAND_CODE
    rows = np.stack([other, lag, needs.after, cause], axis=1)[order]
    return deps_of(np.bincount(op[order], minlength=ops), rows)
