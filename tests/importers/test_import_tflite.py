"""LSTMs of .tflite files against LiteRT's interpreter: real numbers within rounding, integers code by code.

The models are made by the schema's own classes, with one operator each (tflite_models.py).
"""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import Simulation, simulate
from archsim.cli.options import load_inputs
from archsim.errors import WorkloadError
from archsim.importers import InputSequence, find_layers, read_input, select, write_workload
from archsim.importers.tflite.tflite_file import OTHERS
from archsim.importers.tflite.tflite_layer import BIDIRECTIONAL, UNIDIRECTIONAL
from tests.importers.tflite_models import Lstm, Tensor, litert, tflite_bytes
from tests.optional import need
from tests.present import present

Array = npt.NDArray[Any]
T, B, INPUTS, H = 7, 2, 5, 6
FLOAT = ("formats=float32", "activation.method=exact")


def floats(
    seed: int, projection: int, peepholes: bool, coupled: bool, first: int = 1, both: bool = False, norm: bool = False
) -> dict[int, Tensor]:
    """The tensors of a direction with real numbers, whose first weight stands at this place."""
    random = np.random.default_rng(seed)
    size = projection or H
    rest = first - 1
    inputs: dict[int, Tensor] = {}

    def drawn(*shape: int) -> Tensor:
        return Tensor.of(random.normal(0, 0.5, shape).astype(np.float32))

    for gate in range(4):
        if coupled and gate == 0:
            continue
        inputs[first + gate], inputs[first + 4 + gate] = drawn(H, INPUTS), drawn(H, size)
        inputs[rest + 12 + gate] = drawn(H)
    if peepholes:
        inputs |= {rest + 9 + place: drawn(H) for place in range(int(coupled), 3)}
    if projection:
        inputs[rest + 16] = drawn(projection, H)
    if norm:
        inputs |= {20 + gate: drawn(H) for gate in range(int(coupled), 4)}
    states = 18 if not both else 35 if first == 1 else 37
    for number, units in enumerate((size, H)):
        inputs[states + number] = Tensor(None, (B, units), variable=True)
    return inputs


def imported(path: Path, x: Array, arch: str, *sets: str, batch_first: bool = False) -> Simulation:
    found = find_layers(path)
    assert not found.unsupported
    steps, batch = (x.shape[1], x.shape[0]) if batch_first else x.shape[:2]
    out = path.with_suffix(".yaml")
    write_workload(found, select(found, "all"), InputSequence(steps, batch, batch_first, True, x=x), out, force=True)
    return simulate(*load_inputs(arch, str(out), list(sets)))


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("projection", [0, 4])
def test_real_numbers(projection: int, peepholes: bool, coupled: bool, tmp_path: Path) -> None:
    inputs = floats(1, projection, peepholes, coupled)
    time_major = not coupled
    shape = (T, B, INPUTS) if time_major else (B, T, INPUTS)
    out = (*shape[:2], projection or H)
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_bytes(Lstm({0: Tensor(None, shape), **inputs}, Tensor(None, out), time_major=time_major)))
    x = np.random.default_rng(2).normal(0, 1, shape).astype(np.float32)
    want = litert(path, x)
    output = present(imported(path, x, "edge_16x16", *FLOAT, batch_first=not time_major).results).output
    assert np.abs((output if time_major else output.swapaxes(0, 1)) - want).max() < 2e-6


def test_both_directions(tmp_path: Path) -> None:
    inputs = floats(3, 0, True, False, both=True) | floats(4, 0, True, False, first=18, both=True)
    path = tmp_path / "m.tflite"
    lstm = Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, 2 * H)), both=True)
    path.write_bytes(tflite_bytes(lstm))
    x = np.random.default_rng(5).normal(0, 1, (T, B, INPUTS)).astype(np.float32)
    output = present(imported(path, x, "edge_16x16", *FLOAT).results).output
    assert np.abs(output - litert(path, x)).max() < 2e-6


