"""A little wider is not always faster: how much slower an op may become, and where it does.

The values of an operand are taken in steps, of so many lanes or columns, and pass a port in words. Of n values on L
lanes, from the step that takes value v on there are ceil(n / L) - floor(v / L) steps. With L + 1 lanes that may be one
more, where the last step has become emptier than it was: a word that is needed then comes no earlier, and the op is as
much longer. Of results it is the words that shift against the steps: behind a wider port as many words may be left to
write when the last step is over, or one more. A multiple of lanes, columns or bits joins whole steps or words, and
neither can happen (test_monotonicity.py).
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.families.gemv.array.mac_tiles import BlockTile, MacTile
from archsim.hardware.port_streams import Ports, Stream, even, fetch_cycles, write_cycles
from archsim.hardware.unit import Unit
from archsim.program.ir import Op
from tests.rings import examples
from tests.strategies import Case, cases

LANES = ("mac_array.columns", "activation.lanes", "elementwise.lanes")
WIDTHS = ("weight_sram.banks", "weight_sram.port_bits", "input_buffer.port_bits", "state_buffer.port_bits")


def occupancies(case: Case, wider: Case) -> list[tuple[Op, Unit[Any], int, int]]:
    """Each op with its unit and its occupancy, before and after."""
    found = []
    for op in (op for phase in case.program.phases for op in phase.ops):
        before, after = (of.units[op.unit].cycles(op).occupancy_cycles for of in (case, wider))
        found.append((op, case.units[op.unit], before, after))
    return found


@pytest.mark.parametrize("path", LANES)
@settings(max_examples=examples(30))
@given(case=cases(), more=st.integers(1, 3))
def test_more_lanes_cost_an_op_a_step_at_most(path: str, case: Case, more: int) -> None:
    """Of the MAC array a chunk, which is a step for each vector of the batch."""
    section, name = path.split(".")
    wider = case.with_fields({path: getattr(getattr(case.config, section), name) + more})
    for op, _, before, after in occupancies(case, wider):
        step = op.batch if isinstance(op, MacTile | BlockTile) else 1
        assert after <= before + step, op.label


@pytest.mark.parametrize("path", WIDTHS)
@settings(max_examples=examples(30))
@given(case=cases(), more=st.integers(1, 3))
def test_wider_ports_cost_an_op_a_word_of_each_result_at_most(path: str, case: Case, more: int) -> None:
    section, name = path.split(".")
    wider = case.with_fields({path: getattr(getattr(case.config, section), name) + more})
    for op, unit, before, after in occupancies(case, wider):
        results = [stream for stream in unit.write_streams(op) if stream.memory == section]
        assert after <= before + len(results), op.label


def vector(values: int, lanes: int) -> tuple[Stream, int]:
    """So many values of 16 bits, and the steps that take or make them."""
    return Stream(("m",), 16 * values, even(values, lanes)), -(-values // lanes)


@pytest.mark.parametrize(("lanes", "cycles"), [(32, 2), (33, 3), (64, 2)])
def test_64_values_through_words_of_32(lanes: int, cycles: int) -> None:
    """Word 1, values 32 to 63, comes in cycle 1. With 32 lanes step 1 takes it; with 33 step 0 takes value 32.

    So step 0 waits until cycle 1, and step 1 goes in cycle 2. With 64 lanes there is one step, in cycle 1.
    """
    stream, steps = vector(64, lanes)
    assert max(steps, fetch_cycles([stream], Ports({"m": 512}), steps)) == cycles


@pytest.mark.parametrize(("width", "cycles"), [(256, 4), (257, 5), (384, 4), (512, 4)])
def test_64_results_of_16_lanes(width: int, cycles: int) -> None:
    """Through 256 bits each step's 16 values are a word, which goes in its cycle: 4.

    Through 257 bits word 0 has a bit of value 16, which step 1 makes, and so on: the four words are whole after steps
    1, 2, 3 and 3, so that the last one is written in cycle 4. Through 384 bits there are three: 24 values are there
    after step 1, 48 after step 2, 64 after step 3.
    """
    stream, steps = vector(64, 16)
    assert max(steps, write_cycles([stream], Ports({"m": width}), steps)) == cycles
