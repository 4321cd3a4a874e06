"""What bits cost a trained network: Silero's voice detector, on ten seconds of speech, in four number formats.

All compute the same schedule on the same array. SQNR is of the output against the float64 model; the probability of
speech is what the network is for. A port that is as wide in bits brings fewer of wider numbers.
"""

from __future__ import annotations

from archsim import load_arch, simulate
from archsim.config import parse_override

FORMATS = {
    "int8, 16-bit cell": ("formats=tflite_int8",),
    "Q4.12 everywhere": ("formats=q4.12",),
    "bfloat16": ("formats=bfloat16", "activation.method=polynomial"),
    "float32": ("formats=float32", "activation.method=polynomial"),
}

print("format               cycles a step     SQNR   rms error of the speech probability")
for name, fields in FORMATS.items():
    machine = load_arch("edge_64x64", [parse_override(field) for field in fields])
    run = simulate(machine, "silero_vad")
    print(f"{name:<21}{run.stats.cycles_per_step:>13,.0f}", end="")
    if run.accuracy is None:
        print("      -     -   (held to 1e-5 of the float64 model instead)")
        continue
    task = run.accuracy.task
    assert task is not None
    output = run.accuracy.tensors[0]
    assert output.sqnr_db is not None
    print(f"{output.sqnr_db:>7.1f} dB   {task.rms_difference:.5f}")
