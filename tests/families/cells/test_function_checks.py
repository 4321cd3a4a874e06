"""What an activation unit is asked for and cannot do, and the settings with which it could."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import ArchError
from archsim.families.cells.function_checks import check_functions
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.float_machines import FLOAT_16X16

INTEGERS = ("formats=q4.12", "activation.method=table")


def checked(workload: str, fields: tuple[str, ...], *sets: str) -> str | None:
    """What is said of a network on a machine; None if it can run."""
    config = load_arch(FLOAT_16X16, [parse_override(text) for text in sets]).config
    assert isinstance(config, GemvConfig)
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    try:
        check_functions(spec, config.activation, config.formats)
    except ArchError as error:
        return str(error)
    return None


LATE = "activation.adds_bias=true"


@pytest.mark.parametrize(
    ("workload", "fields", "why"),
    [
        ("lstm:3,4", (), None),
        ("lstm:3,4", ("peepholes=true",), "peepholes are added before it"),
        ("lstm:3,4", ("peepholes=true", "bias=false"), None),
        ("gru:3,4", (), "a GRU resets its candidate's product before it"),
        ("gru:3,4", ("bias=false",), None),
        ("gru:3,4", ("linear_before_reset=false",), None),
        ("rnn:3,4", (), None),
    ],
)
def test_a_bias_in_front_of_the_function(workload: str, fields: tuple[str, ...], why: str | None) -> None:
    """It comes too late for what is done to the sums before; where there is none, nothing does."""
    found = checked(workload, fields, LATE)
    if why is None:
        assert found is None
    else:
        assert found is not None
        assert found.endswith(f"activation.adds_bias: a bias in front of the function comes too late here: {why}")
    assert checked(workload, fields) is None, "the accumulators begin with it"


def test_functions_that_a_method_does_not_stand_for() -> None:
    fields = ("activations=[{name: softsign}, {name: tanh}, {name: elu}]",)
    found = checked("lstm:3,4", fields, "activation.method=polynomial")
    assert found is not None
    assert found.endswith("activation.method: polynomial stands for sigmoid and tanh; the workload needs elu, softsign")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ((), None),
        (INTEGERS, None),
        # 16 bits are the most that integer sums may have.
        ((*INTEGERS, "formats.gate=q4.12"), None),
        (
            (*INTEGERS, "formats.gate=q5.12"),
            "formats: layer normalization has integer sums of at most 16 bits, not formats.gate q5.12; what runs it: "
            "--set formats.gate=q4.12",
        ),
        (
            (*INTEGERS, "formats.cell=float32"),
            "formats: layer normalization takes integers alone or real numbers alone, not formats.gate q4.12 and "
            "formats.accumulator q4.12 beside formats.cell float32; what runs it: --set formats=float32 --set "
            "activation.method=polynomial",
        ),
        (
            (LATE,),
            "activation.adds_bias: layer normalization adds the bias itself, in the element-wise unit, not in front of "
            "the function; what runs it: --set activation.adds_bias=false",
        ),
        (
            (*INTEGERS, "formats.gate=q5.12", LATE),
            "formats: layer normalization has integer sums of at most 16 bits, not formats.gate q5.12 and adds the "
            "bias itself, in the element-wise unit, not in front of the function; what runs it: --set "
            "formats.gate=q4.12 --set activation.adds_bias=false",
        ),
    ],
)
def test_formats_in_which_sums_are_normalized(sets: tuple[str, ...], said: str | None) -> None:
    """Gates' sums, biases and gamma are all integers or all real numbers."""
    found = checked("lstm:3,4", ("layer_norm=true",), *sets)
    if said is None:
        assert found is None
    else:
        assert found is not None
        assert found.endswith(said)
