"""What `archsim import` says: the listing of a model file, the summary of a workload written, and both as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archsim.importers import Found, FoundLayer, InputSequence


def listing(found: Found) -> Iterator[str]:
    """The listing as text: the layers as a table, then notes, and what is not supported."""
    yield f"{found.path}: {_counted(found)}"
    if found.layers:
        yield ""
        yield from _table([_HEADER, *(_row(layer) for layer in found.layers)])
    for layer in found.layers:
        if layer.fed_by:
            yield f"  {layer.name}: takes {layer.input_from}"
        for note in layer.notes:
            yield f"  {layer.name}: note: {note}"
    if found.unsupported:
        yield ""
        yield "not supported:"
        for entry in found.unsupported:
            yield f"  {entry.name}: {entry.reason}"
    if found.rest:
        yield ""
        yield f"not recurrent: {found.rest}"
    if found.host:
        yield ""
        yield "left to the host:"
        yield from (f"  {line}" for line in found.host)


def summary(
    found: Found, layers: tuple[FoundLayer, ...], sequence: InputSequence, out: Path, title: str
) -> Iterator[str]:
    """What was written, from what, what was left out, and what to run next."""
    yield f"{out}: {title}"
    yield f"  layers: {_counted(found)} in the file, written: {', '.join(layer.name for layer in layers)}"
    for layer in layers:
        options = f"; {', '.join(layer.options())}" if layer.options() else ""
        yield f"    {layer.name}: {layer}, {layer.weights:,} weights{options}"
        for note in layer.notes:
            yield f"    {layer.name}: note: {note}"
    yield from (f"  left out: {line}" for line in _left_out(found, layers))
    order = "(B, T, features)" if sequence.batch_first else "(T, B, features)"
    shape = f"{sequence.steps:,} steps, batch {sequence.batch:,}, {order if sequence.batched else '(T, features)'}"
    drawn = f"random, seed {sequence.seed} (--input X.npy takes your own)" if sequence.x is None else "as given"
    if sequence.from_codes:
        drawn = "given as the model's codes of x"
    if sequence.x is not None and sequence.steps == 1 and sequence.batch > 1:  # mostly the other order was meant
        other = "--time-first" if sequence.batch_first else "--batch-first"
        drawn += f"; {other} reads it as {sequence.batch:,} steps of 1 sequence"
    yield f"  input: {shape}, {drawn}"
    yield f"  next: archsim run edge_16x16 {out}"


def _left_out(found: Found, layers: tuple[FoundLayer, ...]) -> Iterator[str]:
    """What of the file is not in the workload, and why."""
    chosen = {part for layer in layers for part in (layer.name, *layer.name.split(" and "))}
    for layer in found.layers:
        if layer.name not in chosen:
            yield f"{layer.name}: not chosen (--layer)"
    for entry in found.unsupported:
        yield f"{entry.name}: {entry.reason}"
    if found.rest:
        yield f"{found.rest}: not recurrent"
    yield from (f"to the host: {line}" for line in found.host)


def as_json(
    found: Found, layers: tuple[FoundLayer, ...] = (), sequence: InputSequence | None = None, out: Path | None = None
) -> str:
    """The listing as JSON; with a workload also what was written, from which input."""
    content: dict[str, Any] = {
        "file": str(found.path),
        "layers": [_layer(layer) for layer in found.layers],
        "unsupported": [{"name": entry.name, "reason": entry.reason} for entry in found.unsupported],
        "not_recurrent": found.rest,
        "host": list(found.host),
    }
    if out is not None and sequence is not None:
        content["written"] = {
            "workload": str(out),
            "weights": str(out.with_suffix(".safetensors")),
            "layers": [_layer(layer) for layer in layers],
            "left_out": list(_left_out(found, layers)),
            "steps": sequence.steps,
            "batch": sequence.batch,
            "batch_first": sequence.batch_first,
            "input": "given" if sequence.x is not None else "random",
        }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _layer(layer: FoundLayer) -> dict[str, Any]:
    return {
        "name": layer.name,
        "kind": layer.config.kind.value,
        "input_size": layer.input_size,
        "hidden_size": layer.config.hidden_size,
        "num_layers": layer.num_layers,
        "direction": _direction(layer),
        "weights": layer.weights,
        "options": list(layer.options()),
        "fed_by": list(layer.fed_by),
        "input_from": layer.input_from,
        "notes": list(layer.notes),
    }


def _counted(found: Found) -> str:
    linear = sum(not layer.config.kind.recurrent for layer in found.layers)
    count = len(found.layers) - linear
    more = f", {linear} linear" if linear else ""
    return f"{count} recurrent layer{'' if count == 1 else 's'}{more}"


def _direction(layer: FoundLayer) -> str:
    return "both" if layer.config.bidirectional else "reverse" if layer.config.reverse else "forward"


_HEADER = ("name", "kind", "I -> H", "layers", "direction", "weights", "options")


def _row(layer: FoundLayer) -> tuple[str, ...]:
    return (
        layer.name,
        layer.config.kind.value,
        f"{layer.input_size:,} -> {layer.config.hidden_size:,}",
        str(layer.num_layers),
        _direction(layer),
        f"{layer.weights:,}",
        ", ".join(layer.options()) or "-",
    )


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Rows in columns of equal width, numbers to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    for row in rows:
        cells = [
            cell.rjust(width) if title in ("layers", "weights") else cell.ljust(width)
            for title, cell, width in zip(_HEADER, row, widths, strict=True)
        ]
        yield "  " + "  ".join(cells).rstrip()