@pytest.mark.parametrize("coupled", [False, True])
@pytest.mark.parametrize("peepholes", [False, True])
@pytest.mark.parametrize("projection", [0, 4])
def test_layer_normalization(projection: int, peepholes: bool, coupled: bool, tmp_path: Path) -> None:
    """Within float32's rounding of LiteRT's; without the normalization, or with another gate's weights, far from it."""
    inputs = floats(11, projection, peepholes, coupled, norm=True)
    path = tmp_path / "m.tflite"
    path.write_bytes(
        tflite_bytes(Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, projection or H))))
    )
    x = np.random.default_rng(12).normal(0, 1, (T, B, INPUTS)).astype(np.float32)
    want = litert(path, x)
    run = imported(path, x, "edge_16x16", *FLOAT)
    assert run.validation.passed
    assert np.abs(present(run.results).output - want).max() < 4e-6
    inputs[21], inputs[22] = inputs[22], inputs[21]
    path.write_bytes(
        tflite_bytes(Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, projection or H))))
    )
    assert np.abs(litert(path, x) - want).max() > 0.01


def test_layer_normalization_of_a_hybrid_model(tmp_path: Path) -> None:
    """Normalized sums are of size 1, and with 6 units a rounded x (1/127 of its range of 4) moves them by some 0.03."""
    random = np.random.default_rng(13)
    inputs = floats(14, 0, False, False, norm=True)
    for place in range(1, 9):
        values = random.integers(-127, 127, inputs[place].shape, endpoint=True).astype(np.int8)
        inputs[place] = Tensor.of(values, float(random.uniform(0.004, 0.008)))
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_bytes(Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, H)))))
    x = random.normal(0, 1, (T, B, INPUTS)).astype(np.float32)
    output = present(imported(path, x, "edge_16x16", *FLOAT).results).output
    assert 1e-6 < np.abs(output - litert(path, x)).max() < 0.1


@pytest.mark.parametrize("asymmetric", [False, True])
def test_hybrid(asymmetric: bool, tmp_path: Path) -> None:
    """int8 weights, real numbers else. LiteRT rounds x and h to int8 at run time: 1/127 of a range of 4, times weights.

    archsim reads the same weights, and keeps their codes on an integer machine.
    """
    random = np.random.default_rng(6)
    inputs = floats(7, 0, False, False)
    for place in range(1, 9):
        values = random.integers(-127, 127, inputs[place].shape, endpoint=True).astype(np.int8)
        inputs[place] = Tensor.of(values, float(random.uniform(0.004, 0.008)))
    path = tmp_path / "m.tflite"
    lstm = Lstm({0: Tensor(None, (T, B, INPUTS)), **inputs}, Tensor(None, (T, B, H)), asymmetric=asymmetric)
    path.write_bytes(tflite_bytes(lstm))
    x = random.normal(0, 1, (T, B, INPUTS)).astype(np.float32)
    want = litert(path, x)
    output = present(imported(path, x, "edge_16x16", *FLOAT).results).output
    assert 1e-6 < np.abs(output - want).max() < 0.05
    (layer,) = find_layers(path).layers
    assert "which is not reproduced" in layer.notes[0]
    run = imported(path, x, "edge_16x16")
    assert run.validation.passed
    codes = present(run.numbers).tensors.cells[0].coded
    order = [inputs[1 + gate].values for gate in range(4)]
    assert np.array_equal(codes["weight_ih"].codes, np.concatenate(order))  # type: ignore[arg-type]


