"""Mutated texts through the command line: each must end in clear lines and exit code 2, or in a result.

    python -m tests.fuzz.fuzz_texts --inputs 20000 --seed 0

Every file that archsim reads beside model files is changed at random, word by word and line by line: machines,
workloads, spaces, technologies, calibrations, recorded activity, maps of tensors, folders of results, journals of
explorations and manifests of their parts, whose checksums are made right again; and the words of command lines. Each
input is a command in a folder of its own, in another process with limited memory and time. It may end with 0 or 1
(run), with 2 and nothing but lines that begin with "archsim: " (refused), or at its limits (a design may be large).
Anything else is a failure: another exit code, a traceback, a crash, characters that a terminal obeys, a line without
end. Those are kept in the folder of --keep.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: no threads to fork with
os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "system"  # the others reserve more than an input may take

import argparse
import io
import re
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from archsim.cli.main import main as archsim
from archsim.config.presets import PresetKind, preset_file
from archsim.errors import Fault, FaultsError
from archsim.explore.run.journal import sealed_line, unsealed
from tests.explore.conftest import SMALL
from tests.fuzz import fuzz_runs
from tests.fuzz.fuzz_runs import FAILED, REFUSED, RIGHT, Ended, run_all

AT_A_TIME = 100
LIMIT_SECONDS = 10
LONGEST_LINE = 4_000
"""Characters of a line on stderr: a machine's faults name their fields, and what is allowed."""
TINY = ("tiny_2x2", "lstm_3_2_t4")
INT8 = ("--set", "formats=tflite_int8", "--set", "activation.method=table")
ODD = (
    *(
        "",
        "null",
        "~",
        "-1",
        "0",
        "1",
        "2",
        "3",
        "255",
        "1e400",
        "-1e-400",
        ".nan",
        ".inf",
        "-0.0",
        "0x10",
        "1_000",
        "010",
    ),
    *(str(2**31), str(2**63), str(2**70), "9" * 5000, "1e9", "0.5", "true", "no", "[]", "{}", "[[", "]]", "[" * 300),
    *(
        "'",
        '"',
        "&a *a",
        "*a",
        "<<: *a",
        "!!python/object:os.system x",
        "!!binary x",
        "- ",
        "? ",
        "%YAML 3",
        "---",
        "#",
    ),
    *("\x1b[31m", "\x07", "\u202e", "\u2028", "é", "\U0001f600", "\ud83d", "\x00", "\t", "a" * 3000, "=cmd|' /c x'!A1"),
    *(
        "../x",
        "/dev/zero",
        "/etc/passwd",
        ".",
        "a b",
        "{size: 0}",
        "1MiB",
        "-1MiB",
        "1e99GiB",
        "int8",
        "q99.99",
        "bfp0",
    ),
    *("tanh", "lstm:3,2", "lstm:0,0", "rnn:1,1,t=2", "tpu_v1", "fused", "best", "inf us", "1/0", "9**9**9", "x" * 40),
)
"""Words that stand where others were."""
WORDS = re.compile(r"[\w.+-]+|\s+|.", re.DOTALL)


@dataclass(frozen=True)
class Target:
    """What is changed of a valid folder, and the command that reads it.

    `files`: those that are changed, one at a time; none: the words of the command. `sealed`: their lines have
    checksums, which are made right again.
    """

    words: tuple[str, ...]
    files: tuple[str, ...] = ()
    sealed: bool = False


