"""No finished point is ever lost, and none is evaluated twice: kills, torn lines, full disks, folders in use."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

from archsim.config.presets import PresetKind, find_file
from archsim.errors import ArchError, OutputError
from archsim.explore import Space, explore
from archsim.explore.results.write_results import write_results
from archsim.explore.run import journal as journal_module
from archsim.explore.run.journal import Journal, sealed_line, unsealed
from archsim.explore.run.outcome import Kind, Outcome
from tests.explore.conftest import Write, keys_in
from tests.rings import examples, exhaustive

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
MANY = (
    ("{from: 2, to: 16}", "{from: 2, to: 32}"),
    ("mac_array.columns <= 64", "mac_array.columns <= 512"),
    ("step: 2", "step: 1"),
    ("[256, 2KiB]", "[256, 2KiB]\n  activation.lanes: [1, 2, 3, 4]"),
)


def outcome(number: int) -> Outcome:
    return Outcome(f"{number:064x}", Kind.DONE, {"w": {"latency_us": number / 7, "x": None}}, "machine")


@pytest.mark.exhaustive
def test_many_kills_and_then_the_same_points(write: Write, tmp_path: Path) -> None:
    path, kills = write(*MANY), examples(50)
    script = [sys.executable, str(HERE / "killed.py"), str(path), str(tmp_path / "killed"), str(kills), "1"]
    killed, last = map(int, subprocess.check_output(script, env=ENVIRONMENT, text=True).split())
    assert killed == kills, "every kill must hit an exploration that is under way"
    study = explore(Space.load(path), out=tmp_path / "whole", workers=1, executor="machine")
    write_results(study, tmp_path / "whole", plots=False)
    assert last < study.simulated, "the kills left nothing behind, so nothing was resumed"
    for name in ("points.csv", "pareto.csv", "index.html"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    keys = keys_in(tmp_path / "killed" / "journal.jsonl")
    assert len(keys) == len(set(keys)) == study.simulated, "no design was evaluated twice"


def test_a_torn_line_is_dropped_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([outcome(1)])
        journal.append([outcome(2)])
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for length in range(last, len(whole)):
        path.write_bytes(whole[:length])
        with Journal.resume(path, "f") as journal:
            assert list(journal.known) == [outcome(1).key]
            assert journal.dropped == (length > last)
            journal.append([outcome(2)])
        assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "body",
    [
        '{"key":[],"kind":"done"}', '{"key":"k","kind":"done"}', '{"key":"k","kind":"done","outputs":{"w":{"x":[1]}}}',
        '{"key":"k","kind":"done","outputs":{"w":3}}', '{"key":"k","kind":"infeasible"}', '{"key":"k","kind":"new"}',
        '{"key":"k","kind":"infeasible","reason":[1]}', '{"key":"k","kind":"done","outputs":{"w":{"x":NaN}}}',
        '{"key":"k","kind":"done","outputs":{"w":{"x":1}},"reason":["a","b",null,null,""]}', "[" * 100_000, "7", "null",
        '{"key":"k","kind":"done","outputs":{"w":{"x":1}},"further":1}',
        *(
            '{"keys":["a"],"executor":"fast","outputs":' + rest
            for rest in (
                "{}}", '{"w":3}}', '{"w":{"x":[1]}}}', '{"w":{"x":{"values":[1]}}},"further":1}', '{"w":{"x":{}}}}',
                '{"w":{"x":{"values":[]}}}}', '{"w":{"x":{"values":[[1]]}}}}', '{"w":{"x":{"values":[NaN]}}}}',
                '{"w":{"x":{"values":[true]}}}}', '{"w":{"x":{"values":[1,2],"u2":"AgA="}}}}',
                '{"w":{"x":{"values":[1,2],"u2":"AQABAA=="}}}}', '{"w":{"x":{"values":[1,2],"u2":"AQ"}}}}',
                '{"w":{"x":{"values":[1,2],"u2":[1]}}}}', '{"w":{"x":{"i8":"AQAAAAA="}}}}',
                '{"w":{"x":{"f8":"AAAAAAAA8H8="}}}}', '{"w":{"x":{"f8":"AAAAAAAA+H8="}}}}', '{"w":{"x":{"f8":"!"}}}}',
            )
        ),
        '{"keys":[3],"executor":"fast","outputs":{"w":{"x":{"values":[1]}}}}', '{"keys":' + "[" * 100_000,
        '{"keys":["a"],"executor":1,"outputs":{"w":{"x":{"values":[1]}}}}', '{"keys":["a"],"executor":"fast"}',
        '{"keys":[],"executor":"fast","outputs":{"w":{"x":{"values":[1]}}}}',
    ],
)  # fmt: skip
def test_a_line_with_a_right_checksum_and_a_wrong_content_is_dropped(body: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([outcome(1)])
    with path.open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(body.encode()), body.encode()))
    with Journal.resume(path, "f") as journal:
        assert list(journal.known.values()) == [outcome(1)]
        assert journal.dropped == 1


def test_a_line_without_an_end_takes_no_more_memory_than_a_line_may_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MOST_LINE_BYTES", 1000)
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([outcome(1)])
    with path.open("ab") as file:
        file.write(b"x" * 2500)
    with Journal.resume(path, "f") as journal:
        assert list(journal.known.values()) == [outcome(1)]
        assert journal.dropped == 3


def test_a_damaged_line_is_dropped_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([outcome(n) for n in range(3)])
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"latency", b"Latency")
    path.write_bytes(b"".join(lines))
    with Journal.resume(path, "f") as journal:
        assert list(journal.known.values()) == [outcome(0), outcome(2)]
        assert journal.dropped == 1


def test_a_failure_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([Outcome("k", Kind.FAILED, {})])
    with Journal.resume(path, "f") as journal:
        assert not journal.known


@pytest.mark.parametrize("figure", ["latency_cycles", "body_us", "roofline.run_gops"])
def test_a_line_that_lacks_a_figure_of_every_run_is_dropped(write: Write, tmp_path: Path, figure: str) -> None:
    """Its checksum is right, and it is of a design and a workload of the space: its design is evaluated again."""
    space = Space.load(write())
    whole = explore(space, out=tmp_path / "out", workers=1)
    path = tmp_path / "out" / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    place = next(n for n, line in enumerate(lines) if b'"outputs":' in line)
    record = json.loads(unsealed(lines[place]) or b"")
    for figures in record["outputs"].values():
        del figures[figure]
    lines[place] = sealed_line(json.dumps(record))
    path.write_bytes(b"".join(lines))
    again = explore(space, out=tmp_path / "out", workers=1, resume=True)
    assert (again.points, again.dropped, again.simulated) == (whole.points, 1, len(record.get("keys", [0])))
    assert explore(space, out=tmp_path / "out", workers=1, resume=True).simulated == 0


def test_whose_journal_it_is(write: Write, tmp_path: Path) -> None:
    space = Space.load(write())
    explore(space, out=tmp_path / "out", workers=1)
    with pytest.raises(OutputError, match="--resume"):
        explore(space, out=tmp_path / "out", workers=1)
    other = Space.load(write(("t=3", "t=4"), name="other"))
    with pytest.raises(OutputError, match="of another space"):
        explore(other, out=tmp_path / "out", resume=True, workers=1)
    journal = tmp_path / "out" / "journal.jsonl"
    with Journal.resume(journal, space.fingerprint), pytest.raises(OutputError, match="another archsim explore"):
        Journal.resume(journal, space.fingerprint)
    journal.write_text("something else\n")
    with pytest.raises(OutputError, match="is not a journal"):
        explore(space, out=tmp_path / "out", resume=True, workers=1)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("x")
    with pytest.raises(OutputError, match="thesis.tex"):
        explore(space, out=tmp_path / "mine", workers=1)
    assert explore(space, out=tmp_path / "none", resume=True, workers=1).simulated, "nothing there: from the beginning"


def test_a_full_disk_keeps_what_was_done(write: Write, tmp_path: Path) -> None:
    space = Space.load(write())
    out = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
        with pytest.raises(OutputError, match=r"cannot be written: .*; [1-9][0-9]* finished points are kept"):
            explore(space, out=out, workers=1, prune=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    with Journal.resume(out / "journal.jsonl", space.fingerprint) as journal:
        kept = len(journal.known)
        assert kept > 0
        assert journal.dropped == 0, "what did not fit is not left torn"
    study = explore(space, out=out, workers=1, prune=False, resume=True)
    whole = explore(space, workers=1, prune=False)
    assert study.points == whole.points
    assert study.simulated == whole.simulated - kept


def test_a_folder_that_cannot_be_written(write: Write, tmp_path: Path) -> None:
    space = Space.load(write())
    (tmp_path / "file").write_text("")
    for target in (tmp_path / "file", tmp_path / "file" / "inside", Path("/proc/nothing")):
        with pytest.raises(OutputError, match="is not a folder|cannot write results"):
            explore(space, out=target, workers=1)


def test_what_stands_in_the_place_of_a_folder_is_named(write: Write, tmp_path: Path) -> None:
    """A file, and a link to nothing, which no folder can take the place of either."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for name in ("file", "link"):
        with pytest.raises(OutputError, match=f"{name}: is not a folder; choose another --out"):
            explore(Space.load(write()), out=tmp_path / name, workers=1)


