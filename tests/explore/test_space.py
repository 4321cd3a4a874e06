"""Space files: what a point is, and what is said of a file that is wrong."""

from pathlib import Path
from typing import Any

import pytest

from archsim.config.presets import PresetKind, preset_names
from archsim.errors import ArchError, SpaceError
from archsim.explore import Space
from archsim.explore.space import fields, space_file
from archsim.families.gemv.config import GemvConfig
from tests.explore.conftest import Write
from tests.present import present


def test_points_by_number(write: Write) -> None:
    space = Space.load(write())
    assert space.sizes == (4, 3, 2, 2)
    assert space.size == 48
    # 29 = ((2 * 3 + 1) * 2 + 0) * 2 + 1: third number of rows, second of columns, fused, 2 KiB
    design = space.design(29)
    assert design.inputs == {
        "mac_array.rows": 8,
        "mac_array.columns": 3,
        "schedule": "fused_interleaved",
        "weight_sram.capacity_bytes": 2048,
        "weight_sram.banks": 8,
        "accumulators.entries": 32,
    }
    assert design.schedule == "fused_interleaved"
    assert design.config.mac_array.rows == design.config.weight_sram.banks == 8  # type: ignore[union-attr]
    assert space.number((2, 1, 0, 1)) == 29
    assert len({space.design(number).key for number in range(space.size)}) == 48


def test_the_key_is_that_of_the_resolved_inputs(write: Write) -> None:
    first = Space.load(write()).design(29)
    again = Space.load(write(("[256, 2KiB]", "[256, 2048]"), name="other")).design(29)
    assert first.key == again.key, "2KiB and 2048 are the same machine"
    longer = Space.load(write(("t=3", "t=4"), name="third")).design(29)
    assert longer.key != first.key


