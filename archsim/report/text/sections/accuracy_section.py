"""Writes what the number formats cost: errors, overflows, calibration, and what it means for the task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from archsim.api import Simulation
from archsim.program.sparsity import Sparsity
from archsim.report.files.accuracy_figures import (
    AccuracyFigures,
    ScoreFigures,
    TaskSummary,
    TensorFigures,
    accuracy_figures,
    quarter_steps,
)
from archsim.report.text.advice_formats import one_is_beyond, output_advice, overflow_advice
from archsim.report.text.figures_as_text import error, percent, plural, significant
from archsim.report.text.layout import facts, heading, sentence, table
from archsim.workload.calibration import range_kinds

if TYPE_CHECKING:
    from rich.console import RenderableType

_MOST_TENSORS = 25
"""The most tensors of which the table shows the gates too."""
_MOST_RANGES = 9
_GROWS = 1.25
"""A ratio of errors up to this, or down to its inverse, is no trend."""


def accuracy(simulation: Simulation, saved: AccuracyFigures | None = None) -> list[RenderableType]:
    """The section on accuracy; nothing for a run whose errors were validated, or that computed nothing.

    `saved`: the figures of the run where its numbers are not at hand.
    """
    figures = saved or accuracy_figures(simulation)
    if figures is None:
        return []
    return [
        *_errors(simulation, figures.tensors),
        *_pruning(simulation),
        *_overflows(simulation, figures),
        *(_task(figures.task) if figures.task else []),
        *_calibration(simulation, figures),
    ]


def _errors(simulation: Simulation, tensors: Sequence[TensorFigures]) -> list[RenderableType]:
    shown = tensors
    if len(tensors) > _MOST_TENSORS:
        shown = [tensor for tensor in tensors if not tensor.name.startswith("gate ")]
    rows = [
        (
            tensor.name,
            _error(tensor.max_abs_error),
            _error(tensor.rms_error),
            "-" if tensor.largest is None else significant(tensor.largest),
            "-" if tensor.sqnr_db is None else f"{tensor.sqnr_db:.1f} dB",
        )
        for tensor in shown
    ]
    left_out = " The gates of each cell are in stats.json." if len(shown) < len(tensors) else ""
    return [
        heading("Accuracy", "what the formats cost: the machine's numbers against the golden model's"),
        table(("<", ">", ">", ">", ">"), ("tensor", "max error", "RMS error", "largest", "SQNR"), rows, strong=(0,)),
        sentence(
            "max error and RMS error are absolute, over all time steps; largest: magnitude in the golden model, a "
            "functional LSTM in float64; SQNR: 10 log10(sum of golden^2 / sum of error^2), 6.02 dB a bit."
            f"{left_out} accuracy.csv has the errors of every time step."
        ),
        *_growth(simulation, tensors),
        *(sentence(text) for text in output_advice(simulation)),
    ]


def _pruning(simulation: Simulation) -> list[RenderableType]:
    """The section on weights that the machine does not keep; nothing where it keeps all, or the numbers are not there.

    A network that was that sparse already has lost none.
    """
    found = None if simulation.numbers is None else simulation.numbers.pruning
    if found is None:
        return []
    head = heading("Pruning", f"{found.kept} of {found.of} weights kept: what that does to the network")
    rest = [sentence(text) for text in _narrow_groups(simulation, Sparsity(found.kept, found.of))]
    if not found.pruned:
        same = sentence(f"The network's {found.weights:,} weights are as sparse as that: none was pruned.")
        return [head, same, *rest]
    cost = "is the same" if found.sqnr_db is None else f"has {found.sqnr_db:.1f} dB"
    return [
        head,
        sentence(
            f"By magnitude: {found.pruned:,} of {found.weights:,} weights were not zero and are not kept, "
            f"{percent(found.square_share)} of the sum of all squares. For that alone, in float64, the output {cost} "
            "against the network with all weights, which the errors above are measured against, too. Training with the "
            "pattern would lose less."
        ),
        *rest,
    ]


def _narrow_groups(simulation: Simulation, kept: Sparsity) -> list[str]:
    """A sentence for each number of columns that groups do not divide: how wide the last one is, and what it keeps."""
    cells = simulation.workload.spec.cells
    columns = {size for cell in cells for size in (cell.input_size, cell.hidden_size, cell.output_size)}
    return [_narrow_group(size, kept) for size in sorted(columns) if size % kept.of]


def _narrow_group(columns: int, kept: Sparsity) -> str:
    groups, last = divmod(columns, kept.of)
    stored, share = min(kept.kept, last), percent(kept.stored(columns) / columns)
    return (
        f"{columns:,} columns are {plural(groups, 'group')} of {kept.of:,} and one of {last:,}, of which "
        f"{plural(stored, 'weight')} {'is' if stored == 1 else 'are'} kept: {share} of the row."
    )


def _growth(simulation: Simulation, tensors: Sequence[TensorFigures]) -> list[RenderableType]:
    """The sentence on whether the error of the output and of the last layer's c grows along the sequence."""
    spec = simulation.workload.spec
    steps = quarter_steps(spec)
    if not steps:
        return []
    cells = [tensor for tensor in tensors if tensor.name.startswith("c")][-len(spec.layers[-1]) :]
    parts = [_trend(tensor) for tensor in (tensors[0], *cells)]
    backwards = " A cell in reverse begins at the last step." if any(cell.reverse for cell in spec.cells) else ""
    return [
        sentence(
            f"Along the sequence, RMS error of the first quarter ({plural(steps, 'time step')}) and of the last: "
            f"{'; '.join(parts)}.{backwards}"
        )
    ]


