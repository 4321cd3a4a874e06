"""explore(): the front is that of the full enumeration, whatever the workers, the sampler's path and the pruning."""

import io
import itertools
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archsim.api import simulate
from archsim.cli.main import main
from archsim.config import Override, parse_override
from archsim.explore import Space, Status, explore
from archsim.explore.page.page import html_page
from archsim.explore.results.parquet import parquet_bytes
from archsim.explore.results.study import Point
from archsim.explore.results.table import csv_bytes, points_table
from archsim.explore.results.write_results import study_json, study_text, write_results
from archsim.explore.run.evaluation import stats_outputs
from archsim.explore.run.watcher import Watcher
from archsim.explore.search.front import Front, hypervolume
from archsim.explore.search.importance import importance
from archsim.explore.search.result_bounds import BatchBounds, ResultBounds
from archsim.explore.space.design import Reason
from archsim.families.gemv.array.mac_array import MacArray
from archsim.families.load import Arch, load_arch
from archsim.program.ir import Op
from archsim.workload import load_workload
from tests.explore.conftest import Write
from tests.optional import need
from tests.rings import examples, exhaustive, few
from tests.strategies import Case, cases, sparse, unit_options


def test_every_point_is_what_simulate_says(write: Write) -> None:
    study = explore(Space.load(write()), workers=1, prune=False)
    assert len(study.points) == 48
    assert study.with_status(Status.EVALUATED)
    for point in study.with_status(Status.EVALUATED)[::7]:
        sets = [Override(k, str(v)) for k, v in point.inputs.items() if k != "schedule"]
        stats = simulate(
            load_arch("tiny_2x2", sets), load_workload("lstm:3,4,t=3"), point.schedule, timing_only=True
        ).stats
        assert point.objectives == (stats.body_us, point.inputs["mac_array.rows"] * point.inputs["mac_array.columns"])  # type: ignore[operator]
        assert point.outputs["lstm_3_4_t3_b1"]["latency_cycles"] == stats.latency_cycles  # type: ignore[index]


def test_infeasible_points_stay_with_demand_bound_and_gap(write: Write) -> None:
    study = explore(Space.load(write(("<= 64", "<= 30"))), workers=1)
    infeasible = study.with_status(Status.INFEASIBLE)
    small = [p for p in infeasible if p.reason.kind == "capacity"]  # type: ignore[union-attr]
    # W_ih 16 x 3 and W_hh 16 x 4, in float32: (48 + 64) * 4 bytes; the bias has a memory of its own
    assert {(p.reason.need, p.reason.have, p.reason.gap, p.reason.unit) for p in small} == {(448, 256, 192, "bytes")}  # type: ignore[union-attr]
    big = [p for p in infeasible if p.reason.kind == "constraint"]  # type: ignore[union-attr]
    assert {(p.reason.need, p.reason.have, p.reason.gap) for p in big} == {(40, 30, 10), (48, 30, 18), (80, 30, 50)}  # type: ignore[union-attr]
    assert len(study.points) == 48