def integers(
    seed: int,
    projection: int = 0,
    peepholes: bool = False,
    coupled: bool = False,
    cell: int = -11,
    units: int = H,
) -> Lstm:
    """An integer LSTM (8x8->16) with scales as a converter chooses them, in which saturation does occur."""
    random = np.random.default_rng(seed)
    size = projection or units
    x_scale, h = np.float32(0.0213), (0.0071, 9)
    vector = (0.0069, -3) if projection else h
    inputs = {0: Tensor(None, (T, B, INPUTS), "int8", float(x_scale), -7)}
    inputs[18] = Tensor(None, (B, size), "int8", *h, True)
    inputs[19] = Tensor(None, (B, units), "int16", 2.0**cell, 0, True)

    def drawn(rows: int, columns: int, scale: float) -> Tensor:
        return Tensor.of(random.integers(-127, 127, (rows, columns), endpoint=True).astype(np.int8), scale)

    for gate in range(int(coupled), 4):
        scales = [np.float32(value) for value in random.uniform(0.003, 0.009, 2)]
        inputs[1 + gate] = drawn(units, INPUTS, float(scales[0]))
        inputs[5 + gate] = drawn(units, size, float(scales[1]))
        bias = random.integers(-3000, 3000, units).astype(np.int32)
        inputs[12 + gate] = Tensor.of(bias, float(np.float32(scales[0] * x_scale)))
    if peepholes:
        for place in range(int(coupled), 3):
            values = random.integers(-20000, 20000, units).astype(np.int16)
            inputs[9 + place] = Tensor.of(values, float(np.float32(random.uniform(1e-5, 4e-5))))
    if projection:
        inputs[16] = drawn(projection, units, 0.004)
    inside = [*(Tensor(None, (), "int16", 0.001) for _ in range(4)), Tensor(None, (), "int8", *vector)]
    return Lstm(inputs, Tensor(None, (T, B, size), "int8", *h), inside)


def codes_of(lstm: Lstm, seed: int, folder: Path, *sets: str, batch: int = B) -> tuple[Array, Array]:
    """The codes that the machine gives, which are the integer reference's, and LiteRT's."""
    path = folder / "m.tflite"
    path.write_bytes(tflite_bytes(lstm))
    x = np.random.default_rng(seed).integers(-128, 127, (T, batch, INPUTS), endpoint=True).astype(np.int8)
    ranges = find_layers(path).layers[0].ranges["x"]
    real = ((x.astype(np.float64) - ranges.zero) * present(ranges.scale)).astype(np.float32)
    run = imported(path, real, "edge_16x16", *sets)
    assert run.validation.passed
    assert run.validation.bitwise
    encoding = present(run.numbers).encodings["dram.output"]
    output = present(run.results).output
    return np.rint(output / encoding.scale).astype(np.int64) + encoding.zero, litert(path, x).astype(np.int64)


GEMMLOWP = "activation.method=gemmlowp"


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "options",
    [{}, {"coupled": True}, {"peepholes": True}, {"coupled": True, "peepholes": True}, {"cell": -13}, {"cell": -9}],
    ids=str,
)
def test_integers_code_by_code(options: dict[str, Any], seed: int, tmp_path: Path) -> None:
    """A machine with gemmlowp's functions gives LiteRT's codes, every one.

    With the preset's tables of 512 entries codes of h differ by one at most, and few: 39 of 1,512 in all of these
    models, 7 of 84 in the worst.
    """
    ours, theirs = codes_of(integers(seed, **options), seed, tmp_path, GEMMLOWP)
    assert np.array_equal(ours, theirs)
    assert len(np.unique(theirs)) > 20
    ours, theirs = codes_of(integers(seed, **options), seed, tmp_path)
    assert np.abs(ours - theirs).max() <= 1
    assert np.count_nonzero(ours - theirs) <= 7


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("coupled", [False, True])
def test_integers_with_a_projection(coupled: bool, norm: bool, seed: int, tmp_path: Path) -> None:
    """Every code, also where the vector before the projection saturates, as a larger LSTM's does."""
    options: dict[str, Any] = {"units": 33, "projection": 10, "coupled": coupled, "cell": -13}
    lstm = normalized_integers(seed, **options) if norm else integers(seed, **options)
    ours, theirs = codes_of(lstm, seed, tmp_path, GEMMLOWP, "accumulators.entries=256")
    assert np.array_equal(ours, theirs)
    assert len(np.unique(theirs)) > 20


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("norm", [False, True])
def test_a_projection_and_peepholes(norm: bool, seed: int, tmp_path: Path) -> None:
    """The kernel's peepholes of the first 4 units, every code of a single sequence; and it is said."""
    lstm = (normalized_integers if norm else integers)(seed, projection=4, peepholes=True)
    for tensor in (lstm.inputs[0], lstm.inputs[18], lstm.inputs[19], lstm.output):
        tensor.shape = (*tensor.shape[:-2], 1, tensor.shape[-1])
    ours, theirs = codes_of(lstm, seed, tmp_path, GEMMLOWP, batch=1)
    assert np.array_equal(ours, theirs)
    (layer,) = find_layers(tmp_path / "m.tflite").layers
    assert any("peepholes to the first P hidden units alone" in note for note in layer.notes)
    kept = layer.tensors["peephole_l0"].reshape(3, H) != 0
    assert kept[:, :4].all()
    assert not kept[:, 4:].any()


