"""What is known of a structure is what would be found out again: dependencies, and that there is no hazard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

from archsim.config.files.kept_files import KeptFiles
from archsim.errors import ScheduleError
from archsim.program.accesses import Accesses
from archsim.program.builder import build_phase, derive
from archsim.program.ir import Buffer, DataKind, Op, Phase, PhaseKind, Region
from archsim.program.known import FEWEST_ON_DISK, FEWEST_OPS, Deps, KnownDeps, KnownPrograms
from archsim.program.structure import ops_digest, program_digest
from archsim.program.verifier import check, find_hazards
from tests.laws.generic_ops import Mix, bodies, buffer, damaged_bodies, one_phase
from tests.rings import examples


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def pairs(
    count: int, words: int = 4, name: str = "word", kind: DataKind = DataKind.GATE, slots: int = 2
) -> tuple[Mix, ...]:
    """A unit writes a half of a buffer, and another one reads it; `words`: how large the halves are."""
    held = replace(buffer(name), entries=2 * words, kind=kind, slots=slots)
    ops: list[Mix] = []
    for number in range(count):
        half = Region(held, number % 2 * words, (number % 2 + 1) * words, stride=1)
        ops.append(Mix(unit=f"{name} 0", label=f"write {number}", outputs=(half,)))
        ops.append(Mix(unit=f"{name} 1", label=f"read {number}", inputs=(half,)))
    return tuple(ops)


def derived(ops: Sequence[Op]) -> Deps:
    return derive(Accesses.of(ops))


def digest_of(ops: Sequence[Op]) -> bytes:
    return ops_digest(Accesses.of(ops))


class Counted:
    """Derives dependencies, and counts how often."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, ops: Accesses) -> Deps:
        self.times += 1
        return derive(ops)


def test_names_sizes_and_labels_are_nothing_to_dependencies() -> None:
    found = digest_of(pairs(8))
    assert digest_of(pairs(8, words=7, name="another")) == found
    assert derived(pairs(8, words=7, name="another")) == derived(pairs(8))


@pytest.mark.parametrize(
    "other",
    [
        pairs(9),
        pairs(8, kind=DataKind.X),
        pairs(8, slots=3),
        tuple(replace(op, skip_last=1) for op in pairs(8)),
        tuple(replace(op, unit="one") for op in pairs(8)),
        (*pairs(8)[:-1], pairs(9)[-1]),
        (*pairs(8)[:-1], replace(pairs(8)[-1], inputs=(), accumulated=pairs(8)[-1].inputs)),
        (*pairs(8)[:-1], replace(pairs(8)[-1], inputs=(replace(pairs(8)[-1].inputs[0], stop=7),))),
        (*pairs(8)[:-1], replace(pairs(8)[-1], inputs=(replace(pairs(8)[-1].inputs[0], offset=1),))),
    ],
)
def test_all_else_is_something_to_them(other: tuple[Mix, ...]) -> None:
    assert digest_of(other) != digest_of(pairs(8))


def test_a_structure_is_put_in_order_once_in_a_process_and_once_on_disk() -> None:
    made = Counted()
    known, ops = KnownDeps(made), pairs(FEWEST_ON_DISK)
    want = derived(ops)
    assert known.of(Accesses.of(ops)) == want
    assert known.of(Accesses.of(pairs(FEWEST_ON_DISK, words=9))) == want
    assert made.times == 1
    assert KnownDeps(made).of(Accesses.of(ops)) == want, "another process has it from the disk"
    assert made.times == 1


