"""What a workload's outputs are used for: scores by hand, files that do not fit, and silero_vad against its witness."""

import dataclasses
import hashlib
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api import simulate
from archsim.checking.reference import golden_results
from archsim.checking.task import TaskFigures, task_figures, task_scores
from archsim.errors import WorkloadError
from archsim.families.load import load_arch
from archsim.report.files.saved import resolved_workload
from archsim.workload import NetworkTensors, Workload, load_tensors, load_workload
from tests.arrays import save_npz
from tests.float_machines import FLOAT_64X64
from tests.present import present
from tests.rings import exhaustive

Tensors = Mapping[str, np.ndarray]

NETWORK = """\
summary: two units
kind: rnn
input_size: 1
hidden_size: 2
steps: 2
batch: 2
sequence_lens: [2, 1]
weights: {seed: 0}
input: {seed: 1}
expected: {file: results.npz}
"""
TASK = """\
task:
  summary: a score
  file: head.npz
  before: relu
  after: identity
  threshold: 1
  expected: scores
"""
HEAD = {"weight": np.array([[1, -2]], np.float32), "bias": np.array([0.5], np.float32)}
RESULTS = {
    "output": np.zeros((2, 2, 2), np.float32),
    "h_n": np.zeros((1, 2, 2), np.float32),
    "scores": np.array([[1.5, 1.0], [1.0, 7.0]], np.float32),
}


def write(folder: Path, text: str = NETWORK + TASK, head: Tensors = HEAD, results: Tensors = RESULTS) -> Workload:
    save_npz(folder / "head.npz", **head)
    save_npz(folder / "results.npz", **results)
    (folder / "w.yaml").write_text(text)
    return load_workload(str(folder / "w.yaml"))


def figures(workload: Workload, machine: np.ndarray, golden: np.ndarray) -> TaskFigures:
    found = task_figures(workload.spec, load_tensors(workload), machine, golden)
    assert found is not None
    return found


MACHINE = np.array([[[1, -1], [0, 1]], [[0.5, 0], [9, 9]]], np.float64)
GOLDEN = np.array([[[0.25, -3], [0, 0.5]], [[0.5, 0.25], [-9, 9]]], np.float64)


def test_by_hand(tmp_path: Path) -> None:
    """score = relu(h_1) - 2 relu(h_2) + 1/2; the second sequence ends after one step, so that three scores count.

    Machine: 1 + 0 + 1/2 = 1.5, 0 - 2 + 1/2 = -1.5; 1/2 + 0 + 1/2 = 1, which is at least the threshold 1.
    Golden: 1/4 + 0 + 1/2 = 0.75, 0 - 1 + 1/2 = -0.5; 1/2 - 1/2 + 1/2 = 0.5. Differences 0.75, -1, 0.5.
    Witness: 1.5, 1; 1. Differences 0, -2.5, 0; the second is on the other side.
    """
    found = figures(write(tmp_path), MACHINE, GOLDEN)
    assert (found.summary, found.threshold) == ("a score", 1.0)
    assert found.machine_scores.dtype == found.golden_scores.dtype == np.float64
    np.testing.assert_array_equal(found.machine_scores, [[[1.5], [-1.5]], [[1.0], [-8.5]]])
    np.testing.assert_array_equal(found.golden_scores, [[[0.75], [-0.5]], [[0.5], [-17.5]]])
    assert (found.frames, found.changed_side, found.changed_share) == (3, 2, 2 / 3)
    assert found.max_abs_difference == 1.0
    assert found.rms_difference == pytest.approx(np.sqrt((0.75**2 + 1 + 0.5**2) / 3), rel=1e-15)
    assert found.witness is not None
    assert (found.witness.frames, found.witness.changed_side, found.witness.changed_share) == (3, 1, 1 / 3)
    assert found.witness.max_abs_difference == 2.5
    assert found.witness.rms_difference == pytest.approx(2.5 / np.sqrt(3), rel=1e-15)


def test_a_witness_may_have_scores_alone_or_codes_beside_them(tmp_path: Path) -> None:
    """Then nothing but the scores is compared; of codes of three steps the run takes two, and so of the scores."""
    alone = load_tensors(write(tmp_path, results={"scores": RESULTS["scores"]}))
    assert (present(alone.expected).tensors, present(alone.expected).left_out) == ((), ())
    assert present(present(alone.task).expected).tolist() == RESULTS["scores"][:, :, None].tolist()
    codes: Tensors = {
        "output_codes": np.zeros((3, 2, 2), np.int8),
        "scores": np.arange(6, dtype=np.float32).reshape(3, 2),
    }
    some = load_tensors(write(tmp_path, results=codes))
    assert present(present(some.task).expected).tolist() == [[[0], [1]], [[2], [3]]]
    for text in (NETWORK, NETWORK + TASK.replace("  expected: scores\n", "")):  # nobody asks for the scores
        with pytest.raises(WorkloadError, match="holds no results: expected any of output"):
            load_tensors(write(tmp_path, text, results={"scores": RESULTS["scores"]}))


