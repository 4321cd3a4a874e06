"""Writes the pages of docs/ that are made from the code: `python -m tools.docs.generate`. A test checks them."""

from __future__ import annotations

from collections.abc import Mapping

from archsim.checking.pruning import Pruning
from archsim.families.registry import FAMILIES
from archsim.fidelity import all_rows
from archsim.metrics import Stats, declared
from archsim.metrics.energy import Area, Energy
from archsim.metrics.frames import Arrivals, Frames, Spread
from archsim.metrics.roofline import Ceiling, Roofline
from archsim.metrics.stacks import BUCKETS
from archsim.report.files.accuracy_figures import (
    AccuracyFigures,
    CalibrationFigures,
    OverflowFigures,
    RangeFigures,
    ScoreFigures,
    TaskSummary,
    TensorFigures,
)
from archsim.report.text.fidelity_text import fidelity_summary, fidelity_table
from tools.docs import DOCS, fidelity_figure

METRICS_HEAD = """# What each figure means

Made from the declarations in `archsim/metrics/` and `archsim/report/files/accuracy_figures.py` by
`python -m tools.docs.generate`. The keys are those of `stats.json`, which is also what `archsim run --json` prints. R
and C are the rows and columns of the MAC array; I, H, T and B the input size, hidden size, time steps and batch of the
workload. One MAC is 2 ops (a multiply and an add).

"""

TABLE_HEAD = """| key | unit | meaning | formula |
|---|---|---|---|
"""

VALIDATION = """
## validation

Does the machine compute what it should? In float32: what the model computes, within a bound. Where all formats are
integers or fixed point: every bit of what an independent integer reference computes. Else nothing is judged, and
`accuracy` alone says how far off the numbers are. On every format what the workload brings along as `expected`
([workloads.md](workloads.md#results-to-compare-with)).

`passed` (true, false, or null if nothing was judged); `not_judged` (why, "" if something was); `max_abs_error` (largest
difference of any element of output, h_n and c_n from a reference); `max_rel_error` (largest ratio, over the tensors, of
that tensor's largest error to its largest magnitude); `tolerance` (the largest ratio allowed; why it is what it is
stands in `archsim/checking/validation.py`; 0: every bit must agree); `checks` (one for each tensor and reference, with
`compared_numbers` and, where every bit must agree, `differing_numbers`, else null); `not_compared` (what of `expected`
was not compared, a reason each). A check of `expected` has besides: `subject` (the machine, or the golden model where
no bound on the machine is stated; then `unbounded_error` is the machine's), `within_codes` (codes may differ by so
many; else null), `first` (the first number beyond what is allowed: step, sequence, unit, cell, got, wanted) and `note`.
"""

ACCURACY = """
## accuracy

What the number formats cost: the machine's numbers less those of the golden model in float64, over the time steps
within each sequence's length. null for a timing-only run, and in float32 with the activation methods `exact` and
`polynomial`, where the errors are held to a bound instead. A figure that is no finite number is null. `accuracy.csv`
has `max_abs_error` and `rms_error` of every tensor for each time step.
"""

ENERGY = """
## energy, area and roofline

Counts of what the program does, times prices of the technology; [energy.md](energy.md) has the rules. What is reached
below the machine's ceilings.
"""

STREAMING = """
## latency stack, frames

`latency_stack` of `stats.json`: unit -> cause -> cycles of the critical path, which sum to `latency_cycles`; of a
streaming workload those of a frame, which sum to `frame_latency_cycles` ([explain.md](explain.md) has the causes). Null
of a run of over 200,000 ops: `archsim explain` has it. The following are at the top of `stats.json` too, of a streaming
workload ([streaming.md](streaming.md)).
"""

_STREAMING_PARTS = {"a frame": Frames, "`differing_frames`": Spread, "`arrivals`": Arrivals}

_ENERGY_PARTS = {
    "`energy`": Energy,
    "`area`": Area,
    "`roofline`": Roofline,
    "each of `roofline.ceilings`": Ceiling,
}

