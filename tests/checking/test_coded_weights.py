"""Weights that a file holds as integers run as they are: the machine's codes are the file's, nothing is rounded again."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import Simulation, simulate
from archsim.api.verdict import Outcome, judge
from archsim.cli.options import load_inputs
from archsim.errors import WorkloadError
from archsim.families.registry import build_units
from archsim.golden.lstm import lstm
from archsim.lowering.encodings import Encodings
from archsim.workload import load_tensors, load_workload
from tests.present import present

Array = npt.NDArray[Any]
H, INPUTS, T, B = 4, 3, 5, 2
INT8 = ("formats=tflite_int8", "activation.method=table", "activation.table.entries=512", "accumulators.entries=64")
FLOAT = ("formats=float32",)


def network(folder: Path, tensors: Mapping[str, Array], kind: str = "lstm", more: str = "", ranges: str = "") -> str:
    np.savez(folder / "w.npz", **dict[str, Any](tensors))
    text = f"summary: integers\nkind: {kind}\ninput_size: {INPUTS}\nhidden_size: {H}\nsteps: {T}\nbatch: {B}\n{more}"
    text += "weights: {file: w.npz}\ninput: {seed: 2}\n"
    if ranges:
        (folder / "ranges.yaml").write_text(ranges)
        text += "calibration: {file: ranges.yaml}\n"
    (folder / "w.yaml").write_text(text)
    return str(folder / "w.yaml")


def drawn(gates: int = 4, seed: int = 0, low: int = -127, high: int = 127) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    tensors: dict[str, Array] = {}
    for name, inputs in (("weight_ih_l0", INPUTS), ("weight_hh_l0", H)):
        tensors[name] = random.integers(low, high, (gates * H, inputs), endpoint=True).astype(np.int16)
        tensors[f"{name}_scale"] = random.uniform(0.002, 0.006, gates)
        tensors[f"bias_{name[7:]}"] = random.normal(0, 0.2, gates * H).astype(np.float32)
    return tensors


def run(path: str, *sets: str) -> Simulation:
    return simulate(*load_inputs("tiny_2x2", path, list(sets)), keep_steps=True)


def stored(path: str, *sets: str) -> tuple[dict[str, Array], Encodings]:
    """What stands in DRAM before a run, by buffer, and what it stands for."""
    arch, workload = load_inputs("tiny_2x2", path, list(sets))
    numbers = present(simulate(arch, workload).numbers)
    state = numbers.begin(build_units(arch.config)).state
    named = {buffer.name: buffer for buffer in numbers.program.buffers}
    wanted = [f"dram.{name}" for name in ("W_ih", "W_hh", "W_hr", "bias", "peephole") if f"dram.{name}" in named]
    return {name.removeprefix("dram."): state.array(named[name])[0] for name in wanted}, numbers.encodings


@pytest.mark.parametrize("rounding", ["gemmlowp", "even", "truncate", "half_up"])
@pytest.mark.parametrize("groups", ["tensor", "gate", "row"])
def test_the_machine_has_the_codes_of_the_file(groups: str, rounding: str, tmp_path: Path) -> None:
    """Also where a real number is rounded down: 0.3 / 0.1 is less than 3 in binary, and its code would be 2."""
    tensors = drawn()
    count = {"tensor": 1, "gate": 4, "row": 4 * H}[groups]
    for name in ("weight_ih_l0", "weight_hh_l0"):
        tensors[f"{name}_scale"] = np.linspace(0.1, 0.17, count)
        tensors[f"{name}_zero"] = np.full(count, -1 if groups == "row" else 0, np.int8)
        tensors[name] = np.clip(tensors[name], -127, 126)
    path = network(tmp_path, tensors)
    sets = (*INT8, f"formats.weight=int8/{groups}/{rounding}")
    found, encodings = stored(path, *sets)
    for name, buffer in (("weight_ih_l0", "W_ih"), ("weight_hh_l0", "W_hh")):
        assert np.array_equal(found[buffer], tensors[name] + (groups == "row")), buffer
        scale = np.broadcast_to(np.asarray(encodings[f"dram.{buffer}"].scale).reshape(-1, 1), (4 * H, 1))
        assert np.array_equal(scale[:, 0], np.repeat(tensors[f"{name}_scale"], 4 * H // count))
    assert judge(*load_inputs("tiny_2x2", path, list(sets)), None).outcome is Outcome.VALID


def test_in_floating_point_they_are_the_numbers_that_they_stand_for(tmp_path: Path) -> None:
    tensors = drawn(low=-128)
    tensors["weight_hh_l0_zero"] = np.array([100, -3, 0, 7], np.int8)
    found = run(network(tmp_path, tensors), *FLOAT)
    scales = {name: np.repeat(tensors[f"{name}_scale"], H)[:, None] for name in ("weight_ih_l0", "weight_hh_l0")}
    w_ih = tensors["weight_ih_l0"] * scales["weight_ih_l0"]
    w_hh = (tensors["weight_hh_l0"] - np.repeat([100, -3, 0, 7], H)[:, None]) * scales["weight_hh_l0"]
    x = present(found.numbers).tensors.x
    zero = np.zeros((1, B, H))
    output, _, _ = lstm(x, w_ih, w_hh, tensors["bias_ih_l0"], tensors["bias_hh_l0"], zero, zero)
    assert np.abs(present(found.results).output - output).max() < 2e-6
    assert found.validation.passed


@pytest.mark.parametrize(("code", "zero", "fits"), [(-(2**31), 0, True), (-(2**31), 1, False), (2**31 - 1, -2, False)])
def test_codes_less_their_zero_point_have_32_bits_at_most(code: int, zero: int, fits: bool, tmp_path: Path) -> None:
    """One number of either sign beyond 2^31 is enough, whatever the others are."""
    tensors = drawn(low=-127)
    for name in ("weight_ih_l0", "weight_hh_l0"):
        tensors[name] = np.zeros_like(tensors[name], np.int32)
    tensors["weight_ih_l0"][1, 1] = code
    tensors["weight_ih_l0_zero"] = np.full(4, zero, np.int32)
    path = network(tmp_path, tensors)
    if fits:
        load_tensors(load_workload(path))
        return
    with pytest.raises(WorkloadError, match="expected codes of magnitude up to 2,147,483,648, less the zero point"):
        load_tensors(load_workload(path))


def test_zero_points_need_a_bit_more_and_the_message_says_so(tmp_path: Path) -> None:
    tensors = drawn(low=-128)
    tensors["weight_ih_l0_zero"] = np.array([0, 0, 0, 100], np.int8)
    tensors["weight_hh_l0_scale"] = np.linspace(0.002, 0.004, 4 * H)
    path = network(tmp_path, tensors)
    with pytest.raises(
        WorkloadError, match="does not hold; with --set formats.weight=int9/row/gemmlowp they run as they are"
    ):
        run(path, *INT8)
    found, _ = stored(path, *INT8, "formats.weight=int9/row/gemmlowp")
    assert np.array_equal(found["W_ih"][3 * H :], tensors["weight_ih_l0"][3 * H :] - 100)
    with pytest.raises(
        WorkloadError, match="int9/gate/gemmlowp has one for each gate; with --set formats.weight=int9/row/g"
    ):
        run(path, *INT8, "formats.weight=int9/gate/gemmlowp")


RANGES = (
    "method: max\npercentile: 99.9\nweight_method: max\nranges:\n"
    "  x: {scale: 0.0078125, zero: 3, format: int8/asymmetric/gemmlowp}\n"
    "  h_l0: {scale: 0.006, zero: -5, format: int8/asymmetric/gemmlowp}\n"
    "  c_l0: {scale: 0.000244140625, format: int16/power_of_two/gemmlowp}\n"
)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_bias_of_integers_and_the_scales_of_everything(kind: str, tmp_path: Path) -> None:
    """Scale and zero point of x, h and c are the file's; the bias has the scale of weight times input."""
    gates = {"lstm": 4, "gru": 3, "rnn": 1}[kind]
    tensors = drawn(gates)
    del tensors["bias_hh_l0"]
    bias = np.random.default_rng(5).integers(-5000, 5000, gates * H).astype(np.int32)
    tensors["bias_l0"] = bias
    del tensors["bias_ih_l0"]
    tensors["bias_l0_scale"] = tensors["weight_ih_l0_scale"].astype(np.float32) * np.float32(0.0078125)
    ranges = RANGES if kind == "lstm" else "\n".join(RANGES.splitlines()[:-1]) + "\n"
    path = network(tmp_path, tensors, kind, ranges=ranges)
    found, encodings = stored(path, *INT8)
    assert np.array_equal(found["bias"][: gates * H, 0], bias)
    assert not found["bias"][gates * H :].any()
    assert (encodings["dram.x"].scale, encodings["dram.x"].zero) == (0.0078125, 3)
    assert (encodings["h"].scale, encodings["h"].zero) == (0.006, -5)
    if kind == "lstm":
        assert encodings["c"].scale == 2.0**-12
    assert judge(*load_inputs("tiny_2x2", path, list(INT8)), None).outcome is Outcome.VALID
    tensors["bias_l0_scale"] = tensors["bias_l0_scale"] * 1.001
    with pytest.raises(WorkloadError, match="an integer bias needs theirs"):
        run(network(tmp_path, tensors, kind, ranges=ranges), *INT8)