def test_every_fault_has_its_line(write: Write) -> None:
    path = write(
        ("mac_array.rows: {log2: {from: 2, to: 16}}", "mac_array.rowz: {log2: {from: 2, to: 16}}"),
        ("[256, 2KiB]", "[256, 0]"),
        ("weight_sram.banks: mac_array.rows", "weight_sram.banks: latency_us"),
        ("mac_array.rows * mac_array.columns <= 64", "import os"),
        ("minimize: body_us", "minimize: body_uz"),
        ("[fused, split]", "[fused, spilt]"),
    )
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    lines = {fault.where.rpartition(":")[2]: fault.message for fault in caught.value.faults}
    assert sorted(map(int, lines)) == [5, 7, 8, 10, 13, 15]
    assert "did you mean mac_array.rows" in lines["5"]
    assert "no such schedule" in lines["7"]
    assert "at least 1" in lines["8"] or "from 1" in lines["8"]
    assert "follows from fields alone" in lines["10"]
    assert "did you mean body_us" in lines["15"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("architecture: tiny_2x2", "architecture: tiny_3x3", "no preset of that name"),
        ('["lstm:3,4,t=3"]', '["lstm:3"]', "missing"),
        ("{log2: {from: 2, to: 16}}", "{log2: {from: 32, to: 16}}", "there is no value"),
        ("{log2: {from: 2, to: 16}}", "{log2: {from: 0, to: 16}}", "log2.from: expected an integer of at least 1 or"),
        ("{log2: {from: 2, to: 16}}", "{log2: {from: -2, to: 16}}", "log2.from: expected an integer of at least 1 or"),
        (
            "{log2: {from: 2, to: 16}}",
            "{linear: {from: 1, to: 5, step: 0}}",
            "step: expected an integer of at least 1 or",
        ),
        ("{log2: {from: 2, to: 16}}", "{linear: {from: 1, to: 1000000, step: 1}}", "at most 4,096"),
        ("[fused, split]", "[fused, fused_interleaved]", "twice"),
        ("objectives:\n", "sampler: sobol\nobjectives:\n", "needs a budget"),
        ("minimize: body_us", "minimize: cycle_stack", "has several entries"),
        ("minimize: body_us", "minimize: energy.total_hi_uj", "did you mean energy.total_high_uj?"),
        ("summary: cheap points", "sumary: cheap points", "did you mean 'summary'"),
        ("minimize: body_us", "maximise: body_us", "unknown key"),
    ],
)
def test_mistakes(write: Write, old: str, new: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        Space.load(write((old, new)))


def test_a_set_of_formats_is_one_choice(write: Write) -> None:
    space = Space.load(write(("[256, 2KiB]", "[2KiB]\n  formats: [float32, bfloat16]")))
    labels = {space.design(number).inputs["formats"] for number in range(space.size)}
    assert labels == {"float32", "bfloat16"}
    weights = {str(present(space.design(number).config).formats.weight) for number in range(4)}
    assert weights == {"float32", "bfloat16"}


def test_a_set_of_formats_that_the_machine_as_it_is_does_not_take(write: Write) -> None:
    """edge_16x16 with its table has no float32; fields of the set may be parameters, too."""
    path = write(
        ("tiny_2x2", "edge_16x16"),
        (
            "[256, 2KiB]",
            "[2KiB, 64KiB]\n  formats: [float32, tflite_int8]\n  formats.cell: [float32, bfloat16]\n"
            "  activation.method: [exact, table]",
        ),
    )
    space = Space.load(path)
    designs = [space.design(number) for number in range(space.size)]
    cells = {
        d.config.formats.cell.name
        for d in designs
        if d.config is not None and (d.inputs["formats"], d.inputs["activation.method"]) == ("float32", "exact")
    }
    assert cells == {"float32", "bfloat16"}
    refused = {d.reason.what for d in designs if d.config is None and d.reason is not None}
    assert refused
    assert all("method table: it needs its argument in a q format" in text for text in refused), refused


def test_a_field_of_a_section_that_a_choice_leaves_without_fields(write: Write) -> None:
    data: dict[str, Any] = {"formats": "float32"}
    with pytest.raises(ArchError) as caught:
        fields.set_field(data, "formats.cell", "bfloat16")
    assert str(caught.value) == "design: formats.cell: cannot be set: formats has one value as a whole in this design"


def test_shipped_spaces_load() -> None:
    names = preset_names(PresetKind.SPACE)
    assert set(names) >= {"edge", "cloud", "formats"}
    assert not set(names) & set(preset_names(PresetKind.ARCH)), "a space is no machine"
    for name in names:
        space = Space.load(name)
        assert space.design(0).config is not None


def fault_of(path: Path) -> str:
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    (fault,) = caught.value.faults
    return f"{fault.path}: {fault.message}"


def test_a_range_has_the_keys_of_the_page_alone(write: Write) -> None:
    """`from` and `to`, not the names that Python takes for them."""
    for old, new in (("{from: 2, to: 16}", "{first: 2, to: 16}"), ("{from: 1, to: 5,", "{from: 1, last: 5,")):
        with pytest.raises(SpaceError) as caught:
            Space.load(write((old, new)))
        assert any("unknown key" in fault.message for fault in caught.value.faults)


def test_a_derived_field_may_be_a_constant(write: Write) -> None:
    """A number, true, or a size, in quotes or not; a word stands in quotes of its own, as in every expression."""
    given = {"activation.lanes": "2", "dram.bandwidth_bytes_per_cycle": "8.5", "input_buffer.capacity_bytes": "1KiB"}
    given |= {"formats.hidden": "\"'int8'\"", "state_buffer.capacity_bytes": "'2 KiB'", "elementwise.lanes": "'3'"}
    text = "".join(f"\n  {path}: {value}" for path, value in given.items())
    space = Space.load(write(("derived:", f"derived:{text}")))
    config = space.design(0).config
    assert isinstance(config, GemvConfig)
    assert (config.activation.lanes, config.elementwise.lanes, config.formats.hidden.bits) == (2, 3, 8)
    assert config.dram.model_dump()["bandwidth_bytes_per_cycle"] == 8.5
    assert (config.input_buffer.capacity_bytes, config.state_buffer.capacity_bytes) == (1 << 10, 2 << 10)
    assert space.designs([0, 5]) == [space.design(0), space.design(5)]
    wrong = write(("derived:", "derived:\n  formats.hidden: int8"))
    assert fault_of(wrong).endswith(
        "int8 is not a field of the architecture; a word stands in quotes of its own: \"'int8'\""
    )
    assert "4 MB" in fault_of(write(("derived:", "derived:\n  activation.lanes: 4 MB")))


@pytest.mark.parametrize("where", ["parameters", "set"])
def test_what_is_given_already_cannot_be_derived(write: Write, where: str) -> None:
    if where == "set":
        path = write(
            ("parameters:", "set: {activation.lanes: 2}\nparameters:"),
            ("derived:", 'derived:\n  activation.lanes: "1"'),
        )
    else:
        path = write(("derived:", 'derived:\n  mac_array.columns: "1"'))
    name = "mac_array.columns" if where == "parameters" else "activation.lanes"
    assert fault_of(path).endswith("is a parameter, or set for all points, too")
    assert name in fault_of(path)


def test_a_field_that_no_machine_of_the_space_has_is_a_fault(write: Write) -> None:
    """tiny_2x2 has a DRAM of the simple kind, which has no device."""
    wrong = write(("  - minimize: body_us\n", "  - minimize: dram.device\n"))
    with pytest.raises(SpaceError, match=r"dram\.device: no machine of this space has it: its dram is of another kind"):
        Space.load(wrong)


def test_numbers_are_validated_by_their_field_alone_and_the_others_by_the_machine(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """64 parameters of 4,096 values load in seconds: a machine is validated for the texts, not for each number."""
    calls = []
    whole = fields.apply_value

    def counted(*arguments: Any) -> Any:
        calls.append(arguments[1:])
        return whole(*arguments)

    monkeypatch.setattr(space_file, "apply_value", counted)
    ranges = ("schedule: [fused, split]", "dram.latency_cycles: {linear: {from: 1, to: 4096, step: 1}}")
    space = Space.load(write(ranges))
    assert calls == [("weight_sram.capacity_bytes", "2KiB")]
    assert [choice.value for choice in space.parameters[2].choices] == list(range(1, 4097))


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "true", "1e300"])
def test_a_number_that_the_field_does_not_take_is_a_fault_as_before(value: str, write: Write) -> None:
    with pytest.raises(SpaceError, match=r"parameters\.'?mac_array\.rows"):
        Space.load(write(("mac_array.rows: {log2: {from: 2, to: 16}}", f"mac_array.rows: [2, {value}]")))


