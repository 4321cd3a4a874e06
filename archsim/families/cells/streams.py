"""Describes what lies between a network's cells: names, tensors with a time axis, and which sequences are there."""

from __future__ import annotations

from collections.abc import Sequence

from archsim.formats import Bit, Formats
from archsim.program.ir import Buffer, DataKind
from archsim.workload.network import CellSpec, NetworkSpec

VALID = "valid"
"""The name of the buffer that says which sequences are there at each time step."""


def streams(spec: NetworkSpec, formats: Formats) -> list[Buffer]:
    """The tensors with a time axis in DRAM: x, the layers' outputs in between, and the output."""
    x = Buffer(
        "dram.x",
        "dram",
        DataKind.X,
        spec.input_size,
        spec.batch,
        formats.format("input"),
        None,
        spec.steps,
        is_input=True,
        format_kind="input",
    )
    between = [
        Buffer(
            "dram.output" if number == len(spec.layers) - 1 else f"l{number}.dram.output",
            "dram",
            DataKind.OUTPUT,
            spec.layer_output_size(number),
            spec.batch,
            formats.format("hidden"),
            None,
            spec.steps,
            format_kind="hidden",
        )
        for number in range(len(spec.layers))
    ]
    return [x, *between]


def valid_steps(spec: NetworkSpec) -> Buffer | None:
    """The mask of sequences that are there at each time step, a bit a lane; None if all always are.

    The sequencer keeps it.
    """
    if spec.lengths is None:
        return None
    return Buffer(VALID, "sequencer", DataKind.VALID, 1, spec.batch, Bit(), None, spec.steps, is_input=True)


def cell_prefixes(spec: NetworkSpec) -> tuple[str, ...]:
    """The prefixes of each cell's names of ops and buffers; a network of one cell needs none."""
    return tuple(prefix for number in range(len(spec.layers)) for prefix in prefixes(spec, number))


def prefixes(spec: NetworkSpec, number: int) -> list[str]:
    if len(spec.cells) == 1:
        return [""]
    return [f"l{number}." if place == 0 else f"l{number}r." for place in range(len(spec.layers[number]))]


def starts(layer: Sequence[CellSpec]) -> list[int]:
    """The first entry of each direction's output in the layer's."""
    return [sum(cell.output_size for cell in layer[:place]) for place in range(len(layer))]
