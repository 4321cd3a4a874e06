"""What a file of expected results holds for a workload: names, parts, scales, and what is left out with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from archsim.errors import WorkloadError
from archsim.workload import load_tensors, load_workload
from archsim.workload.expected import Expected, Place, known_places
from archsim.workload.network import CellKind, CellSpec, NetworkSpec
from tests.present import present

H, T, B = 4, 3, 2
HEAD = f"summary: s\ninput_size: 3\nhidden_size: {H}\nsteps: {T}\nbatch: {B}\n"
SEEDS = "weights: {seed: 1}\ninput: {seed: 2}\n"


def steps(count: int = T, features: int = H) -> npt.NDArray[np.float64]:
    """Numbers (T, B, features) that tell their place: 100 t + 10 b + n."""
    t, b, n = np.meshgrid(np.arange(count), np.arange(B), np.arange(features), indexing="ij")
    return 100.0 * t + 10.0 * b + n


def loaded(
    folder: Path, tensors: Mapping[str, npt.NDArray[Any]], more: str = "kind: lstm\n", section: str = ""
) -> Expected:
    np.savez(folder / "e.npz", **dict[str, Any](tensors))
    path = folder / "w.yaml"
    sources = "" if "weights:" in more else SEEDS
    path.write_text(f"{HEAD}{more}{sources}expected: {{file: e.npz{section}}}\n")
    return present(load_tensors(load_workload(str(path))).expected)


def refused(folder: Path, tensors: Mapping[str, npt.NDArray[Any]], **how: str) -> str:
    with pytest.raises(WorkloadError) as caught:
        loaded(folder, tensors, **how)
    return str(caught.value)


def cells(*kinds: CellKind, hidden: tuple[int, ...] = (4, 4)) -> NetworkSpec:
    made = [CellSpec(kind, 3, size, kind.functions) for kind, size in zip(kinds, hidden, strict=False)]
    return NetworkSpec(tuple((cell,) for cell in made), steps=T, batch=B)


def test_what_a_file_may_hold_of_one_cell() -> None:
    """With and without the layer's number; an LSTM has c, a GRU no c_n, and an RNN nothing inside."""
    lstm = known_places(cells(CellKind.LSTM))
    plain = ["output", "h_n", "c_n", "c", "gate_i", "gate_f", "gate_g", "gate_o"]
    assert set(lstm) == {*plain, *(f"{name}_l0" for name in plain[1:])}
    assert lstm["gate_f_l0"] == lstm["gate_f"] == Place("f", (0,))
    assert (lstm["c"], lstm["output"]) == (Place("c", (0,)), Place("output", (0,)))
    assert [place for place in ("output", "h_n", "c_n") if lstm[place].by_step] == []
    assert [place for place in ("c", "gate_o") if not lstm[place].by_step] == []
    gru = known_places(cells(CellKind.GRU))
    assert set(gru) == {
        "output",
        "h_n",
        *(f"{n}{end}" for n in ("gate_r", "gate_z", "gate_n") for end in ("", "_l0")),
    } | {"h_n_l0"}
    assert set(known_places(cells(CellKind.RNN))) == {"output", "h_n", "h_n_l0"}


def test_what_a_file_may_hold_of_two_cells() -> None:
    """Each by its number alone, the states of like cells stacked too; of unlike ones each by itself."""
    both = known_places(cells(CellKind.LSTM, CellKind.LSTM))
    assert both["h_n"] == Place("h_n", (0, 1))
    assert both["c_l1"] == Place("c", (1,))
    assert "c" not in both
    assert "gate_i" not in both
    unlike = known_places(cells(CellKind.LSTM, CellKind.LSTM, hidden=(4, 5)))
    assert {"h_n", "c_n"} & set(unlike) == set()
    assert unlike["h_n_l1"] == Place("h_n", (1,))
    assert set(known_places(cells(CellKind.GRU, CellKind.RNN))) >= {"h_n", "gate_n_l0", "h_n_l1"}
    assert "c_n" not in known_places(cells(CellKind.GRU, CellKind.RNN))


def test_parts_are_in_our_layout(tmp_path: Path) -> None:
    """A state is one part a cell, stacked or alone; what is by step is one, time first, whatever the file's layout."""
    h_n = np.arange(B * H, dtype=np.float64).reshape(1, B, H)
    found = loaded(
        tmp_path,
        {"output": steps().swapaxes(0, 1), "h_n": h_n, "c_n_l0": h_n[0] + 50, "gate_f": steps().swapaxes(0, 1) + 0.5},
        more="kind: lstm\nbatch_first: true\n",
    )
    assert [tensor.name for tensor in found.tensors] == ["output", "h_n", "c_n_l0", "gate_f"]
    output, h, c, gate = (tensor.parts for tensor in found.tensors)
    assert np.array_equal(output[0], steps())
    assert np.array_equal(gate[0], steps() + 0.5)
    assert np.array_equal(h[0], h_n[0])
    assert np.array_equal(c[0], h_n[0] + 50)
    assert (found.by_step, found.left_out, found.tolerance, found.within_codes) == (True, (), None, None)
    assert present(found.named("h_n")).name == "h_n"
    assert found.named("c_n") is None


