"""The command `archsim import`: lists the recurrent layers of a model file, or writes them as a workload."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from archsim.cli.options import DebugOption

if TYPE_CHECKING:
    from collections.abc import Mapping

    from archsim.importers import FoundLayer, InputSequence

ALL = "all"
DEFAULT_STEPS = 16
DEFAULT_BATCH = 1
DEFAULT_SEED = 0


class Nonlinearity(StrEnum):
    """What an RNN computes of its sums."""

    TANH = "tanh"
    RELU = "relu"


def import_command(
    model: Annotated[
        Path,
        typer.Argument(help="An ONNX, torch, safetensors, npz or Keras file, or one that an installed package reads."),
    ],
    layer: Annotated[
        str | None, typer.Option(metavar="NAME|all", help="The layer to write [default: all, the only layer or stack].")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="MY.yaml", help="The workload; its weights go beside it.")] = None,
    x: Annotated[Path | None, typer.Option("--input", metavar="X.npy", help="Input, in torch's layout.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help=f"Time steps of a random input [default: {DEFAULT_STEPS}].")
    ] = None,
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
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN=NAME", help="Other names for tensors; * is any text, as in 'enc_w_*=enc.weight_*'."
        ),
    ] = None,
    map_file: Annotated[
        Path | None, typer.Option("--map", metavar="MAP.yaml", help="Which tensors make a cell, and in which layout.")
    ] = None,
    whole: Annotated[
        bool, typer.Option("--whole", help="Linear layers before, between and behind the recurrent ones, too (ONNX).")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the listing, or the summary, as JSON.")] = False,
    debug: DebugOption = False,
) -> None:
    """List the recurrent layers of a model file; with --out write the only one, or their stack, as a workload."""
    from archsim.cli import import_words, tensor_words
    from archsim.importers import NothingFits, find_layers, load_naming, select, write_workload

    if out is None:
        writing = {"--layer": layer, "--input": x, "--steps": steps, "--batch": batch, "--seed": seed}
        writing |= {"--batch-first": batch_first, "--unbatched": unbatched or None, "--force": force or None}
        _refuse("needs --out MY.yaml; without it, layers are listed", writing)
    naming = load_naming(rename or (), map_file)
    try:
        found = find_layers(model, None if nonlinearity is None else nonlinearity.value, naming=naming, whole=whole)
    except NothingFits as error:  # what there is goes to stdout; what is wrong, as always, to stderr
        sys.stdout.writelines(f"{line}\n" for line in tensor_words.lines(model, error, as_json))
        raise
    if out is None:
        lines = [import_words.as_json(found)] if as_json else import_words.listing(found)
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    layers = select(found, layer or ALL)
    sequence = _sequence(layers, x, steps, batch, seed, batch_first, unbatched)
    config = write_workload(found, layers, sequence, out, force)
    words = import_words.summary(found, layers, sequence, out, config.summary)
    lines = [import_words.as_json(found, layers, sequence, out)] if as_json else words
    sys.stdout.writelines(f"{line}\n" for line in lines)


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
    order = first.batch_first != first.turns_input if batch_first is None else batch_first
    if x is not None:
        _refuse("does not go with --input", {"--steps": steps, "--batch": batch, "--seed": seed})
        return read_input(x, order, unbatched, first.input_size, first.ranges.get("x"))
    if unbatched and batch not in (None, 1):
        _wrong("--batch", "with --unbatched the batch is 1")
    drawn = {"steps": DEFAULT_STEPS, "batch": DEFAULT_BATCH, "seed": DEFAULT_SEED}
    drawn |= {name: value for name, value in (("steps", steps), ("batch", batch), ("seed", seed)) if value is not None}
    lengths = first.sequence_lens or ()
    if steps is None and lengths:
        drawn["steps"] = max(lengths)
    return InputSequence(drawn["steps"], drawn["batch"], order, not unbatched, drawn["seed"])


def _refuse(reason: str, options: Mapping[str, object]) -> None:
    given = [name for name, value in options.items() if value is not None]
    if given:
        _wrong(given[0], reason)


def _wrong(option: str, message: str) -> NoReturn:
    from archsim.errors import Fault, WorkloadError

    raise WorkloadError((Fault(option, "", message),))