def test_codes_as_input(tmp_path: Path) -> None:
    """x in int8, as a quantized model takes it, is what its codes stand for: the run's codes are those."""
    path, x = tmp_path / "m.tflite", np.array([[[-128, -7, 0, 5, 127]], [[1, 2, 3, 4, 5]]], np.int8)
    lstm = integers(0)
    path.write_bytes(tflite_bytes(lstm))
    covers = find_layers(path).layers[0].ranges["x"]
    np.save(tmp_path / "x.npy", x)
    found = read_input(tmp_path / "x.npy", False, False, INPUTS, covers)
    assert found.from_codes
    assert np.array_equal(np.rint(present(found.x) / present(covers.scale)) + covers.zero, x)
    np.save(tmp_path / "x.npy", x.astype(np.int16) * 2)
    with pytest.raises(WorkloadError, match=r"holds codes from -256 to 254, expected -128 .. 127 of the model's x"):
        read_input(tmp_path / "x.npy", False, False, INPUTS, covers)


def test_a_wrong_code_is_seen(tmp_path: Path) -> None:
    """Recurrent weights of two gates in the other order change many codes."""
    lstm = integers(0)
    swapped = integers(0)
    swapped.inputs[6], swapped.inputs[7] = swapped.inputs[7], swapped.inputs[6]
    ours, _ = codes_of(lstm, 0, tmp_path, GEMMLOWP)
    _, theirs = codes_of(swapped, 0, tmp_path, GEMMLOWP)
    assert np.abs(ours - theirs).max() > 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"proj_clip": 2.0}, r"bounds h to 2 \(proj_clip\), which no workload does"),
        ({"activation": 1}, "its activation is number 1 of the schema, expected tanh"),
        ({20: (H,), 21: (H,), 22: (H,)}, "has layer normalization for some gates only"),
        ({20: (H,), 21: (H,), 22: (H,), 23: (H - 1,)}, "its layer_norm has shape"),
        ({16: (4, H), 17: (4,)}, "its projection has a bias, which no workload has"),
        ({1: None}, "has half of an input gate"),
        ({3: None}, "its weight_ih is missing for a gate"),
        ({3: (H + 1, INPUTS)}, "its weight_ih has different shapes for different gates"),
        ({9: (H,)}, "has peepholes for some gates only"),
        ({14: (H - 1,)}, "its bias_ih has different shapes"),
    ],
)  # fmt: skip
def test_what_is_refused(change: dict[Any, Any], message: str, tmp_path: Path) -> None:
    inputs = {0: Tensor(None, (T, B, INPUTS)), **floats(8, 0, False, False)}
    options = {key: value for key, value in change.items() if isinstance(key, str)}
    if 16 in change:
        inputs |= {place: tensor for place, tensor in floats(8, 4, False, False).items() if place in (*range(5, 9), 18)}
    for place, shape in change.items():
        if place not in options:
            inputs.pop(place, None)
            if shape is not None:
                inputs[place] = Tensor.of(np.ones(shape, np.float32))
    path = tmp_path / "m.tflite"
    path.write_bytes(tflite_bytes(Lstm(dict(sorted(inputs.items())), Tensor(None, (T, B, H)), **options)))
    (entry,) = find_layers(path).unsupported
    assert re.search(message, entry.reason), entry.reason


