"""What the comparison says of events that are not the simulation's."""

from __future__ import annotations

from pathlib import Path

import pytest

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
        target = expected.program.phases[op.phase].ops[op.index].writes[0].buffer.memory
        for instance, times in enumerate(expected.times[op]):
            lines += [f"s {times.start} {number}", f"f {times.free} {number}", f"d {times.done} {number}"]
            if target in ("weight_sram", "bias_buffer"):
                continue
            codes = " ".join(str(code) for code in expected.codes[op][instance].reshape(-1).tolist())
            if target == "dram":
                stores.append((times.start, f"o {times.done} 0 {codes}"))
            else:
                lines.append(f"w {times.done} {number} 0 {codes}")
    return lines + [line for _, line in sorted(stores)]


def compared(lines: list[str], folder: Path, *, finished: bool = True) -> Comparison:
    path = folder / "events.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    return compare(expected_of(TINY), read_events(path), finished=finished)


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