_ACCURACY_PARTS = {
    "`accuracy`": AccuracyFigures,
    "each of `accuracy.tensors`": TensorFigures,
    "each of `accuracy.overflows`": OverflowFigures,
    "`accuracy.task`": TaskSummary,
    "`accuracy.task.golden` and `accuracy.task.witness`": ScoreFigures,
    "`accuracy.calibration`": CalibrationFigures,
    "each of `accuracy.calibration.ranges`": RangeFigures,
    "`pruning`, of a machine that does not keep all weights": Pruning,
}


def metrics_page() -> str:
    """docs/metrics.md."""
    return "".join(
        (
            METRICS_HEAD,
            TABLE_HEAD,
            "\n".join(_rows(Stats)),
            "\n\n## Buckets of a cycle stack\n\nEvery cycle of a unit is in exactly one of them.\n\n",
            _table("bucket", BUCKETS),
            "\n## Bounds\n\nCycles a time step that each resource alone, or the recurrence alone, would need. "
            "The time steps together never take less than T times the largest.\n\n",
            *(
                f"{_heading(family)}{_table('bound', bounds)}"
                for family, bounds in ((one.name, one.bounds) for one in FAMILIES.values())
            ),
            STREAMING,
            *_parts(_STREAMING_PARTS),
            ENERGY,
            *_parts(_ENERGY_PARTS),
            VALIDATION,
            ACCURACY,
            *_parts(_ACCURACY_PARTS),
        )
    )


def _parts(parts: Mapping[str, type]) -> list[str]:
    """A table for each object that stands in another."""
    return [f"\n### Figures of {name}\n\n{TABLE_HEAD}" + "\n".join(_rows(part)) + "\n" for name, part in parts.items()]


def _rows(owner: type) -> list[str]:
    """A line of a table for each figure that a class declares."""
    return [
        f"| `{name}` | {m.unit or '-'} | {_cell(m.meaning)} | {_cell(m.formula) or '-'} |"
        for name, m in declared(owner).items()
    ]


def _heading(family: str) -> str:
    return "" if family == "gemv" else f"\nOn machines of the family `{family}`:\n\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _table(title: str, rows: Mapping[str, str]) -> str:
    lines = [f"| {title} | meaning |", "|---|---|"]
    return "\n".join(lines + [f"| `{name}` | {meaning} |" for name, meaning in rows.items()]) + "\n"


FIDELITY_HEAD = """# Fidelity: machines that exist, as published and as simulated

Made by `python -m tools.docs.generate`; `archsim fidelity` prints the rows by machine, `--full` the table at the end
of this page, `--json` a list of rows, and `--live` runs other people's tools on networks that it draws, as far as they
are installed (`pip install "archsim[peers]"`, and GHDL). Nothing is fitted to a row: parameters are those of the
sources, each in `arch_configs/published/` with where it comes from, and what had to be inferred is marked there.
"Given" rows were known when the machine was described; "drawn" ones come from runs of the source's own tool for sizes
that were drawn afterwards. pp: percentage points.

![Published against simulated](fidelity.svg)

"""