RUN = ("--timing-only", "--json")
EXPLORE = ("explore", "small.yaml", "--out", "found", "--workers", "1", "--no-plots", "--quiet", "--resume")
COMMANDS = (
    ("run", *TINY, "--set", "mac_array.rows=3", *RUN),
    ("run", "tiny_2x2", "lstm:3,2,t=2,b=2", "-s", "split", *RUN),
    ("validate", *TINY),
    ("program", *TINY, "--json"),
    ("trace", *TINY, "--cycles", "0-20"),
    ("explain", *TINY),
    ("whatif", *TINY, "mac_array.rows=4"),
    ("compare", "tiny_2x2", "-w", "lstm_3_2_t4", "-s", "fused", "--format", "csv"),
    ("list", "workloads"),
    ("import", "model.npz", "--rename", "a_*=b.*", "--layer", "all"),
    ("plot", "saved", "--kind", "roofline", "--out", "x.svg", "--width", "8cm"),
    ("report", "saved", "--out", "x.html", "--steps", "1-2"),
    ("explore", "show", "found", "3"),
    ("explore", "small.yaml", "--out", "new", "--budget", "4", "--workers", "1", "--no-plots"),
    ("calibrate", *TINY, *INT8, "--out", "r.yaml"),
)
"""Command lines whose words are changed."""
TARGETS: dict[str, Target] = {
    "machine": Target(("run", "machine.yaml", "lstm_3_2_t4", *RUN), ("machine.yaml",)),
    "workload": Target(("run", "tiny_2x2", "workload.yaml", *RUN), ("workload.yaml",)),
    "space": Target(("explore", "small.yaml", "--out", "new", "--budget", "4", "--workers", "1", "--no-plots"), ("small.yaml",)),
    "technology": Target(("run", *TINY, "--set", "technology=./technology.yaml", *RUN), ("technology.yaml",)),
    "calibration": Target(
        ("run", "tiny_2x2", "calibrated.yaml", *INT8, "--json"), ("ranges.yaml", "calibrated.yaml")
    ),
    "activity": Target(("run", "edgedrnn", "gru:8,16,layers=2,t=4", "--activity", "activity.txt", *RUN), ("activity.txt",)),
    "map": Target(("import", "model.npz", "--map", "map.yaml", "--out", "new.yaml"), ("map.yaml",)),
    "results, rerun": Target(("rerun", "saved"), ("saved/manifest.json", "saved/arch.yaml", "saved/workload.yaml", "saved/stats.json")),
    "results, report": Target(("report", "saved", "--out", "x.html"), ("saved/stats.json", "saved/manifest.json")),
    "results, compare": Target(("compare", "saved", "tiny_2x2", "-w", "lstm_3_2_t4"), ("saved/stats.json", "saved/manifest.json")),
    "journal": Target(EXPLORE, ("found/journal.jsonl",), sealed=True),
    "shown point": Target(("explore", "show", "found", "3"), ("found/exploration.json", "found/journal.jsonl")),
    "manifest of parts": Target(EXPLORE, ("found/parts/manifest.jsonl",), sealed=True),
    "command line": Target(()),
}  # fmt: skip
"""Every path by which texts of others come in."""
PARTS = "manifest of parts"


def make_folders(root: Path) -> None:
    """The valid folders: `plain` has everything, `parts` an exploration whose points are in parts."""
    plain = root / "plain"
    plain.mkdir()
    for name, kind, preset in (
        ("machine.yaml", PresetKind.ARCH, "tiny_2x2"),
        ("workload.yaml", PresetKind.WORKLOAD, "lstm_3_2_t4"),
        ("technology.yaml", PresetKind.TECHNOLOGY, "node_45nm"),
    ):
        (plain / name).write_text(preset_file(kind, preset).read_text(encoding="utf-8"), encoding="utf-8")
    (plain / "small.yaml").write_text(SMALL)
    workload = (plain / "workload.yaml").read_text(encoding="utf-8")
    (plain / "calibrated.yaml").write_text(f"{workload}\ncalibration: {{file: ranges.yaml}}\n")
    (plain / "activity.txt").write_text("0 3 | 9 10 | 25 26 | 42 |\n| | | |\n1 | 9 | 27 | 43 44 |\n0 1 | | | |\n")
    random = np.random.default_rng(0)
    shapes = {"enc_w": (3, 16), "enc_u": (4, 16), "enc_b": (16,)}
    tensors: dict[str, np.ndarray] = {name: random.random(shape).astype(np.float32) for name, shape in shapes.items()}
    with (plain / "model.npz").open("wb") as file:
        np.savez(file, **tensors)  # type: ignore[arg-type]
    gates = "{kind: lstm, gates: [i, j, f, o], weight_ih: enc_w, weight_hh: enc_u, bias: enc_b, transposed: true}"
    (plain / "map.yaml").write_text(f"layers:\n  enc: {gates}\n")
    must(plain, ("calibrate", *TINY, *INT8, "--out", "ranges.yaml"))
    must(plain, ("run", *TINY, "--no-plots", "--out", "saved"))
    must(plain, tuple(word for word in EXPLORE if word != "--resume"))
    shutil.copytree(plain, root / "parts")
    shutil.rmtree(root / "parts" / "found")
    with parts_of(16):
        must(root / "parts", tuple(word for word in EXPLORE if word != "--resume"))


