"""The input's layouts, what stands in a workload's file and its summary line, and what is in the way of writing it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from archsim.errors import OutputError, WorkloadError
from archsim.importers.found import Found, FoundLayer, layer_config
from archsim.importers.write import InputSequence, read_input, write_workload
from archsim.workload.calibration import Range
from archsim.workload.network import CellKind

MODEL = Path("m.onnx")
CODES = Range(-1.0, 1.5, "int8", 0.5, 1)
"""Codes from -1 / 0.5 + 1 = -1 to 1.5 / 0.5 + 1 = 4."""


def saved(folder: Path, array: np.ndarray) -> Path:
    np.save(folder / "x.npy", array)
    return folder / "x.npy"


def refusal(path: Path, *options: Any) -> str:
    with pytest.raises(WorkloadError) as caught:
        read_input(path, *options)
    return str(caught.value).partition("x.npy: ")[2]


@pytest.mark.parametrize(
    ("shape", "batch_first", "unbatched", "found"),
    [
        ((5, 2, 3), False, False, (5, 2, True)),
        ((5, 2, 3), True, False, (2, 5, True)),
        ((5, 3), False, False, (5, 1, False)),
        ((5, 3), True, False, (5, 1, False)),
        ((5, 3), False, True, (5, 1, False)),
    ],
)
def test_steps_and_sequences(
    tmp_path: Path, shape: tuple[int, ...], batch_first: bool, unbatched: bool, found: tuple[int, int, bool]
) -> None:
    read = read_input(saved(tmp_path, np.ones(shape)), batch_first, unbatched, 3)
    assert (read.steps, read.batch, read.batched) == found
    assert (read.batch_first, read.seed, read.from_codes) == (batch_first, 0, False)
    assert read.x is not None
    assert (read.x.shape, str(read.x.dtype)) == (shape, "float32")


@pytest.mark.parametrize(
    ("shape", "batch_first", "unbatched", "said"),
    [
        ((3,), False, False, "has shape (3,), expected (T, B, I) or (T, I)"),
        ((3,), True, False, "has shape (3,), expected (B, T, I) or (T, I)"),
        ((1, 1, 1, 3), False, False, "has shape (1, 1, 1, 3), expected (T, B, I) or (T, I)"),
        ((5, 2, 3), False, True, "has shape (5, 2, 3), expected (T, I)"),
        ((5, 2), False, False, "has shape (5, 2), expected 3 features last and no empty dimension"),
        ((0, 3), False, False, "has shape (0, 3), expected 3 features last and no empty dimension"),
        ((5, 0, 3), False, False, "has shape (5, 0, 3), expected 3 features last and no empty dimension"),
    ],
)
def test_other_shapes_are_refused(
    tmp_path: Path, shape: tuple[int, ...], batch_first: bool, unbatched: bool, said: str
) -> None:
    assert refusal(saved(tmp_path, np.ones(shape)), batch_first, unbatched, 3) == said


def test_codes_of_the_models_range_are_numbers(tmp_path: Path) -> None:
    """(code - 1) * 0.5; -1 and 4 are the first and the last that it has."""
    read = read_input(saved(tmp_path, np.array([[-1, 0, 4]], np.int8)), False, False, 3, CODES)
    assert read.x is not None
    assert (read.x.tolist(), read.from_codes) == ([[-1.0, -0.5, 1.5]], True)
    for code in (-2, 5):
        said = refusal(saved(tmp_path, np.array([[code, 0, 4]], np.int16)), False, False, 3, CODES)
        assert said == f"holds codes from {min(code, 0)} to {max(code, 4)}, expected -1 .. 4 of the model's x"
    alike = read_input(saved(tmp_path, np.ones((5, 3), np.int8)), False, False, 3, CODES)
    assert alike.x is not None
    assert not alike.x.any()
    assert "no empty dimension" in refusal(saved(tmp_path, np.ones((0, 3), np.int8)), False, False, 3, CODES)
    real = read_input(saved(tmp_path, np.array([[-2.0, 0, 4]])), False, False, 3, CODES)
    assert real.x is not None
    assert (real.x.tolist(), real.from_codes) == ([[-2, 0, 4]], False)
    unsigned = read_input(saved(tmp_path, np.array([[1, 0, 4]], np.uint8)), False, False, 3, CODES)
    assert unsigned.from_codes


def test_numbers_of_other_kinds_are_refused(tmp_path: Path) -> None:
    """Integers without a scale, complex and boolean ones, and floats of more than 8 bytes."""
    long = np.ones((5, 3), np.longdouble)
    given: list[tuple[np.ndarray, str]] = [
        (np.ones((5, 3), np.int8), "int8"),
        (np.ones((5, 3), np.complex64), "complex64"),
        (np.ones((5, 3), bool), "bool"),
        *([(long, str(long.dtype))] if long.itemsize > 8 else []),
    ]
    for array, kind in given:
        expected = f"holds {kind}, expected floating-point numbers"
        assert refusal(saved(tmp_path, array), False, False, 3) == expected
        if kind != "int8":
            assert refusal(saved(tmp_path, array), False, False, 3, CODES) == expected
    no_scale = replace(CODES, scale=None)
    assert refusal(saved(tmp_path, np.ones((5, 3), np.int8)), False, False, 3, no_scale).startswith("holds int8")
    assert refusal(saved(tmp_path, np.full((5, 3), 1e39)), False, False, 3).startswith("holds numbers that are not fin")


def test_a_file_that_is_longer_or_shorter_than_its_array_is_refused(tmp_path: Path) -> None:
    path = saved(tmp_path, np.ones((5, 3), np.float32))
    whole = path.read_bytes()
    assert len(whole) == 128 + 5 * 3 * 4
    for content, size in ((whole + b"x", 189), (whole[:-1], 187)):
        path.write_bytes(content)
        assert refusal(path, False, False, 3) == f"its {size} bytes are not an array of shape (5, 3)"


def layer(name: str = "rnn", inputs: int = 3, hidden: int = 4, **more: Any) -> FoundLayer:
    own = {key: more.pop(key) for key in list(more) if key not in FoundLayer.__dataclass_fields__}
    config = layer_config(**({"kind": CellKind.LSTM, "hidden_size": hidden, "bias": False} | own))
    sides = ("", "_reverse") if config.bidirectional else ("",)
    tensors = {
        f"weight_{of}_l{number}{side}": np.ones((4 * hidden, inputs if of == "ih" and not number else hidden), "f4")
        for of in ("ih", "hh")
        for number in range(more.get("num_layers", 1))
        for side in sides
    }
    return FoundLayer(name, config, inputs, tensors, **more)


def written(folder: Path, *layers: FoundLayer, **sequence: Any) -> list[str]:
    """The lines of the workload's file behind its summary."""
    given = {"steps": 5, "batch": 1, "batch_first": False, "batched": True} | sequence
    write_workload(Found(MODEL, layers), layers, InputSequence(**given), folder / "w.yaml", force=True)
    return (folder / "w.yaml").read_text().splitlines()


