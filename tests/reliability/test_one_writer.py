"""Two commands that write into one folder at the same time: one of them is refused, and nothing of two is mixed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.cli.commands import run as run_module
from archsim.config.files.one_writer import one_writer
from archsim.errors import OutputError
from archsim.explore import Space, explore
from archsim.explore.results.study_folder import open_journal
from archsim.explore.results.write_results import write_results
from archsim.explore.run.journal import Journal
from archsim.report.files import folder as folder_module
from archsim.report.page import page, saved_run
from tests.explore.conftest import SMALL, keys_in
from tests.reliability.forked_cli import Ended, files, run
from tests.rings import examples, exhaustive

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="locks as Linux has them")

TINY = ("tiny_2x2", "lstm_3_2_t4")
RUN = ("run", *TINY, "--no-plots", "--out", "saved")
OTHER = ("run", *TINY, "-s", "split", "--no-plots", "--force", "--out", "saved")
THIRD = ("run", *TINY, "--set", "mac_array.rows=4", "--no-plots", "--force", "--out", "saved")
EXPLORE = ("explore", "small.yaml", "--out", "saved", "--workers", "1", "--quiet", "--no-plots", "--no-prune")
LOADED = (run_module, folder_module, page, saved_run)
"""So that forks of this process need not load them."""
BUSY = "another archsim is writing here; wait for it, or choose another --out"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(SMALL)
    random = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}
    tensors: dict[str, Any] = {name: random.random(shape, np.float32) for name, shape in shapes.items()}
    np.savez(tmp_path / "model.npz", **tensors)
    return tmp_path


def test_a_name_is_held_by_one_and_its_lock_goes_with_it(here: Path) -> None:
    with one_writer(here / "saved"):
        assert (here / ".saved.lock").exists()
        with pytest.raises(OutputError, match=rf"saved: {re.escape(BUSY)}"), one_writer(Path("saved")):
            pass
        with one_writer(here / "others"):
            pass
    assert not list(here.glob(".*"))
    with pytest.raises(ZeroDivisionError), one_writer(here / "saved"):
        raise ZeroDivisionError
    assert not list(here.glob(".*"))


def test_the_lock_of_a_killed_command_is_taken_over(here: Path) -> None:
    (here / ".saved.lock").touch()
    with one_writer(here / "saved"), pytest.raises(OutputError, match="another archsim"), one_writer(here / "saved"):
        pass
    assert not list(here.glob(".*"))


def test_a_lock_that_is_let_go_while_it_is_opened_is_asked_for_again(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else two might hold a name: one the file that is gone, another one the file that has its name now."""
    opened: list[Any] = []
    real = os.open

    def lets_go(path: Any, flags: int, *rest: Any, **options: Any) -> int:
        descriptor = real(path, flags, *rest, **options)
        if not opened:
            os.unlink(path)
        opened.append(path)
        return descriptor

    monkeypatch.setattr(os, "open", lets_go)
    with one_writer(here / "saved"):
        assert len(opened) == 2
        assert (here / ".saved.lock").exists()


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_where_no_lock_can_be_made(here: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """In a folder that may not be written to nobody can take the name; a full disk is a line."""

    def fails(*_: Any, **__: Any) -> int:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "open", fails)
    if number == errno.ENOSPC:
        with pytest.raises(OutputError, match="saved: cannot write results: No space left"), one_writer(here / "saved"):
            pass
        return
    with one_writer(here / "saved"), one_writer(here / "saved"):
        pass


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (OTHER, "saved"),
        (("report", "saved"), "saved"),
        (("import", "model.npz", "--out", "model.yaml", "--force"), "model.yaml"),
        pytest.param(
            ("rtl", *TINY, "--set", "formats=tflite_int8", "--set", "activation.method=table", "--out", "design"),
            "design",
            marks=exhaustive,
        ),
    ],
)
def test_a_command_is_refused_while_another_one_writes(here: Path, words: tuple[str, ...], name: str) -> None:
    """In one line, with nothing changed; afterwards it is not."""
    assert run(RUN, here).code == 0
    with one_writer(here / name):
        before = files(here)
        ended = run(words, here)
        assert (ended.code, ended.said) == (2, f"archsim: error: {name}: {BUSY}\n")
        assert files(here) == before
    assert run(words, here).code == 0
    assert not list(here.glob(".*"))


