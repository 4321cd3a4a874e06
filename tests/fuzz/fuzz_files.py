"""Mutated model files through the importers: each must end in a clear error or a right result.

    python tests/fuzz/fuzz_files.py --inputs 20000 --seed 0

Valid safetensors, npz, onnx, pt and h5 files are changed at random (bits, cuts, splices, numbers that claim terabytes) and
imported, each in a process of its own that may take 512 MiB more than it began with and 60 s. A result is right if all
tensors are finite and have the shapes that their layer's options give them, and if the workload that is written reads
back as the same numbers. Anything but a result or a FaultsError is a failure: another exception, a crash, a hang. The
inputs are the same for the same seed; those that fail are kept in the folder of --keep.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy: no threads to fork with

import argparse
import io
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from archsim.errors import FaultsError
from archsim.importers import InputSequence, find_layers, keras_file, select, write_workload
from archsim.workload import NetworkSpec, load_tensors, load_workload
from archsim.workload.tensors import suffixes, weight_shapes

EXTRA_BYTES = 512 << 20
SECONDS = 60
RIGHT, REFUSED, FAILED = 0, 10, 20
HUGE = (1 << 31) - 1, 1 << 31, 1 << 32, 1 << 40, 1 << 42, (1 << 63) - 1, (1 << 64) - 1
OUT_OF_MEMORY = re.compile("memory|alloc", re.IGNORECASE)

Seeds = dict[str, list[bytes]]


def seeds(folder: Path) -> Seeds:
    """Valid files by suffix; those of a package that is missing are left out."""
    made: Seeds = {".safetensors": [], ".npz": []}
    for tensors in (
        state_dict(4, ("_l0", "_l0_reverse", "_l1", "_l1_reverse")),
        state_dict(3, ("",)),
        state_dict(1, ("_l0",)),
    ):
        from safetensors.numpy import save

        made[".safetensors"].append(save(tensors))
        for write in (np.savez, np.savez_compressed):
            data = io.BytesIO()
            write(data, **tensors)
            made[".npz"].append(data.getvalue())
    for suffix, package, more in (
        (".onnx", "onnx", onnx_seeds),
        (".pt", "torch", torch_seeds),
        (".h5", "h5py", h5_seeds),
    ):
        try:
            made[suffix] = list(more(folder))
        except ModuleNotFoundError:
            if os.environ.get("CI") == "true":
                raise
            print(f"{suffix}: left out, the package {package} is missing")
    return made


def state_dict(gates: int, cells: tuple[str, ...], inputs: int = 3, hidden: int = 4) -> dict[str, np.ndarray]:
    random = np.random.default_rng(gates)
    tensors = {"head.weight": random.standard_normal((2, hidden)).astype(np.float32)}
    for suffix in cells:
        size = inputs if suffix in ("", "_l0", "_l0_reverse") else 2 * hidden
        shapes = {"weight_ih": (gates * hidden, size), "weight_hh": (gates * hidden, hidden)}
        shapes |= {"bias_ih": (gates * hidden,), "bias_hh": (gates * hidden,)}
        tensors |= {f"rnn.{what}{suffix}": random.standard_normal(s).astype(np.float32) for what, s in shapes.items()}
    return tensors


def onnx_seeds(_folder: Path) -> Iterator[bytes]:
    """A chain of an LSTM with every input, a GRU and an RNN; and an LSTM in an If whose weights pass through operators."""
    import onnx

    random, make, value = np.random.default_rng(0), onnx.helper.make_node, onnx.helper.make_tensor_value_info

    def stored(name: str, *shape: int) -> Any:
        return onnx.numpy_helper.from_array(random.standard_normal(shape).astype(np.float32), name)

    lens = onnx.numpy_helper.from_array(np.array([5, 3], np.int32), "lens")
    ints = {"axes": [1], "shape": [0, 0, -1], "zero": [0]}
    tensors = [onnx.numpy_helper.from_array(np.array(numbers, np.int64), name) for name, numbers in ints.items()]
    tensors += [stored("W", 2, 16, 3), stored("R", 2, 16, 4), stored("B", 2, 32), stored("h", 2, 2, 4)]
    tensors += [stored("c", 2, 2, 4), stored("P", 2, 12), stored("W1", 1, 9, 8), stored("R1", 1, 9, 3), lens]
    functions = ["HardSigmoid", "Tanh", "Elu"] * 2
    options = {"activation_alpha": [0.2, 0.9, 0.3, 1.0], "activation_beta": [0.4, 0.6], "clip": 2.0, "input_forget": 1}
    nodes = [
        make("LSTM", ["X", "W", "R", "B", "lens", "h", "c", "P"], ["Y"], name="low", hidden_size=4,
             direction="bidirectional", activations=functions, **options),
        make("Transpose", ["Y"], ["T"], perm=[0, 2, 1, 3]),
        make("Reshape", ["T", "shape"], ["F"]),
        make("GRU", ["F", "W1", "R1", "", "lens"], ["Y1"], name="top", hidden_size=3, linear_before_reset=1),
    ]  # fmt: skip
    graph = onnx.helper.make_graph(nodes, "chain", [value("X", 1, (5, 2, 3))], [value("Y1", 1, None)], tensors)
    yield onnx.helper.make_model(graph).SerializeToString()
    inner = [
        make("Concat", ["Wa", "Wb"], ["W2"], axis=0),
        make("Unsqueeze", ["W2", "zero"], ["W"]),
        make("Constant", [], ["R"], value=stored("", 1, 4, 4)),
        make("RNN", ["X", "W", "R"], ["Y"], name="in", hidden_size=4, activations=["Relu"]),
    ]
    body = onnx.helper.make_graph(inner, "body", [], [value("Y", 1, None)], [stored("Wa", 2, 3), stored("Wb", 2, 3)])
    other = onnx.helper.make_graph([make("Identity", ["X"], ["Z"])], "other", [], [value("Z", 1, None)])
    choice = make("If", ["yes"], ["out"], name="if", then_branch=body, else_branch=other)
    yes = onnx.numpy_helper.from_array(np.array(True), "yes")
    graph = onnx.helper.make_graph(
        [choice], "g", [value("X", 1, (5, 2, 3))], [value("out", 1, None)], [yes, tensors[2]]
    )
    yield onnx.helper.make_model(graph).SerializeToString()


def torch_seeds(folder: Path) -> Iterator[bytes]:
    """A state_dict and a checkpoint, each in torch's zip format and in the one before 1.6."""
    import torch

    tensors = {name: torch.from_numpy(array) for name, array in state_dict(4, ("_l0", "_l0_reverse")).items()}
    for tree in (tensors, {"step": 3, "model": {"a": tensors, "b": [1, "x"]}, "half": {"w": torch.ones(3).half()}}):
        for new in (True, False):
            torch.save(tree, folder / "seed.pt", _use_new_zipfile_serialization=new)
            yield (folder / "seed.pt").read_bytes()