def normalized_integers(seed: int, units: int = H, **options: Any) -> Lstm:
    """An integer LSTM with layer normalization: the sums of each gate have a scale of their own before it."""
    options |= {"units": units}
    lstm, random = integers(seed, **options), np.random.default_rng(seed + 100)
    for gate in range(int(options.get("coupled", False)), 4):
        scale = np.float32(random.uniform(3e-5, 6e-5))
        lstm.inputs[20 + gate] = Tensor.of(
            random.integers(8000, 32767, units, endpoint=True).astype(np.int16), float(scale)
        )
        small = np.float32(scale / 1024)
        lstm.inputs[12 + gate] = Tensor.of(np.rint(random.uniform(-1, 1, units) / small).astype(np.int32), float(small))
        lstm.intermediates[gate] = Tensor(None, (), "int16", float(np.float32(random.uniform(3e-4, 6e-4))))
    lstm.inputs = dict(sorted(lstm.inputs.items()))
    return lstm


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "options", [{}, {"coupled": True}, {"peepholes": True}, {"coupled": True, "peepholes": True}, {"cell": -9}], ids=str
)
def test_normalized_integers_code_by_code(options: dict[str, Any], seed: int, tmp_path: Path) -> None:
    """Every code is LiteRT's, and the reference's in every bit."""
    lstm = normalized_integers(seed, **options)
    ours, theirs = codes_of(lstm, seed, tmp_path, GEMMLOWP)
    assert np.array_equal(ours, theirs)
    assert len(np.unique(theirs)) > 20
    (layer,) = find_layers(tmp_path / "m.tflite").layers
    assert "layer_norm" in layer.options()
    assert {name for name in layer.ranges if name.startswith("sums")} == {f"sums_{gate}_l0" for gate in "ifgo"}


@pytest.mark.parametrize("scale", [2e-6, 0.5, 2.0**-12])
@pytest.mark.parametrize("units", [1, 3, 33, 64])
def test_normalized_integers_of_any_scale(units: int, scale: float, tmp_path: Path) -> None:
    """Sums that all saturate, sums of one or two codes, whose variance is below 1, and any number of units.

    The variance is that of n as a power of two below it, as in the kernel.
    """
    lstm = normalized_integers(7, units=units)
    for gate in range(4):
        lstm.intermediates[gate].scale = scale
    ours, theirs = codes_of(lstm, 7, tmp_path, GEMMLOWP, "accumulators.entries=128")
    assert np.array_equal(ours, theirs)


def test_another_gates_normalization_is_seen(tmp_path: Path) -> None:
    """gamma and biases of two gates in the other order change many codes; the scales of their sums a few."""
    lstm, swapped = normalized_integers(0), normalized_integers(0)
    for place in (13, 21):
        swapped.inputs[place], swapped.inputs[place + 1] = swapped.inputs[place + 1], swapped.inputs[place]
    ours, _ = codes_of(lstm, 0, tmp_path, GEMMLOWP)
    _, theirs = codes_of(swapped, 0, tmp_path, GEMMLOWP)
    assert np.abs(ours - theirs).max() > 10
    coarse = normalized_integers(0)
    for gate in range(4):
        coarse.intermediates[gate].scale = present(coarse.intermediates[gate].scale) * 64
    _, theirs = codes_of(coarse, 0, tmp_path, GEMMLOWP)
    assert np.count_nonzero(ours - theirs) > 3


