"""Files of others are regular files of a bounded size: everything else is refused at once, wherever it is named."""

from __future__ import annotations

import os
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archsim.cli.output import output
from archsim.config.files.regular_files import open_regular, read_regular, read_up_to
from archsim.config.files.whole_files import write_whole
from archsim.config.json_text import json_of
from archsim.errors import ArchError, OutputError, SpaceError, WorkloadError
from archsim.explore import Space
from archsim.explore.run.journal import Journal
from archsim.families.load import load_arch
from archsim.importers import find_layers, load_naming
from archsim.report.files.manifest import read_manifest
from archsim.report.files.rerun import saved_stats
from archsim.technology.load import load_technology
from archsim.workload import load_workload
from archsim.workload.calibration import read_calibration
from archsim.workload.files import tensor_names

Make = Callable[[Path], object]


def pipe(path: Path) -> None:
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def random_device(path: Path) -> None:
    path.symlink_to("/dev/random")


@pytest.fixture(params=[pipe, endless, random_device], ids=lambda make: make.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    found: Make = request.param
    return found


READERS: dict[str, tuple[Callable[[Path], object], type[Exception]]] = {
    "machine.yaml": (lambda path: load_arch(str(path)), ArchError),
    "space.yaml": (lambda path: Space.load(path), SpaceError),
    "weights.npz": (tensor_names, WorkloadError),
    "weights.safetensors": (tensor_names, WorkloadError),
    "activity.txt": (lambda path: load_workload("gru:2,3,t=2", (), path), WorkloadError),
    "ranges.yaml": (read_calibration, WorkloadError),
    "map.yaml": (lambda path: load_naming((), path), WorkloadError),
    "technology.yaml": (lambda path: load_technology(str(path)), ArchError),
    "weights.onnx": (find_layers, WorkloadError),
    "manifest.json": (lambda path: read_manifest(path.parent), WorkloadError),
    "stats.json": (saved_stats, WorkloadError),
    "journal.jsonl": (lambda path: Journal.resume(path, "f"), OutputError),
}


@pytest.mark.parametrize("name", READERS)
def test_what_is_no_regular_file_is_refused_at_once(name: str, make: Make, tmp_path: Path) -> None:
    """A pipe that nobody writes to would be waited for, and a device read until no memory is left."""
    path = tmp_path / name
    make(path)
    read, error = READERS[name]
    with pytest.raises(error, match=rf"{name}: .*is a (pipe|device), expected a regular file") as found:
        read(path)
    assert len(str(found.value).splitlines()) == 1


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        yield path


def test_a_socket_and_a_folder_are_refused(listening: Path) -> None:
    with pytest.raises(OSError, match=r"socket|No such device or address"):
        open_regular(listening)
    with pytest.raises(OSError, match="is a directory"):
        open_regular(listening.parent)


def test_a_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"12345")
    assert read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes, the most that is read"):
        read_regular(path, 4)


@pytest.mark.skipif(not Path("/proc/version").is_file(), reason="a file that does not say its size is Linux's")
def test_a_file_that_does_not_say_its_size_is_read_whole() -> None:
    """The system says that it has no bytes; what is there is read all the same, up to the bound."""
    path = Path("/proc/version")
    whole = path.read_bytes()
    assert (path.stat().st_size, len(whole) > 10) == (0, True)
    assert read_regular(path, 1 << 20) == read_regular(path, len(whole)) == whole
    with pytest.raises(OSError, match="the most that is read"):
        read_regular(path, len(whole) - 1)
    with open_regular(path) as file:
        assert read_up_to(file, 5) == whole[:5]


@pytest.mark.parametrize("size", [0, 1, 5, 1 << 20, (1 << 20) + 1, 5 << 20])
def test_no_more_memory_is_taken_than_there_are_bytes(size: int, tmp_path: Path) -> None:
    """Of a bound of a gibibyte; the pieces and the whole are there at once, at most."""
    path = tmp_path / "f"
    path.write_bytes(b"x" * size)
    tracemalloc.start()
    try:
        assert len(read_regular(path, 1 << 30)) == size
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * size + (2 << 20)


def test_json_that_is_nested_too_deeply_is_none() -> None:
    assert json_of('{"a": [1]}') == {"a": [1]}
    with pytest.raises(ValueError, match="nested too deeply"):
        json_of("[" * 100_000)


@pytest.mark.parametrize("by_link", [False, True])
def test_no_file_takes_the_place_of_a_pipe_or_a_device(tmp_path: Path, by_link: bool) -> None:
    """A command with --out /dev/null, as root, replaced the device of the whole system by a file."""
    special = tmp_path / "special"
    os.mkfifo(special)
    named = tmp_path / "link" if by_link else special
    if by_link:
        named.symlink_to(special)
    with pytest.raises(OSError, match="is a pipe, expected a regular file"):
        write_whole(named, b"1")
    with pytest.raises(OutputError, match="cannot write: is a pipe, expected a regular file"), output(named) as write:
        write("1")
    assert special.is_fifo()
    assert sorted(os.listdir(tmp_path)) == ["link", "special"][1 - by_link :]
