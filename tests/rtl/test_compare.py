"""What the comparison says of events that are not the simulation's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.families.rtl import RtlOp
from archsim.rtl.compare import Comparison, compare, read_events
from archsim.rtl.expected import Expected
from tests.families.gemv.rtl.cases import expected_of
from tests.families.gemv.rtl.planted import SmallCase

TINY = SmallCase("lstm:3,2,t=4", "fused_interleaved", ("formats=tflite_int8", "activation.method=table"))


def events_of(expected: Expected) -> list[str]:
    """The lines that a model which is equal writes: events, then codes, then what is stored in DRAM."""
    lines: list[str] = []
    stores: list[tuple[int, str]] = []
    for number, op in enumerate(expected.design.ops):
        assert op is not None
        made = expected.program.phases[op.phase].ops[op.index]
        target = made.writes[0].buffer.memory
        for instance, times in enumerate(expected.times[op]):
            lines += [f"s {times.start} {number}", f"f {times.free} {number}", f"d {times.done} {number}"]
            if target in ("weight_sram", "bias_buffer"):
                continue
            found = expected.codes[op][instance]
            found = found.T if made.unit == "mac_array" else found  # a tile writes a sequence after the other
            codes = " ".join(str(code) for code in found.reshape(-1).tolist())
            if target == "dram":
                stores.append((times.start, f"o {times.done} 0 {codes}"))
            else:
                lines.append(f"w {times.done} {number} 0 {codes}")
    return lines + [line for _, line in sorted(stores)]


def compared(lines: list[str], folder: Path, *, finished: bool = True, case: SmallCase = TINY) -> Comparison:
    path = folder / "events.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return compare(expected_of(case), read_events(path), finished=finished)


def test_equal(tmp_path: Path) -> None:
    found = compared(events_of(expected_of(TINY)), tmp_path)
    assert found == Comparison(74, 74, 116, 116, True, None)
    assert found.passed


def test_not_finished(tmp_path: Path) -> None:
    assert not compared(events_of(expected_of(TINY)), tmp_path, finished=False).passed


@pytest.mark.parametrize("event", ["s", "f", "d"])
def test_an_event_a_cycle_late(tmp_path: Path, event: str) -> None:
    lines = events_of(expected_of(TINY))
    place = next(n for n, line in enumerate(lines) if line.startswith(f"{event} "))
    kind, cycle, op = lines[place].split()
    lines[place] = f"{kind} {int(cycle) + 1} {op}"
    found = compared(lines, tmp_path)
    assert (found.ops_equal, found.codes_equal, found.passed) == (73, 116, False)
    what = {"s": "start", "f": "free", "d": "done"}[event]
    assert str(found.first) == (
        f"'load W_ih[0]' (prologue): {what}: cycle {cycle}: expected {cycle}, got {int(cycle) + 1}"
    )


def test_an_op_that_never_starts(tmp_path: Path) -> None:
    lines = [line for line in events_of(expected_of(TINY)) if line.split()[0] != "s" or line.split()[2] != "0"]
    found = compared(lines, tmp_path)
    assert found.ops_equal == 73
    assert "start" in str(found.first)
    assert "got never" in str(found.first)


def test_an_op_too_many(tmp_path: Path) -> None:
    found = compared([*events_of(expected_of(TINY)), "s 500 0", "f 501 0", "d 502 0"], tmp_path)
    assert found.ops_equal == 74
    assert not found.passed


@pytest.mark.parametrize("kind", ["w", "o"])
def test_a_wrong_code(tmp_path: Path, kind: str) -> None:
    lines = events_of(expected_of(TINY))
    place = next(n for n, line in enumerate(lines) if line.startswith(f"{kind} "))
    *before, last = lines[place].split()
    lines[place] = " ".join([*before, str(int(last) + 1)])
    found = compared(lines, tmp_path)
    assert (found.ops_equal, found.codes_equal, found.passed) == (74, 115, False)
    assert f"expected {last}, got {int(last) + 1}" in str(found.first)


def test_missing_codes(tmp_path: Path) -> None:
    lines = events_of(expected_of(TINY))
    lines.remove(next(line for line in lines if line.startswith("w ")))
    assert not compared(lines, tmp_path).passed


def test_a_tile_writes_a_sequence_after_the_other(tmp_path: Path) -> None:
    """Of two sequences; in the order of rows its codes are others."""
    case = replace(TINY, workload="lstm:3,2,t=2,b=2")
    lines = events_of(expected_of(case))
    assert compared(lines, tmp_path, case=case).passed
    expected = expected_of(case)
    number = next(
        n
        for n, op in enumerate(expected.design.ops)
        if op is not None and expected.program.phases[op.phase].ops[op.index].unit == "mac_array"
    )
    place = next(n for n, line in enumerate(lines) if line.startswith("w ") and line.split()[2] == str(number))
    head, codes = lines[place].split()[:4], lines[place].split()[4:]
    assert len(codes) == 4
    lines[place] = " ".join([*head, codes[0], codes[2], codes[1], codes[3]])
    assert not compared(lines, tmp_path, case=case).passed


def of_the_body(expected: Expected) -> tuple[int, RtlOp]:
    """The first op of the body that leaves two codes or more in each repetition, and its number."""
    return next(
        (number, op)
        for number, op in enumerate(expected.design.ops)
        if op is not None and len(expected.codes[op]) > 2 and expected.codes[op][0].size > 1
    )


def written(lines: list[str], number: int) -> list[int]:
    """The places of the lines with that op's codes."""
    return [n for n, line in enumerate(lines) if line.startswith("w ") and line.split()[2] == str(number)]