def test_a_name_of_a_file_is_escaped(write: Write) -> None:
    assert Space.load(write(name="\x1b[31mred")).name == "\\x1b[31mred"


def test_faults_of_form_and_of_meaning_come_together(write: Write) -> None:
    """An objective with a key that is none, and beside it names that nobody has; places are those of the file."""
    path = write(
        ("objectives:", "objectives:\n  - minimise: latency_us"),
        ("parameters:", "parameters:\n  mac_array.row: [8]"),
        ("constraints:", "constraints:\n  - latenci_us < 4"),
    )
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    said = [f"{fault.path}: {fault.message}" for fault in caught.value.faults]
    assert said[0].startswith("objectives[0].minimise: unknown key; did you mean 'minimize'?")
    assert any(text.startswith("parameters.'mac_array.row': there is no such field") for text in said)
    assert any(text.startswith("constraints[0]: latenci_us is not a field") for text in said)


def test_a_part_that_is_left_keeps_its_place(write: Write) -> None:
    """The first workload has a form that is none, the second does not exist: it is still the second."""
    path = write(('workloads: ["lstm:3,4,t=3"]', "workloads: [3, nowhere, lstm_3_2_t4]"))
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    assert any(fault.path == "workloads[1]" and "nowhere" in fault.message for fault in caught.value.faults)


def test_of_a_space_without_a_machine_expressions_are_still_read(write: Write) -> None:
    path = write(("architecture: ", "architecture: no_"), ("constraints:", "constraints:\n  - latency_us <"))
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    assert {fault.path for fault in caught.value.faults} >= {"architecture", "constraints[0]"}
