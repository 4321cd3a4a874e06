"""In integers and fixed point the machine, the untimed program and the integer reference agree in every bit.

Over whole runs: any machine, network and schedule in any formats in which all arithmetic is exact. What a single op
does at the limits of its formats is in test_units_bit_exact.py; that a disagreement would be noticed, in
test_format_mutations.py.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from archsim.api.verdict import judge
from archsim.engines.events.options import Jitter
from archsim.families.cells.normalize_integers import MOST_BITS
from archsim.families.load import Arch
from archsim.formats import Fixed, Formats, IntegerFormat, Scaled
from archsim.workload import CellKind, NetworkTensors
from tests.checking.exact_runs import (
    ONE_Q,
    TFLITE,
    TWO_Q,
    differing,
    drawn_tensors,
    reference_overflows,
    run_machine,
    run_reference,
    run_untimed,
    small_case,
)
from tests.checking.format_draws import ROUNDINGS, exact_cases, exact_formats
from tests.rings import every_value, examples, exhaustive, part
from tests.strategies import SCHEDULE_NAMES, Case, jitters, runs_as_wavefront, seeds, with_little_sram


def check(case: Case, tensors: NetworkTensors) -> dict[str, int]:
    """All three are the same; gives the machine's overflows by kind of data."""
    numbers = case.numbers(tensors)
    machine = run_machine(case, numbers)
    assert differing(machine.results(), run_untimed(case, numbers).results()) == []
    assert differing(machine.results(), run_reference(case, numbers)) == []
    return machine.overflows.overflowed


@settings(max_examples=examples(60))
@given(exact_cases(), seeds)
def test_machine_program_and_reference_agree(case: Case, seed: int) -> None:
    check(case, drawn_tensors(case, seed))


@settings(max_examples=examples(30))
@given(exact_cases(), seeds)
def test_also_where_gates_are_normalized(case: Case, seed: int) -> None:
    """In any formats whose sums have 16 bits at most, which is what is asked of them."""
    assume(case.workload.config.kind is CellKind.LSTM and case.config.formats.format("gate").bits <= MOST_BITS)
    changes = {"activation.adds_bias": False, "accumulators.entries": 4096}
    normalized = case.with_network(layer_norm=True).with_fields(changes)
    if "streamed" in case.schedule:
        normalized = with_little_sram(normalized, 0.5)
    check(normalized, drawn_tensors(normalized, seed))


@exhaustive
@settings(max_examples=examples(60))
@given(exact_cases(), seeds)
def test_overflows_are_those_of_the_reference(case: Case, seed: int) -> None:
    """In every kind of data, where both do the same work.

    The machine also multiplies forget rows that input_forget ignores, and the reference brings x into its range once
    for each direction. In a lane whose sequence has ended, both compute what nobody reads, each of its own numbers.
    """
    assume(case.spec.lengths is None)
    numbers = case.numbers(drawn_tensors(case, seed))
    machine = {kind: count for kind, count in run_machine(case, numbers).overflows.overflowed.items() if count}
    reference = reference_overflows(case, numbers)
    ignored = any(cell.input_forget for cell in case.spec.cells)
    if not ignored and all(len(layer) == 1 for layer in case.spec.layers):
        assert machine == reference
    once = reference.keys() - {"input"}
    assert all(machine.get(kind, 0) >= reference[kind] for kind in once)


@settings(max_examples=examples(15))
@given(exact_cases(), seeds, jitters())
def test_also_when_every_op_takes_a_random_time(case: Case, seed: int, jitter: Jitter) -> None:
    """At the machine's own queues, and with queues so deep that units run as far apart as the dependencies allow."""
    numbers = case.numbers(drawn_tensors(case, seed))
    want = run_reference(case, numbers)
    deep = replace(case.machine_spec(), queue_depth=10_000, issue_cycles=0)
    for spec in (case.machine_spec(), deep):
        assert differing(run_machine(case, numbers, jitter=jitter, machine_spec=spec).results(), want) == []


