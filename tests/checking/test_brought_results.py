"""What the user brings along is compared, each tensor of it, on every format; or the verdict says that it was not."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.api import Simulation, simulate
from archsim.api.verdict import Outcome, judge
from archsim.checking.validation import Check
from archsim.cli.options import load_inputs
from archsim.errors import WorkloadError
from archsim.families.load import Arch
from archsim.formats import Encoding
from archsim.workload import Workload
from tests.present import present

Tensors = Mapping[str, npt.NDArray[Any]]

NETWORKS = {
    "lstm": "kind: lstm\ninput_size: 3\nhidden_size: 4\nsteps: 5\nbatch: 2\n",
    "gru": "kind: gru\ninput_size: 3\nhidden_size: 4\nsteps: 5\nbatch: 2\nbatch_first: true\n",
    "rnn": "kind: rnn\ninput_size: 3\nhidden_size: 4\nsteps: 5\nbatch: 2\n",
    "stack": "kind: lstm\ninput_size: 3\nhidden_size: 4\nnum_layers: 2\nbidirectional: true\nsteps: 5\nbatch: 2\n",
}
FORMATS: dict[str, tuple[str, ...]] = {
    "float32": (),
    "int8": ("formats=tflite_int8", "activation.method=exact"),
    "q4.12": ("formats=q4.12", "activation.method=exact"),
    "bfloat16": ("formats=bfloat16",),
}


def written(folder: Path, network: str, tensors: Tensors, more: str = "") -> str:
    """The path of a workload whose expected results are these; `more` goes into the section."""
    np.savez(folder / "expected.npz", **dict[str, Any](tensors))
    text = f"summary: with results\n{NETWORKS[network]}weights: {{seed: 1}}\ninput: {{seed: 2}}\n"
    path = folder / f"{network}.yaml"
    path.write_text(text + (f"expected: {{file: expected.npz{more}}}\n" if tensors else ""))
    return str(path)


def inputs(path: str, formats: str) -> tuple[Arch, Workload]:
    return load_inputs(
        "tiny_2x2", path, [*FORMATS[formats], "accumulators.entries=64", "input_buffer.capacity_bytes=1KiB"]
    )


def run(path: str, formats: str) -> Simulation:
    return simulate(*inputs(path, formats), keep_steps=True)


def of_the_machine(found: Simulation) -> dict[str, npt.NDArray[Any]]:
    """All that a run can be compared with, as a file would have it."""
    from archsim.report.files.saved import torch_outputs

    tensors = torch_outputs(found.workload, present(found.results))
    for suffix, values in zip(("_l0", "_l0_reverse", "_l1", "_l1_reverse"), present(found.recorded), strict=False):
        for name, array in values.items():
            stored = array.swapaxes(0, 1) if found.workload.config.batch_first else array
            tensors[("c" if name == "c" else f"gate_{name}") + suffix] = stored
    return tensors


def of_the_model(path: str) -> dict[str, npt.NDArray[Any]]:
    return of_the_machine(run(path, "float32"))


def brought(found: Simulation) -> dict[str, Check]:
    return {check.name: check for check in found.validation.brought}


@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("network", NETWORKS)
def test_every_tensor_is_judged(network: str, formats: str, tmp_path: Path) -> None:
    """The run's own numbers pass without a tolerance; one number of any tensor off by 0.05 does not."""
    results = of_the_machine(run(written(tmp_path, network, {}), formats))
    gates = {"lstm": 5, "gru": 3, "rnn": 0, "stack": 4 * 5}[network]
    assert len(results) == gates + (3 if network in ("lstm", "stack") else 2)
    good = run(written(tmp_path, network, results), formats)
    assert (good.validation.passed, good.validation.not_compared) == (True, ())
    assert set(brought(good)) == set(results)
    assert {(check.subject, check.note) for check in brought(good).values()} == {("machine", "")}
    for name, array in results.items():
        bad = array.copy()
        bad.flat[array.size // 2] += 0.05
        found = run(written(tmp_path, network, {**results, name: bad}), formats)
        assert [check.name for check in brought(found).values() if not check.passed] == [name]
        assert found.validation.passed is False


@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("more", ["", ", tolerance: 0.02", ", within_codes: 1"])
def test_an_output_that_is_off_everywhere_is_never_valid(formats: str, more: str, tmp_path: Path) -> None:
    """The fault that this is about: 0.05 off everywhere, of the model's output and of the machine's own.

    Of an h of magnitude below 1, 0.05 is more than 0.02 of it; and a code of int8 is 1/127 at most, of q4.12 1/4096.
    """
    path = written(tmp_path, "lstm", {})
    for right in (of_the_model(path)["output"], of_the_machine(run(path, formats))["output"]):
        verdict = judge(*inputs(written(tmp_path, "lstm", {"output": right + np.float32(0.05)}, more), formats), None)
        assert verdict.outcome is Outcome.NOT_VALID
        first = present(next(check.first for check in verdict.checks if not check.passed))
        assert (first.step, first.sequence, first.unit) == (0, 0, 0)
        assert first.wanted == pytest.approx(float(right[0, 0, 0]) + 0.05, abs=0.01)


@pytest.mark.parametrize(("formats", "outcome"), [("int8", Outcome.VALID), ("bfloat16", Outcome.NUMBERS_NOT_JUDGED)])
def test_results_of_the_model_itself(formats: str, outcome: Outcome, tmp_path: Path) -> None:
    """Without a tolerance they are held against the golden model, and the machine's distance is said.

    That judges no number of the machine, so that where no other reference does the verdict stays at that.
    """
    path = written(tmp_path, "lstm", {})
    results = of_the_model(path)
    verdict = judge(*inputs(written(tmp_path, "lstm", results), formats), None)
    assert verdict.outcome is outcome
    checks = [check for check in verdict.checks if check.reference == "expected (file)"]
    assert {check.subject for check in checks} == {"golden model"}
    machine = of_the_machine(run(path, formats))
    for check in checks:
        distance = np.abs(machine[check.name].astype(np.float64) - results[check.name]).max()
        assert check.unbounded_error == pytest.approx(distance, rel=1e-4)
    stated = judge(*inputs(written(tmp_path, "lstm", results, ", tolerance: 0.1"), formats), None)
    assert stated.outcome is Outcome.VALID
    assert {check.subject for check in stated.checks} == {"machine"}
    tight = judge(*inputs(written(tmp_path, "lstm", results, ", tolerance: 1.0e-4"), formats), None)
    assert tight.outcome is Outcome.NOT_VALID


def codes(found: Simulation, name: str, values: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    encoding: Encoding = present(found.numbers).encodings[name]
    return np.rint(values.astype(np.float64) / float(encoding.scale)).astype(np.int64) + encoding.zero


@pytest.mark.parametrize("formats", ["int8", "q4.12"])
def test_integer_codes(formats: str, tmp_path: Path) -> None:
    plain = run(written(tmp_path, "lstm", {}), formats)
    values = of_the_machine(plain)
    output, cell = codes(plain, "dram.output", values["output"]), codes(plain, "c", values["c_l0"])
    one_off = output.copy()
    one_off[3, 1, 2] += 1
    two_off = output.copy()
    two_off[3, 1, 2] -= 2

    def outcome(tensors: Tensors, more: str = "") -> Outcome:
        return judge(*inputs(written(tmp_path, "lstm", tensors, more), formats), None).outcome

    assert outcome({"output": output, "c": cell}) is Outcome.VALID
    assert outcome({"output_codes": output.astype(np.int16), "c_l0_codes": cell.astype(np.int32)}) is Outcome.VALID
    assert outcome({"output": one_off}) is Outcome.NOT_VALID
    assert outcome({"output": one_off}, ", within_codes: 1") is Outcome.VALID
    assert outcome({"output": two_off}, ", within_codes: 1") is Outcome.NOT_VALID
    found = run(written(tmp_path, "lstm", {"output": two_off}), formats)
    first = present(brought(found)["output"].first)
    assert (first.step, first.sequence, first.unit) == (3, 1, 2)
    assert (first.got_code, first.wanted_code) == (output[3, 1, 2], output[3, 1, 2] - 2)
    scale = float(present(found.numbers).encodings["dram.output"].scale)
    assert first.got - first.wanted == pytest.approx(2 * scale)


def test_real_numbers_as_codes(tmp_path: Path) -> None:
    plain = run(written(tmp_path, "lstm", {}), "int8")
    output = of_the_machine(plain)["output"]
    scale = np.float32(present(plain.numbers).encodings["dram.output"].scale)
    for steps, passed in ((0.4, True), (1.4, True), (1.6, False)):
        path = written(tmp_path, "lstm", {"output": output + np.float32(steps) * scale}, ", within_codes: 1")
        assert run(path, "int8").validation.passed is passed, steps


def test_scales_that_the_file_says(tmp_path: Path) -> None:
    plain = run(written(tmp_path, "lstm", {}), "int8")
    encoding = present(plain.numbers).encodings["dram.output"]
    right: dict[str, Any] = {"output": codes(plain, "dram.output", of_the_machine(plain)["output"])}
    right |= {"output_scale": np.float32(encoding.scale), "output_zero": np.int8(encoding.zero)}
    assert run(written(tmp_path, "lstm", right), "int8").validation.passed
    for name, wrong in (
        ("output_scale", np.float32(encoding.scale * 1.01)),
        ("output_zero", np.int8(encoding.zero + 1)),
    ):
        found = run(written(tmp_path, "lstm", {**right, name: np.asarray(wrong)}), "int8")
        assert [check.name for check in brought(found).values() if not check.passed] == [name]


def not_compared(path: str, formats: str, *sets: str) -> tuple[str, ...]:
    verdict = judge(*load_inputs("tiny_2x2", path, [*FORMATS[formats], *sets]), None)
    assert verdict.outcome is Outcome.NOT_VALIDATED
    assert verdict.passed
    return verdict.not_compared


def test_what_cannot_be_compared_is_never_valid(tmp_path: Path) -> None:
    path = written(tmp_path, "lstm", {})
    results = of_the_model(path)
    alone = {"output": results["output"]}
    assert not_compared(written(tmp_path, "lstm", {**alone, "hn": results["h_n"]}), "float32") == (
        "hn: no result that a run has; name those to compare in expected.tensors, or rename them",
    )
    others = {f"t{number}": np.zeros(1) for number in range(7)}
    for count, listed in ((6, "t0, t1, t2, t3, t4, t5"), (7, "t0, t1, t2, t3, t4, t5, ...")):
        some = {name: others[name] for name in list(others)[:count]}
        (line,) = not_compared(written(tmp_path, "lstm", {**alone, **some}), "float32")
        assert line.startswith(f"{listed}: no result that a run has")
    path = written(tmp_path, "lstm", {**alone, "h_n": np.zeros((1, 2, 4), np.int8)})
    assert not_compared(path, "float32") == ("h_n: holds integer codes, and the machine has float32 there",)
    path = written(tmp_path, "lstm", {**alone, "output_scale": np.ones(1)})
    assert not_compared(path, "float32") == ("output_scale, output_zero: the machine's float32 has none",)
    path = written(tmp_path, "lstm", results)
    reasons = not_compared(path, "int8", "steps=3")
    assert reasons == tuple(
        f"{name}: it is of the last of the 5 steps, the run takes the first" for name in ("h_n", "c_n")
    )
    chosen = judge(*load_inputs("tiny_2x2", path, ["steps=3", "expected.tensors=[output, gate_f_l0]"]), None)
    assert chosen.outcome is Outcome.VALID
    assert {check.name for check in chosen.checks if check.reference == "expected (file)"} == {"output", "gate_f_l0"}
    reasons = not_compared(path, "float32", "steps=3", "reverse=true")
    assert len(reasons) == 8


def test_states_alone_of_an_input_that_is_cut_short(tmp_path: Path) -> None:
    """The input's file says that there were more steps; the states are not those of the third."""
    plain = run(written(tmp_path, "lstm", {}), "float32")
    np.savez(tmp_path / "x.npz", input=present(plain.numbers).tensors.x)
    path = Path(written(tmp_path, "lstm", {"h_n": of_the_machine(plain)["h_n"]}))
    path.write_text(path.read_text().replace("input: {seed: 2}", "input: {file: x.npz}"))
    assert judge(*inputs(str(path), "float32"), None).outcome is Outcome.VALID
    assert len(not_compared(str(path), "float32", "steps=3")) == 1


def test_sequences_that_end(tmp_path: Path) -> None:
    """Beyond a sequence's end nothing inside a cell means anything; the output is 0 there, and is compared."""
    NETWORKS["ends"] = NETWORKS["lstm"] + "sequence_lens: [5, 2]\n"
    results = of_the_machine(run(written(tmp_path, "ends", {}), "int8"))
    beyond = results["c_l0"].copy()
    beyond[2:, 1] = 7.0
    assert run(written(tmp_path, "ends", {**results, "c_l0": beyond}), "int8").validation.passed
    beyond[1, 1] = 7.0
    assert run(written(tmp_path, "ends", {**results, "c_l0": beyond}), "int8").validation.passed is False
    output = results["output"].copy()
    output[3, 1, 0] = 0.05
    assert run(written(tmp_path, "ends", {**results, "output": output}), "int8").validation.passed is False


@pytest.mark.parametrize(
    ("tensors", "more", "message"),
    [
        ({"out": np.zeros(3)}, "", "holds no results: expected any of output, h_n, c_n, h_n_l0, "),
        ({"output": np.zeros((5, 2, 3))}, "", r"output: expected shape \(5, 2, 4\), got \(5, 2, 3\)"),
        ({"output": np.zeros((4, 2, 4))}, "", r"output: expected shape \(5, 2, 4\), got \(4, 2, 4\)"),
        ({"c_l0": np.zeros((5, 2, 4)), "c_l0_scale": np.float64(0)}, "", "c_l0_scale: expected scales above 0"),
        ({"output_codes": np.zeros((5, 2, 4))}, "", "holds codes by its name, expected integers"),
        ({"output": np.zeros((5, 2, 4))}, ", tensors: [h_n]", "h_n: no such tensor; the file holds: output"),
        ({"x": np.zeros((5, 2, 4))}, ", tensors: [x]", "x: cannot be compared with a run; that can be any of output"),
        ({"output": np.full((5, 2, 4), np.nan)}, "", "its numbers are not all finite"),
        ({"output": np.zeros((5, 2, 4))}, ", tolerance: 0", "expected.tolerance: expected a number"),
    ],
)
def test_files_that_do_not_fit(tensors: Tensors, more: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match=message):
        run(written(tmp_path, "lstm", tensors, more), "float32")


@pytest.mark.parametrize(
    ("name", "features", "wrong"), [("output", 8, 4), ("c_l1_reverse", 4, 8), ("gate_f_l0", 4, 8), ("h_n", 4, 8)]
)
def test_an_output_has_both_directions_and_all_else_one(name: str, features: int, wrong: int, tmp_path: Path) -> None:
    """The output of two directions with 4 units each is 8 wide; a state, or a gate, is one cell's."""
    first = 4 if name == "h_n" else 5
    path = written(tmp_path, "stack", {name: np.zeros((first, 2, wrong))})
    message = rf"{name}: expected shape \({first}, 2, {features}\), got \({first}, 2, {wrong}\)"
    with pytest.raises(WorkloadError, match=message):
        run(path, "float32")
