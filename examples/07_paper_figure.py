"""A figure for a paper: cycles of the Intel NPU on Stratix 10 NX, as its authors' model gives them and as simulated.

LSTM 512 at batch 6, 1 to 8 time steps. Writes npu.svg, one column wide, the same bytes each time: text is text, and no
date is in it. The published figures and their source stand in archsim.fidelity; docs/npu.md has the rules.
"""

from __future__ import annotations

import matplotlib as mpl
from matplotlib.figure import Figure

from archsim.fidelity.npu import npu

rows = [row for row in npu() if row.figure == "cycles, C++ model" and row.workload.split(":")[0] == "lstm"]
steps = [int(row.workload.split("t=")[1].split(",")[0]) for row in rows]

print("LSTM(512, 512), batch 6, on npu_s10nx: cycles")
print(f"{'steps':>6}{'published':>11}{'simulated':>11}{'error':>9}")
for step, row in zip(steps, rows, strict=True):
    print(f"{step:>6}{row.published:>11,.0f}{row.simulated:>11,.0f}{row.error:>+7.1f} %")

with mpl.rc_context({"font.size": 7, "svg.fonttype": "none", "svg.hashsalt": "archsim", "axes.linewidth": 0.6}):
    figure = Figure(figsize=(3.5, 2.0), layout="constrained")
    axes = figure.subplots()
    for offset, name, values, face in (
        (-0.2, "published (C++ model)", [row.published for row in rows], "white"),
        (0.2, "simulated", [row.simulated for row in rows], "0.6"),
    ):
        places = [place + offset for place in range(len(rows))]
        axes.bar(places, values, width=0.36, color=face, edgecolor="black", linewidth=0.6, label=name)
    for place, row in enumerate(rows):
        axes.annotate(f"{row.error:+.1f} %", (place + 0.2, row.simulated), ha="center", va="bottom", fontsize=6)
    axes.set_xticks(range(len(rows)), [str(step) for step in steps])
    axes.set_xlabel("time steps")
    axes.set_ylabel("cycles")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left")
    figure.savefig("npu.svg", metadata={"Date": None})
print("\nnpu.svg")
