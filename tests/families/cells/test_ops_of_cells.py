"""Which ops follow the sums of a cell, on which units, over which rows: 4 hidden units on 16 rows, by hand."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.cells.activation import Activate
from archsim.families.cells.elementwise import ElementwiseOp
from archsim.families.cells.lstm_ops import Peephole
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.program.ir import Op, PhaseKind
from archsim.workload import load_workload
from tests.float_machines import FLOAT_16X16


def ops_of(workload: str, *fields: str, sets: tuple[str, ...] = (), schedule: str = "fused") -> list[Op]:
    """The activations and element-wise ops of a step."""
    config = load_arch(FLOAT_16X16, [parse_override(text) for text in sets]).config
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    body = find_schedule(schedule).build(spec, config).phase(PhaseKind.BODY)
    return [op for op in body.ops if isinstance(op, Activate | ElementwiseOp)]


PLAIN = ["sigmoid_ifo[0]", "tanh_g[0]", "cell[0]", "tanh_c[0]", "hidden[0]"]


@pytest.mark.parametrize(
    ("fields", "labels"),
    [
        ((), PLAIN),
        (("input_forget=true",), PLAIN),
        (("proj_size=2",), [*PLAIN, "project[0]"]),
        # o sees the new c: its peephole and its activation come behind it.
        (
            ("peepholes=true",),
            [
                *("peephole_i[0]", "peephole_f[0]", "sigmoid_if[0]", "tanh_g[0]", "cell[0]"),
                *("peephole_o[0]", "sigmoid_o[0]", "tanh_c[0]", "hidden[0]"),
            ],
        ),
    ],
)
def test_ops_behind_the_sums_of_an_lstm(fields: tuple[str, ...], labels: list[str]) -> None:
    """Gates that stand side by side and have the same function are one op."""
    assert [op.label for op in ops_of("lstm:3,4,t=2", *fields)] == labels


def test_rows_of_gates() -> None:
    """i, f and o are rows 0 to 12 of the sums, g 12 to 16; so are the gates kept."""
    sigmoid, tanh = (op for op in ops_of("lstm:3,4,t=2") if isinstance(op, Activate) and op.gates)
    for op, start, stop in ((sigmoid, 0, 12), (tanh, 12, 16)):
        assert (op.source.start, op.source.stop, op.target.start, op.target.stop) == (start, stop, start, stop)
    assert [(rows.gate, rows.first_unit, rows.units) for rows in sigmoid.gates] == [
        ("i", 0, 4),
        ("f", 0, 4),
        ("o", 0, 4),
    ]


def test_peephole_weights_of_each_gate() -> None:
    """Those of i, f and o follow each other; a second group has the units behind those of the first."""
    found = {op.label: op.weights for op in ops_of("lstm:3,6,t=2", "peepholes=true") if isinstance(op, Peephole)}
    starts = {label: (region.start, region.stop) for label, region in found.items()}
    assert starts == {
        "peephole_i[0]": (0, 4),
        "peephole_i[1]": (4, 6),
        "peephole_f[0]": (6, 10),
        "peephole_f[1]": (10, 12),
        "peephole_o[0]": (12, 16),
        "peephole_o[1]": (16, 18),
    }


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (2, {"sigmoid_i[0]": 0, "sigmoid_fo[0]": 1, "tanh_g[0]": 1, "tanh_c[0]": 1}),
        (3, {"sigmoid_i[0]": 0, "sigmoid_f[0]": 1, "sigmoid_o[0]": 2, "tanh_g[0]": 2, "tanh_c[0]": 2}),
        (4, {"sigmoid_i[0]": 0, "sigmoid_f[0]": 1, "sigmoid_o[0]": 3, "tanh_g[0]": 2, "tanh_c[0]": 3}),
    ],
)
def test_gates_on_units_of_their_own(units: int, expected: dict[str, int]) -> None:
    """i, f, g and o go to units 0, 1, 2 and 3, as far as there are some; tanh(c) to the last."""
    found = ops_of("lstm:3,4,t=2", sets=(f"activation.units={units}", "elementwise.units=2"))
    names = {op.label: op.unit for op in found}
    for label, number in expected.items():
        assert names.pop(label) == (f"activation_{number}" if number else "activation")
    assert names == {"cell[0]": "elementwise", "hidden[0]": "elementwise_1"}


def test_ops_behind_the_sums_of_a_gru() -> None:
    """r and z are rows 4 to 12, between the candidate's of x and of h, which are joined once r is there."""
    found = {op.label: op for op in ops_of("gru:3,4,t=2")}
    assert list(found)[:3] == ["sigmoid_rz[0]", "reset[0]", "tanh_n[0]"]
    assert len(found) == 4
    gates, reset = found["sigmoid_rz[0]"], found["reset[0]"]
    assert isinstance(gates, Activate)
    assert (gates.source.start, gates.source.stop) == (4, 12)
    assert [(region.start, region.stop) for region in reset.reads[1:3]] == [(0, 4), (12, 16)]
    apart = {op.label: op.unit for op in ops_of("gru:3,4,t=2", sets=("activation.units=3",))}
    assert (apart["sigmoid_r[0]"], apart["sigmoid_z[0]"], apart["tanh_n[0]"]) == (
        "activation",
        "activation_1",
        "activation_2",
    )


