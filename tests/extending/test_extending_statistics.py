"""docs/extending_statistics.md as an outside package; and statistics that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from archsim.api import Simulation, simulate
from archsim.errors import ExtensionError
from archsim.families.load import load_arch
from archsim.metrics.statistic import Computed, FinishedRun, Statistic
from archsim.report.files.saved import stats_json
from archsim.report.text.catalogue import catalogue
from archsim.report.text.report_text import report_text
from archsim.workload import load_workload
from tests.extending.installed import installed
from tests.extending.outside import check_section, install, run, section
from tests.rings import exhaustive

TITLE = "A statistic: what waits, and what late data cost"
PACKAGE = "archsim_waits"


def simulated(*statistics: Statistic) -> Simulation:
    return simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True, statistics=statistics)


def statistic(compute: Callable[[FinishedRun], Computed], name: str = "own", unit: str = "cycles") -> Statistic:
    return Statistic(name, unit, "what it is", "how", compute)


@exhaustive
def test_the_page(tmp_path: Path) -> None:
    check_section(PACKAGE, TITLE, tmp_path)


def test_those_of_installed_packages_are_computed_and_listed(tmp_path: Path) -> None:
    arch, work = load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")
    with installed(PACKAGE, TITLE, tmp_path):
        simulation = simulate(arch, work)
        titles = [title for title, _ in catalogue().sections]
    figures, units = json.loads(stats_json(simulation)), simulation.trace.units
    assert list(figures)[-1] == "further"
    assert list(figures["further"]) == ["late_data_share", "wait_per_op"]
    assert figures["further"]["wait_per_op"] == {
        name: sum(unit.waits.values()) / unit.ops for name, unit in units.items()
    }
    assert "Statistics of installed packages (further in stats.json)" in titles


def test_without_any_nothing_is_said_of_them() -> None:
    simulation = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"))
    assert simulation.further == ()
    assert "further" not in json.loads(stats_json(simulation))
    assert "Further statistics" not in report_text(simulation)
    assert not [title for title, _ in catalogue().sections if "installed packages" in title]


def test_a_statistic_sees_the_whole_run() -> None:
    def per_op(run: FinishedRun) -> Computed:
        ops = sum(unit.ops for unit in run.trace.units.values())
        assert ops == run.program.op_instances == run.stats.program_ops
        assert [*run.units] == [*run.trace.units]
        assert run.config.family == "gemv"
        return {"steps": run.spec.steps, "cycles": np.float64(run.trace.total_cycles / ops), "half": Fraction(1, 2)}

    simulation = simulated(statistic(per_op), statistic(lambda run: np.int64(7), "seven", ""))
    further = json.loads(stats_json(simulation))["further"]
    assert further["own"] == {"steps": 4, "cycles": further["own"]["cycles"], "half": 0.5}
    assert further["seven"] == 7
    text = report_text(simulation)
    assert "\nFurther statistics  (declared by other installed packages, or by the caller)\n  own.steps" in text


@pytest.mark.parametrize(
    ("compute", "message"),
    [
        (lambda run: 1 / 0, "archsim.statistics: own: cannot be computed: ZeroDivisionError: division by zero"),
        (lambda run: run.trace.counts["a\nb"], r"archsim.statistics: own: cannot be computed: KeyError: 'a\nb'"),
        (lambda run: float("nan"), "archsim.statistics: own: expected finite numbers, got nan"),
        (lambda run: {"a": float("inf")}, "archsim.statistics: own: expected finite numbers, got inf"),
        (lambda run: "3", "archsim.statistics: own: expected finite numbers, got '3'"),
        (lambda run: True, "archsim.statistics: own: expected finite numbers, got True"),
        (lambda run: None, "archsim.statistics: own: expected finite numbers, got None"),
    ],
)
def test_what_goes_wrong_in_it_is_its_packages_fault(compute: Callable[[FinishedRun], Computed], message: str) -> None:
    with pytest.raises(ExtensionError) as error:
        simulated(statistic(compute))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (replace(statistic(lambda run: 1), unit=3), "own: unit must be text, got the integer 3"),  # type: ignore[arg-type]
        (replace(statistic(lambda run: 1), meaning=None), "own: meaning must be text, got null (no value)"),  # type: ignore[arg-type]
        (replace(statistic(lambda run: 1), name=("a",)), "('a',): name must be text, got the value [\"a\"]"),  # type: ignore[arg-type]
        (3, "expected an instance of Statistic, got int"),
    ],
)  # fmt: skip
def test_one_that_is_declared_wrongly_is_refused_before_anything_is_computed(wrong: Any, message: str) -> None:
    """Given by a caller; test_extending_list.py has one of an installed package."""
    with pytest.raises(ExtensionError) as error:
        simulated(statistic(lambda run: 1 / 0, "first"), wrong)
    assert str(error.value) == f"archsim.statistics: {message}"


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(ExtensionError, match="archsim.statistics: own: there are several statistics of that name"):
        simulated(statistic(lambda run: 1), statistic(lambda run: 2))


@exhaustive
def test_the_command_line_says_it_in_one_line_and_ends_with_2(tmp_path: Path) -> None:
    install(PACKAGE, section(TITLE), tmp_path)
    module = tmp_path / "archsim_waits" / "statistics.py"
    module.write_text(module.read_text(encoding="utf-8").replace("/ unit.ops for", "/ 0 for"), encoding="utf-8")
    ran = run("archsim run tiny_2x2 lstm_3_2_t4 --no-plots --out here", tmp_path)
    assert ran.returncode == 2
    what = "cannot be computed: ZeroDivisionError: division by zero"
    assert ran.stdout == f"archsim: error: archsim.statistics: wait_per_op: {what}\n"
    assert not (tmp_path / "here").exists()
    assert run("archsim validate tiny_2x2 lstm_3_2_t4", tmp_path).returncode == 0