PLAIN = ["kind: lstm", "hidden_size: 4", "bias: false", "input_size: 3", "steps: 5", "batch: 1"]
WEIGHTS = ["weights:", "  file: w.safetensors", "input:", "  seed: 0"]


def test_what_has_the_default_is_left_out(tmp_path: Path) -> None:
    assert written(tmp_path, layer()) == ["summary: LSTM(3, 4) from m.onnx, layer rnn", *PLAIN, *WEIGHTS]


def test_what_has_not_is_written(tmp_path: Path) -> None:
    lines = written(tmp_path, layer(num_layers=3), batch_first=True, seed=7, batch=2)
    assert lines == [
        "summary: LSTM(3, 4), 3 layers from m.onnx, layer rnn",
        *PLAIN[:4],
        "num_layers: 3",
        "steps: 5",
        "batch: 2",
        "batch_first: true",
        *WEIGHTS[:3],
        "  seed: 7",
    ]
    two = written(tmp_path, layer("a"), layer("b", 4, fed_by=("a",)))
    assert two[0] == "summary: LSTM(3, 4), then LSTM(4, 4) from m.onnx, 2 layers"
    assert "batched: false" in written(tmp_path, layer(), batched=False)
    lines = written(tmp_path, layer(sequence_lens=(5, 2)), batch=2)
    assert lines[lines.index("sequence_lens:") + 1 :][:2] == ["- 5", "- 2"]
    assert "initial_state:" not in lines
    with pytest.raises(WorkloadError, match="its sequence_lens is for a batch of 2, but the input has 1"):
        written(tmp_path, layer(sequence_lens=(5, 2)))