def test_a_read_only_folder(write: Write, tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root writes anywhere but here
        target = Path("/sys/kernel")
        with pytest.raises(OutputError):
            explore(Space.load(write()), out=target / "archsim", workers=1)
        return
    folder = tmp_path / "out"
    folder.mkdir(mode=0o555)
    with pytest.raises(OutputError, match="cannot be written"):
        explore(Space.load(write()), out=folder, workers=1)


@exhaustive
@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(write: Write, tmp_path: Path, workers: str) -> None:
    path, out = write(*MANY), tmp_path / "out"
    # A shell's background job ignores Ctrl-C, and so would what it starts.
    begin = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    command = [sys.executable, "-c", f"{begin}; from archsim.cli.main import main; main()"]
    command += ["explore", str(path), "--out", str(out), "--workers", workers]
    process = subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    journal = out / "journal.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and (not journal.exists() or journal.stat().st_size < 20_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    printed, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed == ""
    assert "Traceback" not in said
    assert "finished designs are on disk" in said
    assert f"--out {out}" in said
    assert said.rstrip().endswith("--resume")
    space = Space.load(path)
    with Journal.resume(journal, space.fingerprint) as found:
        assert found.known
        assert found.dropped == 0


def test_a_technology_file_that_changed_is_another_design(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its name stays, its numbers do not: nothing of the journal may stand for the new designs."""
    monkeypatch.chdir(tmp_path)
    text = find_file(PresetKind.TECHNOLOGY, "node_45nm", ArchError).read_text()
    table = tmp_path / "mine.yaml"
    table.write_text(text)
    path = write(("workloads:", "set: {technology: ./mine.yaml}\nworkloads:"))
    before = explore(Space.load(path), out="there", workers=1)
    again = explore(Space.load(path), out="there", workers=1, resume=True)
    assert before.simulated > 0 == again.simulated
    table.write_text(text.replace("energy_pj: 3.7", "energy_pj: 7.4"))
    os.utime(table, ns=(1, 1))
    after = explore(Space.load(path), out="there", workers=1, resume=True)
    assert after.simulated == before.simulated


@pytest.mark.parametrize("first", ["3", "null", '["journal"]', '{"journal": 0}', "no JSON"])
def test_a_file_that_begins_otherwise_is_no_journal(tmp_path: Path, first: str) -> None:
    """A whole line with its checksum, but not the header of a journal."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"%08x %s\n" % (zlib.crc32(first.encode()), first.encode()))
    with pytest.raises(OutputError, match="is not a journal of archsim explore; choose another --out"):
        Journal.resume(path, "f")


def test_what_was_to_take_its_place_goes(tmp_path: Path) -> None:
    """As it stays where the disk becomes read-only between writing it and giving it its name."""
    path = tmp_path / "journal.jsonl"
    Journal.create(path, "f", "s").close()
    (tmp_path / "journal.jsonl.new").write_text("half")
    Journal.resume(path, "f").close()
    assert [entry.name for entry in tmp_path.iterdir()] == ["journal.jsonl"]


def test_of_two_that_begin_at_once_one_has_the_journal(tmp_path: Path) -> None:
    """The second one looked for a journal before the first one had made it, and would have taken its place."""
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "space", "small"):
        with pytest.raises(OutputError, match="another archsim explore is writing here"):
            Journal.create(path, "space", "small")
        assert [entry.name for entry in tmp_path.iterdir()] == ["journal.jsonl"]


def test_a_line_that_could_not_be_written_whole_leaves_those_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is full in the middle of the third line: the file is what it was after the second."""
    path = tmp_path / "journal.jsonl"
    with Journal.create(path, "f", "s") as journal:
        journal.append([outcome(1)])
        journal.append([outcome(2)])
        whole = path.read_bytes()
        real, calls = os.write, []

        def full(descriptor: int, data: bytes) -> int:
            calls.append(len(data))
            if len(calls) > 1:
                raise OSError(28, "No space left on device")
            return real(descriptor, bytes(data)[:20])

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match="No space left"):
            journal.append([outcome(3)])
        monkeypatch.undo()
        assert path.read_bytes() == whole
