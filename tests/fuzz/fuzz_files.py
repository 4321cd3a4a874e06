"""Mutated model files through the importers: each must end in a clear error or a right result.

    python -m tests.fuzz.fuzz_files --inputs 20000 --seed 0

Valid safetensors, npz, onnx, pt, pt2, h5, keras and tflite files are changed at random (bits, cuts, splices, numbers
that claim terabytes) and imported, in other processes. Each may take 512 MiB more than there were before it, and 60 s
of a processor: on a busy machine the clock says little, and ends only what waits for ever. A result is right if all
tensors are finite and have the shapes that their layer's options give them, and if the workload that is written reads
back as the same numbers. Anything but a result or a FaultsError is a failure: another exception, a crash, a hang. The
inputs are the same for the same seed; those that fail are kept in the folder of --keep.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: no threads to fork with

import argparse
import importlib
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from archsim.errors import FaultsError
from archsim.importers import InputSequence, find_layers, select, write_workload
from archsim.importers.keras import keras_file
from archsim.workload import NetworkSpec, load_tensors, load_workload
from archsim.workload.network import suffixes
from archsim.workload.tensors import weight_shapes
from tests.fuzz.fuzz_mutations import mutated
from tests.fuzz.fuzz_runs import REFUSED, RIGHT, Ended, run_all
from tests.fuzz.fuzz_seeds import seeds

AT_A_TIME = 100
OUT_OF_MEMORY = re.compile("memory|alloc", re.IGNORECASE)


def check(path: Path) -> bool:
    """Import everything in the file; True if it gave a result, FaultsError passes through."""
    found = find_layers(path)
    for layer in found.layers:
        directions = layer.config.cells(layer.input_size)
        layers = (directions, *((layer.config.cells(layer.config.output_size),) * (layer.num_layers - 1)))
        network = NetworkSpec(layers, 1, 1)
        shapes = {
            what + suffix: shape
            for cell, suffix in zip(network.cells, suffixes(network), strict=True)
            for what, shape in weight_shapes(cell).items()
        }
        assert {name: tensor.shape for name, tensor in layer.tensors.items()} == shapes
        assert all(np.isfinite(tensor).all() and tensor.dtype == np.float32 for tensor in layer.tensors.values())
    for name in ("all", *(layer.name for layer in found.layers[:1])):
        try:
            chosen = select(found, name)
            lens = chosen[0].sequence_lens or ()
            batch = len(lens) or next((layer.h_0.shape[1] for layer in chosen if layer.h_0 is not None), 1)
            out = path.with_name("out.yaml")
            write_workload(found, chosen, InputSequence(max((2, *lens)), batch, False, True), out, force=True)
            tensors = load_tensors(load_workload(str(out)))
        except FaultsError:  # no stack, or states that cannot be stacked
            continue
        np.testing.assert_array_equal(tensors.cells[0].weight_hh, chosen[0].tensors["weight_hh_l0"])
    return bool(found.layers)


def forked_child(command: list[str], stdout: Any, **_options: Any) -> subprocess.CompletedProcess[bytes]:
    """hdf5_child.py in a fork instead of a new interpreter: the same separation, a hundred times as fast."""
    from archsim.importers.keras import hdf5_child

    process = os.fork()
    if process == 0:
        os.dup2(stdout.fileno(), 1)
        sys.stdout = open(1, "w", closefd=False)
        try:
            hdf5_child.main(command[-3], int(command[-2]), int(command[-1]))
        except Exception as error:
            sys.stdout.buffer.write(hdf5_child.error_line(error))
        sys.stdout.flush()
        os._exit(0)
    _, status = os.waitpid(process, 0)
    return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status))


@dataclass(frozen=True)
class Mutations:
    """The inputs by number: which file is changed, and how, follows from the seed and the number."""

    files: Mapping[str, list[bytes]]
    seed: int
    folder: Path
    real_children: int

    def suffix(self, number: int) -> str:
        return list(self.files)[number % len(self.files)]

    def data(self, number: int) -> bytes:
        suffix = self.suffix(number)
        random = np.random.default_rng([self.seed, number])
        several = self.files[suffix]
        everything = [data for each in self.files.values() for data in each]
        others = everything if random.integers(4) == 0 else several
        return mutated(suffix, several[random.integers(len(several))], others, random)

    def path(self, number: int) -> Path:
        """Write the input; in the process that imports it."""
        path = self.folder / f"m{self.suffix(number)}"
        path.write_bytes(self.data(number))
        forked = number >= self.real_children * len(self.files)
        keras_file.subprocess.run = forked_child if forked else spawned  # type: ignore[attr-defined]
        return path


spawned = subprocess.run


@dataclass(frozen=True)
class Counts:
    """How many inputs of each suffix ended in which way, and the reasons for refusals."""

    ended: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, suffix: str, ended: Ended) -> None:
        counts = self.ended.setdefault(suffix, Counter())
        counts[ended.words] += 1
        message = ended.message.rpartition(f"m{suffix}: ")[2]
        reason = re.sub("[0-9]+|'.*'", "#", message)[:60] if ended.code == REFUSED else ended.words
        self.reasons.setdefault(suffix, Counter())[reason] += 1
        if ended.code == REFUSED and OUT_OF_MEMORY.search(ended.message):
            counts["(refused by the memory limit)"] += 1
        if ended.code == REFUSED and "the HDF5 library" in ended.message:
            what = "crashed" if "broke down" in ended.message else "ran for ever"
            counts[f"(the HDF5 library {what}, in its process)"] += 1

    def show(self, explain: bool) -> int:
        """Print the counts, and return how many failed."""
        for suffix, counter in self.ended.items():
            tried = sum(count for what, count in counter.items() if not what.startswith("("))
            listed = (f"{count:,} {what}" for what, count in sorted(counter.items(), reverse=True))
            print(f"{suffix:13} {tried:,} tried:", ", ".join(listed))
        for suffix, counter in self.reasons.items() if explain else ():
            print(suffix, *(f"{count:8,} {reason}" for reason, count in counter.most_common(25)), sep="\n")
        return sum(
            count
            for counter in self.ended.values()
            for what, count in counter.items()
            if what == "failed" or what.startswith("signal")
        )


def fuzz(inputs: int, seed: int, keep: Path, real_children: int, explain: bool) -> int:
    """Run all inputs, print the counts, and return how many failed."""
    counts = Counts()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = Mutations(seeds(folder), seed, folder, real_children)
        valid = [(folder / f"valid{suffix}", data) for suffix, several in made.files.items() for data in several]
        for (path, _), ended in zip(valid, run_all(valid, lambda each: check(_written(each))), strict=True):
            assert ended.code == RIGHT, f"a valid {path.suffix} file is not imported: {ended.message}"
        numbers = range(inputs)
        for first in range(0, inputs, AT_A_TIME):
            piece = numbers[first : first + AT_A_TIME]
            for number, ended in zip(piece, run_all(piece, lambda number: check(made.path(number))), strict=True):
                suffix = made.suffix(number)
                counts.add(suffix, ended)
                if ended.code not in (RIGHT, REFUSED):
                    keep.mkdir(parents=True, exist_ok=True)
                    (keep / f"{seed}-{number}{suffix}").write_bytes(made.data(number))
                    print(f"input {number}{suffix}: {ended.words}\n{ended.message}", flush=True)
    failed = counts.show(explain)
    print(f"{inputs:,} inputs in {time.monotonic() - began:.0f} s, {failed} failed")
    return failed


def _written(valid: tuple[Path, bytes]) -> Path:
    path, data = valid
    path.write_bytes(data)
    return path


def import_readers() -> None:
    """Import what reads files, before the forks, which then share it; a package that is missing is left out."""
    readers = (
        "keras.hdf5_child",
        "keras.keras_archive",
        "onnx.onnx_file",
        "tensors.tensor_file",
        "tflite.tflite_file",
        "torch.exported_file",
        "torch.torch_file",
    )
    packages = ("torch", "onnx", "safetensors", "ruamel.yaml", "tflite")
    for module in (*(f"archsim.importers.{name}" for name in readers), *packages):
        try:
            importlib.import_module(module)
        except ModuleNotFoundError:
            continue


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--real-children", type=int, default=20, help="h5 inputs read by a new interpreter, not a fork")
    parser.add_argument("--explain", action="store_true", help="count the reasons for which inputs were refused")
    given = parser.parse_args()
    import_readers()
    sys.exit(1 if fuzz(given.inputs, given.seed, given.keep, given.real_children, given.explain) else 0)


if __name__ == "__main__":
    main()