def test_equal_layers_are_counted_and_others_follow(tmp_path: Path) -> None:
    """Three layers of 4 units (a module of two, and one more), then one of 6, then one of 4 again."""
    stack = (
        layer("a", num_layers=2),
        layer("b", 4, 4, fed_by=("a",)),
        layer("c", 4, 6, fed_by=("b",)),
        layer("d", 6, 4, fed_by=("c",)),
    )
    lines = written(tmp_path, *stack)
    summary = "LSTM(3, 4), 2 layers, then LSTM(4, 4), then LSTM(4, 6), then LSTM(6, 4) from m.onnx, 4 layers"
    assert lines[0] == f"summary: {summary}"
    assert lines[4:13] == [
        "input_size: 3",
        "num_layers: 3",
        "next_layers:",
        "- kind: lstm",
        "  hidden_size: 6",
        "  bias: false",
        "- kind: lstm",
        "  hidden_size: 4",
        "  bias: false",
    ]


def test_states_and_the_input_lie_beside_the_weights(tmp_path: Path) -> None:
    """Without a batch axis the states have none either."""
    h = np.full((1, 1, 4), 2, np.float32)
    lines = written(tmp_path, layer(h_0=h), batched=False, x=np.ones((5, 3), np.float32))
    end = ["input:", "  file: w.safetensors", "  tensor: input", "initial_state:", "  file: w.safetensors"]
    assert lines[-5:] == end
    tensors = load_file(tmp_path / "w.safetensors")
    assert (tensors["h_0"].shape, tensors["c_0"].shape, tensors["input"].shape) == ((1, 4), (1, 4), (5, 3))
    written(tmp_path, layer(h_0=h))
    assert load_file(tmp_path / "w.safetensors")["h_0"].shape == (1, 1, 4)


def test_scales_are_written_if_all_layers_have_some(tmp_path: Path) -> None:
    ranges = {"x": CODES, "h_l0": CODES}
    with_ranges, without = layer("a", ranges=ranges), layer("b", 4, fed_by=("a",))
    assert written(tmp_path, with_ranges)[-2:] == ["calibration:", "  file: w.ranges.yaml"]
    assert "Scales and zero points of m.onnx" in (tmp_path / "w.ranges.yaml").read_text()
    (tmp_path / "w.ranges.yaml").unlink()
    assert "calibration:" not in written(tmp_path, with_ranges, without)
    assert not (tmp_path / "w.ranges.yaml").exists()


def test_a_summary_has_200_characters_at_most(tmp_path: Path) -> None:
    """ "LSTM(3, 4) from m.onnx" and ", layer " are 30 of them: a name of 170 stands whole, of 171 without its beginning."""
    whole = "".join(chr(ord("a") + number % 26) for number in range(171))
    for name, shown in ((whole[1:], whole[1:]), (whole, "..." + whole[-167:])):
        first = written(tmp_path, layer(name))[0].removeprefix("summary: ")
        assert first == f"LSTM(3, 4) from m.onnx, layer {shown}"
        assert len(first) == 200


def test_what_is_in_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    one, sequence = layer(), InputSequence(5, 1, False, True)

    def said(out: str, model: str = "m.onnx", force: bool = False) -> str:
        with pytest.raises(OutputError) as caught:
            write_workload(Found(Path(model), (one,)), (one,), sequence, Path(out), force)
        return str(caught.value)

    Path("w.safetensors").write_bytes(b"mine")
    Path("d.safetensors").mkdir()
    Path("l.yaml").symlink_to("nowhere")
    Path("file").write_bytes(b"mine")
    exists = "exists already; choose another --out, or replace it with --force"
    assert said("w.yaml") == f"w.safetensors: {exists}"
    assert said("l.yaml") == f"l.yaml: {exists}"
    assert said("w.yml", "w.safetensors", True) == "w.safetensors: is the model itself; choose another --out"
    assert said("d.yaml", force=True) == "d.safetensors: is a directory, expected a file"
    assert said("w.json") == "w.json: expected a name that ends with .yaml"
    assert said("file/w.yaml").startswith("file/w.yaml: cannot be written: ")
    with pytest.raises(OutputError, match="exists already"):
        write_workload(Found(MODEL, (one,)), (one,), sequence, Path("w.yaml"))
    assert not sequence.from_codes
    write_workload(Found(MODEL, (one,)), (one,), sequence, Path("w.yml"), True)
    write_workload(Found(MODEL, (one,)), (one,), sequence, Path("new/deep/w.yaml"))
    write_workload(Found(MODEL, (one,)), (one,), sequence, Path("new/other.yaml"))
    assert Path("new/deep/w.safetensors").exists()