def test_a_run_holds_its_folder_until_it_is_drawn(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else figures and page of one run would come into the folder of another, which took its place meanwhile."""
    drawn: list[Ended] = []

    def draws(*_: Any) -> None:
        drawn.append(run(OTHER, here))
        (here / "drawn.txt").write_text(drawn[0].said)

    monkeypatch.setattr(run_module, "_draw", draws)
    assert run(RUN, here).code == 0
    assert (here / "drawn.txt").read_text() == f"archsim: error: saved: {BUSY}\n"


@pytest.mark.parametrize("inside", [False, True])
def test_a_run_leaves_an_exploration_that_began_meanwhile(
    here: Path, monkeypatch: pytest.MonkeyPatch, inside: bool
) -> None:
    """`inside`: between the look at the folder and the move, when it is empty: then the move itself fails."""
    space, real = Space.load("small.yaml"), folder_module._refuse_foreign

    def begins(target: Path, shown: Path) -> None:
        if not inside and os.path.lexists(here / ".saved.lock") and list(here.glob(".saved.partial-*")):
            open_journal(here / "saved", space, resume=False).close()
        real(target, shown)
        if inside and list(here.glob(".saved.partial-*/stats.json")) and target.name == "saved":
            open_journal(here / "saved", space, resume=False).close()

    monkeypatch.setattr(folder_module, "_refuse_foreign", begins)
    ended = run(RUN, here)
    assert ended.code == 2, ended
    [line] = ended.errors
    assert line.startswith("archsim: error: saved: ")
    assert sorted(files(here / "saved")) == ["journal.jsonl"]
    assert not list(here.glob(".*"))


def test_an_exploration_does_not_begin_in_the_results_of_a_run(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which took the place of its empty folder before its journal was there."""
    assert run(RUN, here).code == 0
    expected, real = files(here / "saved"), Journal.create
    (here / "saved").rename(here / "made")

    def late(*given: Any) -> Journal:
        (here / "made").rename(here / "saved")
        return real(*given)

    monkeypatch.setattr(Journal, "create", late)
    ended = run(EXPLORE, here)
    assert ended.code == 2, ended
    assert "holds files that are not of an exploration" in ended.said
    assert files(here / "saved") == expected


def test_results_are_not_written_while_another_exploration_is_under_way(here: Path) -> None:
    """Two that write them at once would share temporary names."""
    space = Space.load("small.yaml")
    study = explore(space, out="saved", workers=1)
    with Journal.resume(here / "saved" / "journal.jsonl", space.fingerprint):
        with pytest.raises(OutputError, match="another archsim explore is writing here"):
            write_results(study, here / "saved", plots=False)
        assert not (here / "saved" / "points.csv").exists()
    write_results(study, here / "saved", plots=False)
    assert (here / "saved" / "points.csv").exists()


def at_once(here: Path, commands: tuple[tuple[str, ...], ...]) -> list[Ended]:
    """How commands end that begin together, each in a fork of this process."""
    ready, go = os.pipe()
    ends: list[tuple[int, Path]] = []
    for place, words in enumerate(commands):
        said = here / f"{place}.ended"
        child = os.fork()
        if child == 0:
            try:
                os.close(go)
                os.read(ready, 1)  # until the other end is closed
                said.write_text(json.dumps(astuple(run(words, here))))
            finally:
                os._exit(0)
        ends.append((child, said))
    os.close(ready)

    def ended(child: int, said: Path) -> Ended:
        os.waitpid(child, 0)
        found = Ended(*json.loads(said.read_text()))
        said.unlink()
        return found

    os.close(go)
    return [ended(child, said) for child, said in ends]


def of_one(folder: Path) -> dict[str, bytes]:
    """The files of results; of a journal, whose lines are of what was finished in a second, its designs in order."""
    found = files(folder)
    if "journal.jsonl" in found:
        keys = keys_in(folder / "journal.jsonl")
        assert len(keys) == len(set(keys)), "no design was evaluated twice"
        found["journal.jsonl"] = "\n".join(sorted(keys)).encode()
    return found


@exhaustive
def test_many_commands_at_once_leave_the_results_of_one(here: Path) -> None:
    """Runs of three machines and an exploration, all into one folder, again and again, from nothing and from before."""
    commands = (RUN, OTHER, THIRD, EXPLORE)
    whole: list[dict[str, bytes]] = []
    for words in commands:
        assert run(words, here).code == 0
        whole.append(of_one(here / "saved"))
        shutil.rmtree(here / "saved")
    refused = 0
    for round_ in range(examples(8)):
        if round_ % 2 == 0:
            shutil.rmtree(here / "saved", ignore_errors=True)
        all_ended = at_once(here, commands)
        for ended in all_ended:
            assert ended.code in (0, 2), ended
            if ended.code:
                [line] = ended.errors
                assert line.startswith("archsim: error: saved"), line
                refused += 1
        now = of_one(here / "saved")
        mixed = [[name for name in now if now[name] != one.get(name)] for one in whole]
        assert now in whole, mixed
        winner = whole.index(now)
        assert all_ended[winner].code == 0 or round_ % 2, (winner, all_ended)
        assert not list(here.glob(".*")), round_
    assert refused