def test_few_ops_are_put_in_order_each_time_and_fewer_than_a_file_is_worth_in_this_process_alone() -> None:
    """Fewer than 16 ops are not looked up, fewer than 64 are not on disk."""
    assert (FEWEST_OPS, FEWEST_ON_DISK) == (16, 64)
    for count, times, of_two_processes in ((15, 2, 3), (16, 1, 2), (63, 1, 2), (64, 1, 1)):
        made, ops = Counted(), (*pairs(count // 2, name=f"word {count}"), *pairs(1, name="odd")[: count % 2])
        # Of other structures than those before: each has another number of ops
        known = KnownDeps(made)
        assert (known.of(Accesses.of(ops)), known.of(Accesses.of(ops))) == (derived(ops), derived(ops))
        assert made.times == times
        assert KnownDeps(made).of(Accesses.of(ops)) == derived(ops)
        assert made.times == of_two_processes


def test_a_program_of_fewer_ops_is_not_on_disk() -> None:
    """Ops of all phases count: 31 and 33 are 64, 31 and 32 are not."""
    for counts, kept in (((31, 33), 1), ((31, 32), 0)):
        phases = []
        for number, count in enumerate(counts):
            ops = (*pairs(count // 2), *pairs(1)[: count % 2])
            phases.append(build_phase(f"phase {number}", PhaseKind.BODY, ops, repeat=3))
        program = replace(one_phase(phases[0]), phases=tuple(phases))
        before = _files("verified")
        KnownPrograms().check(program, check)
        assert _files("verified") - before == kept


def test_the_structures_that_were_used_last_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of room for two: the second is used again, so that the third takes the first one's place."""
    monkeypatch.setattr("archsim.program.known.MOST_PHASES", 2)
    made = Counted()
    known = KnownDeps(made)
    first, second, third = pairs(8), pairs(9), pairs(10)
    for ops, times in ((second, 1), (first, 2), (second, 2), (third, 3), (second, 3), (third, 3), (first, 4)):
        known.of(Accesses.of(ops))
        assert made.times == times


@pytest.mark.parametrize("length", [0, 1, 40, 70, -1])
def test_a_damaged_file_is_not_used_and_made_anew(length: int) -> None:
    made, ops = Counted(), pairs(FEWEST_ON_DISK)
    KnownDeps(made).of(Accesses.of(ops))
    folder = KeptFiles("dependencies").folder
    assert folder is not None
    (path,) = folder.iterdir()
    data = path.read_bytes()
    path.write_bytes(data[:length] if length >= 0 else data[:-3] + bytes([data[-3] ^ 1]) + data[-2:])
    assert KnownDeps(made).of(Accesses.of(ops)) == derived(ops)
    assert made.times == 2
    assert KnownDeps(made).of(Accesses.of(ops)) == derived(ops)
    assert made.times == 2, "the next process has it from the disk again"
    assert [found.name for found in folder.iterdir()] == [path.name]


def test_a_file_of_another_digest_in_its_place_is_not_used() -> None:
    files = KeptFiles("dependencies")
    digest, other = bytes(32), bytes(31) + b"\1"
    files.put(digest, b"one")
    assert files.get(digest) == b"one"
    assert files.get(other) is None
    files.put(other, b"two")
    assert (files.get(digest), files.get(other)) == (None, b"two")


def test_without_a_folder_all_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    made, ops = Counted(), pairs(FEWEST_ON_DISK)
    assert KnownDeps(made).of(Accesses.of(ops)) == derived(ops)
    assert KnownDeps(made).of(Accesses.of(ops)) == derived(ops)
    assert made.times == 2


def test_a_program_with_a_hazard_is_refused_each_time() -> None:
    """Also when one that is right, and differs in one dependency alone, has passed before."""
    known, ops = KnownPrograms(), pairs(FEWEST_ON_DISK)
    phase = build_phase("body", PhaseKind.BODY, ops, repeat=3)
    known.check(one_phase(phase), check)
    wrong = replace(phase, deps=(*phase.deps[:-1], ()))
    for again in (known, known, KnownPrograms()):
        with pytest.raises(ScheduleError, match="RAW hazard in phase body"):
            again.check(one_phase(wrong), check)


def test_a_program_is_checked_once() -> None:
    def never(_: object) -> None:
        raise AssertionError("it has been checked")

    known, program = KnownPrograms(), one_phase(build_phase("body", PhaseKind.BODY, pairs(FEWEST_ON_DISK), repeat=3))
    known.check(program, check)
    known.check(program, never)
    KnownPrograms().check(program, never)


@settings(max_examples=examples(200))
@given(bodies(conditional=True, same_strides=False, max_ops=5, max_repeat=10))
def test_ops_of_one_structure_have_the_same_dependencies(phase: Phase) -> None:
    """The same ops with other names, and with words of three entries instead of one."""
    again = _all_stretched(phase.ops)
    assert digest_of(again) == digest_of(phase.ops)
    assert derived(again) == derived(phase.ops) == phase.deps


@settings(max_examples=examples(200))
@given(damaged_bodies())
def test_programs_of_one_structure_have_the_same_hazards(phase: Phase) -> None:
    again = one_phase(replace(phase, ops=_all_stretched(phase.ops)))
    assert program_digest(again) == program_digest(one_phase(phase))
    found, other = find_hazards(one_phase(phase)), find_hazards(again)
    assert [hazard.kind for hazard in other] == [hazard.kind for hazard in found]


def _files(kind: str) -> int:
    folder = KeptFiles(kind).folder
    return 0 if folder is None or not folder.is_dir() else len(list(folder.iterdir()))


def _all_stretched(ops: Sequence[object]) -> tuple[Mix, ...]:
    buffers: dict[Buffer, Buffer] = {}
    return tuple(_stretched(op, buffers) for op in ops)


def _stretched(op: object, buffers: dict[Buffer, Buffer]) -> Mix:
    assert isinstance(op, Mix)

    def other(region: Region) -> Region:
        held = region.buffer
        if held not in buffers:
            buffers[held] = replace(held, name=f"other {held.name}", entries=3 * held.entries)
        return replace(region, buffer=buffers[held], start=3 * region.start, stop=3 * region.stop)

    inputs, outputs, accumulated = (tuple(map(other, of)) for of in (op.inputs, op.outputs, op.accumulated))
    return replace(
        op, unit=f"other {op.unit}", label=f"other {op.label}", inputs=inputs, outputs=outputs, accumulated=accumulated
    )
