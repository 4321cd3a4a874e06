"""What the activation unit and the element-wise unit switch and are built of, op by op."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest

from archsim.config import parse_override
from archsim.families.cells.activation import Activate, Activation, ActivationConfig
from archsim.families.cells.elementwise import Elementwise, ElementwiseConfig, ElementwiseOp
from archsim.families.cells.gru_ops import CandidateSum, GruUpdate, ResetHidden
from archsim.families.cells.lstm_ops import CellUpdate, HiddenUpdate, Peephole
from archsim.families.cells.merge import MergeProduct, MergeSum
from archsim.families.cells.normalize import Normalize
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.formats import NumberFormat, parse_format
from archsim.hardware.operators import REGISTER_BIT, Tally, Width, adder, integer_adder, multiplier, times
from archsim.hardware.unit import Work
from archsim.program.ir import Buffer, DataKind, Region
from archsim.workload import FunctionSpec
from tests.float_machines import FLOAT_16X16

GATE, STATE = parse_format("q1.15"), parse_format("q4.8")
"""Of 16 and of 12 bits."""
UNITS, SEQUENCES = 3, 2
WORD, TWELVE, WHOLE = Width(16, floating=False), Width(12, floating=False), Width(28, floating=False)
RESCALING = Width(31, floating=False)


def region(held: NumberFormat, name: str = "n", width: int = SEQUENCES) -> Region:
    return Region(Buffer(name, "state_buffer", DataKind.GATE, UNITS, width, held), 0, UNITS)


def unit(formats: str = "{all: q4.8, activation: q1.15}", lanes: int = 5) -> Elementwise:
    config = load_arch(FLOAT_16X16, [parse_override(f"formats={formats}")]).config
    assert isinstance(config, GemvConfig)
    return Elementwise(
        ElementwiseConfig(lanes=lanes, cell_latency_cycles=3, hidden_latency_cycles=2), {}, config.formats
    )


def ops_of(state: NumberFormat) -> dict[str, ElementwiseOp]:
    """Every op, with gates of 16 bits and the rest in another format."""
    gate, held = region(GATE), region(state)
    of = {"unit": "elementwise", "label": "op", "target": held}
    return {
        "cell": CellUpdate(**of, input_gate=gate, forget_gate=gate, candidate=gate),  # type: ignore[arg-type]
        "coupled": CellUpdate(**of, input_gate=gate, forget_gate=None, candidate=gate),  # type: ignore[arg-type]
        "hidden": HiddenUpdate(**of, output_gate=gate, tanh_cell=gate),  # type: ignore[arg-type]
        "peephole": Peephole(**of, weights=held, cell=held),  # type: ignore[arg-type]
        "candidate": CandidateSum(**of, reset_gate=gate, input_part=held, hidden_part=held),  # type: ignore[arg-type]
        "reset": ResetHidden(**of, reset_gate=gate, hidden=held),  # type: ignore[arg-type]
        "gru": GruUpdate(**of, update_gate=gate, candidate=gate, old=held),  # type: ignore[arg-type]
        "sum": MergeSum(**of, forward=held, backward=held, weight=0.5),  # type: ignore[arg-type]
        "product": MergeProduct(**of, forward=held, backward=held),  # type: ignore[arg-type]
    }


SWITCHED = {
    # products of two gates, of a gate and a state, of two states; additions; stages
    "cell": (1, 1, 0, 1, 3),
    "coupled": (1, 1, 0, 2, 3),
    "hidden": (1, 0, 0, 0, 2),
    "peephole": (0, 0, 1, 1, 3),
    "candidate": (0, 1, 0, 1, 3),
    "reset": (0, 1, 0, 0, 2),
    "gru": (1, 1, 0, 2, 3),
    "sum": (0, 0, 0, 1, 3),
    "product": (0, 0, 1, 0, 2),
}


@pytest.mark.parametrize("name", SWITCHED)
def test_what_an_op_switches_for_each_of_its_six_values(name: str) -> None:
    """f c + i g, (1 - i) c + i g, o tanh(c), s + p c, x + r h, r h, (1 - z) n + z h, f + b, f b: a multiplier for each
    product, an adder of 12 bits for each sum and difference, and registers of 12 bits, 3 deep or, of one product, 2.
    """
    gates, mixed, states, additions, stages = SWITCHED[name]
    one: Tally = Counter(
        {
            multiplier(WORD, WORD): gates,
            multiplier(WORD, TWELVE): mixed,
            multiplier(TWELVE, TWELVE): states,
            integer_adder(12): additions,
            REGISTER_BIT: 12 * stages,
        }
    )
    op = ops_of(STATE)[name]
    assert unit().tally(op) == +times(one, UNITS * SEQUENCES)
    assert unit(lanes=5).work(op) == Work(UNITS * SEQUENCES, Fraction(5))
    assert unit().depth_cycles(op) == stages


@pytest.mark.parametrize(("name", "products", "alone"), [("gru", 2, 0), ("hidden", 1, 0), ("sum", 0, 2)])
def test_a_scale_that_is_no_power_of_two_takes_a_product_more(name: str, products: int, alone: int) -> None:
    """For each product its code of 28 or 32 bits times 31; both values of a sum are brought to the target's scale."""
    scaled = parse_format("int12")
    found = unit().tally(ops_of(scaled)[name])
    rescaled = Counter(
        {
            operator: number
            for operator, number in found.items()
            if RESCALING.bits in (operator.bits, operator.other_bits)
        }
    )
    assert sum(rescaled.values()) == 6 * (products + alone)
    assert not any(operator.floating for operator in found)
    powers = unit().tally(ops_of(parse_format("int12/power_of_two"))[name])
    assert sum(found.values()) - sum(powers.values()) == 6 * (products + alone)