@exhaustive
def test_what_is_drawn() -> None:
    """The formats above come in every combination that has rules of its own."""
    seen = set()

    @settings(max_examples=300)
    @given(exact_formats())
    def look(names: dict[str, str]) -> None:
        formats = Formats.model_validate(names)
        assert formats.exact
        weight, x, h, accumulator = (formats.format(kind) for kind in ("weight", "input", "hidden", "accumulator"))
        integers = "".join("q" if isinstance(found, Fixed) else "i" for found in (weight, x, h, accumulator))
        seen.add(integers)
        seen.add((integers == "qqqi", formats.one_accumulation))  # type: ignore[arg-type]
        for kind, found in (("input", x), ("hidden", h)):
            seen.add((kind, isinstance(found, Scaled) and (found.asymmetric, found.power_of_two)))  # type: ignore[arg-type]
        seen.add(isinstance(weight, Scaled) and str(weight.granularity))  # type: ignore[arg-type]
        for kind in ("gate", "activation", "cell"):
            seen.add((kind, type(formats.format(kind))))  # type: ignore[arg-type]
        for kind in names:
            found = formats.format(kind)
            assert isinstance(found, IntegerFormat)
            seen.add((kind, str(found.rounding), found.wraps))  # type: ignore[arg-type]
        largest_chunk = 9 << (weight.bits + x.bits - 2)
        seen.add("beyond 62 bits" if largest_chunk > 2**62 else "below")
        seen.add("overflows at once" if accumulator.bits < weight.bits + x.bits - 2 else "does not")

    look()
    integers = {"".join(part) + "i" for part in product("qi", repeat=3)} | {"qqqq"}
    assert integers <= seen
    assert {(True, True), (True, False), (False, True), (False, False)} <= seen
    vectors = {
        (kind, options) for kind in ("input", "hidden") for options in [False, *product((False, True), repeat=2)]
    }
    assert vectors <= seen
    assert {"tensor", "gate", "row"} <= seen
    assert set(product(("gate", "activation", "cell"), (Fixed, Scaled))) <= seen
    assert set(product(ONE_Q, ROUNDINGS, (False, True))) <= seen
    assert {"beyond 62 bits", "overflows at once"} <= seen


LSTM, GRU, RNN = ({"kind": kind} for kind in (CellKind.LSTM, CellKind.GRU, CellKind.RNN))
NETWORKS: dict[str, dict[str, Any]] = {
    "lstm": LSTM,
    "lstm, projection": LSTM | {"proj_size": 2, "bias": False},
    "lstm, peepholes and clip": LSTM | {"peepholes": True, "clip": 0.7},
    "lstm, coupled gates": LSTM | {"input_forget": True, "peepholes": True, "proj_size": 2},
    "lstm, reverse and lengths": LSTM | {"reverse": True, "sequence_lens": (3, 1)},
    "lstm, both directions, two layers": LSTM | {"bidirectional": True, "sequence_lens": (2, 3), "num_layers": 2},
    "lstm, three layers": LSTM | {"num_layers": 3, "hidden_size": 3},
    "gru": GRU | {"sequence_lens": (2, 3)},
    "gru, reset before": GRU | {"linear_before_reset": False, "clip": 0.5},
    "gru, two layers": GRU | {"num_layers": 2, "bias": False},
    "rnn": RNN | {"nonlinearity": "relu", "clip": 1.0},
    "all kinds": LSTM | {"proj_size": 2, "next_layers": (GRU | {"hidden_size": 3}, RNN | {"hidden_size": 2})},
}
BY_ROW = {
    "weight": "int6/row/half_up",
    "input": "int7",
    "hidden": "int9/asymmetric/power_of_two",
    "accumulator": "int12",
    "gate": "int10/truncate",
    "activation": "int9/half_up",
    "cell": "int12",
}
Q_AND_INT = {
    "weight": "q1.6",
    "input": "int8/asymmetric",
    "hidden": "q1.7/half_up",
    "accumulator": "int13/wrap",
    "gate": "q5.5/truncate",
    "activation": "int8/power_of_two",
    "cell": "q3.7",
}
FORMATS = {"one q": ONE_Q, "two q": TWO_Q, "tflite": TFLITE, "by row": BY_ROW, "q and int": Q_AND_INT}


