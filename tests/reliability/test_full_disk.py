"""The disk is full at each write of each command, one after the other: nothing half-written, one line, and then on.

Whatever call of a command that puts something on the disk is the first without room (all later ones have none either):
the exit code is 2, one line says what cannot be written, each file is as it was before or as the whole command makes
it, no other file is left, and the command, repeated when there is room, gives what it gives without the fault.
"""

from __future__ import annotations

import errno
import hashlib
import math
import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.cli.main import main
from archsim.explore.run.journal import NEW, unsealed
from tests.explore.conftest import SMALL
from tests.optional import need
from tests.reliability.forked_cli import Ended, files, run
from tests.reliability.kept_pictures import KeptPictures
from tests.rings import exhaustive

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/self/fd")

TINY = ("tiny_2x2", "lstm_3_2_t4")
INT8 = (*TINY, "--set", "formats=tflite_int8", "--set", "activation.method=table")
SAVED = ("run", *TINY, "--no-plots", "--out", "saved")
FEW = 2
"""Of the writes of a command so many fail in the fast ring."""
PARTS = 4
"""All writes of a command are so many tests."""
IN_THE_FAST_RING = ("run", "import", "explore, parts")


@dataclass(frozen=True)
class Case:
    """A command that writes. `before`: one whose results it needs; `again`: how it is repeated, where that differs.

    `journals`: files that grow, of whole lines with their checksums.
    """

    words: tuple[str, ...]
    before: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    journals: tuple[str, ...] = ()
    needs: str = ""


EXPLORE = ("explore", "small.yaml", "--out", "found", "--workers", "1", "--quiet", "--no-prune")
JOURNALS = ("found/journal.jsonl",)
CASES = {
    "run": Case(("run", *TINY, "--no-plots", "--out", "new")),
    "run, again": Case(("run", *TINY, "--no-plots", "--out", "saved"), SAVED),
    "run, other": Case(("run", *TINY, "-s", "split", "--no-plots", "--force", "--out", "saved"), SAVED),
    "run, formats": Case(("run", *INT8, "--no-plots", "--keep-steps", "--out", "new")),
    "run, drawn": Case(("run", *TINY, "--out", "new", "--plots")),
    "report": Case(("report", "saved"), SAVED),
    "report, elsewhere": Case(("report", "saved", "--out", "page.html"), SAVED),
    "plot": Case(("plot", "saved", "--kind", "roofline", "--out", "roofline.svg"), SAVED),
    "trace": Case(("run", *TINY, "--no-plots", "--trace", "perfetto", "--trace", "vcd", "--trace", "konata",
                   "--export", "ops,steps", "--out", "new")),
    "compare": Case(("compare", "tiny_2x2", "-w", "lstm_3_2_t4", "--figure", "both.png", "--format", "csv",
                     "--out", "both.csv")),
    "program": Case(("program", *TINY, "--json", "--out", "program.json")),
    "calibrate": Case(("calibrate", *INT8, "--out", "ranges.yaml")),
    "rtl": Case(("rtl", *INT8, "--out", "design")),
    "import": Case(("import", "model.npz", "--out", "model.yaml", "--steps", "3"),
                   again=("import", "model.npz", "--out", "model.yaml", "--steps", "3", "--force")),
    "explore": Case((*EXPLORE, "--no-plots"), again=(*EXPLORE, "--no-plots", "--resume"), journals=JOURNALS),
    "explore, drawn": Case(EXPLORE, again=(*EXPLORE, "--resume"), journals=JOURNALS),
    "explore, parts": Case((*EXPLORE, "--no-plots"), again=(*EXPLORE, "--no-plots", "--resume"),
                           journals=(*JOURNALS, "found/parts/manifest.jsonl", "found/parts/pieces.jsonl"),
                           needs="pyarrow"),
}  # fmt: skip
"""Every command that writes files."""