def test_what_a_normalization_switches() -> None:
    """Integers: the sum and squares, then deviation and bias: 4 additions and 3 products a value, 25 a sequence: two
    means, two of the variance, and 5 steps of 4 with one more. Real numbers: 5 additions, and 2 + 3 x 3 products."""
    for held, additions, products in ((STATE, 4, 2 + 2 + 5 * 4 + 1), (parse_format("float32"), 5, 2 + 3 * 3)):
        sums, gamma = region(held), region(held, "gamma", 1)
        op = Normalize(unit="elementwise", label="n", target=sums, sums=sums, weights=gamma, bias=gamma)
        width = Width(24, floating=True) if held.name == "float32" else TWELVE
        found = unit().tally(op)
        assert found[multiplier(width, width)] == 6 * 3 + SEQUENCES * products
        assert found[adder(width)] == 6 * additions
        assert unit().work(op).items == 6 * additions


def test_what_a_lane_of_the_element_wise_unit_is_built_of() -> None:
    """Two multipliers of a gate and the widest of what it is multiplied with, an adder, and the deeper pipeline's
    registers; where a product's scale is no power of two, a rescaling of each product of 16 + 20 bits."""
    sets = "{all: q4.8, activation: q1.15, hidden: q4.12, cell: q8.12}"
    twenty = Width(20, floating=False)
    lane = {multiplier(WORD, twenty): 2, integer_adder(20): 1, REGISTER_BIT: 3 * 20}
    assert unit(sets).inventory() == {operator: 5 * number for operator, number in lane.items()}
    scaled = "{all: int16, activation: q1.15, accumulator: int32, cell: int20}"
    found = unit(scaled).inventory()
    assert found[multiplier(Width(36, floating=False), RESCALING)] == 2 * 5
    assert found[REGISTER_BIT] == 5 * 3 * 20


def activation(*, adds_bias: bool = False, latency: int | None = 4) -> Activation:
    config = load_arch(FLOAT_16X16, [parse_override("formats={all: q4.8, activation: q1.15}")]).config
    assert isinstance(config, GemvConfig)
    fields = {"lanes": 4, "method": "table", "table": {"entries": 64, "span": 4}, "adds_bias": adds_bias}
    return Activation(ActivationConfig.model_validate({**fields, "latency_cycles": latency}), {}, config.formats)


@pytest.mark.parametrize("biased", [False, True])
def test_what_the_activation_unit_switches(biased: bool) -> None:
    """For each of 6 values an evaluation and registers of 16 bits in 4 stages; a late bias takes an adder of 12."""
    bias = region(STATE, "bias", 1) if biased else None
    op = Activate(unit="activation", label="a", function=FunctionSpec("tanh"), source=region(STATE),
                  target=region(GATE), bias=bias)  # fmt: skip
    one = activation()
    evaluation = one.method.evaluation(op.function, GATE)
    expected = times(evaluation, 6) + Counter({REGISTER_BIT: 6 * 16 * 4})
    if biased:
        expected += Counter({integer_adder(12): 6})
    assert one.tally(op) == expected
    assert (one.compute_cycles(op), one.depth_cycles(op), one.work(op).items) == (2, 4, 6)


def test_what_the_activation_unit_is_built_of() -> None:
    """Four lanes of the method, each with registers, and with an adder of 12 bits if it adds biases."""
    lane = activation().method.resources(GATE).inventory + Counter({REGISTER_BIT: 16 * 4})
    assert activation().inventory() == times(lane, 4)
    assert activation(adds_bias=True).inventory() == times(lane, 4) + Counter({integer_adder(12): 4})
    assert activation(latency=0).inventory()[REGISTER_BIT] == 0


def test_which_of_several_units_takes_a_gate() -> None:
    """Gate k goes to unit k; what is behind the last unit, and what is no gate, to the last one."""
    for units, names in ((1, ["activation"] * 4), (3, ["activation", "activation_1", "activation_2", "activation_2"])):
        config = ActivationConfig.model_validate({"lanes": 1, "latency_cycles": 1, "units": units})
        assert [config.unit(gate) for gate in range(4)] == names
        assert config.unit(None) == names[-1]


def test_which_of_two_units_does_the_hidden_update() -> None:
    for units, name in ((1, "elementwise"), (2, "elementwise_1")):
        config = ElementwiseConfig(lanes=1, cell_latency_cycles=1, hidden_latency_cycles=1, units=units)
        assert (config.state_unit, config.hidden_unit) == ("elementwise", name)
