"""Fields of the workloads as parameters of a space: thresholds of a delta network, and any others."""

from __future__ import annotations

from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.errors import SpaceError
from archsim.explore import Space, Status, explore
from archsim.explore.results.accuracy_results import accuracy_outputs
from archsim.explore.results.study import Point
from archsim.explore.run.commands import RunCommands
from archsim.explore.run.evaluation import DesignEvaluator, Setup, Task, stats_outputs
from archsim.explore.run.outcome import Outcome
from archsim.explore.run.show import show_point
from archsim.explore.search.point_classifier import PointClassifier
from archsim.explore.search.result_bounds import BatchBounds
from archsim.families.load import load_arch
from archsim.workload import load_workload
from tests.explore.conftest import Write
from tests.optional import need
from tests.present import present
from tests.rings import exhaustive

DELTA = """\
summary: a small delta network
architecture: edgedrnn
workloads: ["gru:16,16,t=10"]
parameters:
  delta: [0, 0.0625, 0.125]
  formats.weight: [q1.7, q2.6]
  formats.hidden: [q8.8, q4.4]
  pe_array.pes: {log2: {from: 2, to: 16}}
derived:
  formats.input: formats.hidden
objectives:
  - minimize: accuracy.output.rms_error
  - minimize: latency_us
  - minimize: energy
"""


def written(folder: Path, text: str) -> Space:
    path = folder / "delta.yaml"
    path.write_text(text)
    return Space.load(path)


def tasks_of(space: Space) -> list[Task]:
    return [Task(design.key, design.number, design.schedule) for design in space.designs(range(space.size))]


def evaluated(space: Space) -> tuple[list[Outcome], DesignEvaluator]:
    evaluator = DesignEvaluator(Setup.from_space(space, "auto"))
    return evaluator.run_all(tasks_of(space)), evaluator


def sets_of(point: Point, names: tuple[str, ...]) -> list[str]:
    return [f"{name}={point.inputs[name]}" for name in names]


def test_arithmetic_is_executed_once_for_each_threshold_and_formats_whatever_the_pes(tmp_path: Path) -> None:
    """3 thresholds x 2 formats of weights x 2 of x and h are 12 networks; on 2, 4, 8 and 16 PEs they are 48 designs."""
    space = written(tmp_path, DELTA)
    outcomes, evaluator = evaluated(space)
    assert (len(outcomes), evaluator.arithmetic_executed) == (48, 12)
    assert {outcome.executor for outcome in outcomes} == {"fast"}
    figures = [outcome.outputs["gru_16_16_t10_b1"] for outcome in outcomes]
    for first in range(0, 48, 4):  # the last parameter, the PEs, varies fastest
        same = figures[first : first + 4]
        assert len({each["accuracy.output.rms_error"] for each in same}) == 1
        assert len({each["latency_cycles"] for each in same}) == 4
    with_q8_8 = {figures[n]["accuracy.output.rms_error"] for n in range(48) if n % 8 < 4}
    assert len(with_q8_8) == 6, "each network is another one"


def test_a_point_is_what_a_run_of_the_machine_gives(tmp_path: Path) -> None:
    """Every figure, those of accuracy among them, is that of a run that computes its numbers on that very machine."""
    space = written(tmp_path, DELTA)
    study = explore(space, workers=1)
    assert len(study.with_status(Status.EVALUATED)) == 48
    names = ("formats.weight", "formats.hidden", "formats.input", "pe_array.pes")
    for point in study.points[5::14]:
        arch = load_arch("edgedrnn", sets_of(point, names))
        workload = load_workload("gru:16,16,t=10", sets_of(point, ("delta",)))
        run = simulate(arch, workload, executor="machine", statistics=())
        assert run.validation.passed
        assert run.executor.name == "machine"
        found = present(point.outputs)["gru_16_16_t10_b1"]
        assert dict(found) == {**stats_outputs(run.stats), **accuracy_outputs(run)}


