"""What a machine with one MAC array says of a memory that is too small, whole; and the phases of a program by name."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import CapacityError
from archsim.families.gemv.capacity import check_dram
from archsim.families.gemv.config import GemvConfig
from archsim.families.load import load_arch
from archsim.families.npu.config import NpuConfig
from archsim.families.schedules import find_schedule
from archsim.formats import parse_format
from archsim.hardware.dram.ddr_unit import DdrConfig
from archsim.program.ir import Buffer, DataKind, Program
from archsim.workload import load_workload
from archsim.workload.network import NetworkSpec

MODEL = "a smaller model"


def build(workload: str, schedule: str, *sets: str) -> Program:
    config = load_arch("tiny_2x2", [parse_override(text) for text in sets]).config
    return find_schedule(schedule, "gemv").build(load_workload(workload).spec, config)


@pytest.mark.parametrize(
    ("memory", "schedule", "need", "parts", "knobs"),
    [
        # 8 rows of 3 and of 2 numbers of 4 bytes.
        (
            "weight_sram",
            "fused",
            160,
            "W_ih 96 + W_hh 64",
            ("a narrower weight format", MODEL, "--schedule fused_interleaved_streamed"),
        ),
        ("bias_buffer", "fused", 32, "bias 32", (MODEL,)),
        # x of 3 numbers in two slots.
        (
            "input_buffer",
            "fused",
            24,
            "x 24 in 2 slots",
            ("fewer input_buffer.prefetch_steps", "a smaller batch or input_size"),
        ),
        # h in two slots, c in one; 4 gates of a unit, and tanh(c), in 4.
        (
            "state_buffer",
            "fused",
            104,
            "h 16 in 2 slots + c 8 + gates 64 in 4 slots + tanh_c 16 in 4 slots",
            ("a smaller batch or hidden_size",),
        ),
        # Blocks of two steps: x of two blocks, 4 slots; as many sums of 8 rows.
        (
            "input_buffer",
            "hoisted",
            48,
            "x 48 in 4 slots",
            ("fewer state_buffer.hoist_steps", "a smaller batch or input_size"),
        ),
        (
            "state_buffer",
            "hoisted",
            104 + 128,
            "h 16 in 2 slots + c 8 + gates 64 in 4 slots + tanh_c 16 in 4 slots + input_sums 128 in 4 slots",
            ("fewer state_buffer.hoist_steps", "a smaller batch or hidden_size"),
        ),
    ],
)
def test_what_a_memory_lacks(memory: str, schedule: str, need: int, parts: str, knobs: tuple[str, ...]) -> None:
    """LSTM(3, 2) on tiny_2x2: exactly enough is enough; a byte less is said with all that lies there."""
    sets = ("state_buffer.hoist_steps=2",) if schedule == "hoisted" else ()
    build("lstm:3,2,t=5", schedule, *sets, f"{memory}.capacity_bytes={need}")
    with pytest.raises(CapacityError) as caught:
        build("lstm:3,2,t=5", schedule, *sets, f"{memory}.capacity_bytes={need - 1}")
    error = caught.value
    assert (error.memory, error.need, error.have, error.unit) == (memory, need, need - 1, "bytes")
    assert error.needed_for == parts
    assert error.knobs == (f"more {memory}.capacity_bytes", *knobs)


@pytest.mark.parametrize(("slots", "need"), [(1, 20), (2, 40), (3, 60)])
def test_not_even_a_row_of_each_matrix(slots: int, need: int) -> None:
    """LSTM(3, 2): a row of W_ih 12 bytes, one of W_hh 8, in so many slots. One slot is the fewest that there are."""
    sets = (f"weight_sram.stream_slots={slots}",)
    build("lstm:3,2,t=2", "fused_streamed", *sets, f"weight_sram.capacity_bytes={need}")
    with pytest.raises(CapacityError) as caught:
        build("lstm:3,2,t=2", "fused_streamed", *sets, f"weight_sram.capacity_bytes={need - 1}")
    error = caught.value
    assert (error.need, error.have) == (need, need - 1)
    of_slots = f"{slots} slots of a row, or all rows, of each weight matrix {need}"
    assert error.needed_for == f"biases and peephole weights 0 + {of_slots}"
    fewer = ("fewer weight_sram.stream_slots",) if slots > 1 else ()
    assert error.knobs == ("more weight_sram.capacity_bytes", *fewer, "a narrower weight format", MODEL)


def test_biases_beside_the_slots() -> None:
    """Without a memory of their own 8 biases of 4 bytes lie in the weight SRAM: 32 + 40."""
    with pytest.raises(CapacityError, match="biases and peephole weights 32 \\+ 2 slots") as caught:
        build("lstm:3,2,t=2", "fused_streamed", "bias_buffer=null", "weight_sram.capacity_bytes=71")
    assert caught.value.need == 72
    build("lstm:3,2,t=2", "fused_streamed", "bias_buffer=null", "weight_sram.capacity_bytes=72")


def test_a_device_that_is_full() -> None:
    """A tensor of as many bytes as the device has fits, of one row more it does not."""
    device = "dram={kind: ddr, device: ddr4_3200, channels: 1, controller_latency_cycles: 4}"
    config = load_arch("tiny_2x2", [parse_override(device), parse_override("dram_type=ddr4")]).config
    assert isinstance(config, GemvConfig)
    assert isinstance(config.dram, DdrConfig)
    rows = config.dram.capacity_bytes // 1024
    tensors = [Buffer("big", "dram", DataKind.W_IH, rows + more, 1024, parse_format("int8")) for more in (0, 1)]
    check_dram(tensors[:1], config)
    with pytest.raises(CapacityError, match="1 tensors, each from a row of its own on") as caught:
        check_dram(tensors[1:], config)
    assert caught.value.gap == 1024
    assert caught.value.knobs == ("more dram.channels", "a larger dram.device")


@pytest.mark.parametrize(
    ("workload", "schedule", "phases"),
    [
        ("lstm:3,2,t=5", "fused", [("prologue", 1), ("body", 5), ("epilogue", 1)]),
        (
            "lstm:3,2,t=5,layers=2",
            "fused",
            [
                ("prologue", 1),
                ("body of layer 0", 5),
                ("handover to layer 1", 1),
                ("body of layer 1", 5),
                ("epilogue", 1),
            ],
        ),
        # Layer 1 begins a repetition later.
        ("lstm:3,2,t=5,layers=2", "fused_wavefront", [("prologue", 1), ("body", 6), ("epilogue", 1)]),
        ("lstm:3,2,t=5,layers=2,streaming=1", "fused", [("prologue", 1), ("body", 5), ("epilogue", 1)]),
        # Blocks of one, two and two steps: the first one by itself, of the others the GEMM beside the block before.
        (
            "lstm:3,2,t=5",
            "hoisted",
            [("prologue", 1), ("body, W_ih x of the first block", 1), ("body", 3), ("epilogue", 1)],
        ),
        ("lstm:3,2,t=2", "hoisted", [("prologue", 1), ("body, W_ih x", 1), ("body", 2), ("epilogue", 1)]),
    ],
)
def test_phases(workload: str, schedule: str, phases: list[tuple[str, int]]) -> None:
    sets = ("state_buffer.hoist_steps=2", "accumulators.entries=64", "state_buffer.capacity_bytes=4KiB")
    found = build(workload, schedule, *sets)
    assert [(phase.name, phase.repeat) for phase in found.phases] == phases


def test_a_wavefront_leaves_out_what_has_no_step() -> None:
    """Layer 0 is done a repetition before the last; layer 1 begins one after the first, and stores from then on."""
    program = build("lstm:3,2,t=5,layers=2", "fused_wavefront", "accumulators.entries=64")
    body = program.phases[1]
    skips = {op.label: (op.skip_first, op.skip_last) for op in body.ops}
    assert (skips["l0.mac[0.0]"], skips["l1.mac[0.0]"]) == ((0, 1), (1, 0))
    (stored,) = [label for label in skips if "store" in label]
    assert skips[stored] == (1, 0)
    (loaded,) = [label for label in skips if "load x" in label]
    assert skips[loaded] == (0, 2), "x of the step after, which the last one does not have"


def test_a_note_names_every_short_vector_once() -> None:
    """Layers of 256, 40, 256 and 512 hidden units: 256 and 40 are padded."""
    config = load_arch("npu_s10nx").config
    assert isinstance(config, NpuConfig)
    sizes = ("lstm:512,256,t=2", "lstm:256,40,t=2", "lstm:40,256,t=2", "lstm:256,512,t=2")
    layers = [layer for text in sizes for layer in load_workload(text).spec.layers]
    (note,) = config.notes(NetworkSpec(tuple(layers), 2, 1))
    assert note.startswith("cycles with 40, 256 hidden units are held to nothing published")
