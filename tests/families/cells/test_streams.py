"""When the values of operands and results pass the ports: in which bank, and in which step of the op."""

from __future__ import annotations

from collections import Counter

import pytest

from archsim.families.cells.activation import Activate, Activation, ActivationConfig, GateRows
from archsim.families.cells.banks import C_BANK, GATE_BANKS
from archsim.families.cells.elementwise import Elementwise, ElementwiseConfig
from archsim.families.cells.lstm_ops import CellUpdate
from archsim.families.cells.normalize import Normalize
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.formats import parse_format
from archsim.hardware.port_streams import Ports, Stream
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import FunctionSpec
from tests.float_machines import FLOAT_16X16

Q = parse_format("q4.12")
PORTS = Ports({"state_buffer": 64}, ("state_buffer",))
NOT_BANKED = Ports({"state_buffer": 64})


def formats() -> object:
    config = load_arch(FLOAT_16X16).config
    assert isinstance(config, GemvConfig)
    return config.formats


def region(entries: int, start: int = 0, width: int = 2, bank: str = "", memory: str = "state_buffer") -> Region:
    return Region(Buffer("n", memory, DataKind.GATE, 99, width, Q, bank=bank), start, start + entries)


def by_step(stream: Stream) -> dict[int, int]:
    """How many values of a stream each step takes or makes."""
    return dict(Counter(run.first_step + run.taken(place) for run in stream.runs for place in range(run.values)))


def activation(ports: Ports) -> Activation:
    config = ActivationConfig.model_validate({"lanes": 4, "latency_cycles": 1})
    return Activation(config, ports, formats())  # type: ignore[arg-type]


ROWS = (GateRows("i", 7, 2), GateRows("f", 7, 3), GateRows("o", 7, 1))


def test_each_gate_goes_to_a_bank_of_its_own() -> None:
    """6 rows of 2 sequences, 4 values a step: i has values 0 to 3, f 4 to 9, o 10 and 11, in steps 0, 1, 2 and 2."""
    op = Activate(unit="activation", label="a", function=FunctionSpec("sigmoid"), source=region(6),
                  target=region(6, 3, bank=GATE_BANKS), gates=ROWS)  # fmt: skip
    found = activation(PORTS).write_streams(op)
    assert [stream.bank for stream in found] == [("state_buffer", GATE_BANKS, gate) for gate in "ifo"]
    assert [stream.bits for stream in found] == [2 * 2 * 16, 3 * 2 * 16, 1 * 2 * 16]
    assert [by_step(stream) for stream in found] == [{0: 4}, {1: 4, 2: 2}, {2: 2}]
    parts = activation(PORTS).parts(op, op.target)
    assert [(part.start, part.stop) for part in parts] == [(3, 5), (5, 8), (8, 9)]
    assert activation(PORTS).parts(op, op.source) == (op.source,)
    assert [(seen.quantity, seen.first_row, seen.rows, seen.first_unit) for seen in op.observed] == [
        ("i", 0, 2, 7),
        ("f", 2, 3, 7),
        ("o", 5, 1, 7),
    ]


def test_without_banks_or_gates_results_go_one_way() -> None:
    target = region(6, bank=GATE_BANKS)
    op = Activate(unit="activation", label="a", function=FunctionSpec("tanh"), source=region(6), target=target,
                  gates=ROWS)  # fmt: skip
    (stream,) = activation(NOT_BANKED).write_streams(op)
    assert (stream.bank, by_step(stream)) == (("state_buffer",), {0: 4, 1: 4, 2: 4})
    plain = Activate(unit="activation", label="a", function=FunctionSpec("tanh"), source=region(6), target=target)
    (stream,) = activation(PORTS).write_streams(plain)
    assert (stream.bank, by_step(stream)) == (("state_buffer", GATE_BANKS), {0: 4, 1: 4, 2: 4})


def test_a_late_bias_has_a_port_of_its_own() -> None:
    bias = region(6, width=1, memory="bias_buffer")
    op = Activate(unit="activation", label="a", function=FunctionSpec("tanh"), source=region(6), target=region(6),
                  bias=bias)  # fmt: skip
    assert bias in op.reads
    assert activation(PORTS).read_ports(op) == (op.source,)


def elementwise(lanes: int) -> Elementwise:
    config = ElementwiseConfig(lanes=lanes, cell_latency_cycles=1, hidden_latency_cycles=1)
    return Elementwise(config, PORTS, formats())  # type: ignore[arg-type]


def test_operands_that_are_gates_lie_in_banks_of_their_own() -> None:
    """i, g, c, f of 3 units and 2 sequences: three banks of gates, numbered, beside that of c; 4 values a step."""
    gate, c = region(3, bank=GATE_BANKS), region(3, bank=C_BANK)
    op = CellUpdate(unit="elementwise", label="c", input_gate=gate, forget_gate=gate, candidate=gate, target=c)
    found = elementwise(4).read_streams(op)
    banks = [("state_buffer", GATE_BANKS, number) for number in "012"]
    assert [stream.bank for stream in found] == [*banks[:2], ("state_buffer", C_BANK), banks[2]]
    assert all(by_step(stream) == {0: 4, 1: 2} for stream in found)


@pytest.mark.parametrize(
    ("lanes", "weights"), [(1, {0: 1, 4: 1, 8: 1}), (2, {0: 1, 2: 1, 4: 1}), (4, {0: 2, 2: 1}), (6, {0: 3})]
)
def test_weights_of_a_normalization_are_read_in_its_last_pass(lanes: int, weights: dict[int, int]) -> None:
    """Integers, two additions a value in both passes: 3 units of 2 sequences, each weight for both.

    The last pass begins when as many steps are left as it has; sums are read in each of the passes.
    """
    sums, gamma = region(3), region(3, width=1, memory="weight_sram")
    op = Normalize(unit="elementwise", label="n", target=sums, sums=sums, weights=gamma, bias=None)
    unit = elementwise(lanes)
    begin = unit.compute_cycles(op) - 2 * -(-6 // lanes)
    assert begin == op.last_pass(lanes, 1)[0] > 2 * -(-6 // lanes)
    *of_sums, of_weights = unit.read_streams(op)
    assert len(of_sums) == 2
    assert {step - begin: count for step, count in by_step(of_weights).items()} == weights
    (written,) = unit.write_streams(op)
    each = {begin + 2 * step: min(lanes, 6 - lanes * step) for step in range(-(-6 // lanes))}
    assert by_step(written) == each