def test_thresholds_change_designs_and_are_in_their_commands(tmp_path: Path) -> None:
    space = written(tmp_path, DELTA)
    designs = space.designs(range(48))
    assert [design.key for design in designs] == [space.design(number).key for number in range(48)]
    assert len({design.key for design in designs}) == 48
    assert designs[16].inputs["delta"] == 0.0625
    (command,) = RunCommands(space).of(explore(space.with_budget(1, seed=0), workers=1).points[0])
    assert command.startswith("archsim run edgedrnn gru:16,16,t=10 --schedule columns --set delta=0 --set formats.wei")


def test_a_delta_network_in_a_space_without_numbers_finds_its_activity_itself(tmp_path: Path) -> None:
    """Five clocks share a program, so that they would go in a batch; the times depend on what is computed."""
    text = DELTA.replace("  pe_array.pes: {log2: {from: 2, to: 16}}", "  clock_mhz: [50, 75, 100, 125, 150]")
    text = text.replace("  - minimize: accuracy.output.rms_error\n", "")
    space = written(tmp_path, text)
    outcomes, evaluator = evaluated(space)
    assert evaluator.arithmetic_executed == 12
    cycles = [outcome.outputs["gru_16_16_t10_b1"]["latency_cycles"] for outcome in outcomes]
    for number, design in enumerate(space.designs(range(0, 60, 5))):
        assert len(set(cycles[5 * number : 5 * number + 5])) == 1
        names = ("formats.weight", "formats.hidden", "formats.input")
        arch = load_arch("edgedrnn", [f"{name}={design.inputs[name]}" for name in names])
        workload = load_workload("gru:16,16,t=10", [f"delta={design.inputs['delta']}"])
        assert cycles[5 * number] == simulate(arch, workload, timing_only=True).stats.latency_cycles


def test_nothing_is_known_of_a_delta_network_before_it_is_computed(tmp_path: Path) -> None:
    """Columns may all be skipped: no bound on time that the whole network would have."""
    space = written(tmp_path, DELTA)
    spec = space.workloads[0].workload.spec
    for bounds in BatchBounds().bounds_of(space.resolve(range(48)).table, spec):
        assert bounds["latency_cycles"].least <= 1
        assert bounds["energy.dynamic_uj"].least == 0


BATCHES = (
    ("{log2: {from: 2, to: 16}}", "[2, 8]"),
    ("  weight_sram.capacity_bytes: [256, 2KiB]\n", "  batch: [1, 2, 3]\n  activation.lanes: [1, 2, 3, 4]\n"),
    ("  schedule: [fused, split]\n", ""),
    ("accumulators.entries: 4 * mac_array.rows", "accumulators.entries: 12 * mac_array.rows"),
    ("minimize: body_us", "minimize: body_us / batch"),
)


def test_a_space_over_batches_has_the_figures_of_each(write: Write) -> None:
    """Designs of several networks, in batches of those that share a program."""
    space = Space.load(write(*BATCHES))
    assert space.sizes == (2, 3, 3, 4)
    outcomes, _ = evaluated(space)
    assert all(outcome.outputs and not outcome.alone for outcome in outcomes)
    for number, outcome in list(enumerate(outcomes))[::9]:
        inputs = space.design(number).inputs
        names = ("mac_array.rows", "mac_array.columns", "activation.lanes", "weight_sram.banks", "accumulators.entries")
        arch = load_arch("tiny_2x2", [f"{n}={inputs[n]}" for n in names])
        workload = load_workload("lstm:3,4,t=3", [f"batch={inputs['batch']}"])
        stats = simulate(arch, workload, timing_only=True).stats
        assert outcome.outputs["lstm_3_4_t3_b1"] == stats_outputs(stats)