def test_a_gru_that_resets_before_the_product() -> None:
    """r and z in a group, of 4 hidden units on 16 rows; the candidate in another, once r * h is there."""
    labels = [op.label for op in ops_of("gru:3,4,t=2", "linear_before_reset=false")]
    assert labels[:4] == ["sigmoid_r[0]", "sigmoid_z[0]", "reset[0]", "tanh_n[1]"]
    assert len(labels) == 5


def test_rows_of_a_gru_that_resets_before_the_product() -> None:
    """H = 10: r and z of 8 units, then of 2, whose old h is reset into a vector."""
    found = {op.label: op for op in ops_of("gru:3,10,t=2", "linear_before_reset=false")}
    for label, first, count in (("sigmoid_r[0]", 0, 8), ("sigmoid_r[1]", 8, 2), ("sigmoid_z[1]", 8, 2)):
        op = found[label]
        assert isinstance(op, Activate)
        assert [(rows.gate, rows.first_unit, rows.units) for rows in op.gates] == [(label[8], first, count)]
    for label, start, stop in (("reset[0]", 0, 8), ("reset[1]", 8, 10)):
        _, hidden = found[label].reads
        (target,) = found[label].writes
        assert (hidden.buffer.name, hidden.start, hidden.stop) == ("h", start, stop)
        assert (hidden.offset, hidden.stride) == (0, 1)
        assert (target.buffer.name, target.start, target.stop) == ("vector", start, stop)


def test_an_rnn_is_its_function() -> None:
    (op,) = ops_of("rnn:3,4,t=2", "nonlinearity=relu")
    assert op.label == "relu_h[0]"


def test_a_clip_bounds_gates_alone() -> None:
    """Not tanh(c), and not what is projected."""
    found = [op for op in ops_of("lstm:3,4,t=2", "clip=2.0", "proj_size=2") if isinstance(op, Activate)]
    assert {op.label: op.clip for op in found} == {
        "sigmoid_ifo[0]": 2.0,
        "tanh_g[0]": 2.0,
        "tanh_c[0]": None,
        "project[0]": None,
    }


def test_late_biases_of_each_op() -> None:
    """Of the rows of its gates, in the order of the groups: 16 of the first one, then 8."""
    found = ops_of("lstm:3,6,t=2", sets=("activation.adds_bias=true",))
    biases = {op.label: op.bias for op in found if isinstance(op, Activate) and op.bias is not None}
    assert {label: (region.start, region.stop) for label, region in biases.items()} == {
        "sigmoid_ifo[0]": (0, 12),
        "tanh_g[0]": (12, 16),
        "sigmoid_ifo[1]": (16, 22),
        "tanh_g[1]": (22, 24),
    }


def places(ops: list[Op]) -> dict[str, tuple[int, int, int]]:
    """Where each activation of gates leaves its results: entries, and the slot in a first step."""
    found = {op.label: op.target for op in ops if isinstance(op, Activate) and op.gates}
    return {label: (region.start, region.stop, region.offset) for label, region in found.items()}


