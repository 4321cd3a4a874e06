"""What the first bytes and the members of an archive say, at the edges: one byte more or less, and which test comes first."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from archsim.errors import WorkloadError
from archsim.importers.content import Container, container_of, unknown

HEADER = b"{}" + b" " * 6
"""The text of a header of 8 bytes."""


def of(folder: Path, content: bytes, name: str = "m.bin") -> Container | None:
    (folder / name).write_bytes(content)
    return container_of(folder / name)


def refusal(folder: Path, content: bytes, name: str = "m.bin") -> str:
    with pytest.raises(WorkloadError) as caught:
        of(folder, content, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x89HDF\r\n\x1a\n", Container.HDF5),
        (b"\0\0\0\0TFL3\0", Container.TFLITE),
        (b"\0\0\0TFL3", None),
        (b"\0\0\0\0\0TFL3", None),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", Container.TORCH),
        ((8).to_bytes(8, "little") + HEADER, Container.SAFETENSORS),
        ((9).to_bytes(8, "little") + HEADER, None),
        ((8).to_bytes(8, "little") + b" " + HEADER[:-1], None),
        ((8).to_bytes(8, "big") + HEADER, None),
        (b"\x08\x03\x12", Container.ONNX),
        (b"\x08\x1f\x42", Container.ONNX),
        (b"\x08\x02\x12", None),
        (b"\x08\x20\x12", None),
        (b"\x08\x08\x13", None),
        (b"", None),
    ],
)
def test_the_first_bytes(tmp_path: Path, content: bytes, expected: Container | None) -> None:
    """A safetensors file's first 8 bytes are the length of its header, little end first, which ends in the file.

    ONNX begins with field 1, its IR version (3 to 31 here), and then another field of a model.
    """
    assert of(tmp_path, content) is expected


def test_a_length_beyond_two_to_the_32_is_read_whole(tmp_path: Path) -> None:
    assert of(tmp_path, b"\0\0\0\0\1\0\0\0" + HEADER) is None, "2^32 bytes of header in a file of 16"
    assert of(tmp_path, b"\0\0\0\0\0\0\0\1" + HEADER) is None, "2^56"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m", b"\0" * 257 + b"ustar\x0000", "is a tar archive"),
        ("m.pb", b"\x08\x01\x12", "a TensorFlow SavedModel, which archsim does not read"),
        ("m.pb", b"\x08\x01", "a frozen graph of TensorFlow 1"),
        ("m", b"\n\x05 Placeholder", "a frozen graph of TensorFlow 1"),
        ("m", b"\x80\x00", "is a Python pickle"),
        ("m", b"\x80\x05", "is a Python pickle"),
        ("m", b"(dp0", "is a Python pickle"),
        ("m", b"cnumpy.core\n", "is a Python pickle"),
    ],
)
def test_what_is_refused(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refusal(tmp_path, content, name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m", b"\0" * 256 + b"ustar"),
        ("m", b"\0" * 258 + b"ustar"),
        ("m", b"x Placeholder"),
        ("m", b"\n\x05 something"),
        ("m", b"\x80\x06"),
        ("m.pt", b"\x80\x02"),
        ("m.pth", b"\x80\x02"),
        ("m.bin", b"\x80\x02"),
        ("m.ckpt", b"(dp0"),
        ("m", b"\x08\x01\x12"),
    ],
)
def test_what_is_not(tmp_path: Path, name: str, content: bytes) -> None:
    """Torch's own reader says more of a pickle with a torch file's name; a SavedModel is told by its name, too."""
    assert of(tmp_path, content, name) is None


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        (["config.json", "model.weights.h5"], Container.KERAS),
        (["config.json"], None),
        (["model.weights.h5"], None),
        (["inner/config.json", "inner/model.weights.h5"], None),
        (["m/archive_format", "m/models/model.json"], Container.EXPORTED),
        (["m/archive_format"], None),
        (["m/model.json"], None),
        (["serialized_exported_program.json"], Container.EXPORTED),
        (["m/archive_format", "m/model.json", "m/data.pkl"], Container.EXPORTED),
        (["m/data.pkl"], Container.TORCH),
        (["data.pkl", "a.npy"], Container.TORCH),
        (["a.txt", "b.npy"], Container.NPZ),
        (["a.txt"], None),
        ([], None),
    ],
)
def test_the_members_of_an_archive(tmp_path: Path, members: list[str], expected: Container | None) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        for name in members or ["x"]:
            archive.writestr(name, b"")
    assert container_of(tmp_path / "z") is expected


def test_a_packed_saved_model_and_what_is_no_archive(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("m/saved_model.pb", b"")
        archive.writestr("m/a.npy", b"")
    with pytest.raises(WorkloadError, match="is a packed TensorFlow SavedModel"):
        container_of(tmp_path / "z")
    assert of(tmp_path, b"PK\x03\x04 and no more") is None


def test_the_words_for_an_unknown_file() -> None:
    known = ".onnx, .pt, .pth, .pt2, .safetensors, .npz, .h5, .hdf5, .keras, .tflite"
    end = "and its content is none that is known"
    assert unknown(Path("a.xyz"), [".abc"]) == f"expected a file {known}, .abc, got '.xyz', {end}"
    assert unknown(Path("a"), []) == f"expected a file {known}, got '', {end}"
    for name in ("w.yaml", "w.yml"):
        said = f"is no model file; a workload is run as it is: archsim run edge_16x16 {name}"
        assert unknown(Path(name), []) == said
    assert len(unknown(Path("a." + "x" * 200), [])) == len(f"expected a file {known}, got '', {end}") + 60