def test_schedules_that_make_equal_designs_stand_once_on_the_front(
    write: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One layer as a wavefront is no other program, and one whose weights all fit streams none of them.

    Two sizes of a queue are no schedules: both stay, though no figure tells them apart.
    """
    need("pyarrow")
    three = ("[fused, split]", "[fused, fused_interleaved_streamed, fused_wavefront]")
    fits = ("[256, 2KiB]", "[2KiB]")
    space = Space.load(write(three, fits))
    for most_in_memory in (1 << 15, 4):
        monkeypatch.setattr("archsim.explore.run.explore.PART_POINTS", most_in_memory)
        study = explore(space, workers=1)
        front, same_as = study.pareto(), study.same_as()
        assert front
        assert {point.schedule for point in front} == {"fused_interleaved"}
        for point in front:
            others = same_as[point.number]
            assert [o.schedule for o in others] == ["fused_interleaved_streamed", "fused_interleaved_wavefront"]
            assert all(other.objectives == point.objectives for other in others)
        assert len(study.others(1000)) + len(front) == study.count(Status.EVALUATED), "charts have every design once"
        table = points_table(study, study.points)
        assert sum(map(bool, table.cells("pareto"))) == len(front)
        assert sum(number is not None for number in table.cells("same_as")) == 2 * len(front)
        assert "same as" in study_text(study)
        assert json.loads(study_json(study))["front"][0]["same_as"] == [o.schedule for o in same_as[front[0].number]]
        assert "same as" in html_page(study, {})
    queues = explore(
        Space.load(write(fits, ("  mac_array.columns:", "  sequencer.queue_depth: [64, 128]\n  mac_array.columns:"))),
        workers=1,
    )
    assert len({tuple(point.objectives or ()) for point in queues.pareto()}) < len(queues.pareto())
    assert not queues.same_as()
    assert "same as" not in study_text(queues)


COSTS = ("area", "edp", "mac_array.rows * mac_array.columns * weight_sram.capacity_bytes")


@pytest.mark.parametrize("cost", few(COSTS, 1))
def test_pruning_leaves_the_front_exact_and_says_how_much_it_skipped(
    write: Write, monkeypatch: pytest.MonkeyPatch, cost: str
) -> None:
    monkeypatch.setattr("archsim.explore.search.samplers.ROUND", 4)
    # More SRAM costs and buys nothing, and the array is so small that its bound is nearly reached.
    larger = [("tiny_2x2", "edge_16x16"), ("lstm:3,4,t=3", "lstm:24,24,t=2"), ("[256, 2KiB]", "[64KiB, 1MiB]")]
    space = Space.load(write(*larger, ("minimize: mac_array.rows * mac_array.columns", f"minimize: {cost}")))
    full, pruned = explore(space, workers=1, prune=False), explore(space, workers=1, prune=True)
    skipped = pruned.with_status(Status.PRUNED)
    assert skipped, "a test of pruning needs something to prune"
    assert pruned.simulated < full.simulated
    assert [p.number for p in pruned.pareto()] == [p.number for p in full.pareto()]
    assert not full.with_status(Status.PRUNED)
    by_number = {p.number: p for p in full.points}
    front = [p.objectives for p in full.pareto()]
    for point in skipped:  # each really is dominated, or does not even fit
        own = by_number[point.number].objectives
        assert own is None or any(all(np.array(f) <= own) and any(np.array(f) < own) for f in front)


@settings(max_examples=examples(100))
@given(
    cases().flatmap(unit_options).flatmap(sparse),
    st.sampled_from(["float32", "tflite_int8", "q4.12"]),
    st.sampled_from(["node_45nm", "node_7nm"]),
)
def test_bounds_are_below_every_simulation(case: Case, formats: str, technology: str) -> None:
    """Of any machine, network and schedule; area and leakage are exact."""
    case = case.with_fields({"formats": formats, "technology": technology})
    outputs = stats_outputs(case.simulate(timing_only=True).stats)
    bounds = ResultBounds().bounds_of(case.arch, case.spec)
    assert {"latency_us", "body_us", "energy.total_uj", "area.area_mm2"} <= bounds.keys()
    for name, bound in bounds.items():
        assert bound.least * (1 - 1e-12) <= outputs[name] <= bound.most, name  # type: ignore[operator]
    assert bounds["area.area_mm2"].known


@pytest.mark.parametrize("space", few(["cloud", "edge"], 1))
def test_bounds_of_many_designs_are_those_of_each(space: str) -> None:
    found = Space.load(space)
    resolved, spec = found.resolve(range(3, found.size, found.size // 60)), found.workloads[0].workload.spec
    bounds, alone = BatchBounds().bounds_of(resolved.table, spec), ResultBounds()
    for design in resolved.designs:
        assert design.config is not None
        assert bounds[resolved.rows[design.number]] == alone.bounds_of(Arch("", design.config), spec)


def test_the_bound_of_energy_by_hand() -> None:
    """LSTM(3, 4), T = 2, on tiny_2x2 in float32 at 45 nm: 16 x (3 + 4) = 112 MACs a step, of 3.7 pJ a multiplication;
    112 weights of 32 bits from LPDDR4 at 5.9 pJ, its interface apart; W_hh, 64 weights of 32 bits, twice from a memory
    of 64 bits a word."""
    sets = ["formats=float32", "technology=node_45nm", "dram_type=lpddr4", "weight_sram.port_bits=64"]
    arch = load_arch("tiny_2x2", [parse_override(text) for text in sets])
    prices, spec = arch.prices, load_workload("lstm:3,4,t=2").spec
    word = prices.memory(arch.config.costing.memories["weight_sram"])  # type: ignore[union-attr]
    assert word.access_bits == 64
    expected_pj = 2 * 112 * 3.7 + 112 * 32 * 5.9 + 2 * 64 * 32 / 64 * word.read_pj
    assert ResultBounds().bounds_of(arch, spec)["energy.dynamic_uj"].least == pytest.approx(expected_pj / 1e6)


@exhaustive
def test_results_do_not_depend_on_the_number_of_workers(write: Write, tmp_path: Path) -> None:
    space = Space.load(write())
    for workers in (1, 3):
        folder = tmp_path / str(workers)
        write_results(explore(space, out=folder, workers=workers), folder)
    names = sorted(path.name for path in (tmp_path / "1").iterdir() if path.name != "journal.jsonl")
    assert {"points.csv", "pareto.csv", "index.html", "pareto.png", "parallel.png"} <= set(names)
    for name in names:
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes(), name


@exhaustive
def test_several_workloads_are_aggregated(write: Write) -> None:
    both = '["lstm:3,4,t=3", {workload: "lstm:3,4,t=6", weight: 3}]'
    singles = [
        explore(Space.load(write(("t=3", t), name=t[2:])), workers=1, prune=False).points for t in ("t=3", "t=6")
    ]
    for how, expected in {
        "geomean": lambda a, b: (a * b) ** 0.5,
        "max": max,
        "weighted": lambda a, b: (a + 3 * b) / 4,
    }.items():
        path = write(('["lstm:3,4,t=3"]', f"{both}\naggregate: {how}"), name=how)
        study = explore(Space.load(path), workers=1, prune=False)
        for point, short, long in zip(study.points, *singles, strict=True):
            if point.objectives is not None:
                assert point.objectives[0] == pytest.approx(expected(short.objectives[0], long.objectives[0]))  # type: ignore[operator]
                assert point.objectives[1] == short.objectives[1]


@pytest.mark.parametrize("sampler", ["random", "sobol", "nsga2", "nsga3", "tpe"])
def test_samplers_repeat_themselves_and_keep_to_the_budget(write: Write, sampler: str, tmp_path: Path) -> None:
    need("scipy")
    need("optuna")
    path = write(("objectives:\n", f"sampler: {sampler}\nbudget: 30\npopulation: 8\nobjectives:\n"), name=sampler)
    space = Space.load(path)
    first, again = explore(space, workers=1), explore(space, workers=1)
    assert first.points == again.points
    assert len(first.points) == 30
    assert explore(space.with_budget(seed=9), workers=1).points != first.points
    # a smaller budget is a beginning of the same path, and what is known is not evaluated again
    short = explore(space.with_budget(budget=12), out=tmp_path / "s", workers=1)
    assert {p.number for p in short.points} <= {p.number for p in first.points}
    longer = explore(space, out=tmp_path / "s", workers=1, resume=True)
    assert longer.points == first.points
    assert longer.simulated == first.simulated - short.simulated


def test_random_without_a_permutation_draws_no_point_twice(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archsim.explore.search.samplers._PERMUTED", 1)
    path = write(("objectives:\n", "sampler: random\nbudget: 40\nobjectives:\n"))
    assert len(explore(Space.load(path), workers=1).points) == 40


def test_accuracy_is_an_objective(write: Write) -> None:
    path = write(
        ("parameters:", "set: {activation.method: exact}\nparameters:"),
        ("mac_array.rows: {log2: {from: 2, to: 16}}", "formats: [float32, q4.12, q2.6]"),
        ("weight_sram.banks: mac_array.rows", "weight_sram.banks: mac_array.columns"),
        ("[256, 2KiB]", "[2KiB]"),
        ("minimize: body_us", "minimize: accuracy.output.rms_error"),
    )
    study = explore(Space.load(path), workers=1)
    errors = {p.inputs["formats"]: p.objectives[0] for p in study.with_status(Status.EVALUATED)}  # type: ignore[index]
    assert 0 < errors["float32"] < errors["q4.12"] < errors["q2.6"]
    assert study.with_status(Status.EVALUATED)[0].executor == "machine"


def test_a_bug_at_one_point_is_a_failure_of_that_point_alone(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also in a batch: its designs are evaluated one by one then, and the study says so."""
    real = MacArray.compute_cycles

    def broken(self: MacArray, op: Op) -> int:
        if self.config.rows == 4 and self.config.columns == 3:
            raise ZeroDivisionError("planted")
        return real(self, op)

    monkeypatch.setattr(MacArray, "compute_cycles", broken)
    study = explore(Space.load(write(("[256, 2KiB]", "[2KiB, 4KiB]"))), workers=1, prune=False)
    failed = study.with_status(Status.FAILED)
    assert {(p.inputs["mac_array.rows"], p.inputs["mac_array.columns"]) for p in failed} == {(4, 3)}
    assert all("ZeroDivisionError: planted" in p.reason.what for p in failed)  # type: ignore[union-attr]
    assert len(study.with_status(Status.EVALUATED)) > len(failed)
    assert "a batch failed: ZeroDivisionError" in study.alone


def test_a_design_without_enough_memory_has_failed_and_that_is_no_bug(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is of a kind of its own; the other designs have their figures."""
    real = MacArray.compute_cycles

    def large(self: MacArray, op: Op) -> int:
        if self.config.rows == 4 and self.config.columns == 3:
            raise MemoryError("Unable to allocate 7 TiB")
        return real(self, op)

    monkeypatch.setattr(MacArray, "compute_cycles", large)
    study = explore(Space.load(write(("[256, 2KiB]", "[2KiB, 4KiB]"))), workers=1, prune=False)
    failed = study.with_status(Status.FAILED)
    assert {(p.inputs["mac_array.rows"], p.inputs["mac_array.columns"]) for p in failed} == {(4, 3)}
    reason = Reason("memory", "there is not enough memory to evaluate it: Unable to allocate 7 TiB")
    assert {p.reason for p in failed} == {reason}
    assert len(study.with_status(Status.EVALUATED)) > len(failed)


@exhaustive
def test_a_worker_that_is_killed_costs_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import signal

    from archsim.explore.run.local_process import LocalProcess

    space = Space.load(write())
    expected = explore(space, workers=1)
    killed = []  # type: ignore[var-annotated]
    real = LocalProcess.send
    running: list[LocalProcess] = []

    def deadly(worker: LocalProcess, chunk: Any) -> None:
        """The process dies with the chunk that it has just got: the first two to be given one while two run."""
        running.append(worker)
        real(worker, chunk)
        if len(killed) < 2 and len({each.process.pid for each in running}) >= 2:
            killed.append(worker.process.pid)
            os.kill(killed[-1], signal.SIGKILL)

    monkeypatch.setattr(LocalProcess, "send", deadly)
    study = explore(space, workers=2)
    assert len(killed) == 2
    assert study.points == expected.points


VALUES = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=1, max_size=25)


@given(VALUES, st.integers(1, 8), st.integers(1, 8))
def test_front_is_what_no_other_dominates(values: list[tuple[int, ...]], at_once: int, block: int) -> None:
    """However many are added at once, in blocks of whatever size; in the order in which they came."""
    front = Front(3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("archsim.explore.search.front.BLOCK", block)
        for place in range(0, len(values), at_once):
            some = range(place, min(len(values), place + at_once))
            front.add(some, [values[number] for number in some])
    dominated = {
        i
        for i, j in itertools.permutations(range(len(values)), 2)
        if all(b <= a for a, b in zip(values[i], values[j], strict=True)) and values[i] != values[j]
    }
    assert front.members == sorted(set(range(len(values))) - dominated)
    assert front.values.tolist() == [list(map(float, values[member])) for member in front.members]


@given(VALUES)
def test_hypervolume_counts_unit_cubes(values: list[tuple[int, ...]]) -> None:
    cubes = sum(
        any(all(v <= c for v, c in zip(value, cube, strict=True)) for value in values)
        for cube in itertools.product(range(6), repeat=3)
    )
    assert hypervolume(np.array(values, float), (6, 6, 6)) == pytest.approx(cubes)


def test_importance_by_hand(write: Write) -> None:
    study = explore(Space.load(write(("<= 64", "<= 4096"), ("[256, 2KiB]", "[2KiB]"))), workers=1, prune=False)
    shares = importance(study, 1)
    # log(rows * columns) = log(rows) + log(columns): variances of log2 (1, 2, 3, 4) and log2 (1, 3, 5) add up
    rows, columns = np.var([1, 2, 3, 4]), np.var(np.log2([1, 3, 5]))
    assert shares["mac_array.rows"] == pytest.approx(rows / (rows + columns), abs=0.08)
    assert shares["mac_array.columns"] == pytest.approx(columns / (rows + columns), abs=0.08)
    assert shares["schedule"] == 0


def test_the_command_of_a_point_gives_its_figures(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json
    import shlex

    from archsim.explore.run.commands import RunCommands

    study = explore(Space.load(write()), workers=1)
    point = study.pareto()[0]
    [command] = RunCommands(study.space).of(point)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [*shlex.split(command), "--json", "--no-plots"])
    with pytest.raises(SystemExit):
        main()
    assert json.loads(capsys.readouterr().out)["body_us"] == point.objectives[0]  # type: ignore[index]


class Counts(Watcher):
    """What a watcher is told."""

    def __init__(self) -> None:
        self.budget, self.points, self.fresh = 0, 0, 0

    def begin(self, budget: int, space: Space) -> None:
        self.budget = budget

    def counted(self, points: Sequence[Point], fresh: int) -> None:
        self.points += len(points)
        self.fresh += fresh


def test_a_watcher_hears_of_every_point_and_of_every_design_that_is_evaluated(write: Write, tmp_path: Path) -> None:
    space = Space.load(write())
    first, again = Counts(), Counts()
    study = explore(space, out=tmp_path / "out", workers=1, prune=False, watcher=first)
    explore(space, out=tmp_path / "out", workers=1, prune=False, resume=True, watcher=again)
    assert (first.budget, first.points, first.fresh) == (48, 48, study.simulated)
    assert (again.points, again.fresh) == (48, 0), "what the journal knows is not evaluated again"


@exhaustive
def test_a_constraint_on_results_says_demand_and_bound_and_on_which_workload(write: Write) -> None:
    two = ('["lstm:3,4,t=3"]', '["lstm:3,4,t=3", "lstm:3,4,t=6"]')
    for changes, where in (((), ""), ((two,), " (on lstm_3_4_t3_b1)")):
        limit = ("mac_array.columns <= 64", "mac_array.columns <= 64\n  - latency_cycles <= 20")
        study = explore(Space.load(write(limit, *changes)), workers=1, prune=False)
        slow = [p.reason for p in study.with_status(Status.INFEASIBLE) if p.outputs]
        assert slow
        for point in study.with_status(Status.INFEASIBLE):
            reason = point.reason
            if point.outputs and reason is not None:
                cycles = point.outputs["lstm_3_4_t3_b1"]["latency_cycles"]
                assert (reason.kind, reason.need, reason.have, reason.unit) == ("constraint", cycles, 20, "")
                assert reason.what == f"latency_cycles <= 20{where}"


@pytest.mark.parametrize(
    "objective", ["1/(mac_array.rows-2)", "log2(mac_array.rows-2)", "sqrt(mac_array.rows-4)", "0 ** (mac_array.rows-4)"]
)
def test_an_objective_without_a_value_makes_a_design_infeasible(objective: str, write: Write) -> None:
    """With two rows it has none; with 4, 8 and 16 it has."""
    study = explore(
        Space.load(write(("mac_array.rows * mac_array.columns\n    name", f"{objective}\n    name"))), workers=1
    )
    undefined = [point for point in study.points if point.inputs["mac_array.rows"] == 2]
    assert {point.status for point in undefined} == {Status.INFEASIBLE}
    found = {point.reason.what for point in undefined if point.reason and point.reason.kind == "objective"}
    assert len(found) == 1
    assert objective in found.pop()
    assert study.with_status(Status.EVALUATED)
    assert not study.with_status(Status.FAILED)


def test_numbers_of_points_of_any_size_are_kept(write: Write) -> None:
    """In points.parquet as texts where 64 bits are not enough; all else of the table stays."""
    study = explore(Space.load(write()).with_budget(4), workers=1)
    far = replace(study, points=tuple(replace(point, number=point.number + 2**70) for point in study.points))
    table = points_table(far, far.points)
    data = parquet_bytes(table)
    need("pyarrow")
    import pyarrow.parquet as pq

    assert data is not None
    found = pq.read_table(io.BytesIO(data)).to_pydict()
    assert found["point"] == [str(2**70 + point.number) for point in study.points]
    assert str(2**70) in csv_bytes(table).decode()


def test_a_machine_that_is_not_valid_is_said_by_its_fields(write: Write) -> None:
    """Two faults of different sections are two reasons; the data of a point stand in no file that could be named."""
    more = "derived:\n  elementwise.lanes: mac_array.columns - 1\n  dram.efficiency: mac_array.rows / 8\n"
    text = study_text(explore(Space.load(write(("derived:\n", more))), workers=1, prune=False), 300)
    assert "design:1" not in text
    assert "12  infeasible, architecture: elementwise.lanes: expected an integer from 1" in text, (
        "2, 4, 8 rows of 1 column"
    )
    assert "12  infeasible, architecture: dram.efficiency, as expected a number" in text, "16 rows; of 1 column both"