def test_bounds_of_a_point_are_those_of_its_own_workload(write: Write) -> None:
    """With the bounds of batch 1 a point of batch 3 would be held to less, with those of 3 one of 1 pruned wrongly."""
    space = Space.load(write(*BATCHES))
    resolved = space.resolve(range(space.size))
    best = PointClassifier(space).best_possible(resolved)
    assert sorted(best) == list(range(72))
    for place, batch in enumerate((1, 2, 3)):
        alone = ("batch: [1, 2, 3]", f"batch: [{batch}]")
        of_one = Space.load(write(*BATCHES, alone, ("lstm:3,4,t=3", f"lstm:3,4,t=3,b={batch}"), name=f"of_{batch}"))
        found = PointClassifier(of_one).best_possible(of_one.resolve(range(of_one.size)))
        numbers = [n for n in range(72) if n // 4 % 3 == place]  # lanes vary fastest, then batches
        assert [best[n] for n in numbers] == [found[n] for n in range(24)]
    first, last = min(best[n][0] for n in range(4)), min(3 * best[n][0] for n in range(8, 12))
    assert first < last, "three sequences take longer than one, together"


def test_a_value_that_a_workload_cannot_have_with_another_is_a_reason(write: Write) -> None:
    """lstm with h as wide as its projection: one of the four combinations is no workload."""
    text = ("  weight_sram.capacity_bytes: [256, 2KiB]\n", "  hidden_size: [2, 4]\n  proj_size: [0, 2]\n")
    space = Space.load(write(text))
    for design in space.designs(range(space.size)):
        wrong = (design.inputs["hidden_size"], design.inputs["proj_size"]) == (2, 2)
        assert (design.reason is not None and design.reason.kind == "workload") == wrong
        assert space.design(design.number).reason == design.reason
    study = explore(space.with_budget(16), workers=1)
    refused = [present(point.reason) for point in study.with_status(Status.INFEASIBLE)]
    assert any("proj_size must be smaller than hidden_size" in reason.what for reason in refused)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("delta: [0, 0.0625, 0.125]", "delta: [0, -0.125]", r"delta\[1\]: expected a number from 0 to 1e\+06"),
        ("delta: [0, 0.0625, 0.125]", "delta: [0, 0]", "has the value 0 twice"),
        ("delta: [0, 0.0625, 0.125]", "delat: [0]", "there is no such field in the architecture"),
        ("delta: [0, 0.0625, 0.125]", "delta.y: [0]", "there is no such field in the architecture"),
        ("delta: [0, 0.0625, 0.125]", "streaming: [false, true]", "is the same in all points"),
        ("minimize: energy", "minimize: energy.total_uj * dleta", "dleta is not a field"),
        ("formats.input: formats.hidden", "steps: pe_array.pes", "there is no such field in the architecture"),
    ],
)
def test_mistakes(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DELTA
    with pytest.raises(SpaceError, match=message):
        written(tmp_path, DELTA.replace(old, new))


def test_a_machine_need_not_be_valid_before_what_is_derived_from_parameters_alone(tmp_path: Path) -> None:
    """x and h have one format: with h alone set the machine would be refused, one point after the other or together."""
    space = written(tmp_path, DELTA)
    one_by_one = [space.grid.resolve(number).config for number in range(48)]
    assert all(one_by_one)
    resolved = space.resolver.resolve(range(48))
    assert resolved.places.tolist() == list(range(48))
    assert [resolved.designs.config(row) for row in range(48)] == one_by_one


def test_points_kept_as_columns_are_the_same(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A large exploration keeps rows in files, the workloads' values among the inputs, and they are read again so."""
    need("pyarrow")
    space = Space.load(write(*BATCHES))
    whole = explore(space, workers=1, prune=False)
    monkeypatch.setattr("archsim.explore.run.explore.PART_POINTS", 20)
    for resume in (False, True):
        kept = explore(space, workers=1, prune=False, out=tmp_path / "kept", resume=resume)
        assert [(p.number, dict(p.inputs), p.objectives) for p in kept.points] == [
            (p.number, dict(p.inputs), p.objectives) for p in whole.points
        ]
    shown, point = show_point(tmp_path / "kept", 41), whole.points[41]
    assert shown.inputs == point.inputs
    assert present(shown.outcome).outputs == point.outputs


@exhaustive
def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    space = written(tmp_path, DELTA)
    assert explore(space, workers=2).points == explore(space, workers=1).points