def test_the_repetition_and_the_code_are_named(tmp_path: Path) -> None:
    """The second code of the third repetition, in the cycle in which it was written."""
    expected = expected_of(TINY)
    number, op = of_the_body(expected)
    lines = events_of(expected)
    place = written(lines, number)[2]
    parts = lines[place].split()
    wanted, parts[5] = parts[5], str(int(parts[5]) + 1)
    lines[place] = " ".join(parts)
    assert str(compared(lines, tmp_path).first) == (
        f"{expected.name(op, 2)}: code 1: cycle {parts[1]}: expected {wanted}, got {int(wanted) + 1}"
    )


def test_codes_that_are_missing_or_too_many(tmp_path: Path) -> None:
    """Without the last one `none` is got, in the last cycle; one more where none is expected."""
    expected = expected_of(TINY)
    number, op = of_the_body(expected)
    lines, times = events_of(expected), len(expected.codes[op])
    size, place = expected.codes[op][0].size, written(lines, number)[-1]
    last = lines[place].split()
    lines[place] = " ".join(last[:-1])
    found = compared(lines, tmp_path)
    assert (found.codes_equal, found.codes) == (115, 116)
    assert str(found.first) == (
        f"{expected.name(op, times - 1)}: code {size - 1}: cycle {expected.last_cycle}: expected {last[-1]}, got none"
    )
    lines[place] = " ".join([*last, "77"])
    found = compared(lines, tmp_path)
    assert (found.codes_equal, found.passed) == (116, False)
    assert str(found.first) == f"{expected.name(op, times)}: code 0: cycle {last[1]}: expected none, got 77"


def test_starts_that_are_too_many_are_counted(tmp_path: Path) -> None:
    found = compared([*events_of(expected_of(TINY)), "s 500 0", "s 600 0", "f 501 0", "d 502 0"], tmp_path)
    assert str(found.first) == (
        "'load W_ih[0]' (prologue): 2 starts more than the simulation has: cycle 600: expected none, got a start"
    )


def test_the_first_of_several_differences_is_shown(tmp_path: Path) -> None:
    """An op that is early differs when it came, one that is late when it should have come: cycle 7 before cycle 8."""
    expected = expected_of(TINY)
    lines = events_of(expected)
    places = [n for n, line in enumerate(lines) if line.startswith("s ")]
    late, early = places[-1], places[-2]
    for place, cycle in ((late, 10_000), (early, 1)):
        kind, _, op = lines[place].split()
        lines[place] = f"{kind} {cycle} {op}"
    found = compared(lines, tmp_path)
    assert found.first is not None
    assert (found.first.cycle, found.first.got, found.ops_equal) == (1, "1", 72)


def test_events_as_they_are_read(tmp_path: Path) -> None:
    """Codes have the cycle in which they were written; what is stored in DRAM has its place in front."""
    path = tmp_path / "events.txt"
    path.write_text("s 3 1\nw 7 1 0 -5 6\nw 9 1 1 8\no 11 4 20 21 22\nf 5 1\nd 7 1\ns 30 2\n", encoding="ascii")
    found = read_events(path)
    assert found.events["s"] == {1: [3], 2: [30]}
    assert (found.events["f"][1], found.events["d"][1]) == ([5], [7])
    assert (found.codes[1], found.cycles[1]) == ([-5, 6, 8], [7, 7, 9])
    assert (found.stored, found.stored_cycles) == ([20, 21, 22], [11, 11, 11])