def test_one_matrix_projection_and_peepholes(tmp_path: Path) -> None:
    tensors = drawn()
    whole = np.concatenate([tensors.pop("weight_ih_l0"), np.zeros((4 * H, 2), np.int16)], axis=1)
    whole[:, INPUTS:] = tensors.pop("weight_hh_l0")[:, :2]
    scales = tensors.pop("weight_ih_l0_scale")
    del tensors["weight_hh_l0_scale"]
    random = np.random.default_rng(4)
    tensors |= {"weight_l0": whole, "weight_l0_scale": scales, "weight_hr_l0": random.integers(-90, 90, (2, H))}
    tensors |= {"weight_hr_l0_scale": np.array(0.003), "peephole_l0": random.integers(-9000, 9000, 3 * H)}
    tensors |= {"peephole_l0_scale": np.array(0.00003)}
    path = network(tmp_path, tensors, more="proj_size: 2\npeepholes: true\n")
    found, encodings = stored(path, *INT8)
    assert np.array_equal(found["W_ih"], whole[:, :INPUTS])
    assert np.array_equal(found["W_hh"], whole[:, INPUTS:])
    assert np.array_equal(found["W_hr"], tensors["weight_hr_l0"])
    assert np.array_equal(found["peephole"][:, 0], tensors["peephole_l0"])
    assert encodings["dram.peephole"].scale == 0.00003
    assert judge(*load_inputs("tiny_2x2", path, list(INT8)), None).outcome is Outcome.VALID


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight_ih_l0_scale": None}, "weight_ih_l0: holds integers, and there is no weight_ih_l0_scale"),
        ({"weight_ih_l0_scale": np.ones(3)}, r"expected one number, 4 \(a gate each\) or 16 \(a row each\), got shape \(3,\)"),
        ({"weight_ih_l0_scale": np.zeros(4)}, "weight_ih_l0_scale: expected scales above 0"),
        ({"weight_ih_l0_scale": np.full(4, np.nan)}, "weight_ih_l0_scale: its numbers are not all finite"),
        ({"weight_ih_l0_zero": np.zeros(4)}, "weight_ih_l0_zero: expected integers of up to 64 bits, got float64"),
        ({"weight_ih_l0_zero": np.array(2**40)}, "expected zero points of magnitude up to"),
        ({"weight_ih_l0": np.full((4 * H, INPUTS), 2**40)}, "weight_ih_l0: expected codes of magnitude up to"),
        ({"weight_ih_l0": np.zeros((4 * H, INPUTS + 1), np.int8)}, r"weight_ih_l0: expected shape \(16, 3\), got \(16, 4\)"),
        ({"weight_ih_l0_scale": np.full(4, 1e300)}, "its codes times their scale are not finite in float32"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file(change: dict[str, Array | None], message: str, tmp_path: Path) -> None:
    tensors = {name: array for name, array in (drawn() | change).items() if array is not None}
    with pytest.raises(WorkloadError, match=message):
        run(network(tmp_path, tensors), *INT8)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{scale: 0.1, low: -1, high: 1, format: int8/asymmetric/gemmlowp}", "expected either low and high, or scale"),
        ("{scale: 0.1, zero: 200, format: int8/asymmetric/gemmlowp}", "cannot have the zero point 200"),
        ("{scale: 0.1, zero: 2, format: int8}", "int8 cannot have the zero point 2"),
        ("{scale: 0.1, format: q4.12}", "q4.12 has no scale to be given"),
        ("{scale: 0.1, format: int8/power_of_two}", "has a power of two as scale, which 0.1 is not"),
        ("{scale: 0.1, format: int16/asymmetric}", "has the scale and zero point of int16/asymmetric, but the format is"),
    ],
)  # fmt: skip
def test_scales_that_do_not_fit(entry: str, message: str, tmp_path: Path) -> None:
    ranges = RANGES.replace("{scale: 0.0078125, zero: 3, format: int8/asymmetric/gemmlowp}", entry)
    with pytest.raises(WorkloadError, match=message):
        run(network(tmp_path, drawn(), ranges=ranges), *INT8)