class parts_of:
    """Explorations of more points than these are kept in parts, inside of the block."""

    def __init__(self, points: int) -> None:
        self.points, self.module = points, sys.modules["archsim.explore.run.explore"]

    def __enter__(self) -> None:
        self.before, self.module.PART_POINTS = self.module.PART_POINTS, self.points  # type: ignore[attr-defined]

    def __exit__(self, *_: object) -> None:
        self.module.PART_POINTS = self.before  # type: ignore[attr-defined]


def must(folder: Path, words: Sequence[str]) -> None:
    code, said = command(folder, words)
    assert code == 0, (words, said)


def command(folder: Path, words: Sequence[str]) -> tuple[int, str]:
    """The exit code of a command in a folder, and what it said on stderr."""
    os.chdir(folder)
    sys.argv = ["archsim", *words]
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        try:
            archsim()
        except SystemExit as end:
            return int(end.code or 0), said.getvalue()
    return 99, said.getvalue()


def check(folder: Path, words: Sequence[str]) -> bool:
    """Run the command; True if it gave a result, FaultsError if it was refused as it should be."""
    code, said = command(folder, words)
    for line in said.splitlines():
        assert line.startswith("archsim: "), f"a line of somebody else: {line!r}"
        assert len(line) <= LONGEST_LINE, f"a line of {len(line)} characters: {line[:300]!r}"
        assert line.isprintable(), f"characters that a terminal obeys: {line!r}"
    assert "Traceback" not in said
    if code == 2:
        raise FaultsError((Fault("", "", said.splitlines()[-1]),))
    assert code in (0, 1), f"exit code {code}: {said}"
    return True


@dataclass(frozen=True)
class Inputs:
    """The inputs by number: what is changed, and how, follows from the seed and the number."""

    root: Path
    seed: int

    def target(self, number: int) -> str:
        return list(TARGETS)[number % len(TARGETS)]

    def make(self, number: int) -> tuple[Path, tuple[str, ...]]:
        """Write the folder of an input: where it is, and the words of its command."""
        name = self.target(number)
        target, random = TARGETS[name], np.random.default_rng([self.seed, number])
        here = self.root / "here"
        os.chdir(self.root)
        shutil.rmtree(here, ignore_errors=True)
        shutil.copytree(self.root / ("parts" if name == PARTS else "plain"), here)
        if not target.files:
            words = COMMANDS[random.integers(len(COMMANDS))]
            return here, changed_words(words, random)
        file = here / target.files[random.integers(len(target.files))]
        if target.sealed:
            file.write_bytes(changed_lines(file.read_bytes(), random))
        else:
            text = changed_text(file.read_text(encoding="utf-8"), random)
            file.write_bytes(text.encode("utf-8", "surrogatepass"))
        return here, target.words

    def attempt(self, number: int) -> bool:
        here, words = self.make(number)
        if self.target(number) != PARTS:
            return check(here, words)
        with parts_of(16):
            return check(here, words)


def changed_words(words: Sequence[str], random: np.random.Generator) -> tuple[str, ...]:
    """A command line with one to three words, or parts of them, changed; none has a NUL, which no system passes on."""
    found = list(words)
    for _ in range(1 + random.integers(3)):
        place = 1 + random.integers(len(found) - 1) if len(found) > 1 else 0
        match random.integers(4):
            case 0:
                found[place] = pick(random)
            case 1:
                found[place] = changed_text(found[place], random)
            case 2:
                found.insert(place, pick(random))
            case _:
                found.insert(place, found[random.integers(len(found))])
    return tuple(word.replace("\x00", "").encode(errors="replace").decode() for word in found)


