"""What there is no RTL of is said by name, each thing on its own; what is as far as it goes is taken."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.families.gemv.rtl.scope import check_scope
from archsim.families.load import load_arch
from archsim.families.registry import build_units
from archsim.families.rtl import RtlError, RtlSource
from archsim.families.schedules import build_program, find_schedule
from archsim.workload import load_workload
from archsim.workload.network import NetworkSpec

INTEGERS = ("formats=tflite_int8", "activation.method=table", "accumulators.entries=64", "activation.lanes=2")
ROOMY = ("weight_sram.capacity_bytes=64KiB", "input_buffer.capacity_bytes=4KiB", "state_buffer.capacity_bytes=16KiB")
DDR = ("dram_type=ddr4", "dram={kind: ddr, device: ddr4_3200, channels: 1, controller_latency_cycles: 4}")


def source_of(workload: str | NetworkSpec, *sets: str, schedule: str = "fused") -> RtlSource:
    """What RTL is made of, without numbers, of which the scope knows nothing."""
    config = load_arch("tiny_2x2", [parse_override(text) for text in (*INTEGERS, *ROOMY, *sets)]).config
    spec = load_workload(workload).spec if isinstance(workload, str) else workload
    program = build_program(find_schedule(schedule, "gemv"), spec, config)
    return RtlSource("it", program, config, build_units(config), spec, {}, {})


@pytest.mark.parametrize("workload", ["lstm:3,5,t=2,layers=2,proj=2", "gru:3,5,t=2,b=2", "rnn:3,5,t=2,bidirectional=1"])
@pytest.mark.parametrize("schedule", ["fused", "split", "ahead"])
def test_what_there_is_rtl_of(workload: str, schedule: str) -> None:
    check_scope(source_of(workload, schedule=schedule))


@pytest.mark.parametrize(
    ("sets", "reason"),
    [
        (DDR, "dram.kind ddr: simple alone"),
        (("weight_sram.ports=1RW",), "weight_sram.ports 1RW: 1R1W alone"),
        (("input_buffer.ports=1RW",), "input_buffer.ports 1RW: 1R1W alone"),
        (("activation.units=2",), "several activation or element-wise units"),
        (("elementwise.units=2",), "several activation or element-wise units"),
        (("activation.adds_bias=true",), "activation.adds_bias"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_option_of_a_machine(sets: tuple[str, ...], reason: str) -> None:
    with pytest.raises(RtlError, match="no RTL of ") as caught:
        check_scope(source_of("lstm:3,2,t=2", *sets))
    assert str(caught.value).startswith(f"no RTL of {reason}")


@pytest.mark.parametrize(("columns", "refused"), [(4, False), (5, True)])
def test_the_widest_sum_of_a_chunk(columns: int, refused: bool) -> None:
    """Weights of 28 bits, x of 29 and a bit for its zero point: 58; 4 columns add 2 levels, 60 bits, 5 add a third."""
    sets = ("formats.weight=int28", "formats.input=int29", "formats.hidden=int8", f"mac_array.columns={columns}")
    source = source_of("lstm:3,2,t=2", *sets, "input_buffer.port_bits=512", "state_buffer.port_bits=512")
    if refused:
        with pytest.raises(RtlError, match="no RTL of sums of a chunk of 61 bits: up to 60"):
            check_scope(source)
    else:
        check_scope(source)


def test_weights_that_are_streamed() -> None:
    """LSTM(3, 2): W_ih has 24 bytes in int8, W_hh 16, slots of a tile of 2 rows 6 and 4; biases lie elsewhere."""
    small = ("weight_sram.capacity_bytes=30",)
    with pytest.raises(RtlError, match="no RTL of streamed weights"):
        check_scope(source_of("lstm:3,2,t=2", *small, schedule="fused_streamed"))
    check_scope(source_of("lstm:3,2,t=2", schedule="fused_streamed"))


def test_layers_at_a_time() -> None:
    for workload in ("lstm:3,2,t=3,layers=2", "rnn:3,2,t=3,layers=2"):
        for schedule in ("fused_wavefront", "split_wavefront"):
            with pytest.raises(RtlError, match="no RTL of wavefront schedules"):
                check_scope(source_of(workload, schedule=schedule))


def test_kinds_of_layers() -> None:
    """A GRU's scratch holds sums, another one's functions; of layers of one kind there is RTL."""
    gru, lstm, second = (load_workload(text).spec.layers for text in ("gru:3,2,t=2", "lstm:2,2,t=2", "gru:2,2,t=2"))
    with pytest.raises(RtlError, match="no RTL of GRU layers beside others"):
        check_scope(source_of(NetworkSpec((*gru, *lstm), 2, 1)))
    check_scope(source_of(NetworkSpec((*gru, *second), 2, 1)))
