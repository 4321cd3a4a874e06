"""x beside h, several units of a kind, the bias behind the trees: service times and places worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from archsim.errors import ArchError
from archsim.families.cells.activation import Activate
from archsim.families.gemv.array.mac_tiles import MacTile
from archsim.families.registry import build_units
from archsim.families.schedules import find_schedule
from archsim.formats import Encoding, Fixed, Float32, NumberFormat, parse_format
from archsim.hardware.numerics import Numerics
from archsim.hardware.unit import Service
from archsim.program.ir import Buffer, DataKind, Op, Region
from archsim.workload import CellKind, CellSpec, FunctionSpec, NetworkSpec, load_workload
from tests.engines.events.by_hand import hand_machine

WIDE = ("weight_sram.port_bits=1048576", "input_buffer.port_bits=1048576", "state_buffer.port_bits=1048576")


def region(
    memory: str, entries: int, width: int = 1, kind: DataKind = DataKind.GATE, number_format: NumberFormat | None = None
) -> Region:
    buffer = Buffer(f"{kind}", memory, kind, entries, width, number_format or Float32(), format_kind="gate")
    return Region(buffer, 0, entries)


def tile(x: int, h: int, batch: int = 1) -> MacTile:
    """Two rows of W_ih x and W_hh h; without either if its size is 0."""
    parts = [(x, DataKind.W_IH, "input_buffer", DataKind.X), (h, DataKind.W_HH, "state_buffer", DataKind.H)]
    given = [part for part in parts if part[0]]
    return MacTile(
        unit="mac_array",
        label="tile",
        weights=tuple(region("weight_sram", 2, k, matrix) for k, matrix, _, _ in given),
        vectors=tuple(region(memory, k, batch, kind) for k, _, memory, kind in given),
        sums=region("accumulators", 2, batch),
        start=True,
    )


def service(op: Op, *overrides: str) -> Service:
    return build_units(hand_machine(*overrides).config)[op.unit].cycles(op)


@pytest.mark.parametrize(
    ("x", "h", "chunks"),
    [
        (3, 2, 1),  # 3 columns of x, 2 of h
        (4, 2, 2),  # x takes two chunks, h waits for nothing
        (3, 3, 2),
        (9, 5, 3),  # max(9 / 3, 5 / 2 = 3)
        (9, 0, 3),  # x alone: the columns of h are idle
        (0, 5, 3),
    ],
)
def test_chunks_of_the_longer_part(x: int, h: int, chunks: int) -> None:
    overrides = ("mac_array.columns=5", "mac_array.x_columns=3", *WIDE)
    assert service(tile(x, h), *overrides).compute_cycles == chunks
    assert service(tile(x, h, batch=4), *overrides).compute_cycles == 4 * chunks


@pytest.mark.parametrize(
    ("columns", "x_columns", "depth"),
    [
        (164, 100, 1 + 1 + (7 + 1) * 2 + 1),  # read, multiplier, 7 levels of 100 inputs and the adder that joins
        (164, 64, 1 + 1 + (7 + 1) * 2 + 1),  # the deeper tree counts: 100 of h
        (2, 1, 1 + 1 + (0 + 1) * 2 + 1),  # no trees, only the joining adder
        (5, 3, 1 + 1 + (2 + 1) * 2 + 1),
    ],
)
def test_the_deeper_tree_and_the_adder_that_joins(columns: int, x_columns: int, depth: int) -> None:
    overrides = (f"mac_array.columns={columns}", f"mac_array.x_columns={x_columns}", "mac_array.adder_latency_cycles=2")
    assert service(tile(3, 2), *overrides, "formats=q4.12").depth_cycles == depth


def test_each_part_rounds_on_its_own_and_then_both_are_added() -> None:
    """Accumulators in q4.0, x and h parts 0.5 * 1: apart each is rounded to 0 (ties to even), in one sum they are 1."""
    halves = parse_format("q4.1")
    whole = parse_format("q4.0")
    assert isinstance(halves, Fixed)
    names = (DataKind.W_IH, DataKind.W_HH, DataKind.X, DataKind.H)
    encodings = {str(name): Encoding(halves, 0.5) for name in names}
    for columns, expected in ((("mac_array.columns=2", "mac_array.x_columns=1"), 0), (("mac_array.columns=2",), 1)):
        formats = "formats=q4.1", "formats.accumulator=q4.0", "formats.gate=q4.0"
        unit = build_units(hand_machine(*columns, *formats).config)["mac_array"]
        op = MacTile(
            unit="mac_array",
            label="tile",
            weights=tuple(region("weight_sram", 1, 1, k, halves) for k in (DataKind.W_IH, DataKind.W_HH)),
            vectors=tuple(region("state_buffer", 1, 1, k, halves) for k in (DataKind.X, DataKind.H)),
            sums=region("accumulators", 1, 1, DataKind.PARTIAL_SUM, whole),
            start=True,
        )
        half, one = np.array([[1]], np.int16), np.array([[2]], np.int16)
        (sums,) = unit.kernel(op, Numerics(encodings)).effect([half, half, one, one])
        assert sums.tolist() == [[expected]]


def test_a_late_bias_takes_no_cycle_and_no_port() -> None:
    """Six values on one lane: 6 cycles, which the bias's 6 * 32 bits through a port of 64 (3 cycles) do not lengthen;
    nor do those of 40 on 40 lanes, which write 1,280 bits through a port of 1,280. 192 bits through 128 are 2 beats."""
    for values, lanes, state in ((6, 1, 128), (40, 40, 1280)):
        op = Activate(
            unit="activation",
            label="gate",
            function=FunctionSpec("sigmoid"),
            source=region("accumulators", values),
            target=region("state_buffer", values),
            bias=region("weight_sram", values, kind=DataKind.BIAS),
        )
        narrow = ("weight_sram.banks=1", "weight_sram.port_bits=32")
        found = service(op, f"activation.lanes={lanes}", f"state_buffer.port_bits={state}", *narrow)
        beats = -(-values * 32 // state)
        assert found == Service(values // lanes, beats, 2, write_cycles=beats)


@pytest.mark.parametrize("bias", [3, 100, -100])
def test_a_late_bias_is_added_in_the_sums_format(bias: int) -> None:
    """q8.0 sums of 40: 43; 140 saturates at 127; -60. relu shows the sum, or 0."""
    q = parse_format("q8.0")
    op = Activate(
        unit="activation",
        label="gate",
        function=FunctionSpec("relu"),
        source=region("accumulators", 1, 1, DataKind.PARTIAL_SUM, q),
        target=region("state_buffer", 1, 1, DataKind.GATE, q),
        bias=region("weight_sram", 1, 1, DataKind.BIAS, q),
    )
    unit = build_units(hand_machine("formats=q8.0").config)["activation"]
    numerics = Numerics()
    (result,) = unit.kernel(op, numerics).effect([np.array([[40]], np.int8), np.array([[bias]], np.int8)])
    assert result.tolist() == [[{3: 43, 100: 127, -100: 0}[bias]]]
    assert numerics.overflows.overflowed.get("gate", 0) == (bias == 100)


@pytest.mark.parametrize(
    ("units", "places"),
    [
        (1, {"i": "", "f": "", "g": "", "o": "", "c": ""}),
        (2, {"i": "", "f": "_1", "g": "_1", "o": "_1", "c": "_1"}),
        (4, {"i": "", "f": "_1", "g": "_2", "o": "_3", "c": "_3"}),
        (5, {"i": "", "f": "_1", "g": "_2", "o": "_3", "c": "_4"}),
    ],
)
def test_where_gates_go(units: int, places: dict[str, str]) -> None:
    """Gate k to unit min(k, n - 1), tanh(c) to the last; those of one unit that stand side by side are one op."""
    arch = hand_machine(f"activation.units={units}", "mac_array.rows=4").config
    assert [name for name in build_units(arch) if name.startswith("activation")] == [
        "activation" + (f"_{n}" if n else "") for n in range(units)
    ]
    program = find_schedule("fused").build(load_workload("lstm:3,2,t=2").spec, arch)
    found = {}
    for op in program.phases[1].ops:
        if isinstance(op, Activate) and op.label.endswith("[0]"):
            for gate in [rows.gate for rows in op.gates] or ["c"]:
                found[gate] = op.unit.removeprefix("activation")
    assert found == places


@pytest.mark.parametrize("options", [{"peepholes": True}, {"kind": CellKind.GRU, "functions": CellKind.GRU.functions}])
def test_a_late_bias_that_would_come_too_late_is_refused(
    options: dict[str, bool | CellKind | tuple[FunctionSpec, FunctionSpec]],
) -> None:
    cell = replace(CellSpec(CellKind.LSTM, 3, 2, CellKind.LSTM.functions), **options)  # type: ignore[arg-type]
    spec = NetworkSpec(((cell,),), 2, 1)
    with pytest.raises(ArchError, match=r"activation.adds_bias.*a bias in front of the function comes too late here"):
        find_schedule("fused").build(spec, hand_machine("activation.adds_bias=true").config)
    assert find_schedule("fused").build(spec, hand_machine().config)


def test_x_needs_to_leave_columns_to_h() -> None:
    with pytest.raises(ArchError, match=r"x_columns 2: of 2 columns, at least one must multiply h"):
        hand_machine("mac_array.x_columns=2")
