"""What the scheduling of batches, directions and layers buys, and that it changes no number."""

from pathlib import Path

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.report.files.saved import torch_outputs
from archsim.workload import load_workload
from tests.float_machines import FLOAT_64X64

EDGE = load_arch(FLOAT_64X64)


def run(workload: str, schedule: str = "fused", *sets: str) -> Simulation:
    simulation = simulate(EDGE, load_workload(workload, [parse_override(text) for text in sets]), schedule)
    assert simulation.validation.passed
    return simulation


def test_a_wavefront_fills_the_recurrence_bubbles_of_a_single_array() -> None:
    """LSTM(64, 64), 3 layers on 64 x 64: a layer's step is 4 tiles of 2 chunks, 8 cycles of the array.

    Alone it then waits for its own h: the tail 35 of docs/microarchitecture/cycles.md (drain 11, sigmoid 3 + 6, tanh 1
    + 6 behind it, cell 1 + 4, tanh 1 + 6, hidden 1 + 2) and what the in-order units add, so one layer after the other
    takes three such steps for each t. As a wavefront the three layers of a repetition depend on the repetition before
    alone: the array works on one while the others drain, and a repetition takes less than three quarters of the three
    steps (here the sequencer, 74 cycles, and the in-order activation unit are the next limits).
    """
    alone = run("lstm:64,64,t=40,layers=3")
    together = run("lstm:64,64,t=40,layers=3", "fused_wavefront")
    for layers in (alone, together):
        assert layers.stats.bounds["mac_array"] == 3 * 4 * 2
    assert alone.stats.cycles_per_step > 3 * 35
    assert together.stats.cycles_per_step < 0.75 * alone.stats.cycles_per_step
    assert together.stats.body_cycles < 0.75 * alone.stats.body_cycles


def test_a_wavefront_moves_nothing_between_layers_through_dram() -> None:
    """One after the other, the 2 layers' outputs in between (20 steps x 32 x 4 bytes) are written and read again."""
    alone = run("lstm:16,32,t=20,layers=2").stats.traffic_bytes["dram"]
    together = run("lstm:16,32,t=20,layers=2", "fused_wavefront").stats.traffic_bytes["dram"]
    between = 20 * 32 * 4
    assert alone["read"]["output"] == between
    assert "output" not in together["read"]
    assert alone["write"]["output"] - together["write"]["output"] == between


@pytest.mark.parametrize("schedule", ["fused", "split", "fused_gate_major", "split_gate_major"])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_wavefront_computes_the_same_bits(kind: str, schedule: str) -> None:
    alone = run(f"{kind}:20,24,t=9,b=2,layers=3", schedule).results
    together = run(f"{kind}:20,24,t=9,b=2,layers=3", f"{schedule}_wavefront").results
    assert alone is not None
    assert together is not None
    np.testing.assert_array_equal(alone.output, together.output)
    for one, other in zip(alone.h_n, together.h_n, strict=True):
        np.testing.assert_array_equal(one, other)


def test_both_directions_fill_each_others_bubbles() -> None:
    """Two cells of LSTM(64, 64) side by side take less than two steps of one cell."""
    one = run("lstm:64,64,t=40").stats
    both = run("lstm:64,64,t=40,bidirectional=1").stats
    assert both.bounds["mac_array"] == 2 * one.bounds["mac_array"]
    assert both.cycles_per_step < 1.6 * one.cycles_per_step


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_batch_fetches_its_weights_once(kind: str) -> None:
    single = run(f"{kind}:20,24,t=5").stats
    batch = run(f"{kind}:20,24,t=5,b=7").stats
    for weights in ("W_ih", "W_hh", "bias"):
        assert (
            single.traffic_bytes["weight_sram"]["read"][weights] == batch.traffic_bytes["weight_sram"]["read"][weights]
        )
    assert batch.traffic_bytes["dram"]["read"]["x"] == 7 * single.traffic_bytes["dram"]["read"]["x"]
    assert batch.macs == 7 * single.macs