def changed_lines(data: bytes, random: np.random.Generator) -> bytes:
    """Lines with checksums, of which one has another text, and the checksum of that; or that are cut or come twice."""
    lines = data.splitlines(keepends=True)
    place = int(random.integers(len(lines)))
    text = (unsealed(lines[place]) or b"").decode()
    line = sealed_line(changed_text(text, random).encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    match random.integers(6):
        case 0:
            lines.insert(int(random.integers(len(lines))), lines[place])
        case 1:
            lines[place] = lines[place][: random.integers(len(lines[place]))]
        case _:
            lines[place] = line
    return b"".join(lines)


def changed_text(text: str, random: np.random.Generator) -> str:
    """A text with one to four words or lines changed."""
    for _ in range((1, 1, 1, 2, 3, 4)[random.integers(6)]):
        lines = random.integers(4) == 0
        pieces = text.splitlines(keepends=True) if lines else WORDS.findall(text)
        if not pieces:
            return pick(random)
        place = int(random.integers(len(pieces)))
        match random.integers(6):
            case 0:
                del pieces[place]
            case 1:
                pieces.insert(int(random.integers(len(pieces))), pieces[place])
            case 2:
                pieces[place] = pieces[random.integers(len(pieces))]
            case 3 if random.integers(4) == 0:
                pieces = pieces[:place]
            case _:
                pieces[place] = pick(random)
        text = "".join(pieces)
    return text


def pick(random: np.random.Generator) -> str:
    return ODD[random.integers(len(ODD))]


def words_of(ended: Ended) -> str:
    """The class of an end: those at a limit of time or memory are no failures, a design may be large."""
    if ended.code == RIGHT:
        return "run"
    if ended.code == REFUSED:
        return "refused"
    limited = ended.code == FAILED and "MemoryError" in ended.message
    return "at its limits" if limited or ended.words in ("signal 24", "signal 9", "signal 14") else "failed"


def fuzz(inputs: int, seed: int, keep: Path, report: Callable[[str], object] = print) -> int:
    """Try all inputs, report the counts, and return how many failed."""
    fuzz_runs.SECONDS = LIMIT_SECONDS
    counts: dict[str, Counter[str]] = {name: Counter() for name in TARGETS}
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        make_folders(root)
        for target in (target for target in TARGETS.values() if target.files and not target.sealed):
            must(root / "plain", target.words)
        for file in ("new", "new.yaml", "new.safetensors", "x.html"):
            shutil.rmtree(root / "plain" / file, ignore_errors=True)
            (root / "plain" / file).unlink(missing_ok=True)
        made = Inputs(root, seed)
        for first in range(0, inputs, AT_A_TIME):
            piece = range(first, min(first + AT_A_TIME, inputs))
            for number, ended in zip(piece, run_all(piece, made.attempt), strict=True):
                word = words_of(ended)
                counts[made.target(number)][word] += 1
                if word == "failed":
                    folder, words = made.make(number)
                    shutil.copytree(folder, keep / f"{seed}-{number}", dirs_exist_ok=True)
                    (keep / f"{seed}-{number}" / "command.txt").write_text(f"{words!r}\n\n{ended.message}\n")
                    report(f"input {number} ({made.target(number)}): {words!r}\n{ended.message}")
        os.chdir("/")
    for of, counter in counts.items():
        ends = ("run", "refused", "at its limits", "failed")
        report(f"{of:18} {sum(counter.values()):6,} tried: " + ", ".join(f"{counter[end]:,} {end}" for end in ends))
    failed = sum(counter["failed"] for counter in counts.values())
    report(f"{inputs:,} inputs in {time.monotonic() - began:.0f} s, {failed} failed")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    given = parser.parse_args()
    sys.exit(1 if fuzz(given.inputs, given.seed, given.keep.absolute()) else 0)


if __name__ == "__main__":
    main()