def test_functions_and_several_scores(tmp_path: Path) -> None:
    """No relu; sigmoid(ln 3) = 3/4 and sigmoid(-ln 3) = 1/4; no bias, no witness; the threshold 0.5 lies between."""
    head = {"weight": np.array([[np.log(3), 0], [0, np.log(3)]])}
    task = "task: {summary: two scores, file: head.npz, bias: null, threshold: 0.5}\n"
    workload = write(tmp_path, NETWORK.replace("sequence_lens: [2, 1]\n", "") + task, head)
    machine = np.array([[[1, -1], [-1, 1]], [[1, 1], [-2000, 2000]]], np.float64)
    found = figures(workload, machine, np.ones((2, 2, 2)))
    want: list[list[list[float]]] = [[[0.75, 0.25], [0.25, 0.75]], [[0.75, 0.75], [0, 1]]]
    np.testing.assert_allclose(found.machine_scores, want, rtol=1e-7)  # log(3) is read as a float32
    assert (found.frames, found.changed_side) == (8, 3)
    assert found.witness is None


@pytest.mark.parametrize(
    ("after", "weight", "gain"), [("identity", 20.0, 25.0), ("sigmoid", 20.0, 6.25), ("sigmoid", 2.0, 1.75)]
)
def test_what_is_allowed_of_h_grows_through_the_head(after: str, weight: float, gain: float, tmp_path: Path) -> None:
    """Two scores of weights w and -5, and of 1 and 1: an error e of both elements of h is one of at most (w + 5) e, of
    which a sigmoid leaves a quarter."""
    head = {"weight": np.array([[weight, -5], [1, 1]], np.float32), "bias": np.zeros(2, np.float32)}
    text = (NETWORK + TASK).replace("identity", after).replace("sequence_lens: [2, 1]\n", "")
    workload = write(tmp_path, text, head, {**RESULTS, "scores": np.zeros((2, 2, 2), np.float32)})
    found = simulate(load_arch(FLOAT_64X64), workload).validation
    (check,) = [check for check in found.brought if check.name == "scores"]
    assert check.tolerance == pytest.approx(1e-5 * gain)


def test_scores_beyond_the_end_of_a_sequence_are_not_compared(tmp_path: Path) -> None:
    """All scores are 0, and so is what is expected but for the second step of the sequence that has one."""
    head = {"weight": np.zeros((1, 2), np.float32), "bias": np.zeros(1, np.float32)}
    scores = np.array([[0.0, 0.0], [0.0, 7.0]], np.float32)
    found = simulate(load_arch(FLOAT_64X64), write(tmp_path, head=head, results={**RESULTS, "scores": scores}))
    (check,) = [check for check in found.validation.brought if check.name == "scores"]
    assert (check.passed, check.max_abs_error) == (True, 0.0)


def test_without_a_task_there_are_no_figures(tmp_path: Path) -> None:
    workload = write(tmp_path, NETWORK)
    assert load_tensors(workload).task is None
    assert task_figures(workload.spec, load_tensors(workload), MACHINE, GOLDEN) is None


def test_an_output_of_another_shape_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected \(2, 2, 2\), got \(2, 2, 1\)"):
        figures(write(tmp_path), MACHINE, GOLDEN[..., :1])


@pytest.mark.parametrize(
    ("option", "shape"),
    [("", (2, 2, 1)), ("", (2, 2)), ("batch_first: true\n", (2, 2, 1)), ("batch_first: true\n", (2, 2))],
)
def test_the_witness_has_the_layout_of_the_output(tmp_path: Path, option: str, shape: tuple[int, ...]) -> None:
    scores = np.array([[1, 2], [3, 4]], np.float32)
    workload = write(tmp_path, option + NETWORK + TASK, HEAD, {**RESULTS, "scores": scores.reshape(shape)})
    task = load_tensors(workload).task
    assert task is not None
    assert task.expected is not None
    np.testing.assert_array_equal(task.expected[..., 0], scores.T if option else scores)


def fault(folder: Path, text: str, head: Tensors, results: Tensors) -> str:
    with pytest.raises(WorkloadError) as caught:
        load_tensors(write(folder, text, head, results))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without(tensors: Tensors, name: str) -> dict[str, np.ndarray]:
    return {key: tensor for key, tensor in tensors.items() if key != name}