def h5_seeds(folder: Path) -> Iterator[bytes]:
    """A model with its configuration, old and new file format, plain and packed; and weights alone as in Keras 3."""
    import json

    import h5py

    random = np.random.default_rng(0)
    cell = {"kernel": (3, 16), "recurrent_kernel": (4, 16), "bias": (16,)}
    layer = {"class_name": "LSTM", "config": {"name": "lstm", "units": 4, "return_sequences": True}}
    both = {"class_name": "Bidirectional", "config": {"name": "bi", "layer": layer, "merge_mode": "concat"}}
    config = json.dumps({"class_name": "Sequential", "config": {"layers": [both]}})
    for version in ("earliest", "latest"):
        for packed in (
            {},
            {"compression": "gzip", "shuffle": True, "chunks": True},
            {"compression": "lzf", "chunks": True},
        ):
            with h5py.File(folder / "seed.h5", "w", libver=version) as file:
                file.attrs["model_config"], file.attrs["keras_version"] = config, "2.9.0"
                for side in ("forward", "backward"):
                    for what, shape in cell.items():
                        name = f"model_weights/bi/bi/{side}_lstm/lstm_cell/{what}:0"
                        file.create_dataset(name, data=random.standard_normal(shape).astype(np.float32), **packed)
            yield (folder / "seed.h5").read_bytes()
    with h5py.File(folder / "seed.h5", "w") as file:
        for number, shape in enumerate([(3, 12), (4, 12), (2, 12)]):
            file[f"layers/gru/cell/vars/{number}"] = random.standard_normal(shape)
    yield (folder / "seed.h5").read_bytes()