def test_outputs_have_codes_scales_and_zero_points(tmp_path: Path) -> None:
    """What firmware is compared with: (code - zero) * scale is the number, of results and, if asked for, by step."""
    path = network(tmp_path, drawn(), ranges=RANGES)
    sets = [word for text in INT8 for word in ("--set", text)]
    command = ["archsim", "run", "tiny_2x2", path, *sets, "--no-plots", "--keep-steps", "--out", str(tmp_path / "o")]
    text = f"import sys; sys.argv = {command!r}; from archsim.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", text], check=True, capture_output=True)
    outputs = np.load(tmp_path / "o" / "outputs.npz")
    names = {"output", "h_n", "c_n", "c_l0", *(f"gate_{gate}_l0" for gate in "ifgo")}
    assert set(outputs) == {name + end for name in names for end in ("", "_codes", "_scale", "_zero")}
    for name in names:
        values = (outputs[f"{name}_codes"].astype(np.float64) - outputs[f"{name}_zero"]) * outputs[f"{name}_scale"]
        assert np.array_equal(values.astype(np.float32), outputs[name]), name
    assert outputs["output_codes"].dtype == np.int8
    assert (outputs["output_scale"], outputs["output_zero"]) == (0.006, -5)
    assert outputs["c_l0_codes"].dtype == outputs["gate_o_l0_codes"].dtype == np.int16
    assert outputs["gate_o_l0_scale"] == 2.0**-15
    found = run(path, *INT8)
    assert np.array_equal(present(found.recorded)[0]["c"], outputs["c_l0"])
    assert np.array_equal(outputs["c_l0"][-1], outputs["c_n"][0])
