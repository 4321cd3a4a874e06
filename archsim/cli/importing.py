"""The command `archsim import`: lists the recurrent layers of a model file, or writes them as a workload."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from archsim.cli.options import DebugOption

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from archsim.importers import Found, FoundLayer, InputSequence

DEFAULT_BATCH = 1
DEFAULT_SEED = 0


class Nonlinearity(StrEnum):
    """What an RNN computes of its sums."""

    TANH = "tanh"
    RELU = "relu"


def import_command(
    model: Annotated[
        Path,
        typer.Argument(
            help="A .onnx, .pt, .pth, .safetensors, .npz or Keras .h5 file, or one that an installed package reads."
        ),
    ],
    layer: Annotated[
        str | None, typer.Option(metavar="NAME|all", help="The layer to write, or all: the whole stack.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="MY.yaml", help="The workload; its weights go beside it.")] = None,
    x: Annotated[Path | None, typer.Option("--input", metavar="X.npy", help="Input, in torch's layout.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Time steps of a random input.")] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, help=f"Sequences of a random input [default: {DEFAULT_BATCH}].")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help=f"Of a random input [default: {DEFAULT_SEED}].")] = None,
    batch_first: Annotated[
        bool | None,
        typer.Option(
            "--batch-first/--time-first",
            help="Input and output are (B, T, features) [default: as in the model, or no].",
        ),
    ] = None,
    unbatched: Annotated[bool, typer.Option("--unbatched", help="Input and output are (T, features).")] = False,
    nonlinearity: Annotated[
        Nonlinearity | None, typer.Option(help="Of an RNN in a file that does not say it [default: tanh].")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    debug: DebugOption = False,
) -> None:
    """List the recurrent layers of a model file; with --layer and --out write one, or their stack, as a workload."""
    from archsim.importers import find_layers, select, write_workload

    if (layer is None) != (out is None):
        _wrong(
            "--layer" if out is None else "--out", "--layer and --out belong together; without both, layers are listed"
        )
    if out is None:
        writing = {"--input": x, "--steps": steps, "--batch": batch, "--seed": seed, "--batch-first": batch_first}
        writing |= {"--unbatched": unbatched or None, "--force": force or None}
        _refuse("needs --layer and --out; without both, layers are listed", writing)
    found = find_layers(model, None if nonlinearity is None else nonlinearity.value)
    if layer is None or out is None:
        sys.stdout.writelines(f"{line}\n" for line in _listing(found))
        return
    layers = select(found, layer)
    sequence = _sequence(layers, x, steps, batch, seed, batch_first, unbatched)
    config = write_workload(found, layers, sequence, out, force)
    for chosen in layers:
        sys.stdout.writelines(f"{chosen.name}: note: {note}\n" for note in chosen.notes)
    sys.stdout.write(f"{out}: {config.summary}\n")


def _sequence(
    layers: tuple[FoundLayer, ...],
    x: Path | None,
    steps: int | None,
    batch: int | None,
    seed: int | None,
    batch_first: bool | None,
    unbatched: bool,
) -> InputSequence:
    """The input that the options ask for."""
    from archsim.importers import InputSequence, read_input

    first = layers[0]
    order = first.batch_first if batch_first is None else batch_first
    if x is not None:
        _refuse("does not go with --input", {"--steps": steps, "--batch": batch, "--seed": seed})
        return read_input(x, order, unbatched, first.input_size)
    if steps is None:
        _wrong("--steps", "give --input X.npy, or --steps T for a random input")
    if unbatched and batch not in (None, 1):
        _wrong("--batch", "with --unbatched the batch is 1")
    return InputSequence(
        steps, DEFAULT_BATCH if batch is None else batch, order, not unbatched, DEFAULT_SEED if seed is None else seed
    )


def _refuse(reason: str, options: Mapping[str, object]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        _wrong(given[0], reason)


def _wrong(option: str, message: str) -> NoReturn:
    from archsim.errors import Fault, WorkloadError

    raise WorkloadError((Fault(option, "", message),))


def _listing(found: Found) -> Iterator[str]:
    """The listing as text: the layers as a table, then notes, and what is not supported."""
    count = len(found.layers)
    yield f"{found.path}: {count} recurrent layer{'' if count == 1 else 's'}"
    if count:
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


_HEADER = ("name", "kind", "I -> H", "layers", "direction", "weights", "options")


def _row(layer: FoundLayer) -> tuple[str, ...]:
    config = layer.config
    direction = "both" if config.bidirectional else "reverse" if config.reverse else "forward"
    return (
        layer.name,
        config.kind.value,
        f"{layer.input_size:,} -> {config.hidden_size:,}",
        str(layer.num_layers),
        direction,
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