def mutated(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    """One to four random changes; of a zip archive mostly inside a member, so that its checksums still hold."""
    if data[:4] == b"PK\x03\x04" and random.integers(4):
        return _mutated_member(data, others, random)
    return _mutated_bytes(data, others, random)


def _mutated_bytes(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    changed = bytearray(data)
    for _ in range((1, 1, 1, 2, 3, 4)[random.integers(6)]):
        mutation = _MUTATIONS[random.integers(len(_MUTATIONS))]
        mutation(changed, others[random.integers(len(others))], random)
    return bytes(changed)


def _mutated_member(data: bytes, others: list[bytes], random: np.random.Generator) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(made, "w") as new:
        names = old.namelist()
        largest = max(old.infolist(), key=lambda member: member.file_size).filename
        chosen = largest if random.integers(2) else names[random.integers(len(names))]
        for name in names:
            content = old.read(name)
            new.writestr(name, _mutated_bytes(content, others, random) if name == chosen else content)
    return made.getvalue()


def _place(data: bytearray, random: np.random.Generator) -> int:
    """A place, half of the time near the beginning or the end, where headers and directories are."""
    near = min(len(data), 1024)
    low, high = ((0, len(data)), (0, len(data)), (0, near), (len(data) - near, len(data)))[random.integers(4)]
    return int(random.integers(low, max(high, low + 1)))


def flip(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    for _ in range(random.integers(1, 6)):
        place = _place(data, random)
        if place < len(data):
            data[place] ^= 1 << int(random.integers(8))


def overwrite(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    place = _place(data, random)
    length = int(random.integers(1, 9))
    data[place : place + length] = random.integers(0, 256, length, np.uint8).tobytes()


def truncate(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    del data[_place(data, random) :]


def remove(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    place = _place(data, random)
    del data[place : place + int(random.integers(1, 200))]


def splice(data: bytearray, other: bytes, random: np.random.Generator) -> None:
    place, start = _place(data, random), int(random.integers(0, len(other)))
    piece = other[start : start + int(random.integers(1, 400))]
    data[place : place + (len(piece) if random.integers(2) else 0)] = piece


def claim(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    """A binary number becomes a huge one."""
    place, size = _place(data, random), (2, 4, 8)[random.integers(3)]
    number = HUGE[random.integers(len(HUGE))] & ((1 << 8 * size) - 1)
    data[place : place + size] = number.to_bytes(size, "little")


def claim_in_text(data: bytearray, _other: bytes, random: np.random.Generator) -> None:
    """A decimal number in a text header becomes another, often a huge one."""
    numbers = list(re.finditer(rb"[0-9]+", data[:65536]))
    if numbers:
        found = numbers[random.integers(len(numbers))]
        choices = (*HUGE, 0, 1, 3, 10**12, 10**30, -1)
        new = str(choices[random.integers(len(choices))]).encode()
        new = new.rjust(len(found[0]), b"0") if random.integers(2) else new
        data[found.start() : found.end()] = new


Mutation = Callable[[bytearray, bytes, np.random.Generator], None]
_MUTATIONS: tuple[Mutation, ...] = (flip, flip, overwrite, overwrite, truncate, remove, splice, claim, claim_in_text)


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
    from archsim.importers import hdf5_child

    process = os.fork()
    if process == 0:
        os.dup2(stdout.fileno(), 1)
        sys.stdout = open(1, "w", closefd=False)
        try:
            hdf5_child.main(command[-2], int(command[-1]))
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
            data = mutated(
                several[random.integers(len(several))], everything if random.integers(4) == 0 else several, random
            )
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
            if code == REFUSED and "broke down" in message:
                counts[suffix]["(the HDF5 library crashed in its process)"] += 1
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
    for package in ("torch", "onnx", "h5py"):  # before the forks, which then share them
        try:
            __import__(package)
        except ModuleNotFoundError:
            continue
    sys.exit(1 if fuzz(given.inputs, given.seed, given.keep, given.real_children, given.explain) else 0)


if __name__ == "__main__":
    main()