def test_where_gates_of_a_gru_are_kept() -> None:
    """H = 6: 4 units, then 2, whose r, z and n follow each other in a slot of their own.

    With the reset before the product, or gate by gate, all are kept: 6 of r, 6 of z, 6 of n.
    """
    assert places(ops_of("gru:3,6,t=2")) == {
        "sigmoid_rz[0]": (0, 8, 0),
        "tanh_n[0]": (8, 12, 0),
        "sigmoid_rz[1]": (0, 4, 1),
        "tanh_n[1]": (4, 6, 1),
    }
    kept = {"sigmoid_r[0]": (0, 6, 0), "sigmoid_z[0]": (6, 12, 0), "tanh_n[1]": (12, 18, 0)}
    assert places(ops_of("gru:3,6,t=2", "linear_before_reset=false")) == kept
    by_gate = {"sigmoid_r[0]": (0, 6, 0), "sigmoid_z[1]": (6, 12, 0), "tanh_n[2]": (12, 18, 0)}
    assert places(ops_of("gru:3,6,t=2", schedule="fused_gate_major")) == by_gate


def test_where_gates_of_an_lstm_are_kept() -> None:
    """H = 6: i, f, o and g of 4 units, then of 2, in slots of their own. Gate by gate 6 of i, f, g and o, as torch has
    them."""
    assert places(ops_of("lstm:3,6,t=2")) == {
        "sigmoid_ifo[0]": (0, 12, 0),
        "tanh_g[0]": (12, 16, 0),
        "sigmoid_ifo[1]": (0, 6, 1),
        "tanh_g[1]": (6, 8, 1),
    }
    assert places(ops_of("lstm:3,6,t=2", schedule="fused_gate_major")) == {
        "sigmoid_i[0]": (0, 6, 0),
        "sigmoid_f[1]": (6, 12, 0),
        "tanh_g[2]": (12, 18, 0),
        "sigmoid_o[3]": (18, 24, 0),
    }


@pytest.mark.parametrize(
    ("workload", "fields", "sizes"),
    [
        ("lstm:3,4,t=2,b=2", ("peepholes=true",), {"bias": (16, 1), "peephole": (12, 1), "h": (4, 2), "c": (4, 2)}),
        ("lstm:3,4,t=2,b=2", ("layer_norm=true",), {"bias": (16, 1), "layer_norm": (16, 1), "peephole": None}),
        ("lstm:3,4,t=2,b=2", ("proj_size=2",), {"vector": (4, 2), "h": (2, 2), "c": (4, 2), "layer_norm": None}),
        ("lstm:3,4,t=2,b=2", ("bias=false",), {"bias": None, "vector": None, "tanh_c": (4, 2)}),
        ("gru:3,4,t=2,b=2", (), {"bias": (16, 1), "vector": None, "c": None, "candidate": (4, 2)}),
        ("gru:3,4,t=2,b=2", ("linear_before_reset=false",), {"bias": (12, 1), "vector": (4, 2), "candidate": None}),
        ("rnn:3,4,t=2,b=2", (), {"bias": (4, 1), "gates": None, "c": None, "h": (4, 2)}),
    ],
)
def test_what_a_cell_keeps(workload: str, fields: tuple[str, ...], sizes: dict[str, tuple[int, int] | None]) -> None:
    """Entries and width: 1 of weights and biases, else the sequences; None of what there is not.

    Weights of peepholes for three gates, of a normalization for four; a GRU's fourth bias is b_hn.
    """
    config = load_arch(FLOAT_16X16).config
    spec = load_workload(workload, [parse_override(field) for field in fields]).spec
    buffers = {buffer.name: buffer for buffer in find_schedule("fused").build(spec, config).buffers}
    outside = {"bias", "peephole", "layer_norm"}
    for name, size in sizes.items():
        for label in (name, f"dram.{name}") if name in outside else (name,):
            found = buffers.get(label)
            assert (None if found is None else (found.entries, found.width)) == size, label
