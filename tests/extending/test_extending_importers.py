"""docs/extending_importers.md as an outside package; and importers that fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archsim.errors import ExtensionError, WorkloadError
from archsim.importers import Found, Importer, Refused, find_layers
from archsim.report.text.catalogue import catalogue
from tests.extending.installed import installed
from tests.extending.outside import check_section
from tests.rings import exhaustive

TITLE = "An importer: gates as matrices in a JSON file"
PACKAGE = "archsim_gates"


def importer(read: Callable[[Path], Found], *suffixes: str, name: str = "own") -> Importer:
    return Importer(name, "reads files of its own", suffixes or (".own",), read)


def nothing(path: Path) -> Found:
    return Found(path, (), rest="3 other numbers")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.own"
    path.write_text("1 2 3")
    return path


@exhaustive
def test_the_page(tmp_path: Path) -> None:
    check_section(PACKAGE, TITLE, tmp_path)


def test_it_is_found_by_its_suffix_and_listed(tmp_path: Path) -> None:
    model = tmp_path / "model.json"
    model.write_text('{"a": {"i": {"W": [[1]]}}, "b": {}}')
    with installed(PACKAGE, TITLE, tmp_path):
        with pytest.raises(WorkloadError, match=r"model.json: no such file$"):
            find_layers(tmp_path / "no" / "model.json")
        unsupported = find_layers(model).unsupported
        (entries,) = (entries for title, entries in catalogue().sections if title.startswith("Importers of installed"))
    assert [(part.name, part.reason) for part in unsupported] == [
        ("a", "has the gates i, expected i, f, g, o"),
        ("b", "has the gates , expected i, f, g, o"),
    ]
    assert entries == [("gates", f"LSTMs whose gates are matrices in a JSON file (.json); from {PACKAGE}")]
    with pytest.raises(
        WorkloadError,
        match=r"expected a file .onnx, .pt, .pth, .*, .hdf5, .keras, .tflite, got '.json', and its content is",
    ):
        find_layers(model)


def test_an_object_reads_what_archsim_does_not(model: Path) -> None:
    with pytest.raises(WorkloadError, match="model.own: has no recurrent layer, only 3 other numbers"):
        find_layers(model, importers=(importer(nothing),))
    with pytest.raises(WorkloadError, match=r"expected a file .onnx, .*, .hdf5, .keras, .tflite, .a, .b, got '.own'"):
        find_layers(model, importers=(importer(nothing, ".a", ".b"),))
    with pytest.raises(WorkloadError, match="is read by the importer own, which takes no --nonlinearity"):
        find_layers(model, "relu", importers=(importer(nothing),))
    with pytest.raises(WorkloadError, match="is a directory, expected a file"):
        find_layers(_folder(model), importers=(importer(nothing),))


def _folder(model: Path) -> Path:
    folder = model.with_name("folder.own")
    folder.mkdir()
    return folder


def _refuses(path: Path) -> Found:
    raise Refused("its numbers are in Roman")


def _fails(path: Path) -> Found:
    raise LookupError("no\nidea")


def _says_nothing(path: Path) -> Found:
    return None  # type: ignore[return-value]


def test_what_it_refuses_is_the_files_fault(model: Path) -> None:
    with pytest.raises(WorkloadError) as error:
        find_layers(model, importers=(importer(_refuses),))
    assert str(error.value) == f"{model}: its numbers are in Roman"


@pytest.mark.parametrize(
    ("read", "message"),
    [(_fails, "stopped at {}: LookupError: no"), (_says_nothing, "expected what it found (Found), got NoneType")],
)
def test_where_it_fails_is_its_packages_fault(model: Path, read: Callable[[Path], Found], message: str) -> None:
    with pytest.raises(ExtensionError) as error:
        find_layers(model, importers=(importer(read),))
    assert str(error.value) == f"archsim.importers: own: {message.format(model)}"


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ((importer(nothing, ".onnx"),), "own: files .onnx are read by archsim itself"),
        ((importer(nothing), importer(nothing, name="two")), "two: files .own are read by the importer own"),
        ((importer(nothing, "own"),), "own: expected suffixes as .json, got 'own'"),
        ((importer(nothing, ".tar.gz"),), "own: expected suffixes as .json, got '.tar.gz'"),
    ],
)
def test_suffixes_are_its_own(model: Path, others: tuple[Importer, ...], message: str) -> None:
    with pytest.raises(ExtensionError, match=f"^archsim.importers: {message}$"):
        find_layers(model, importers=others)
