"""Edges of what a description of a serial machine may say, and of what such a machine runs."""

from __future__ import annotations

import pytest

from archsim.config import parse_override
from archsim.errors import ArchError, ScheduleError
from archsim.families.load import load_arch
from archsim.families.schedules import find_schedule
from archsim.families.serial.config import SerialConfig
from archsim.hardware.storage import Registers, Sram
from archsim.workload import load_workload


def config(*overrides: str) -> SerialConfig:
    found = load_arch("elasticai_lstm", [parse_override(text) for text in overrides]).config
    assert isinstance(found, SerialConfig)
    return found


@pytest.mark.parametrize("kind", ["input", "hidden", "gate", "activation", "cell"])
def test_each_kind_of_data_has_the_width_of_weights(kind: str) -> None:
    with pytest.raises(ArchError, match="this machine has one width for all data: give all of them the same q format"):
        config(f"formats.{kind}=q4.5")


def test_sums_have_twice_the_bits_before_and_behind_the_point() -> None:
    assert config("formats={all: q3.6, accumulator: q6.12}").data.bits == 9
    for accumulator in ("q5.13", "q6.11", "q3.6", "int32"):
        with pytest.raises(ArchError, match=r"formats.accumulator: sums have twice the bits of q3.6, q6.12"):
            config(f"formats={{all: q3.6, accumulator: {accumulator}}}")


def test_what_its_memories_are_made_of() -> None:
    """Data of 9 bits: a block RAM of 4 KiB for each gate's weights, which are only read, and one each for x, the
    states and the temporary states; four sums of 18 bits in registers. What the host keeps is not the machine's."""
    block = Sram(1, 4096, 9, True)
    assert config("formats={all: q3.6, accumulator: q6.12}").storages() == {
        "rom": Sram(4, 4 * 4096, 9, False),
        "input_buffer": block,
        "state_rams": block,
        "temporary_rams": block,
        "sum_registers": Registers(4 * 18),
        "host": Registers(0),
    }


def test_one_multiplier_for_each_gate() -> None:
    assert config().multipliers.macs_per_cycle == 4
    assert config().inputs_per_chunk == 1


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        (("peepholes=true",), "peepholes"),
        (("layer_norm=true",), "layer normalization"),
        (("input_forget=true",), r"coupled gates \(input_forget\)"),
        (("clip=3.0",), "clipping"),
        (("reverse=true",), "a direction from the last step to the first"),
        (("bidirectional=true",), "more than one layer or direction"),
        (("batch=2", "sequence_lens=[2, 3]"), "a batch, sequences of different lengths"),
        (("streaming=true",), "streams of frames"),
    ],
)
def test_other_cells_than_its_own_are_refused(fields: tuple[str, ...], what: str) -> None:
    """What is named is all that is missing."""
    spec = load_workload("lstm:1,4,t=3", [parse_override(field) for field in fields]).spec
    with pytest.raises(ScheduleError, match=f"machines of the family serial do not run {what}$"):
        find_schedule(None, "serial").build(spec, config())


@pytest.mark.parametrize("names", [("tanh",) * 3, ("sigmoid", "sigmoid", "tanh"), ("sigmoid", "tanh", "relu")])
def test_other_functions_than_its_own_are_refused(names: tuple[str, ...]) -> None:
    activations = ", ".join(f"{{name: {name}}}" for name in names)
    spec = load_workload("lstm:1,4,t=3", [parse_override(f"activations=[{activations}]")]).spec
    needed = ", ".join(sorted(set(names)))
    with pytest.raises(ArchError, match=f"one sigmoid and one tanh unit; the workload needs {needed}$"):
        find_schedule(None, "serial").build(spec, config())


def test_without_biases_there_are_none_to_read() -> None:
    spec = load_workload("lstm:1,4,t=3", [parse_override("bias=false")]).spec
    program = find_schedule(None, "serial").build(spec, config())
    assert "dram.bias" not in {buffer.name for buffer in program.buffers}
