"""Model files changed where it leads to new code (coverage-guided, with atheris), through the readers with the most code.

    python -m tests.fuzz.fuzz_guided onnx --seconds 300

The valid files that fuzz_files.py changes at random are where it begins. An input that reaches a branch of archsim's
reader (or of the unpickler in torch) which none before it did is kept, and changed further: half of the time inside its
structure as in fuzz_files.py, so that lengths and checksums hold, half of the time as libFuzzer changes bytes. What is
checked is the same: a right result or a FaultsError of one line; anything else is a failure, with 1 GiB of memory more
than there was at the beginning. Failures are counted by the place that raised them, and the first of each is kept in
the folder of --keep. `--seconds` are those of a processor;
SIGTERM ends a run before. The HDF5 library runs in a fork, as it is free to crash.

atheris is an extra: pip install "archsim[fuzz]" (Linux; Python 3.11 to 3.13). Its draws depend on times, so two runs
with the same seed are not the same.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
READERS = {"onnx": (".onnx",), "torch": (".pt",), "keras": (".keras", ".h5"), "tflite": (".tflite",)}
"""The suffixes of the files that a reader's harness begins with."""
EXTRA_BYTES = 1 << 30
MOST_BYTES = 1 << 16
_EDGES = re.compile(r"^#\d+\s+(?!READ)[A-Za-z]+\s+cov: (\d+)", re.M)
_MISSING = "the package atheris is missing; install it: pip install 'archsim[fuzz]'"

Atheris = Any


@dataclass
class Harness:
    """What runs in the process that is guided: checks inputs, counts how they end, and ends when its time is over."""

    suffix_of: Callable[[bytes], str]
    check: Callable[[Path], bool]
    refusal: type[Exception]
    seconds: int
    folder: Path
    keep: Path
    stopped: bool = False
    ended: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)

    def try_one(self, data: bytes) -> None:
        """Check an input; called by atheris for each."""
        path = self.folder / f"m{self.suffix_of(data)}"
        path.write_bytes(data)
        self.ended[self._end(path, data)] += 1
        used = time.process_time() + _of_children()
        if used > self.seconds or self.stopped:
            print(json.dumps([dict(self.ended), dict(self.failures), used]), flush=True)
            os._exit(0)

    def stop(self, _number: int, _frame: object) -> None:
        """End after the input that is being tried."""
        self.stopped = True

    def _end(self, path: Path, data: bytes) -> str:
        try:
            return "right" if self.check(path) else "refused"
        except self.refusal as error:
            if "\n" not in str(error):
                return "refused"
            self._failed(data, "more than one line", str(error))
        except BaseException as error:
            self._failed(data, _place(error), traceback.format_exc())
        return "failed"

    def _failed(self, data: bytes, place: str, text: str) -> None:
        self.failures[place] += 1
        if self.failures[place] == 1:
            name = f"failure-{len(self.failures)}"
            (self.keep / f"{name}{self.suffix_of(data)}").write_bytes(data)
            (self.keep / f"{name}.txt").write_text(f"{place}\n\n{text}")


def _place(error: BaseException) -> str:
    """The kind of an error, and the lines that raised it: the last one, and the last one of archsim."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if f"{os.sep}archsim{os.sep}" in frame.filename]
    lines = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in (*own[-1:], *frames[-1:])]
    return f"{type(error).__name__} at {' < '.join(dict.fromkeys(lines))}"


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def guided(reader: str, seconds: int, seed: int, keep: Path) -> None:
    """Run one harness in this process, which ends with it."""
    atheris: Atheris = importlib.import_module("atheris")
    if reader == "torch":
        unpickler = importlib.import_module("torch._weights_only_unpickler").Unpickler
        unpickler.load = atheris.instrument_func(unpickler.load)
    with atheris.instrument_imports(include=["archsim"]):
        from archsim.errors import FaultsError
        from archsim.importers import find_layers
        from archsim.importers.keras import keras_file
        from tests.fuzz import fuzz_files
        from tests.fuzz.fuzz_mutations import mutated
        from tests.fuzz.fuzz_seeds import seeds

        fuzz_files.import_readers()
    import numpy as np

    keras_file.subprocess.run = fuzz_files.forked_child  # type: ignore[attr-defined]
    keep.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("ARCHSIM_FUZZ_FOLDER")))
    made = seeds(folder)
    valid = {data: suffix for suffix in READERS[reader] for data in made[suffix]}
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(valid):
        (corpus / f"valid{number}").write_bytes(data)

    def suffix_of(data: bytes) -> str:
        return ".keras" if reader == "keras" and data[:2] == b"PK" else READERS[reader][-1]

    def check(path: Path) -> bool:
        right = fuzz_files.check(path)
        if reader == "onnx":
            find_layers(path, whole=True)
        return right

    def change(data: bytes, most: int, number: int) -> bytes:
        random = np.random.default_rng([seed, number])
        if random.integers(2):
            try:
                return mutated(suffix_of(data), data, list(valid), random)[:most]
            except Exception:  # no structure any more to change inside
                pass
        return bytes(atheris.Mutate(data, most))

    harness = Harness(suffix_of, check, FaultsError, seconds, folder, keep)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + EXTRA_BYTES,) * 2)
    options = {"seed": seed + 1, "max_len": MOST_BYTES, "len_control": 0, "rss_limit_mb": 0, "timeout": 120}
    options |= {"handle_term": 0, "handle_int": 0}
    words = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup(
        ["fuzz_guided", *words, f"-artifact_prefix={keep}/", str(corpus)], harness.try_one, custom_mutator=change
    )
    signal.signal(signal.SIGTERM, harness.stop)
    atheris.Fuzz()


def run(reader: str, seconds: int, seed: int, keep: Path) -> int:
    """Run a reader's harness in another process, print how inputs ended and what was reached; how many failed."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+b") as log:
        child = [sys.executable, "-m", "tests.fuzz.fuzz_guided", reader, "--guided", "--seconds", str(seconds)]
        process = subprocess.Popen(
            [*child, "--seed", str(seed), "--keep", str(keep)],
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
            env={**os.environ, "ARCHSIM_FUZZ_FOLDER": folder},
        )
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        out, _ = process.communicate()
        log.seek(0)
        said = log.read().decode(errors="replace")
    edges = [int(found) for found in _EDGES.findall(said)]
    counted = out.splitlines()[-1:]
    if process.returncode != 0 or not edges or not counted:
        print(f"{reader}: the process ended with {process.returncode}; it said:\n{said[-3000:]}")
        return 1
    ends, failures, used = json.loads(counted[0])
    listed = ", ".join(f"{ends.get(end, 0):,} {end}" for end in ("right", "refused", "failed"))
    print(
        f"{reader}: {sum(ends.values()):,} tried in {used:.0f} s of a processor: {listed}; "
        f"{edges[0]:,} branches reached by the valid files, {edges[-1]:,} in the end"
    )
    for place, count in failures.items():
        print(f"  {count:,} {place}")
    return int(ends.get("failed", 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reader", choices=list(READERS))
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--guided", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error(_MISSING)
    keep = given.keep.absolute() / given.reader if not given.guided else given.keep
    if given.guided:
        guided(given.reader, given.seconds, given.seed, keep)
    sys.exit(1 if run(given.reader, given.seconds, given.seed, keep) else 0)


if __name__ == "__main__":
    main()