@pytest.mark.parametrize(
    ("head", "results", "expected"),
    [
        (without(HEAD, "weight"), {}, "head.npz: weight: no such tensor; the file holds: bias"),
        (without(HEAD, "bias"), {}, "head.npz: bias: no such tensor; the file holds: weight"),
        ({**HEAD, "weight": np.ones((1, 3))}, {}, "head.npz: weight: expected shape (N, 2), got (1, 3)"),
        ({**HEAD, "weight": np.ones(2)}, {}, "head.npz: weight: expected shape (N, 2), got (2,)"),
        ({**HEAD, "weight": np.ones((1, 2, 1))}, {}, "head.npz: weight: expected shape (N, 2), got (1, 2, 1)"),
        ({**HEAD, "weight": np.ones((0, 2))}, {}, "head.npz: weight: expected shape (N, 2), got (0, 2)"),
        ({**HEAD, "weight": np.ones((3, 2))}, {}, "head.npz: bias: expected shape (3,), got (1,)"),
        ({**HEAD, "weight": np.ones((1, 2), np.int32)}, {}, "head.npz: weight: expected float32 (or float16, float64)"),
        ({**HEAD, "weight": np.array([[1, np.nan]])}, {}, "head.npz: weight: 1 of 2 numbers are not finite"),
        ({**HEAD, "bias": np.array([1e300])}, {}, "head.npz: bias: 1 of 1 numbers are not finite in float32"),
        (
            HEAD,
            {"scores": np.ones((2, 2, 2))},
            "results.npz: scores: expected shape (2, 2, 1), in which axes of length 1",
        ),
        (HEAD, {"scores": np.full((2, 2), np.inf)}, "results.npz: scores: 4 of 4 numbers are not finite"),
        (HEAD, {"other": np.ones(1)}, "results.npz: scores: no such tensor; the file holds: h_n, other, output"),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, head: Tensors, results: Tensors, expected: str) -> None:
    assert expected in fault(tmp_path, NETWORK + TASK, head, {**without(RESULTS, "scores"), **results})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("before: relu", "before: tanh", "w.yaml:14: task.before: expected one of 'identity', 'relu'"),
        ("after: identity", "after: softmax", "w.yaml:15: task.after: expected one of 'identity', 'sigmoid'"),
        ("  threshold: 1\n", "", "w.yaml:11: task: missing key 'threshold' (a number"),
        ("threshold: 1", "threshold: high", "task.threshold: expected a number"),
        ("threshold: 1", "treshold: 1", "did you mean 'threshold'?"),
        ("file: head.npz", "file: ''", "task.file: expected a string of 1 to 200 characters"),
        ("file: head.npz", "file: none.npz", "none.npz: cannot be read: No such file"),
        ("expected: {file: results.npz}\n", "", "names a tensor of the file of the section 'expected'"),
    ],
)
def test_sections_that_are_wrong(tmp_path: Path, old: str, new: str, expected: str) -> None:
    text = NETWORK + TASK
    assert text.count(old) == 1
    with pytest.raises(WorkloadError) as caught:
        load_tensors(write(tmp_path, text.replace(old, new)))
    assert expected in str(caught.value)


def test_more_scores_than_memory_are_refused_before_they_are_read(tmp_path: Path) -> None:
    """2^25 + 1 scores a step, 4 steps and sequences: the header alone is enough to say no."""
    header = str({"descr": "<f4", "fortran_order": False, "shape": ((1 << 25) + 1, 2)}).encode().ljust(117) + b"\n"
    workload = write(tmp_path)
    with zipfile.ZipFile(tmp_path / "head.npz", "w") as archive:
        archive.writestr("weight.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(WorkloadError, match="head.npz: weight: shape .* gives 134,217,732 scores; at most 134,217,728"):
        load_tensors(workload)


@pytest.mark.parametrize("bias", ["", "  bias: null\n"])
def test_the_resolved_workload_has_the_same_task(tmp_path: Path, bias: str) -> None:
    """From another folder, and with a null that is no default."""
    (tmp_path / "from").mkdir()
    workload = write(tmp_path / "from", NETWORK + TASK + bias)
    folder = tmp_path / "to" / ".results.partial"
    folder.mkdir(parents=True)
    (tmp_path / "to" / "results").mkdir()
    (tmp_path / "to" / "results" / "workload.yaml").write_text(resolved_workload(workload, folder))
    again = load_tensors(load_workload(str(tmp_path / "to" / "results" / "workload.yaml"))).task
    task = load_tensors(workload).task
    assert again is not None
    assert task is not None
    assert (task.bias is None) == bool(bias)
    for field in dataclasses.fields(task):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(task, field.name))