def _trend(tensor: TensorFigures) -> str:
    first, last, ratio = tensor.first_quarter_rms_error, tensor.last_quarter_rms_error, tensor.error_growth
    text = f"{tensor.name} {_error(first)} and {_error(last)}"
    if ratio is None:
        return f"{text} (it grows from nothing)" if last else text
    word = "grows" if ratio > _GROWS else "shrinks" if ratio < 1 / _GROWS else "does not grow"
    return f"{text} (x {significant(round(ratio, 2))}: it {word})"


def _overflows(simulation: Simulation, figures: AccuracyFigures) -> list[RenderableType]:
    some = [count for count in figures.overflows if count.overflowed]
    none = [count.kind for count in figures.overflows if not count.overflowed]
    found = [heading("Overflows", "values beyond the range of their format, as often as one was brought into it")]
    if some:
        rows = [(count.kind, f"{count.overflowed:,}", f"{count.values:,}", percent(count.share)) for count in some]
        found.append(table(("<", ">", ">", ">"), ("kind", "beyond the range", "of", "share"), rows))
    if none:
        found.append(sentence(f"no overflow in: {', '.join(none)}"))
    if not some or simulation.numbers is None:
        return found
    formats = simulation.numbers.formats
    address = simulation.arch.config.function_unit.address_format or formats.gate
    wraps = [count.kind for count in some if "/wrap" in str(getattr(formats, count.kind, address))]
    but = f"; of {', '.join(wraps)} it wraps to the other end" if wraps else ""
    text = f"A value beyond the range saturates at its end{but}."
    if one_is_beyond(simulation.numbers) and any(count.kind == "activation" for count in some):
        text += (
            f" The largest number of activation {formats.activation} is just below 1, so that every gate or tanh(c) "
            "that rounds to 1.0 itself counts."
        )
    if any(count.kind == "address" for count in some):
        text += " address: arguments beyond the range of the activation unit's table or line segments."
    return [*found, *map(sentence, (text, *overflow_advice(simulation)))]


def _task(task: TaskSummary) -> list[RenderableType]:
    rows = [("golden model", *_scores(task.golden))]
    if task.witness is not None:
        rows.append(("expected (file)", *_scores(task.witness)))
    name, threshold = task.summary, significant(task.threshold)
    return [
        heading(f"Task: {name}", "what the errors do to the scores that are made of the output"),
        table(
            ("<~", ">", ">", ">", ">", ">"),
            ("machine against", "max difference", "RMS difference", "changed side", "of", "share"),
            rows,
        ),
        sentence(f"changed side: scores that are at least {threshold} in one and below it in the other."),
    ]


def _scores(scores: ScoreFigures) -> tuple[str, ...]:
    return (
        _error(scores.max_abs_difference),
        _error(scores.rms_difference),
        f"{scores.changed_side:,}",
        f"{scores.frames:,}",
        percent(scores.changed_share),
    )


def _calibration(simulation: Simulation, figures: AccuracyFigures) -> list[RenderableType]:
    found = figures.calibration
    if found is None:
        return []
    percentile = f" {found.percentile:g}" if "percentile" in (found.method, found.weight_method) else ""
    kinds = range_kinds(simulation.workload.spec)
    ranges = [
        f"{name} {significant(covers.low)} .. {significant(covers.high)}"
        for name, covers in found.ranges.items()
        if kinds[name] in ("input", "hidden", "cell")
    ]
    more = ", ... (stats.json has all)" if len(ranges) > _MOST_RANGES else ""
    return [
        heading("Calibration", "where the scales of intN formats come from"),
        facts(
            [
                ("method", f"{found.method}, of weights {found.weight_method}{percentile}; from {found.source}"),
                *([("ranges", ", ".join(ranges[:_MOST_RANGES]) + more)] if ranges else []),
            ]
        ),
    ]


def _error(value: float | None) -> str:
    return "-" if value is None else error(value)
