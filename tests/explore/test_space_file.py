"""What is said of a space file, where, and what a space that has no fault becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.config import parse_override
from archsim.config.presets import PresetKind, preset_file
from archsim.errors import SpaceError
from archsim.explore import Space
from archsim.explore.run.explore import in_ranges, looked_at
from archsim.explore.space.number_field import number_field
from archsim.families.load import load_arch
from tests.explore.conftest import SMALL, Write


def said(path: Path) -> list[str]:
    """Each fault: its line, its path, and its message."""
    with pytest.raises(SpaceError) as caught:
        Space.load(path)
    return [f"{fault.where.rpartition(':')[2]} {fault.path}: {fault.message}" for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("parameters:", "schedule: fused\nparameters:", "4 schedule: is a parameter too"),
        (
            "parameters:",
            "set: {mac_array.columns: 3}\nparameters:",
            "7 parameters.'mac_array.columns': is set for all points under 'set' too",
        ),
        (
            '["lstm:3,4,t=3"]',
            '["lstm:3,4,t=3", "lstm:3,4,t=3"]',
            "3 workloads[1]: there is another workload of the name 'lstm_3_4_t3_b1'",
        ),
        (
            "    name: macs_per_cycle",
            "    name: body_us",
            "16 objectives[1]: there is another objective of the name 'body_us'",
        ),
        ("[256, 2KiB]", "[2048, 2KiB]", "8 parameters.'weight_sram.capacity_bytes': has the value 2048 twice"),
        (
            "{log2: {from: 2, to: 16}}",
            "{log2: {from: 32, to: 16}}",
            "5 parameters.'mac_array.rows': there is no value from 'from' to 'to'",
        ),
        ("[fused, split]", "[fused, fusd]", "7 parameters.schedule[1]: no such schedule; did you mean 'fused'?"),
        (
            "derived:\n",
            "derived:\n  mac_array.rowz: 3\n",
            "10 derived.'mac_array.rowz': there is no such field in the architecture",
        ),
        ("<= 64", "<= 64 +", "13 constraints[0]: 'mac_array.rows * mac_array.columns <= 64 +': cannot be read as an"),
        (
            "parameters:\n",
            "parameters:\n  streaming: [true]\n",
            "5 parameters.streaming: is the same in all points, which have the",
        ),
        ("parameters:\n", "parameters:\n  steps: [3, 0]\n", "5 parameters.steps[1]: "),
        (
            "parameters:\n",
            "parameters:\n  qqq.zzz: [3, 0]\n",
            "5 parameters.'qqq.zzz': there is no such field in the architecture; see arch.yaml",
        ),
        ("parameters:\n", "set: {mac_array.rowz: 3}\nparameters:\n", "4 set.'mac_array.rowz': mac_array.rowz: "),
        (
            "minimize: body_us",
            "minimize: frame_latency_us",
            "15 objectives[0]: frame_latency_us is a figure of a frame, and lstm_3_4_t3_b1 is no stream (streaming",
        ),
        (
            "  - mac_array",
            "  - frame_latency_us > 1\n  - mac_array",
            "13 constraints[0]: frame_latency_us is a figure of a frame",
        ),
    ],
)  # fmt: skip
def test_a_fault_and_its_place(write: Write, old: str, new: str, fault: str) -> None:
    (found,) = said(write((old, new)))
    assert found.startswith(fault)


def test_faults_stand_in_the_order_of_the_file_each_once(write: Write) -> None:
    path = write(
        ("minimize: body_us", "minimize: qqqq"),
        ("<= 64", "<= rrrr + rrrr"),
        ("weight_sram.banks: mac_array.rows", "weight_sram.banks: ssss + 1"),
        ("[256, 2KiB]", "[0, 2KiB]"),
    )
    lines = [int(text.partition(" ")[0]) for text in said(path)]
    assert lines == [8, 10, 13, 15]


def test_words_of_objectives(write: Write) -> None:
    """Of runs, of streams, and of both: what a cold start is, is said where some workload is a stream."""
    words = ("latency", "energy", "edp", "utilization", "traffic", "area")
    text = "objectives:\n" + "".join(f"  - minimize: {word}\n" for word in words[:-1]) + "  - maximize: area\n"
    run, stream = '"lstm:3,4,t=3"', '"lstm:3,4,t=5,streaming=1"'
    found = {}
    for name, workloads in (("run", run), ("stream", stream), ("both", f"{run}, {stream}")):
        old = SMALL[SMALL.index("objectives:") :]
        found[name] = Space.load(write((old, text), (run, workloads), name=name)).objectives
    assert [o.expression.text for o in found["run"]] == [
        "latency_us", "energy.total_uj", "energy.total_uj * latency_us", "mac_utilization",
        "total(traffic_bytes.dram)", "area.area_mm2",
    ]  # fmt: skip
    assert [o.expression.text for o in found["stream"]] == [
        "frame_latency_us", "frame_energy_uj", "frame_energy_uj * frame_latency_us", "frame_mac_utilization",
        "total(traffic_bytes.dram)", "area.area_mm2",
    ]  # fmt: skip
    assert [o.expression.text for o in found["both"]] == [o.expression.text for o in found["run"]]
    assert [o.name for o in found["run"]] == list(words)
    assert [o.name for o in found["stream"]] == [*words[:4], "traffic (cold start)", "area"]
    assert [o.name for o in found["both"]] == [*(f"{word} (cold start)" for word in words[:5]), "area"]
    assert [o.sign for o in found["run"]] == [1] * 5 + [-1]
    assert [o.direction for o in found["run"]][-2:] == ["minimize", "maximize"]


def test_what_a_space_is(write: Write) -> None:
    """Paths are from the space file's folder, presets' names and inline workloads as they are."""
    folder = write().parent
    (folder / "sub").mkdir()
    for name, reference in (("sub/m.yaml", "tiny_2x2"), ("w.yaml", "lstm_3_2_t4")):
        kind = PresetKind.ARCH if reference == "tiny_2x2" else PresetKind.WORKLOAD
        (folder / name).write_text(preset_file(kind, reference).read_text())
    weighted = '["lstm:3,4,t=3", {workload: w.yaml, weight: 2.5}]'
    space = Space.load(write(("tiny_2x2", "sub/m.yaml"), ('["lstm:3,4,t=3"]', weighted)))
    assert space.arch_reference == str(folder / "sub/m.yaml")
    assert [(use.reference, use.weight) for use in space.workloads] == [
        ("lstm:3,4,t=3", 1), (str(folder / "w.yaml"), 2.5),
    ]  # fmt: skip
    assert (space.name, space.size, space.aggregate.value, space.with_arithmetic) == ("small", 48, "geomean", False)
    assert Space.load(write()).arch_reference == "tiny_2x2"
    with_schedule = write(
        ("  schedule: [fused, split]\n", ""), ("parameters:", "schedule: split\nparameters:"), name="s"
    )
    assert Space.load(with_schedule).schedule.startswith("split")
    asked = Space.load(write(("<= 64", "<= 64\n  - accuracy.output.sqnr_db > 3"), name="a"))
    assert asked.with_arithmetic


def test_figures_of_arrivals_are_there_where_arrivals_are_varied(write: Write) -> None:
    """The stream in the file has no period; in all points it has one, and only then there are figures of arrivals."""
    stream, objective = ("t=3", "t=3,streaming=1"), ("minimize: body_us", "minimize: arrivals.max_cycles")
    (fault,) = said(write(stream, objective))
    assert fault.startswith("15 objectives[0]: arrivals.max_cycles needs frames that come at some time")
    varied = write(stream, objective, ("parameters:\n", "parameters:\n  period_us: [1, 2]\n"))
    assert Space.load(varied).objectives[0].expression.text == "arrivals.max_cycles"


def test_how_many_points_are_looked_at(write: Write) -> None:
    space = Space.load(write())
    assert [looked_at(space.with_budget(budget)) for budget in (None, 5, 48, 49)] == [48, 5, 48, 48]
    assert (space.with_budget(5, 7).config.budget, space.with_budget(5, 7).config.seed) == (5, 7)
    assert space.with_budget(None, None).config == space.config
    assert space.with_budget(seed=0).config.budget is None
    learning = Space.load(write(("objectives:\n", "sampler: nsga2\nbudget: 9\nobjectives:\n"), name="learns"))
    assert [in_ranges(each, pruning) for each in (space, learning) for pruning in (True, False)] == [
        False, True, False, False,
    ]  # fmt: skip


def test_what_a_journal_is_tied_to(write: Write) -> None:
    """All that chooses and resolves points: not the budget, the summary, objectives or constraints."""
    space = Space.load(write())
    same = [
        space.with_budget(7),
        Space.load(write(("cheap points", "other points"), name="a")),
        Space.load(write(("<= 64", "<= 65"), name="b")),
        Space.load(write(("minimize: body_us", "maximize: latency_us"), name="c")),
    ]
    assert {each.fingerprint for each in same} == {space.fingerprint}
    other = [
        space.with_budget(seed=7),
        Space.load(write(("[256, 2KiB]", "[256, 4KiB]"), name="d")),
        Space.load(write(("t=3", "t=4"), name="e")),
        Space.load(write(("tiny_2x2", "edge_16x16"), name="f")),
        Space.load(write(("4 * mac_array.rows", "8 * mac_array.rows"), name="g")),
    ]
    assert len({each.fingerprint for each in (space, *other)}) == 6


def test_numbers_that_a_field_takes_by_itself() -> None:
    """As they are, or not at all: what is no plain number, or of a field that is none, is left to the machine."""
    base = load_arch("tiny_2x2", [parse_override("dram.efficiency=0.5")]).config
    rows, share = number_field(base, "mac_array.rows"), number_field(base, "dram.efficiency")
    assert [rows(value) for value in (1, 7, 0, -1, 2.5, True)] == [1, 7, None, None, None, None]
    assert [share(value) for value in (0.25, 1, 0, 1.5)] == [0.25, 1, None, None]
    clock = number_field(base, "clock_mhz")
    assert [clock(value) for value in (250.5, float("inf"), float("nan"))] == [250.5, None, None]
    for path in ("formats", "formats.weight", "nothing", "mac_array.nothing", "nothing.rows", "mac_array"):
        assert number_field(base, path)(3) is None