FIDELITY_TEXT = """
## What is wrong, by how much, and why we think so

- `koios_lstm`: nothing is. From its structure alone, exact: that a step begins when the last h of the one before is
  stored follows from the read of h; no cycle is set. It is one layer of one size, and its RTL has no other to compare
  with.
- `edgedrnn`: exact in each of the 2,200 steps of its three recorded runs, and in none of them would a full FIFO show
  ([delta.md](delta.md)). Other sizes follow the same rules; LSTM and RNN on it are inferred.
- `npu_s10nx`: structure and latencies are those of its authors' C++ model; LSTM, RNN and GRU exact, though what a step
  waits for differs (words, the next x, a second product; [npu.md](npu.md#against-the-published-figures)). Up to 280
  hidden units it is not held: as their sources read, units do not wait for what they read there, and a run takes 5 to
  32 % longer here, where they do ([npu.md](npu.md#up-to-280-hidden-units)). Their RTL takes 12 to 23 % longer; no
  cause is published, so none is modelled, and the rows are shown and held to nothing.
- `elasticai_lstm`: exact, for every size that was drawn. Three things about the VHDL, which its simulation shows:
  - The element-wise machine's clock is a copy of the clock, assigned to a signal, which in simulation comes a delta
    cycle later. So it sees a unit's sums in the cycle in which they are written. With one clock for both a step takes
    a cycle more (893 for H = 20): that is what we think hardware does. The machine here is the simulated VHDL, with
    892.
  - The generated sigmoid is clocked, and is read a state too early: f * c takes the output gate of the hidden unit
    before, i * g the sigmoid of f. With the sigmoid's clock taken out its numbers are ours in every bit, as generated
    they are not; the cycles are the same. A test does both.
  - H a power of two does not elaborate: address widths differ by one. The machine here runs it, by the same rules.
- `ethos_u55_128`: **an estimate of a compiler**, which says so itself; nobody has measured a chip here. The rules were
  worked out from its output for 88 networks, of which 47 come out exactly, the mean error is 0.27 % and the largest
  from 16 hidden units on 1.4 %; the drawn rows are of networks that were drawn afterwards. The cycles of engine and
  SRAM are exact for each operator. Bytes of weights in flash depend on the weights: what random ones take is an
  expectation. With H = 63 it is a matter of chance whether zeros are coded apart. Below 16 units a matrix has a
  palette, whose size is only guessed: up to 3.6 % off. Weights that can be compressed take less than is simulated.
- `tpu_v1`: the paper gives no layer sizes of LSTM0. The share of cycles without matrix work is an input (17.9 %); the
  sizes here make its 52 M weights. The split of the rest is simulated: a tile comes from DRAM every 1,350 cycles, is
  shifted in for 256 and used for 64 vectors of 2 cycles. With memory bandwidth x 4 the share without matrix work is
  taken to stay as long as it is, and 2.6 comes out for "about 3".
- `brainwave_s10`: second-hand, held to nothing, and last: two of four figures are more than 15 % off. Its descendant is
  of the family `npu`, and so it is here. Unknown are the width of its multi-function units (words of 40 numbers here;
  with 400 GRU 2816 comes out at -3 %, LSTM 2048 at -40 %), all latencies, and whether a chain waits for a whole vector,
  as here, or for a part. No width explains that LSTM 1024 takes as long as LSTM 2048, and GRU 2048 nearly as long as
  GRU 2816: a step there hardly depends on the size, while here every vector's words do.

## Other recurrent RTL that was looked for

ElasticAI.creator is run beside ours because it is a package that can be installed, generates the RTL of a recurrent
cell, and elaborates in a free simulator. A second one was looked for in the summaries of PyPI's packages and in
Debian's, and inside those that came near. None has all three:

- hls4ml 1.3.0: LSTM and GRU as C++ templates (`nnet_recurrent.h`) of four backends. The RTL is made by vendors'
  compilers, which no package brings; what Verilog it has is a kernel's bus.
- nngen 1.3.4: Verilog of matmul, convolution and sigmoid, and no operator with a state. h would go through memory
  between calls, and the loop over time would be ours, not theirs.
- spikerplus 2.0.3: VHDL of layers of spiking neurons, also with feedback; resnnance 0.0.4: the same without. A neuron's
  state leaks and fires, and what comes back is a spike: none of the cells here.
- da4ml 0.6.0 (products with constant matrices), dwn2rtl 0.3.0 (networks of tables), fpga4p 2.1 (a naive Bayes
  classifier): RTL without a state. finn 0.0.1 is a name without content.
- Debian has simulators and synthesis (Icarus Verilog, Verilator, GHDL, Yosys), and no designs of networks.

RTL that is public and in no package is among the rows where its cycles were measured (`koios_lstm`, `edgedrnn`).

## Every row

"Allowed" is the largest error that a test lets pass.

"""


def fidelity_page() -> str:
    """docs/fidelity.md."""
    rows = all_rows()
    return FIDELITY_HEAD + fidelity_summary(rows) + FIDELITY_TEXT + fidelity_table(rows)


PAGES = {"metrics.md": metrics_page, "fidelity.md": fidelity_page}


def main() -> None:
    """Write every page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page(), encoding="utf-8")
    fidelity_figure.draw(all_rows(), DOCS / "fidelity.svg")


if __name__ == "__main__":
    main()