SILERO = load_workload("silero_vad")
TENSORS = load_tensors(SILERO)
OUTPUT = golden_results(TENSORS, SILERO.spec)["output"][0]

WITNESS_TOLERANCE = 2e-6
"""Of a probability. onnxruntime computes in float32: its h is up to 1.6e-6 from the golden model's. The head adds up
128 of these errors, if independent, with weights of norm 11.2 at a slope of at most 1/4: 4.5e-6 if all were that large,
and most are not. Measured 5.4e-7; of the head alone, on onnxruntime's own h, 9.1e-8 (a float32's last place near 1 is
6.0e-8)."""


def silero(machine: np.ndarray, tensors: NetworkTensors = TENSORS) -> TaskFigures:
    found = task_figures(SILERO.spec, tensors, machine, OUTPUT)
    assert found is not None
    assert found.witness is not None
    assert found.machine_scores.shape == (310, 1, 1)
    assert found.frames == found.witness.frames == 310
    return found


def test_silero_head_gives_the_probability_of_the_whole_model() -> None:
    task, expected = TENSORS.task, TENSORS.expected
    assert task is not None
    assert expected is not None
    assert (task.summary, task.threshold) == ("speech probability", 0.5)
    head_alone = np.abs(task_scores(task, present(expected.named("output")).parts[0]) - present(task.expected)).max()
    assert head_alone <= 2e-7
    found = silero(OUTPUT)
    assert found.max_abs_difference == found.changed_side == 0
    assert found.witness is not None
    assert found.witness.max_abs_difference <= WITNESS_TOLERANCE
    assert found.witness.changed_side == 0


@exhaustive
def test_silero_on_a_machine_in_float32_changes_no_decision() -> None:
    computed = simulate(load_arch(FLOAT_64X64), SILERO).results
    assert computed is not None
    found = silero(computed.output)
    assert 0 < found.max_abs_difference <= WITNESS_TOLERANCE
    assert found.witness is not None
    assert found.witness.max_abs_difference <= 2 * WITNESS_TOLERANCE
    assert found.changed_side == found.witness.changed_side == 0


def test_a_coarser_h_changes_decisions() -> None:
    """With h rounded to ever fewer bits the probability moves further; noise on h changes sides, its negative most."""
    rounded = [silero(np.round(OUTPUT * 2**bits) / 2**bits) for bits in (11, 7, 5, 3, 2)]
    rms = [found.rms_difference for found in rounded]
    assert rms == sorted(rms)
    assert [found.changed_side for found in rounded[:2]] == [0, 0]
    assert rounded[-1].changed_side > 0
    noise = np.random.default_rng(0).standard_normal(OUTPUT.shape)
    assert silero(OUTPUT + 0.1 * noise).changed_side > 0
    assert silero(-OUTPUT).changed_share > 0.5


@pytest.mark.parametrize(
    "change",
    [
        {"before": "identity"},
        {"after": "identity"},
        {"bias": None},
        {"weight": -present(TENSORS.task).weight},
        {"weight": present(TENSORS.task).weight[:, ::-1]},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_witness_notices_a_wrong_head(change: dict[str, Any]) -> None:
    found = silero(OUTPUT, dataclasses.replace(TENSORS, task=dataclasses.replace(present(TENSORS.task), **change)))
    assert found.witness is not None
    assert found.witness.max_abs_difference > 0.05


def test_the_files_are_those_of_the_readme() -> None:
    readme = (SILERO.folder / "README.md").read_text()
    stated = dict(re.findall(r"^\| `([^`]+)` \| `([0-9a-f]{64})` \|$", readme, flags=re.MULTILINE))
    assert {"silero_vad.safetensors", "silero_vad_features.safetensors", "silero_vad_head.safetensors"} < stated.keys()
    for name, digest in stated.items():
        assert hashlib.sha256((SILERO.folder / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize(("most", "fits"), [(6, True), (5, False)])
def test_the_weights_count_as_well_as_the_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, fits: bool
) -> None:
    """3 scores of 2 units each over one step of one sequence: 6 weights and 3 scores."""
    monkeypatch.setattr("archsim.workload.task.MAX_TASK_NUMBERS", most)
    network = NETWORK.replace("sequence_lens: [2, 1]\n", "").replace("expected: {file: results.npz}\n", "")
    network = network.replace("steps: 2\nbatch: 2", "steps: 1\nbatch: 1")
    task = "task: {summary: three scores, file: head.npz, bias: null, threshold: 0.5}\n"
    workload = write(tmp_path, network + task, {"weight": np.ones((3, 2))})
    if fits:
        assert load_tensors(workload).task is not None
    else:
        with pytest.raises(WorkloadError, match="at most 5 weights and as many scores fit"):
            load_tensors(workload)
