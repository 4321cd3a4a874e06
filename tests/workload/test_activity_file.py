"""Recorded activity of a delta network, read from a text file."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.errors import WorkloadError
from archsim.workload import activity_file, load_workload
from archsim.workload.activity import LayerActivity, StepColumns


def read(tmp_path: Path, text: str, workload: str = "gru:2,3,layers=2,t=2") -> tuple[LayerActivity, ...]:
    """The activity of a network of I 2, H 3: columns 0 to 5 are layer 0's, 6 to 12 layer 1's (I 3, H 3)."""
    file = tmp_path / "a.txt"
    file.write_text(text)
    found = load_workload(workload, (), file).spec.activity
    assert found is not None
    return found


def test_columns_are_numbered_within_their_layer(tmp_path: Path) -> None:
    """9 of the file is column 9 - 6 = 3 of layer 1, the last of its x; 12 is 6, the last of its h."""
    first, second = read(tmp_path, "0 2 | 3 5 | 6 9 | 12 |\n| | | |\n")
    assert first.steps == (StepColumns((0, 2), (3, 5)), StepColumns((), ()))
    assert second.steps == (StepColumns((0, 3), (6,)), StepColumns((), ()))
    assert (first.columns, second.columns) == (4, 3)
    assert repr(first).startswith("<activity of 2 steps, ")


def test_the_last_part_need_not_be_ended_and_lines_may_end_as_on_windows(tmp_path: Path) -> None:
    plain = read(tmp_path, "0|3|6|12|\n|||\n")
    assert read(tmp_path, "0 | 3 | 6 | 12\r\n |  | |\r\n") == plain
    assert read(tmp_path, "0|3|6||\n|||\n") != plain


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|||\n", "a.txt: activity: has 1 lines, one for each time step; the workload has 2 steps"),
        ("", "a.txt: activity: has 0 lines"),
        (
            "|||\n||\n",
            r"a.txt:2: activity: expected 4 parts ended by \| \(x and h of each direction of each layer\), got 3",
        ),
        ("|||\n3|||\n", "a.txt:2: activity: columns of x of layer 0: whole numbers 0 to 2 in rising order, got 3"),
        ("|2||\n|||\n", "a.txt:1: activity: columns of h of layer 0: whole numbers 3 to 5 in rising order, got 2"),
        ("||5|\n|||\n", "columns of x of layer 1: whole numbers 6 to 9 in rising order, got 5"),
        ("|||13\n|||\n", "columns of h of layer 1: whole numbers 10 to 12 in rising order, got 13"),
        ("1 1|||\n|||\n", "0 to 2 in rising order, got 1"),
        ("2 1|||\n|||\n", "0 to 2 in rising order, got 1"),
        ("-1|||\n|||\n", "0 to 2 in rising order, got '-1'"),
        ("one|||\n|||\n", "got 'one'"),
        ("1\t2|||\n|||\n", r"got '1\\t2'"),
        ("1²|||\n|||\n", "is no text of numbers"),
        ("9999999999|||\n|||\n", "got '9999999999'"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WorkloadError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_files_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity_file, "MAX_BYTES", 4)
    with pytest.raises(WorkloadError, match="is larger than the 0 MiB that are read"):
        read(tmp_path, "|||\n|||\n")
    with pytest.raises(WorkloadError, match="missing.txt: activity: cannot read: No such file"):
        load_workload("gru:2,3,t=2", (), tmp_path / "missing.txt")


def test_a_workload_file_names_it_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("|\n|\n")
    text = "summary: s\nkind: gru\ninput_size: 2\nhidden_size: 3\nsteps: 2\nbatch: 1\nweights: {seed: 0}\n"
    (tmp_path / "w.yaml").write_text(text + "input: {seed: 1}\nactivity: a.txt\n")
    found = load_workload(str(tmp_path / "w.yaml"))
    assert found.spec.activity is not None
    assert (found.config.activity, len(found.spec.activity)) == ("a.txt", 1)
    assert load_workload(str(tmp_path / "w.yaml"), (), tmp_path / "a.txt").config.activity == "a.txt"


def test_directions_are_layers_of_their_own_and_h_is_what_was_projected(tmp_path: Path) -> None:
    """I 2, H 3, P 1: columns 0 to 3 are the forward direction's, 4 to 7 the reverse one's; 7 is 3, its h."""
    forward, reverse = read(tmp_path, "0 2 | 3 | 5 | 7 |\n| | | |\n", "lstm:2,3,t=2,proj=1,bidirectional=1")
    assert forward.steps == (StepColumns((0, 2), (3,)), StepColumns((), ()))
    assert reverse.steps == (StepColumns((1,), (3,)), StepColumns((), ()))
    with pytest.raises(WorkloadError, match="columns of h of layer 0 reverse: whole numbers 7 to 7 in rising order"):
        read(tmp_path, "| | | 8 |\n| | | |\n", "lstm:2,3,t=2,proj=1,bidirectional=1")
