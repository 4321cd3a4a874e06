"""Your own weights and input on a chip that is given: save them under torch's names, describe them, run them.

The weights here are random; those of a model that you have come from `archsim import model.onnx`, or in Python from
`safetensors.torch.save_model`. The output is compared with a NumPy LSTM in twelve lines that knows nothing of archsim.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file

from archsim import simulate

INPUT, HIDDEN, STEPS = 40, 64, 25
random = np.random.default_rng(7)
weights = {
    "weight_ih_l0": random.normal(0, 0.15, (4 * HIDDEN, INPUT)).astype(np.float32),
    "weight_hh_l0": random.normal(0, 0.15, (4 * HIDDEN, HIDDEN)).astype(np.float32),
    "bias_ih_l0": random.normal(0, 0.1, 4 * HIDDEN).astype(np.float32),
    "bias_hh_l0": np.zeros(4 * HIDDEN, np.float32),
}
x = random.normal(0, 1, (STEPS, 1, INPUT)).astype(np.float32)

save_file(weights, "weights.safetensors")
np.savez("input.npz", x=x)
Path("mine.yaml").write_text(
    f"""\
summary: my own LSTM({INPUT}, {HIDDEN}), {STEPS} steps
kind: lstm
input_size: {INPUT}
hidden_size: {HIDDEN}
steps: {STEPS}
batch: 1
weights:
  file: weights.safetensors
input:
  file: input.npz
  tensor: x
"""
)


def reference() -> npt.NDArray[np.float64]:
    """The same LSTM in float64."""
    h, c, output = np.zeros(HIDDEN), np.zeros(HIDDEN), []
    w_ih, w_hh = weights["weight_ih_l0"].astype(float), weights["weight_hh_l0"].astype(float)
    bias = weights["bias_ih_l0"].astype(float) + weights["bias_hh_l0"]
    for step in x[:, 0]:
        i, f, g, o = np.split(w_ih @ step + w_hh @ h + bias, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        output.append(h)
    return np.stack(output)[:, np.newaxis]


expected = reference()
print("machine            cycles a step   energy of a run   largest error of the output")
for machine in ("edge_16x16", "edge_64x64", "edge_64x64_q4_12"):
    run = simulate(machine, "mine.yaml")
    assert run.results is not None
    assert run.stats.energy is not None
    error = np.abs(run.results.output - expected).max()
    print(f"{machine:<18}{run.stats.cycles_per_step:>14,.0f}{run.stats.energy.total_uj:>15,.2f} uJ{error:>31.4f}")