@every_value
@pytest.mark.parametrize("formats", FORMATS)
@pytest.mark.parametrize("name", NETWORKS)
def test_every_kind_in_every_schedule(name: str, formats: str) -> None:
    """The program is interpreted alone: that the machine does the same is above."""
    done = 0
    schedules = part(SCHEDULE_NAMES, list(NETWORKS).index(name) + list(FORMATS).index(formats))
    for schedule in schedules:
        case = small_case(schedule, FORMATS[formats], **NETWORKS[name])
        alone = len(case.spec.layers) == 1
        if schedule.endswith("wavefront") and (alone or not runs_as_wavefront(case.spec)):
            continue
        if "streamed" in schedule:
            case = with_little_sram(case, 0.5)
        numbers = case.numbers(drawn_tensors(case, 1))
        assert differing(run_untimed(case, numbers).results(), run_reference(case, numbers)) == [], schedule
        done += 1
    beside = name in ("lstm, three layers", "gru, two layers", "all kinds")
    assert done == sum(beside or not schedule.endswith("wavefront") for schedule in schedules)


@every_value
@pytest.mark.parametrize("wrap", ["", "/wrap"])
@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("formats", ["one q", "by row"])
def test_every_rounding_and_range(formats: str, rounding: str, wrap: str) -> None:
    """In all kinds at once, with so few bits that values overflow."""
    names = {}
    for kind, name in FORMATS[formats].items():
        plain = "/".join(part for part in name.split("/") if part not in ROUNDINGS)
        names[kind] = f"{plain}/{rounding}{wrap}"
    overflowed: set[str] = set()
    for fields in (LSTM, GRU):
        case = small_case("split_interleaved", names, **fields, steps=5)  # type: ignore[arg-type]
        overflowed |= check(case, drawn_tensors(case, 3)).keys()
    assert "accumulator" in overflowed


METHODS: dict[str, dict[str, Any]] = {
    "hard": {"method": "hard"},
    "nearest": {"method": "table"},
    "linear": {"method": "table", "table": {"entries": 8, "span": 4.0, "interpolation": "linear"}},
    "lines": {"method": "piecewise_linear", "piecewise_linear": {"segments": 5, "span": 4.0}},
}


@every_value
@pytest.mark.parametrize("address", [None, "q2.3/half_up/wrap", "q6.14"])
@pytest.mark.parametrize("method", METHODS)
def test_every_method(method: str, address: str | None) -> None:
    """Also for an RNN, where the activation gives h and its zero point, and with a table finer than its address."""
    fields = {f"activation.{name}": value for name, value in METHODS[method].items()}
    fields |= {"activation.address_format": address}
    hidden = {"hidden": "int7/asymmetric/half_up", "accumulator": "int20"}
    for formats, network in ((ONE_Q, LSTM | {"clip": 3.0}), (ONE_Q, GRU), (ONE_Q | hidden, RNN)):
        case = small_case("fused_interleaved", formats, fields, **network)
        check(case, drawn_tensors(case, 3))


@pytest.mark.parametrize("wrap", ["", "/wrap"])
def test_products_of_32_bits(wrap: str) -> None:
    """Sums of 12 products of up to 2^62, into an accumulator that keeps the last 48 bits, or its largest number."""
    wide = {"weight": "int32/row", "input": "int32", "hidden": "int32", "accumulator": f"int48{wrap}"}
    formats = ONE_Q | wide | {"gate": "int32", "activation": "int32", "cell": "int32"}
    case = small_case("fused_interleaved", formats, {"mac_array.columns": 12}, **LSTM | {"input_size": 12})
    tensors = drawn_tensors(case, 2)
    assert check(case, replace(tensors, x=np.sign(tensors.x)))["accumulator"] > 0


@pytest.mark.parametrize("formats", FORMATS)
def test_the_whole_flow_says_so(formats: str) -> None:
    """simulate and judge, on the workload's own numbers: every bit must agree, and does."""
    case = small_case("fused_interleaved", FORMATS[formats], **NETWORKS["all kinds"])
    verdict = judge(Arch("small", case.config), case.workload, case.schedule)
    assert verdict.passed
    assert verdict.tolerance == 0.0
    assert {check.reference for check in verdict.checks} == {"integer reference"}
    assert [check.name for check in verdict.checks] == ["output", "h_n", "c_n"]
