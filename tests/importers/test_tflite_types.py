"""Which LSTMs of TensorFlow Lite are integer ones: by the types of x and of the cell state."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from archsim.importers.found import Refused
from archsim.importers.tflite.tflite_direction import Direction
from archsim.importers.tflite.tflite_integers import INT8, INT16, integer_ranges
from archsim.importers.tflite.tflite_model import Graph, Operator

FLOAT32 = 0


@pytest.mark.parametrize(
    ("x", "c", "states", "integer"),
    [
        (INT8, INT16, (1, 2), True),
        (FLOAT32, INT16, (1, 2), False),
        (INT8, INT8, (1, 2), False),
        (INT8, FLOAT32, (1, 2), False),
        (INT8, INT16, (-1, 2), False),
        (INT8, INT16, (1, -1), False),
    ],
)
def test_only_8_bits_with_a_cell_state_of_16_have_scales(
    x: int, c: int, states: tuple[int, int], integer: bool
) -> None:
    """Of an integer one what stands inside is asked for, which is missing here; of others nothing is."""
    graph = cast("Graph", SimpleNamespace(type=[x, INT8, c].__getitem__))
    operator = cast("Operator", SimpleNamespace(inputs=[0], intermediates=[]))
    direction = cast("Direction", SimpleNamespace(states=states))
    if integer:
        with pytest.raises(Refused, match="does not say the scale of o"):
            list(integer_ranges(graph, operator, direction))
    else:
        assert list(integer_ranges(graph, operator, direction)) == []