def prepare(case: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make what the command reads."""
    folder.mkdir()
    (folder / "small.yaml").write_text(SMALL)
    random = np.random.default_rng(0)
    shapes = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}
    tensors: dict[str, Any] = {name: random.random(shape, np.float32) for name, shape in shapes.items()}
    np.savez(folder / "model.npz", **tensors)
    # What is finished is written once a second, and a busy machine would write more often.
    monkeypatch.setattr(sys.modules["archsim.explore.run.evaluation"], "CHUNK_SECONDS", math.inf)
    if case == "explore, parts":
        monkeypatch.setattr(sys.modules["archsim.explore.run.explore"], "PART_POINTS", 16)
    if CASES[case].before:
        warm(CASES[case].before, folder.parent, monkeypatch)
        shutil.rmtree(folder.parent / "warm")
        assert run(CASES[case].before, folder).code == 0


def half_written(now: dict[str, bytes], before: dict[str, bytes], whole: dict[str, bytes], case: Case) -> list[str]:
    """The files that are neither as before nor as they should become."""
    return [
        name
        for name, data in now.items()
        if data not in (before.get(name), whole.get(name))
        and not (name in case.journals and all(unsealed(line) for line in data.splitlines(keepends=True)))
        and not name.endswith(f"{hashlib.sha256(data).hexdigest()}.parquet")  # a piece of a part, whole
    ]


@pytest.mark.parametrize(
    "case", [name if name in IN_THE_FAST_RING else pytest.param(name, marks=exhaustive) for name in CASES]
)
def test_a_few_writes_fail(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second one, and the one in the middle."""
    each_write_fails(case, tmp_path, monkeypatch, lambda calls: sorted({min(1, calls - 1), calls // FEW}))


@pytest.mark.parametrize(
    "case", [name if name in IN_THE_FAST_RING else pytest.param(name, marks=exhaustive) for name in CASES]
)
def test_the_disk_becomes_read_only(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the second call, and at the one in the middle."""
    few = lambda calls: sorted({min(1, calls - 1), calls // FEW})  # noqa: E731
    each_write_fails(case, tmp_path, monkeypatch, few, why=errno.EROFS)


@exhaustive
@pytest.mark.parametrize("first", range(PARTS))
@pytest.mark.parametrize("case", list(CASES))
def test_the_disk_becomes_read_only_at_each_call(
    case: str, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is under way then."""
    parts = lambda calls: list(range(first, calls, PARTS)) or [calls - 1]  # noqa: E731
    each_write_fails(case, tmp_path, monkeypatch, parts, True, errno.EROFS)


@exhaustive
@pytest.mark.parametrize("first", range(PARTS))
@pytest.mark.parametrize("case", list(CASES))
def test_each_write_fails(case: str, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fourth one from `first` on: the share of the exhaustive ring that a run takes has some of most commands."""
    each_write_fails(case, tmp_path, monkeypatch, lambda calls: list(range(first, calls, PARTS)) or [calls - 1], True)


def each_write_fails(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    which: Callable[[int], list[int]],
    keeps_pictures: bool = False,
    why: int = errno.ENOSPC,
) -> None:
    """Let some writes of a command fail. `keeps_pictures`: they are drawn once, and not each time that it is run."""
    case = CASES[name]
    if case.needs:
        need(case.needs)
    monkeypatch.setenv("COLUMNS", "100")
    prepare(name, tmp_path / "start", monkeypatch)
    before = files(tmp_path / "start")
    shutil.copytree(tmp_path / "start", tmp_path / "whole" / "here")
    kept = KeptPictures(monkeypatch) if keeps_pictures else None
    warm(case.words, tmp_path, monkeypatch)
    if kept is not None:
        kept.rewind()
    unharmed = run(case.words, tmp_path / "whole" / "here", why=why)
    assert (unharmed.code, unharmed.failed) == (0, False), unharmed
    whole = files(tmp_path / "whole" / "here")
    numbers = which(unharmed.calls)
    assert numbers
    assert len(whole) > len(before) or whole != before or name == "run, again"
    for number in numbers:
        here = tmp_path / f"full{number}" / "here"
        shutil.copytree(tmp_path / "start", here)
        ended = run(case.words, here, number, why)
        now = files(here)
        assert ended.failed, (number, ended)
        if why == errno.EROFS:
            now = without_leftovers(now, before, ended)
        if why != errno.EROFS or ended.code:
            one_line(ended, number, why)
        assert half_written(now, before, whole, case) == [], (number, ended)
        again = run(case.again or case.words, here)
        assert again.code == 0, (number, ended, again)
        assert results(here, case) == results(tmp_path / "whole" / "here", case), number
        shutil.rmtree(here)


def warm(words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command in this process, so that forks of it need not load packages and compiled code again."""
    shutil.copytree(tmp_path / "start", tmp_path / "warm" / "here")
    monkeypatch.chdir(tmp_path / "warm" / "here")
    monkeypatch.setattr("sys.argv", ["archsim", *words])
    with pytest.raises(SystemExit):
        main()


def without_leftovers(now: dict[str, bytes], before: dict[str, bytes], ended: Ended) -> dict[str, bytes]:
    """The files but for those with temporary names, which nobody can remove from a disk that is read-only.

    Results that were moved away to make room for new ones are named in the line, and are as before.
    """
    moved = re.search(r"those of before are in (\S+)$", ended.said.strip())
    if moved is not None:
        old = Path(moved[1]).name
        kept = {name.replace(old, old[1:].partition(".old-")[0]): data for name, data in now.items() if old in name}
        assert kept == {name: data for name, data in before.items() if name in kept}
        assert kept
    return {
        name: data
        for name, data in now.items()
        if Path(name).name != NEW and not any(part.startswith(".") for part in Path(name).parts)
    }


def one_line(ended: Ended, number: int, why: int) -> None:
    """The line names a file and says that there is no room, or that nothing can be changed."""
    assert ended.code == 2, (number, ended)
    [line] = ended.errors
    assert line.startswith("archsim: error: "), (number, line)
    assert os.strerror(why) in line, (number, line)


def results(folder: Path, case: Case) -> dict[str, bytes]:
    """What must be the same bytes: all but what is kept to go on from, which has another order, or more."""
    found = {name: data for name, data in files(folder).items() if name not in case.journals}
    return {name: data for name, data in found.items() if not any(p.startswith(".") for p in Path(name).parts)}
