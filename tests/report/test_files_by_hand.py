"""What results are saved as: manifests that differ, figures as paths, codes beside numbers, by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api.ranking import BEST
from archsim.checking.format_error import TensorAccuracy
from archsim.checking.saturated_sums import SaturatedKind
from archsim.errors import OutputError, WorkloadError
from archsim.families.load import load_arch
from archsim.formats import Encoding, parse_format
from archsim.report.files.accuracy_figures import (
    SaturatedSums,
    _pooled,
    _saturated,
    _source,
    _tensor,
    counted_sequences,
    quarter_steps,
)
from archsim.report.files.folder import _keep, _refuse_another_run, _refuse_foreign
from archsim.report.files.manifest import (
    Asked,
    Manifest,
    Options,
    difference,
    manifest_json,
    manifest_of,
    read_manifest,
)
from archsim.report.files.outputs import _coded
from archsim.report.files.rerun import _hash, _outputs, flat_figures
from archsim.report.files.saved import _final, _rename_files
from archsim.workload import load_workload
from tests.report.parts import thing


def manifest(**parts: Any) -> Manifest:
    fields: dict[str, Any] = {
        "archsim": "1", "numpy": "2", "schedule": "fused", "timing_only": False, "executor": "auto",
        "command": ("archsim",), "inputs": {"arch.yaml": "aa", "weights.npz": "bb"},
    }  # fmt: skip
    return Manifest(**(fields | parts))


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({}, ""),
        ({"keep_steps": True, "command": ("other",)}, ""),
        ({"schedule": "split", "archsim": "9"}, "schedule fused, now split"),
        ({"timing_only": True}, "timing only False, now True"),
        ({"executor": "machine"}, "executor auto, now machine"),
        ({"archsim": "9"}, "archsim 1, now 9"),
        ({"numpy": "9"}, "numpy 2, now 9"),
        ({"inputs": {"arch.yaml": "aa", "weights.npz": "cc"}}, "another weights.npz"),
        ({"inputs": {"arch.yaml": "aa"}}, "another weights.npz"),
        ({"inputs": {"arch.yaml": "aa", "weights.npz": "bb", "x.npz": "cc"}}, "another x.npz"),
    ],
)
def test_two_manifests_differ_in_the_first_thing_that_is_not_the_same(parts: dict[str, Any], words: str) -> None:
    assert difference(manifest(), manifest(**parts)) == words


def _inputs(folder: Path) -> Path:
    for name in ("arch.yaml", "workload.yaml"):
        (folder / name).write_text(name)
    return folder


def test_a_mark_stands_for_what_is_set_and_asked_for(tmp_path: Path) -> None:
    """None without any; each option, and each override, has another one."""
    arch, workload = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    usual = Asked(arch, workload, "fused")
    others = [
        dataclasses.replace(usual, arch=dataclasses.replace(arch, overrides=("a=1",))),
        dataclasses.replace(usual, workload=dataclasses.replace(workload, overrides=("b=1",))),
        *(Asked(arch, workload, "fused", options) for options in (
            Options(timing_only=True), Options(keep_steps=True), Options(executor="machine"), Options(executor="fast"),
        )),
        *(Asked(arch, workload, name) for name in BEST),
    ]  # fmt: skip
    command = manifest_of(others[2], _inputs(tmp_path)).command
    assert command == ("archsim", "run", "arch.yaml", "workload.yaml", "--schedule", "fused", "--timing-only")
    assert manifest_of(others[3], tmp_path).command[6:] == ("--keep-steps",)
    assert manifest_of(others[4], tmp_path).command[6:] == ("--executor", "machine")
    assert manifest_of(usual, tmp_path).command[6:] == ()
    assert usual.mark == Asked(arch, workload, "split").mark == ""
    marks = [asked.mark for asked in others]
    assert len(set(marks)) == len(marks)
    assert {len(mark) for mark in marks} == {8}


def put(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text(f"{folder.name} {name}")
    return folder


def test_a_folder_with_other_files_is_refused_and_three_of_them_are_named(tmp_path: Path) -> None:
    own = put(tmp_path / "own", "stats.json", "utilization.png", "report.html", "trace.vcd")
    _refuse_foreign(own, own)
    words = "holds files that are no results of a run"
    for names, listed in ((("c", "b", "a"), "a, b, c"), (("d", "c", "b", "a"), "a, b, c, ...")):
        folder = put(tmp_path / "".join(names), *names, "stats.json")
        with pytest.raises(OutputError) as caught:
            _refuse_foreign(folder, Path("as named"))
        assert str(caught.value) == f"as named: {words} ({listed}); choose another --out"
    file = own / "stats.json"
    with pytest.raises(OutputError, match="is not a folder"):
        _refuse_foreign(file, file)
    _refuse_foreign(tmp_path / "none", tmp_path / "none")


def test_pictures_and_traces_stay_where_they_are_not_made_anew(tmp_path: Path) -> None:
    old = put(tmp_path / "old", "utilization.png", "timeline.png", "trace.vcd", "report.html", "stats.json")
    new = put(tmp_path / "new", "timeline.png", "stats.json")
    _keep(old, new)
    assert {path.name: path.read_text() for path in new.iterdir()} == {
        "utilization.png": "old utilization.png", "timeline.png": "new timeline.png", "trace.vcd": "old trace.vcd",
        "report.html": "old report.html", "stats.json": "new stats.json",
    }  # fmt: skip


def test_results_of_another_run_are_replaced_by_force_alone(tmp_path: Path) -> None:
    def stored(name: str, **parts: Any) -> Path:
        folder = put(tmp_path / name)
        (folder / "manifest.json").write_text(manifest_json(manifest(**parts)))
        return folder

    new, same, other, odd = stored("new"), stored("same"), stored("other", schedule="split"), put(tmp_path / "odd", "x")
    assert _refuse_another_run(same, new, same, False)
    assert not _refuse_another_run(other, new, other, True)
    assert not _refuse_another_run(odd, new, odd, True)
    assert not _refuse_another_run(tmp_path / "none", new, same, False)
    assert not _refuse_another_run(put(tmp_path / "empty"), new, same, False)
    with pytest.raises(OutputError, match=r"other: holds the results of another run \(schedule split, now fused\)"):
        _refuse_another_run(other, new, other, False)
    with pytest.raises(OutputError, match=r"\(it has no manifest.json that can be read\)"):
        _refuse_another_run(odd, new, odd, False)
    assert read_manifest(same) == manifest()


def test_a_manifest_that_is_none_says_where(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(manifest_json(manifest()).replace('"fused"', "3"))
    with pytest.raises(WorkloadError, match="schedule: is no manifest of a run of archsim"):
        read_manifest(tmp_path)


def test_figures_are_paths_without_the_names_of_inputs() -> None:
    """Inside of another object the same word is a figure."""
    figures = {"arch": "a", "workload": "w", "overrides": [], "cycles": 3, "energy": {"arch": 1, "of": {"x": None}}}
    assert list(flat_figures(figures)) == [("cycles", "3"), ("energy.arch", "1"), ("energy.of.x", "null")]


def test_the_hash_of_an_input_is_that_of_its_path_or_of_its_file_s_name() -> None:
    now = {"arch.yaml": "aa", "../other/w.npz": "bb"}
    assert [_hash(name, now) for name in ("arch.yaml", "folder/w.npz", "x.npz")] == ["aa", "bb", None]


def test_outputs_are_compared_by_shape_type_and_bits(tmp_path: Path) -> None:
    computed = {
        name: np.arange(6, dtype=np.float32).reshape(2, 3) for name in ("same", "value", "shape", "type", "none")
    }
    saved = dict(computed)
    saved["value"] = computed["value"] + np.float32(1e-6)
    saved["shape"], saved["type"] = computed["shape"].T.copy(), computed["type"].astype(np.float64)
    del saved["none"]
    np.savez(tmp_path / "outputs.npz", **saved)  # type: ignore[arg-type]
    count, wrong = _outputs(tmp_path, computed)
    assert count == 30
    assert wrong == [f"outputs.npz: {name} is not the same" for name in ("value", "shape", "type", "none")]


def test_codes_stand_beside_numbers_with_scale_and_zero_point() -> None:
    """0.5 and -1 are the codes 2 + 3 and -4 + 3 of a scale of 0.25 and a zero at 3."""
    q = parse_format("int8")
    found = _coded("output", np.array([[0.5, -1.0]]), (Encoding(q, 0.25, 3),))
    assert found["output_codes"].tolist() == [[5, -1]]
    assert found["output_codes"].dtype == np.int8
    assert (found["output_scale"].shape, float(found["output_scale"]), int(found["output_zero"])) == ((), 0.25, 3)


def test_states_of_several_cells_have_a_scale_each() -> None:
    q = parse_format("int16")
    found = _coded("h_n", np.array([[[0.5, 1.0]], [[0.5, 1.0]]]), (Encoding(q, 0.25, 1), Encoding(q, 0.5, -1)))
    assert found["h_n_codes"].tolist() == [[[3, 5]], [[0, 1]]]
    assert (found["h_n_scale"].tolist(), found["h_n_zero"].tolist()) == ([0.25, 0.5], [1, -1])
    assert found["h_n_codes"].dtype == np.int16


def spec(steps: int, batch: int, lengths: tuple[int, ...] | None = None) -> Any:
    return thing(steps=steps, batch=batch, lengths=lengths)


def test_sequences_that_have_a_step_are_counted_for_steps_that_any_has() -> None:
    assert counted_sequences(spec(3, 2)).tolist() == [2, 2, 2]
    assert counted_sequences(spec(9, 3, (1, 3, 2))).tolist() == [3, 2, 1]


@pytest.mark.parametrize(("steps", "quarter"), [(1, 0), (2, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_a_quarter_of_the_steps_is_rounded_up(steps: int, quarter: int) -> None:
    assert quarter_steps(spec(steps, 2)) == quarter
    assert quarter_steps(spec(99, 2, (1, steps))) == quarter


def test_errors_of_several_steps_are_pooled_by_their_sequences() -> None:
    """Of 3 sequences an RMS of 1, of one an RMS of 5: the mean square is (3 + 25) / 4 = 7."""
    assert _pooled(np.array([1.0, 5.0]), np.array([3, 1])) == pytest.approx(7**0.5)


def test_quarters_are_those_of_the_steps_that_are_counted() -> None:
    """Five steps that any sequence has: the first two, and the last two; what comes behind them counts nowhere."""
    by_step = np.array([1.0, 3.0, 50.0, 4.0, 6.0, 99.0])
    found = _tensor(TensorAccuracy("c", 0.5, 0.25, 2.0, 40.0, by_step, by_step), np.array([2, 2, 2, 1, 1]))
    assert found.first_quarter_rms_error == pytest.approx(5**0.5)
    assert found.last_quarter_rms_error == pytest.approx(26**0.5)
    assert found.error_growth == pytest.approx((26 / 5) ** 0.5)
    quiet = _tensor(TensorAccuracy("c", 0.5, 0.25, 2.0, 40.0, by_step, 0 * by_step), np.array([2, 2, 2, 1, 1]))
    assert (quiet.first_quarter_rms_error, quiet.error_growth) == (0.0, None)
    assert (found.max_abs_error, found.rms_error, found.largest, found.sqnr_db) == (0.5, 0.25, 2.0, 40.0)
    nothing = _tensor(TensorAccuracy("c", 0.5, 0.25, 2.0, None, by_step, by_step), np.array([2, 2, 2, 1, 1]))
    assert nothing.sqnr_db is None


def test_saturated_sums_are_a_part_of_all() -> None:
    assert _saturated(SaturatedKind("gate", "q4.4", 3, 12, -9.0, "x")) == SaturatedSums(
        "gate", "q4.4", 3, 12, 0.25, -9.0, "x"
    )
    assert _saturated(SaturatedKind("gate", "q4.4", 0, 0, 0.0, "")).share == 0.0


def test_where_ranges_come_from() -> None:
    def source(file: str | None, given: Any) -> str:
        return _source(thing(config=thing(calibration=thing(file=file, input=given))))

    assert source("a.yaml", thing(file="x.npz", seed=3)) == "the file a.yaml"
    assert source(None, None) == "the workload's own input"
    assert source(None, thing(file="x.npz", seed=3)) == "the input in the file x.npz"
    assert source(None, thing(file=None, seed=3)) == "an input drawn with seed 3"


def test_files_of_a_workload_are_named_from_where_the_results_will_lie(tmp_path: Path) -> None:
    """In whatever section; results lie beside the temporary folder in which they are written."""
    data: dict[str, Any] = {
        "input": {"file": "x.npz", "seed": 3}, "file": "w.npz", "activity": "a", "summary": "file",
        "deep": {"er": {"file": "y"}, "activity": None},
    }  # fmt: skip
    old, results = tmp_path / "workloads", tmp_path / "out" / ".run.partial-1"
    assert _final(results) == tmp_path / "out" / "any"
    _rename_files(data, old, _final(results))
    assert data == {
        "input": {"file": "../../workloads/x.npz", "seed": 3}, "file": "../../workloads/w.npz",
        "activity": "../../workloads/a", "summary": "file",
        "deep": {"er": {"file": "../../workloads/y"}, "activity": None},
    }  # fmt: skip