def apart(lstm: Lstm, seed: int, path: Path, *sets: str) -> tuple[Array, Simulation]:
    """How many codes of h the machine's real numbers are from LiteRT's codes; and the run."""
    path.write_bytes(tflite_bytes(lstm))
    x = np.random.default_rng(seed).integers(-128, 127, (T, B, INPUTS), endpoint=True).astype(np.int8)
    real = ((x.astype(np.float64) - lstm.inputs[0].zero) * present(lstm.inputs[0].scale)).astype(np.float32)
    run = imported(path, real, "edge_16x16", *(sets or FLOAT))
    assert run.validation.passed is (None if sets else True), "integers beside real numbers have no exact reference"
    codes = np.rint(present(run.results).output / present(lstm.output.scale)) + lstm.output.zero
    return np.abs(np.clip(codes, -128, 127) - litert(path, x)), run


@pytest.mark.parametrize("options", [{}, {"coupled": True}, {"peepholes": True}, {"projection": 4}], ids=str)
def test_a_normalized_integer_model_in_real_numbers(options: dict[str, Any], tmp_path: Path) -> None:
    """On a machine of floating point, rounded to h's codes in the end: of LiteRT's at most one off, and few.

    Of 4 models each: 13, 13, 7 of 336 codes, with a projection, whose vector is rounded once more, 32 of 224.
    """
    found = [apart(normalized_integers(seed, **options), seed, tmp_path / "m.tflite")[0] for seed in range(4)]
    assert np.max(found) == 1
    assert np.count_nonzero(found) <= (32 if "projection" in options else 13)


def test_codes_of_a_normalized_models_weights_stay(tmp_path: Path) -> None:
    lstm = normalized_integers(0)
    sets = (*FLOAT, "formats.weight=int8/row/gemmlowp")
    codes, run = apart(lstm, 0, tmp_path / "m.tflite", *sets)
    assert codes.max() <= 1
    coded = present(run.numbers).tensors.cells[0].coded
    assert set(coded) == {"weight_ih", "weight_hh", "bias_ih", "layer_norm"}
    order = np.concatenate([present(lstm.inputs[1 + gate].values) for gate in range(4)])
    assert np.array_equal(coded["weight_ih"].codes, order)


def test_a_normalized_integer_model_that_its_kernel_reads_otherwise_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    for place, scale, said in (
        (13, 0.001, "has a bias whose scale is not a 1,024th of its layer_norm's"),
        (21, None, "its layer_norm is of integers without a scale"),
        (-1, None, "is an integer LSTM without one scale for the sums of i"),
    ):
        lstm = normalized_integers(0)
        (lstm.inputs[place] if place >= 0 else lstm.intermediates[0]).scale = scale
        path.write_bytes(tflite_bytes(lstm))
        (entry,) = find_layers(path).unsupported
        assert entry.reason.startswith(said)


def test_other_recurrent_operators_have_the_numbers_of_the_schema() -> None:
    """The schema's own names are those that are shown: PAD (34) is no recurrent operator, SVDF (27) is one."""
    schema = need("ai_edge_litert.schema_py_generated").BuiltinOperator
    assert {name: number for number, (name, _) in OTHERS.items()} == {
        name: getattr(schema, name)
        for name in ("LSTM", "RNN", "SVDF", "UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN")
    }
    assert (UNIDIRECTIONAL, BIDIRECTIONAL) == (
        schema.UNIDIRECTIONAL_SEQUENCE_LSTM,
        schema.BIDIRECTIONAL_SEQUENCE_LSTM,
    )


def test_files_that_are_no_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.tflite"
    whole = tflite_bytes(Lstm({0: Tensor(None, (T, B, INPUTS)), **floats(9, 0, False, False)}, Tensor(None, (T, B, H))))
    for data, message in ((b"", "is no .tflite file"), (b"PK" * 50, "is no .tflite file"), (whole[:40], "not a valid")):
        path.write_bytes(data)
        with pytest.raises(WorkloadError, match=message):
            find_layers(path)
    path.write_bytes(whole)
    for name in ("tflite", "ai_edge_litert", "ai_edge_litert.schema_py_generated"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(WorkloadError, match=r'needs the package tflite to be read: pip install "archsim\[tflite\]"'):
        find_layers(path)
