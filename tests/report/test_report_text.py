"""The text report says everything that is known of a run, with units, and stays inside its width."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console

from archsim.api import Simulation
from archsim.api.explain import find
from archsim.families.gemv.bounds import GEMV_BOUNDS
from archsim.metrics.stacks import BUCKETS
from archsim.report import print_report, report_text
from archsim.report.text.figures_as_text import binary_bytes, percent, significant
from tests.report.conftest import Run
from tests.rings import few


def cells(text: str, section: str) -> dict[str, list[str]]:
    """The rows of a section, by their first cell."""
    body = text.split(f"\n{section}")[1].split("\n\n")[0]
    rows: dict[str, list[str]] = {}
    for line in body.splitlines()[1:]:
        row = [cell.strip() for cell in line.split("  ") if cell.strip()]
        if row and line.startswith("  ") and line[2] != " ":
            rows[row[0]] = row[1:]
    return rows


def printed(simulation: Simulation, width: int) -> str:
    out = io.StringIO()
    print_report(simulation, Console(file=out, width=width, color_system=None), find(simulation), None)
    return out.getvalue()


def test_header_names_machine_workload_and_schedule(small: Simulation) -> None:
    head = report_text(small).split("\nLatency")[0]
    assert head.startswith("lstm_3_2_t4 on edge_64x64, schedule fused_interleaved\n")
    assert "800 MHz (1 cycle = 1.25 ns)" in head
    assert "4 rows x 2 columns = 8 MACs a cycle, float32" in head
    assert "I = 3 inputs, H = 2 hidden units, T = 4 time steps, B = 1 sequence;" in " ".join(head.split())
    assert f"{small.stats.program_ops} ops executed" in head
    assert "PASSED: largest relative error" in head


def test_latency_in_cycles_and_us_by_phase(small: Simulation) -> None:
    rows, stats = cells(report_text(small), "Latency"), small.stats
    assert rows["phase"][:2] == ["cycles", "us"]
    parts = {
        "prologue": stats.prologue_cycles,
        "time steps": stats.body_cycles,
        "epilogue": stats.epilogue_cycles,
        "whole run": stats.latency_cycles,
    }
    assert sum(parts.values()) == 2 * stats.latency_cycles
    for name, length in parts.items():
        share = percent(length / stats.latency_cycles)
        assert rows[name][:3] == [f"{length:,}", significant(length / 800), share]
    assert rows["whole run"][1] == significant(stats.latency_us)


def test_every_bound_beside_the_step_with_the_binding_one_marked(run: Run) -> None:
    simulation = run(workload=("steps=9",))  # in fewer steps x, loaded in the prologue, is never late
    text, stats = report_text(simulation), simulation.stats
    rows = cells(text, "One time step")
    assert rows["bound"][:2] == ["cycles/step", "of step"]
    assert rows["simulated"][0] == f"{stats.cycles_per_step:,.0f}"
    assert set(GEMV_BOUNDS) <= set(rows)
    marked = [name for name in GEMV_BOUNDS if rows[name][2].startswith("<-- binds")]
    assert marked == [stats.binding_bound]
    excess = stats.cycles_per_step / stats.bounds[stats.binding_bound] - 1
    joined = " ".join(text.split())
    assert excess > 0
    assert f"{stats.binding_bound} binds: the simulated step is {percent(excess)} above it" in joined


def test_throughput_and_utilization(small: Simulation) -> None:
    rows, stats = cells(report_text(small), "Throughput"), small.stats
    assert rows["throughput"][0] == f"{significant(stats.throughput_gops)} GOPS"
    assert rows["steady_state_throughput"][0] == f"{significant(stats.steady_state_throughput_gops)} GOPS"
    assert rows["peak_throughput"][0] == "12.8 GOPS"  # 2 ops x 8 MACs x 800 MHz
    assert rows["mac_utilization"][0] == percent(stats.mac_utilization)
    assert rows["steady_state_mac_utilization"][0] == percent(stats.steady_state_mac_utilization)


def test_cycle_stack_has_every_bucket_either_with_its_cycles_or_as_empty(small: Simulation) -> None:
    text, stack = report_text(small), small.stats.cycle_stack
    rows = cells(text, "Cycle stack")
    empty = " ".join(text.split("0 cycles in: ")[1].split("\n\n")[0].split()).split(", ")
    for bucket in BUCKETS:
        if stack[bucket]:
            assert rows[bucket][0] == f"{stack[bucket]:,}"
            assert bucket not in empty
        else:
            assert bucket in empty
            assert bucket not in rows
    assert rows["sum"][0] == f"{small.stats.latency_cycles:,}"
    assert "useful items" in text


def test_units_are_listed_with_their_busy_cycles(small: Simulation) -> None:
    rows = cells(report_text(small), "Units")
    for name, unit in small.trace.units.items():
        held = sum(
            record.free - record.start
            for record in small.trace.records
            if record.phase == 1 and small.program.phases[1].ops[record.op].unit == name
        )
        assert unit.ops
        assert rows[name][:2] == [f"{held:,}", percent(held / small.stats.body_cycles)]


def test_traffic_of_every_memory_by_direction_and_kind(small: Simulation) -> None:
    text = report_text(small)
    section = text.split("\nMemory traffic")[1].split("\n\n")[0]
    tokens = [line.split() for line in section.splitlines()]
    for memory, directions in small.stats.traffic_bytes.items():
        total = sum(sum(kinds.values()) for kinds in directions.values())
        intensity = significant(small.stats.operational_intensity_ops_per_byte[memory])
        assert [memory, "all", f"{total:,}", *binary_bytes(total).split(), intensity] in tokens
        for direction, kinds in directions.items():
            word = {"read": "read", "write": "written"}[direction]
            for number, (kind, amount) in enumerate(kinds.items()):
                expected = [kind, f"{amount:,}", *binary_bytes(amount).split()]
                assert ([word, *expected] if number == 0 else expected) in tokens
    assert "ops/byte" in section


def test_validation_names_each_tensor_its_reference_and_its_error(small: Simulation) -> None:
    text = report_text(small)
    rows = cells(text, "Validation")
    for check in small.validation.checks:
        assert rows[check.name] == [
            check.reference,
            f"{check.max_abs_error:.1e}",
            f"{check.max_rel_error:.1e}",
            "passed",
        ]
    assert "up to 1.0e-05" in " ".join(text.split())
    assert text.endswith("  PASSED\n")


def test_a_failed_validation_is_loud(small: Simulation) -> None:
    checks = (dataclasses.replace(small.validation.checks[0], passed=False), *small.validation.checks[1:])
    wrong = dataclasses.replace(small, validation=dataclasses.replace(small.validation, passed=False, checks=checks))
    text = report_text(wrong)
    assert text.count("FAILED") == 3
    assert "PASSED" not in text


def test_timing_only_says_that_nothing_was_computed(run: Run) -> None:
    text = report_text(run(timing_only=True))
    assert text.count("timing only: nothing was computed") == 2
    assert "PASSED" not in text


def test_a_single_step_claims_no_steady_state(run: Run) -> None:
    text = report_text(run(workload=("steps=1",)))
    assert "too few for a steady state" in text
    assert "T = 1 time step," in text


@pytest.mark.parametrize("width", few([80, 100, 132], 1))
def test_no_line_is_wider_than_the_terminal(small: Simulation, long: Simulation, width: int) -> None:
    name = "a_machine_with_a_name_that_is_longer_than_any_line_of_a_terminal_" * 3
    named = dataclasses.replace(small, stats=dataclasses.replace(small.stats, arch=name))
    for simulation in (small, long, named):
        lines = printed(simulation, width).splitlines()
        assert max(map(len, lines)) <= width
    assert "".join(printed(named, width).split()).count(name) == 2  # nothing of it was cut off


def test_plain_text_ignores_the_terminal(small: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = report_text(small)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    assert report_text(small) == plain
    assert "\x1b" not in plain
    assert plain.isascii()
    assert max(map(len, plain.splitlines())) <= 100


def test_a_terminal_gets_the_same_words(small: Simulation) -> None:
    out = io.StringIO()
    coloured = Console(file=out, width=100, force_terminal=True, color_system="standard", _environ={})
    print_report(small, coloured, find(small), None)
    assert "\x1b[1m" in out.getvalue()
    plain = io.StringIO()
    print_report(small, Console(file=plain, width=100, color_system=None, _environ={}), find(small), None)
    assert plain.getvalue().split() == report_text(small).split()


def test_names_are_no_markup(small: Simulation) -> None:
    named = dataclasses.replace(small, stats=dataclasses.replace(small.stats, arch="a[bold]b[/]:smile:"))
    assert "a[bold]b[/]:smile:" in report_text(named)


@pytest.mark.parametrize("width", [60, 70, 80])
def test_no_word_is_broken_however_narrow(small: Simulation, width: int) -> None:
    """Where words do not fit beside each other a table becomes lists, with headers before the cells."""
    words = {word.rstrip(":") for word in printed(small, 400).split()}
    found = printed(small, width)
    assert {word.rstrip(":") for word in found.split()} <= words
    assert max(map(len, found.splitlines())) <= width