def test_codes_and_their_scales(tmp_path: Path) -> None:
    """One scale or zero point, or one for each cell; of codes they are named without `_codes`."""
    h_n = np.arange(2 * B * H).reshape(2, B, H)
    two = "kind: lstm\nnum_layers: 2\n"
    one_for_all = {"h_n": h_n, "h_n_scale": np.array([0.25]), "h_n_zero": np.array(3)}
    (found,) = loaded(tmp_path, one_for_all, more=two).tensors
    assert (found.codes, found.scales, found.zeros) == (True, (0.25, 0.25), (3, 3))
    each = {"h_n_codes": h_n, "h_n_scale": np.array([0.25, 0.5]), "h_n_zero": np.array([-1.0, 2.0])}
    (found,) = loaded(tmp_path, each, more=two).tensors
    assert (found.name, found.codes, found.scales, found.zeros) == ("h_n_codes", True, (0.25, 0.5), (-1, 2))
    (plain,) = loaded(tmp_path, {"h_n": h_n / 2}, more=two).tensors
    assert (plain.codes, plain.scales, plain.zeros) == (False, None, None)
    assert "expected one number, or 2, got shape (3,)" in refused(
        tmp_path, {"h_n": h_n, "h_n_scale": np.ones(3)}, more=two
    )
    text = refused(tmp_path, {"h_n": h_n, "h_n_scale": np.array([1.0, 0.0])}, more=two)
    assert "h_n_scale: expected scales above 0" in text


def test_the_first_steps_of_longer_results(tmp_path: Path) -> None:
    """Five steps in the file, of which the run takes three: the states are of the fifth."""
    tensors = {"output": steps(5), "h_n": np.zeros((1, B, H)), "c_l0": steps(5) + 0.25}
    found = loaded(tmp_path, tensors)
    assert [tensor.name for tensor in found.tensors] == ["output", "c_l0"]
    assert np.array_equal(found.tensors[0].parts[0], steps())
    assert np.array_equal(found.tensors[1].parts[0], steps() + 0.25)
    assert found.left_out == ("h_n: it is of the last of the 5 steps, the run takes the first",)
    backwards = loaded(tmp_path, tensors, more="kind: lstm\nreverse: true\n")
    assert backwards.tensors == ()
    assert [line.partition(":")[0] for line in backwards.left_out] == ["output", "h_n", "c_l0"]
    assert "it depends on steps that the run does not take" in backwards.left_out[0]
    whole = loaded(tmp_path, tensors | {"output": steps(), "c_l0": steps()}, more="kind: lstm\nreverse: true\n")
    assert (len(whole.tensors), whole.left_out) == (3, ())


@pytest.mark.parametrize(("more", "wanted"), [("", "(3, 2, 4)"), ("batch_first: true\n", "(2, 3, 4)")])
def test_a_tensor_of_another_rank_is_refused(more: str, wanted: str, tmp_path: Path) -> None:
    """Its one axis is longer than the run: that makes it no longer sequence."""
    text = refused(tmp_path, {"output": np.zeros(9)}, more=f"kind: lstm\n{more}")
    assert f"output: expected shape {wanted}, got (9,)" in text


def test_tensors_are_chosen_by_name_once_each(tmp_path: Path) -> None:
    tensors = {"output": steps(), "h_n": np.zeros((1, B, H)), "other": np.zeros(1)}
    found = loaded(tmp_path, tensors, section=", tensors: [h_n, output, h_n], tolerance: 0.5, within_codes: 2")
    assert [tensor.name for tensor in found.tensors] == ["h_n", "output"]
    assert (found.tolerance, found.within_codes, found.left_out, found.by_step) == (0.5, 2, (), False)


def test_long_lists_are_cut_after_twelve(tmp_path: Path) -> None:
    """A GRU has 9 names and ten layers of an RNN 12, all said; of an LSTM 12 of 15, and 12 of the file."""
    assert "gate_n_l0, gate_n; the file holds t" in refused(tmp_path, {"t": np.zeros(1)}, more="kind: gru\n")
    text = refused(tmp_path, {"t": np.zeros(1)}, more="kind: rnn\nnum_layers: 10\n")
    assert "h_n_l8, h_n_l9; the file holds t" in text
    text = refused(tmp_path, {f"t{n:02}": np.zeros(1) for n in range(13)})
    assert "gate_f, gate_g_l0, ...; the file holds t00, t01" in text
    assert "t10, t11" in text
    assert "t12" not in text


def test_what_other_sections_take_is_no_result_and_not_said(tmp_path: Path) -> None:
    """The same file gives weights, input, states and scores: only what nothing takes is named."""
    weights = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}
    tensors = {name: np.full(shape, 0.1, np.float32) for name, shape in weights.items()}
    tensors |= {"seen": np.zeros((T, B, 3), np.float32), "before": np.zeros((1, B, H), np.float32)}
    tensors |= {"old": np.zeros((1, B, H), np.float32), "output": steps().astype(np.float32)}
    tensors |= {"w": np.zeros((1, H), np.float32), "b": np.zeros(1, np.float32), "said": np.zeros((T, B), np.float32)}
    tensors |= {"output_scale": np.ones(1, np.float32)}
    sections = {
        "weights: {file: e.npz}\n": ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"],
        "input: {file: e.npz, tensor: seen}\n": ["seen"],
        "initial_state: {file: e.npz, h_0: before, c_0: old}\n": ["before", "old"],
        "task: {summary: s, file: e.npz, weight: w, bias: b, threshold: 0, expected: said}\n": ["w", "b", "said"],
    }
    assert loaded(tmp_path, tensors, more="kind: lstm\n" + "".join(sections)).left_out == ()
    for left, names in sections.items():
        more = "kind: lstm\n" + "".join(text for text in sections if text != left)
        if left.startswith(("weights", "input")):
            more += left.replace("{file: e.npz", "{seed: 1").replace(", tensor: seen", "")
        listed = ", ".join(sorted(names))
        assert loaded(tmp_path, tensors, more=more).left_out == (
            f"{listed}: no result that a run has; name those to compare in expected.tensors, or rename them",
        )