def test_a_projection_is_a_gemv_of_its_own() -> None:
    """LSTM(8, 100) projected to 70 on 64 x 64: 2 tiles (70 rows) of 2 chunks (100 inputs) beside the gates' 7 of 2."""
    stats = run("lstm:8,100,t=3,proj=70").stats
    assert stats.macs == 3 * (400 * (8 + 70) + 70 * 100)
    assert stats.bounds["compute"] == 7 * 2 + 2 * 2
    assert stats.traffic_bytes["weight_sram"]["read"]["W_hr"] == 3 * 70 * 100 * 4


def numbers(names: dict[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    return {name: random.normal(0, 0.3, shape).astype(np.float32) for name, shape in names.items()}


HEAD = "summary: in files\nkind: lstm\ninput_size: 3\nhidden_size: 4\nsteps: 5\n"


def from_files(folder: Path, weights: dict[str, np.ndarray], x: np.ndarray, more: str) -> Simulation:
    np.savez(folder / "w.npz", **weights)  # type: ignore[arg-type]
    np.savez(folder / "x.npz", input=x)
    (folder / "w.yaml").write_text(HEAD + more + "weights: {file: w.npz}\ninput: {file: x.npz}\n")
    return run(str(folder / "w.yaml"))


def test_the_textbooks_one_matrix_over_x_and_h_is_taken(tmp_path: Path) -> None:
    joined = numbers({"weight_l0": (16, 7), "bias_l0": (16,)})
    apart = {
        "weight_ih_l0": joined["weight_l0"][:, :3],
        "weight_hh_l0": joined["weight_l0"][:, 3:],
        "bias_ih_l0": joined["bias_l0"],
        "bias_hh_l0": np.zeros(16, np.float32),
    }
    x = numbers({"x": (5, 1, 3)}, 1)["x"]
    one, other = (from_files(tmp_path, weights, x, "batch: 1\n").results for weights in (joined, apart))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.output, other.output)


def test_layouts_change_shapes_and_no_number(tmp_path: Path) -> None:
    """(T, B, I), (B, T, I) with batch_first, (T, I) if not batched: in and out as torch.nn.LSTM has them."""
    weights = numbers({"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)})
    x = numbers({"x": (5, 2, 3)}, 1)["x"]
    plain = from_files(tmp_path, weights, x, "batch: 2\n")
    first = from_files(tmp_path, weights, x.swapaxes(0, 1), "batch: 2\nbatch_first: true\ndropout: 0.5\n")
    alone = from_files(tmp_path, weights, x[:, 0], "batch: 1\nbatched: false\n")
    outputs = [torch_outputs(s.workload, s.results) for s in (plain, first, alone) if s.results is not None]
    shapes = [{name: array.shape for name, array in output.items()} for output in outputs]
    assert shapes == [
        {"output": (5, 2, 4), "h_n": (1, 2, 4), "c_n": (1, 2, 4)},
        {"output": (2, 5, 4), "h_n": (1, 2, 4), "c_n": (1, 2, 4)},
        {"output": (5, 4), "h_n": (1, 4), "c_n": (1, 4)},
    ]
    np.testing.assert_array_equal(outputs[0]["output"].swapaxes(0, 1), outputs[1]["output"])
    np.testing.assert_allclose(outputs[0]["output"][:, 0], outputs[2]["output"], atol=1e-6)
    assert first.workload.config.dropout == 0.5, "recorded, and without effect"


def test_sequences_end_after_their_own_length() -> None:
    """Padded outputs are 0; each sequence alone, at its own length, gives the same; in reverse it starts there."""
    lengths = (5, 3, 1)
    whole = run("lstm:6,7,t=5,b=3,bidirectional=1", "fused", f"sequence_lens={list(lengths)}")
    assert whole.results is not None
    for lane, length in enumerate(lengths):
        assert not whole.results.output[length:, lane].any()
        assert whole.results.output[:length, lane].all()
        np.testing.assert_array_equal(whole.results.h_n[0][lane], whole.results.output[length - 1, lane, :7])
        np.testing.assert_array_equal(whole.results.h_n[1][lane], whole.results.output[0, lane, 7:])
