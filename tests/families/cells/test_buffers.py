"""In which memory, format and bank each kind of a cell's buffers lies, with a name of its own for each memory."""

from __future__ import annotations

import pytest

from archsim.families.cells.buffers import BufferMaker, h_slots
from archsim.families.cells.context import CellMemories
from archsim.formats import Formats
from archsim.program.ir import Buffer, DataKind

KINDS = {
    "weight": "int8",
    "input": "int9",
    "hidden": "int10",
    "accumulator": "int32",
    "gate": "int16",
    "activation": "int12",
    "cell": "int18",
}
MAKER = BufferMaker(
    "l1.", 3, Formats.model_validate(KINDS), CellMemories("outside", "weights", "biases", "inputs", "state", "sums")
)


def test_matrices_and_vectors_of_weights() -> None:
    """A matrix lies with the weights, row by row; biases, peepholes and gamma with the biases."""
    matrix = MAKER.weights("W_hr", DataKind.W_HR, 5, 7, "weight")
    assert (matrix.name, matrix.memory, matrix.entries, matrix.width, matrix.matrix) == (
        "l1.W_hr",
        "weights",
        5,
        7,
        True,
    )
    bias = MAKER.weights("bias", DataKind.BIAS, 20, 1, "accumulator")
    assert (bias.name, bias.memory, bias.entries, bias.width, bias.matrix) == ("l1.bias", "biases", 20, 1, False)
    assert (matrix.number_format.bits, bias.number_format.bits, bias.format_kind) == (8, 32, "accumulator")
    assert MAKER.weights("peephole", DataKind.PEEPHOLE, 12, 1, "cell", False) is None


def test_states_and_sums() -> None:
    h = MAKER.state("h", "a bank", DataKind.H, 5, "hidden", 4)
    assert (h.memory, h.entries, h.width, h.slots, h.bank, h.number_format.bits) == ("state", 5, 3, 4, "a bank", 10)
    sums = MAKER.sums(16, 6)
    assert (sums.memory, sums.entries, sums.width, sums.slots, sums.number_format.bits) == ("sums", 16, 3, 6, 16)
    assert MAKER.state("c", "", DataKind.C, 5, "cell", 1, False) is None
    assert [h_slots(streams) for streams in (1, 4)] == [2, 5], "one more than there are streams"


@pytest.mark.parametrize("given", [True, False])
def test_what_lies_outside_is_like_what_is_inside(given: bool) -> None:
    """In no bank; given by the workload, or written by the run."""
    h = MAKER.state("h", "a bank", DataKind.H, 5, "hidden", 4)
    found = MAKER.outside(h, "h_0", given=given, slots=2)
    assert (found.name, found.memory, found.entries, found.width) == ("l1.dram.h_0", "outside", 5, 3)
    assert (found.slots, found.is_input, found.bank, found.number_format) == (2, given, "", h.number_format)
    assert (MAKER.outside(h, "h_0").slots, MAKER.outside(h, "h_0").is_input) == (1, True)


def test_inputs_are_stored_as_they_come() -> None:
    """In the format of the tensor outside, so many steps of it."""
    source = Buffer("l0.dram.output", "outside", DataKind.OUTPUT, 5, 3, MAKER.formats.format("hidden"), None, 9)
    found = MAKER.inputs(source, 2)
    assert (found.name, found.memory, found.kind, found.slots, found.length) == ("l1.x", "inputs", DataKind.X, 2, None)
    assert (found.number_format.bits, found.is_input) == (10, False)
