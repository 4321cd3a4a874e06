"""Lines of a journal: designs that were evaluated together share one, and are read as each of them was."""

from pathlib import Path

import numpy as np
import pytest

from archsim.api.batch import Column
from archsim.api.batch.columns import Picked
from archsim.explore import Space, explore
from archsim.explore.run import outcome_lines
from archsim.explore.run.journal import Journal, sealed_line
from archsim.explore.run.outcome import Kind, Outcome
from archsim.explore.run.outcome_lines import lines_of, outcomes_of
from archsim.explore.run.output_table import OutputTable
from archsim.explore.space.design import Reason
from tests.explore.conftest import Write, keys_in


def tables() -> tuple[OutputTable, OutputTable]:
    """Of four designs: whole numbers, doubles, either, words, none; and a figure of another workload."""
    first = {
        "cycles": Column(np.array([3, 10**17, 5, 5])),
        "share": Column(np.array([0.1, 1e-9, -0.0, 0.0])),
        "per_step": Column(Picked((2, 2.5), np.array([0, 1, 1, 0]))),
        "binding": Column(Picked(("mac", 'a "b"'), np.array([0, 1, 0, 0]))),
        "energy": Column.same(None, 4),
        "most": Column.same(1 << 70, 4),
    }
    return OutputTable(first), OutputTable({"cycles": Column(np.array([1, 2, 3, 4]))})


def outcomes() -> list[Outcome]:
    """Rows of tables, not in their order, and between them one that has no figures and one with its own."""
    one, other = tables()
    rows = [Outcome(f"k{row}", Kind.DONE, {"w": one.row(row), "v": other.row(row)}, "fast") for row in (2, 0, 3)]
    reason = Reason("capacity", "sram", 3, 2, "bytes")
    alone = Outcome("alone", Kind.DONE, {"w": {"cycles": 1}, "v": {"cycles": 2.5}}, "machine")
    return [rows[0], Outcome("none", Kind.INFEASIBLE, {}, reason=reason), *rows[1:], alone]


def test_rows_of_the_same_tables_share_a_line() -> None:
    lines = list(lines_of(outcomes()))
    assert len(lines) == 3
    read = [outcome for line in lines for outcome in outcomes_of(line.encode())]
    wanted = sorted(outcomes(), key=lambda outcome: [o.key for o in read].index(outcome.key))
    assert [outcome.key for outcome in read] == ["k2", "k0", "k3", "none", "alone"]
    assert read == wanted
    assert [outcome.to_json() for outcome in read] == [outcome.to_json() for outcome in wanted]
    assert list(lines_of(read)) == lines, "what was read is written as it was"


def test_lines_have_a_longest_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 4 rows of tables, so of 2 designs with two workloads."""
    monkeypatch.setattr(outcome_lines, "MOST_IN_LINE", 4)
    one, other = tables()
    rows = [Outcome(f"k{row}", Kind.DONE, {"w": one.row(row), "v": other.row(row)}, "fast") for row in range(4)]
    lines = list(lines_of(rows))
    assert [len(outcomes_of(line.encode())) for line in lines] == [2, 2]
    assert [outcome for line in lines for outcome in outcomes_of(line.encode())] == rows


def test_what_is_no_finite_number_is_not_written() -> None:
    table = OutputTable({"share": Column(np.array([np.inf, 1.0]))})
    with pytest.raises(ValueError, match="no finite number"):
        list(lines_of([Outcome(f"k{row}", Kind.DONE, {"w": table.row(row)}, "fast") for row in range(2)]))


def test_a_torn_line_of_many_is_repeated_as_a_whole(write: Write, tmp_path: Path) -> None:
    """Cut off at some lengths within its last line: what was in it is evaluated again, and nothing else."""
    space, out = Space.load(write(("[256, 2KiB]", "[2KiB]\n  activation.lanes: [1, 2, 3, 4]"))), tmp_path / "out"
    study = explore(space, out=out, workers=1, prune=False)
    path = out / "journal.jsonl"
    whole, keys = path.read_bytes(), keys_in(path)
    assert len(keys) == study.simulated
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    assert len(whole.splitlines()) < 1 + study.simulated, "designs share lines"
    for length in (last + 1, (last + len(whole)) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with Journal.resume(path, space.fingerprint) as journal:
            kept = len(journal.known)
            assert journal.dropped == 1
        again = explore(space, out=out, workers=1, prune=False, resume=True)
        assert again.points == study.points
        assert again.simulated == study.simulated - kept > 0
        assert sorted(keys_in(path)) == sorted(keys)


@pytest.mark.parametrize("value", ["1e999", "-1e999", "1" + "0" * 400, "true", "[1]"])
def test_a_figure_that_is_no_finite_number_is_not_read(value: str) -> None:
    """JSON has 1e999, which Python reads as infinity, and integers that no figure can be."""
    line = '{"keys":["a","b"],"executor":"fast","outputs":{"w":{"latency_us":{"values":[%s]}}}}'
    assert [outcome.outputs["w"]["latency_us"] for outcome in outcomes_of((line % "1.5").encode())] == [1.5, 1.5]
    with pytest.raises(ValueError, match="is no "):
        outcomes_of((line % value).encode())


def test_a_line_of_other_workloads_is_dropped_and_its_points_repeated(write: Write, tmp_path: Path) -> None:
    """Its checksum is right, and what it says is not of this space."""
    out, space = tmp_path / "out", Space.load(write())
    whole = explore(space, out=out, workers=1)
    path = out / "journal.jsonl"
    lines = path.read_bytes().splitlines()
    forged = next(place for place, line in enumerate(lines) if b'"lstm_3_4_t3_b1"' in line)
    text = lines[forged][9:].decode().replace('"lstm_3_4_t3_b1"', '"other"')
    path.write_bytes(b"".join([*(line + b"\n" for line in lines[:forged]), sealed_line(text)]))
    again = explore(space, out=out, resume=True, workers=1)
    assert again.dropped == 1
    assert again.points == whole.points
