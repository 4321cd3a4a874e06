"""Mutated model files through the importers: each must end in a clear error or a right result.

    python -m tests.fuzz.fuzz_files --inputs 20000 --seed 0

Valid safetensors, npz, onnx, pt, pt2, h5, keras and tflite files are changed at random (bits, cuts, splices, numbers that claim terabytes) and
imported, each in a process of its own that may take 512 MiB more than it began with and 60 s. A result is right if all
tensors are finite and have the shapes that their layer's options give them, and if the workload that is written reads
back as the same numbers. Anything but a result or a FaultsError is a failure: another exception, a crash, a hang. The
inputs are the same for the same seed; those that fail are kept in the folder of --keep.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: no threads to fork with

import argparse
import importlib
import io
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
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
from tests.fuzz.fuzz_seeds import seeds

EXTRA_BYTES = 512 << 20
SECONDS = 60
RIGHT, REFUSED, FAILED = 0, 10, 20
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


def run(path: Path) -> tuple[int, str]:
    """What becomes of the file in a process of its own: RIGHT, REFUSED, FAILED or minus a signal, and a message."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        code, message = _limited(path)
        os.write(writing, message.encode(errors="replace")[-4000:])
        os._exit(code)
    os.close(writing)
    with open(reading, "rb") as pipe:
        message = pipe.read().decode()
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), message


def _limited(path: Path) -> tuple[int, str]:
    sys.stderr = io.StringIO()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + EXTRA_BYTES,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(SECONDS)
    try:
        return (RIGHT, "") if check(path) else (REFUSED, "nothing supported")
    except FaultsError as error:
        text = str(error)
        return (REFUSED, text) if "\n" not in text else (FAILED, f"more than one line: {text}")
    except BaseException:
        return FAILED, traceback.format_exc()


def fuzz(inputs: int, seed: int, keep: Path, real_children: int, explain: bool) -> int:
    """Run all inputs, print the counts, and return how many failed."""
    counts: dict[str, Counter[str]] = {}
    reasons: dict[str, Counter[str]] = {}
    began = time.monotonic()
    spawned = subprocess.run
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        files = seeds(folder)
        everything = [data for several in files.values() for data in several]
        for suffix, several in files.items():
            for data in several:
                (folder / f"valid{suffix}").write_bytes(data)
                code, message = run(folder / f"valid{suffix}")
                assert code == RIGHT, f"a valid {suffix} file is not imported: {message}"
        for number in range(inputs):
            suffix = list(files)[number % len(files)]
            random = np.random.default_rng([seed, number])
            several = files[suffix]
            others = everything if random.integers(4) == 0 else several
            data = mutated(suffix, several[random.integers(len(several))], others, random)
            path = folder / f"m{suffix}"
            path.write_bytes(data)
            forked = number >= real_children * len(files)
            keras_file.subprocess.run = forked_child if forked else spawned  # type: ignore[attr-defined]
            code, message = run(path)
            ended = {RIGHT: "right", REFUSED: "refused"}.get(code, f"signal {-code}" if code < 0 else "failed")
            counts.setdefault(suffix, Counter())[ended] += 1
            reason = (
                re.sub("[0-9]+|'.*'", "#", message.rpartition(f"m{suffix}: ")[2])[:60] if code == REFUSED else ended
            )
            reasons.setdefault(suffix, Counter())[reason] += 1
            if code == REFUSED and OUT_OF_MEMORY.search(message):
                counts[suffix]["(refused by the memory limit)"] += 1
            if code == REFUSED and "the HDF5 library" in message:
                what = "crashed" if "broke down" in message else "ran for ever"
                counts[suffix][f"(the HDF5 library {what}, in its process)"] += 1
            if code not in (RIGHT, REFUSED):
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{seed}-{number}{suffix}").write_bytes(data)
                print(f"input {number}{suffix}: {ended}\n{message}")
    for suffix, counter in counts.items():
        print(f"{suffix:13}", ", ".join(f"{count:,} {what}" for what, count in sorted(counter.items(), reverse=True)))
    for suffix, counter in reasons.items() if explain else ():
        print(suffix, *(f"{count:8,} {reason}" for reason, count in counter.most_common(25)), sep="\n")
    failed = sum(n for c in counts.values() for what, n in c.items() if what == "failed" or what.startswith("signal"))
    print(f"{inputs:,} inputs in {time.monotonic() - began:.0f} s, {failed} failed")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"))
    parser.add_argument("--real-children", type=int, default=20, help="h5 inputs read by a new interpreter, not a fork")
    parser.add_argument("--explain", action="store_true", help="count the reasons for which inputs were refused")
    given = parser.parse_args()
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
        try:  # before the forks, which then share them
            importlib.import_module(module)
        except ModuleNotFoundError:
            continue
    sys.exit(1 if fuzz(given.inputs, given.seed, given.keep, given.real_children, given.explain) else 0)


if __name__ == "__main__":
    main()
