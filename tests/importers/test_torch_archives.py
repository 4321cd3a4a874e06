"""Archives of torch.export by hand, names of packed cells, nested dictionaries: sizes and counts at the edges."""

from __future__ import annotations

import json
import zipfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from archsim.errors import WorkloadError
from archsim.importers.found import Found, Refused
from archsim.importers.listed import NothingFits
from archsim.importers.reading import Asked
from archsim.importers.tensors.tensor_file import find_in_npz
from archsim.importers.torch.exported_file import find_in_exported
from archsim.importers.torch.packed_weights import _Cell, _suffixes, codes_of, standing_in
from archsim.importers.torch.torch_file import _leaves
from tests.arrays import save_npz

IH, HH = np.arange(12, dtype="<f4").reshape(4, 3), np.arange(16, dtype="<f4").reshape(4, 4)
CONFIG = "data/weights/model_weights_config.json"


def entry(array: np.ndarray, path: str, kind: int = 7, **meta: Any) -> dict[str, Any]:
    """The description of a parameter, in which `meta` stands instead of what is true."""
    strides = [stride // array.itemsize for stride in array.strides]
    described = {"dtype": kind, "sizes": [{"as_int": size} for size in array.shape]}
    described |= {"strides": [{"as_int": one} for one in strides], "storage_offset": {"as_int": 0}}
    return {"path_name": path, "use_pickle": False, "tensor_meta": described | meta}


def exported(folder: Path, entries: dict[str, Any], members: dict[str, bytes], config: str = f"m/{CONFIG}") -> Found:
    path = folder / "m.pt2"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(config, json.dumps({"config": entries}))
        for name, data in members.items():
            archive.writestr(f"{config.rpartition('/')[0]}/{name}", data)
    return find_in_exported(path, Asked())


def both(**more: Any) -> dict[str, Any]:
    return {"r.weight_ih_l0": entry(IH, "a"), "r.weight_hh_l0": entry(HH, "b")} | more


DATA = {"a": IH.tobytes(), "b": HH.tobytes()}


def test_parameters_of_an_archive(tmp_path: Path) -> None:
    """Of 16, 32 and 64 bits, under any folder or none."""
    for config in (CONFIG, f"m/{CONFIG}"):
        (layer,) = exported(tmp_path, both(), DATA, config).layers
        assert layer.tensors["weight_ih_l0"].tolist() == IH.tolist()
    for kind, dtype in ((6, "<f2"), (8, "<f8")):
        entries = {
            "r.weight_ih_l0": entry(IH.astype(dtype), "a", kind),
            "r.weight_hh_l0": entry(HH.astype(dtype), "b", kind),
        }
        data = {"a": IH.astype(dtype).tobytes(), "b": HH.astype(dtype).tobytes()}
        (layer,) = exported(tmp_path, entries, data).layers
        assert layer.tensors["weight_hh_l0"].tolist() == HH.tolist()


@pytest.mark.parametrize(
    "more",
    [
        {"kind": 5},
        {"kind": 9},
        {"strides": [{"as_int": 1}, {"as_int": 4}]},
        {"storage_offset": {"as_int": 1}},
        {"sizes": [{"as_int": 1}] * 9, "strides": [{"as_int": 1}] * 9},
    ],
)
def test_parameters_that_are_not_plain_are_left_out(tmp_path: Path, more: dict[str, Any]) -> None:
    """Of other types, transposed, in the middle of a storage, of more than 8 dimensions."""
    found = exported(tmp_path, both(odd=entry(np.zeros((1, 1), "<f4"), "c", **more)), DATA)
    assert (len(found.layers), found.rest) == (1, "")
    pickled = entry(np.zeros((1, 1), "<f4"), "c") | {"use_pickle": True}
    assert exported(tmp_path, both(odd=pickled), DATA).rest == ""
    eight = entry(np.zeros((1,) * 8, "<f4"), "c")
    assert exported(tmp_path, both(odd=eight), DATA | {"c": bytes(4)}).rest == "1 other tensor"
    number = entry(np.zeros((), "<f4"), "c")
    assert exported(tmp_path, both(odd=number), DATA | {"c": bytes(4)}).rest == "1 other tensor"


def test_members_of_another_size_and_other_archives_are_refused(tmp_path: Path) -> None:
    for data in (DATA | {"a": IH.tobytes()[:-1]}, DATA | {"a": IH.tobytes() + b"x"}, {"b": DATA["b"]}):
        with pytest.raises(
            WorkloadError, match=r"r.weight_ih_l0: not a valid .* a member is missing or of another size"
        ):
            exported(tmp_path, both(), data)
    negative, strides = [{"as_int": -4}, {"as_int": -3}], [{"as_int": -3}, {"as_int": 1}]
    less = both(c=entry(IH, "a", sizes=negative, strides=strides))
    with pytest.raises(WorkloadError, match="a member is missing or of another size"):
        exported(tmp_path, less, DATA)
    with pytest.raises(WorkloadError, match="is a torch.export archive without data/weights/model_weights_config.json"):
        exported(tmp_path, both(), DATA, "m/other.json")
    with zipfile.ZipFile(tmp_path / "two.pt2", "w") as archive:
        archive.writestr(CONFIG, "{}")
        archive.writestr(f"m/{CONFIG}", "{}")
    with pytest.raises(WorkloadError, match="is a torch.export archive without"):
        find_in_exported(tmp_path / "two.pt2", Asked())
    with pytest.raises(NothingFits, match="only 2 other tensors"):
        exported(tmp_path, {"x": entry(IH, "a"), "y": entry(HH, "b")}, DATA)


def suffixes(*inputs: int, hidden: int = 4, numbers: tuple[int, ...] = ()) -> list[str]:
    """The ends of names of cells with so many inputs, in their order."""
    cells = {}
    for number, size in zip(numbers or range(len(inputs)), inputs, strict=True):
        ih, hh = SimpleNamespace(shape=(16, size)), SimpleNamespace(shape=(16, hidden))
        cells[number] = _Cell(ih, hh, None, None)
    return list(_suffixes("r.", cells))


def test_layers_and_directions_of_packed_cells() -> None:
    """Layers take 4 numbers of the one below, or 8 of both directions; the numbers say the order."""
    assert suffixes(3) == ["_l0"]
    assert suffixes(3, 4, 4) == ["_l0", "_l1", "_l2"]
    assert suffixes(3, 3) == ["_l0", "_l0_reverse"]
    assert suffixes(3, 3, 8, 8) == ["_l0", "_l0_reverse", "_l1", "_l1_reverse"]
    assert suffixes(4, 3, 4, numbers=(1, 0, 2)) == ["_l0", "_l1", "_l2"]
    with pytest.raises(Refused, match="may be two layers or two directions"):
        suffixes(4, 4)
    assert suffixes(4, 4, 4) == ["_l0", "_l1", "_l2"]
    for inputs in ((3, 5), (3, 3, 8), (3, 3, 8, 4), (3, 4, 5), (3, 3, 4, 4)):
        with pytest.raises(Refused, match=r"have inputs of \[.*\], which no stack has"):
            suffixes(*inputs)
    for numbers in ((1, 2), (0, 2)):
        with pytest.raises(Refused, match="a number is missing"):
            suffixes(3, 4, numbers=numbers)


def test_from_which_version_on_packed_objects_have_a_stand_in() -> None:
    """2.6, whatever follows; before there is none."""
    globals_ = SimpleNamespace(safe_globals=lambda given: len(given))
    for version, there in (("2.5.1", False), ("2.6.0", True), ("2.10.0+cpu", True), ("3.0", True), ("1.13", False)):
        found = standing_in(SimpleNamespace(__version__=version, serialization=globals_))
        assert (found == 1) is there, version
        assert isinstance(found, nullcontext) is not there


def nested(depth: int) -> Any:
    return 1 if depth == 0 else {"a": nested(depth - 1)}


def test_nested_dictionaries_have_an_end() -> None:
    """16 inside each other, 17 are too many; so many entries, no more; keys in their order, at most 1,000 characters."""
    assert list(_leaves({"a": {"b": 1, 2: 3}, "c": 4})) == [("a.b", 1), ("a.2", 3), ("c", 4)]
    assert list(_leaves(nested(16))) == [(".".join("a" * 16), 1)]
    with pytest.raises(ValueError, match="too many"):
        list(_leaves(nested(17)))
    wide = {str(number): number for number in range(3)}
    assert len(list(_leaves(wide, 4))) == 3, "three numbers and the dictionary"
    with pytest.raises(ValueError, match="too many entries"):
        list(_leaves(wide, 3))
    assert [len(name) for name, _ in _leaves({"k" * 1001: 1})] == [1000]


def test_arrays_of_an_npz_file(tmp_path: Path) -> None:
    """What is no floating-point number is listed and is no weight; two members of one name are none of a file's."""
    save_npz(tmp_path / "m.npz", weight_ih_l0=IH, weight_hh_l0=HH[:, :1], ids=np.arange(3), x=np.zeros(2))
    found = find_in_npz(tmp_path / "m.npz", Asked())
    assert (len(found.layers), found.rest) == (1, "1 other tensor")
    with zipfile.ZipFile(tmp_path / "m.npz") as archive:
        data = archive.read("x.npy")
    with zipfile.ZipFile(tmp_path / "n.npz", "w") as archive:
        archive.writestr("x.npy", data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("x.npy", data)
    with pytest.raises(WorkloadError, match="two members have the same name"):
        find_in_npz(tmp_path / "n.npz", Asked())
    for content, size in ((data + b"x", 145), (data[:-1], 143)):
        with zipfile.ZipFile(tmp_path / "o.npz", "w") as archive:
            archive.writestr("x.npy", content)
        with pytest.raises(
            WorkloadError, match=rf"x.npy: not a valid .npz file: {size} bytes are not an array of shape \(2,\)"
        ):
            find_in_npz(tmp_path / "o.npz", Asked())


def codes(torch: Any, size: int = 100, axis: int | None = None, scale: Any = 0.5) -> Any:
    values = torch.arange(12, dtype=torch.int8).reshape(4, 3)
    if axis is None:
        tensor = torch._make_per_tensor_quantized_tensor(values, scale, -3)
    else:
        scales = torch.tensor(scale, dtype=torch.float64)
        tensor = torch._make_per_channel_quantized_tensor(values, scales, torch.arange(len(scales)), axis)
    return codes_of("w", tensor, torch, size)


@pytest.mark.filterwarnings("ignore")
def test_codes_of_quantized_tensors(torch: Any) -> None:
    """One scale and zero point, or one for each row; no more numbers than the file has bytes; no scales of columns."""
    whole = codes(torch, 12)
    assert (whole.values.ravel().tolist(), whole.scale.tolist(), whole.zero.tolist()) == (list(range(12)), 0.5, -3)
    rows = codes(torch, axis=0, scale=[1.0, 2.0, 3.0, 4.0])
    assert (rows.scale.tolist(), rows.zero.tolist()) == ([1, 2, 3, 4], [0, 1, 2, 3])
    with pytest.raises(Refused, match="w claims more numbers than the file has"):
        codes(torch, 11)
    with pytest.raises(Refused, match="w has scales along another axis than its rows"):
        codes(torch, axis=1, scale=[1.0, 2.0, 3.0])
