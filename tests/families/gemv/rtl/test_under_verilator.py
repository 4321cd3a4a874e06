"""The RTL under Verilator: equal to the simulation in every op and code; each planted fault is noticed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archsim.rtl import build
from archsim.rtl.build import EVENTS, lint
from archsim.rtl.compare import compare, read_events
from archsim.rtl.expected import expect
from archsim.rtl.folder import write_design
from archsim.rtl.tools import find_verilator
from tests.families.gemv.rtl.cases import checked, expected_of, inputs_of, need_verilator
from tests.families.gemv.rtl.planted import (
    AHEAD,
    DEEP,
    FUSED,
    GRU,
    LSTM,
    PLANTED,
    PLANTED_AHEAD,
    PROJECTED,
    Planted,
    SmallCase,
)
from tests.families.gemv.rtl.timing_faults import TIMING_FAULTS
from tests.rings import exhaustive, law
from tools.rtl_random import run

CASES = {"lstm": LSTM, "fused": FUSED, "gru": GRU, "deep": DEEP, "projected": PROJECTED}
CASES |= {s: replace(LSTM, schedule=s) for s in AHEAD}
FIRST_IN_CI, IN_CI = 0, 40


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_lint(case: SmallCase, tmp_path: Path) -> None:
    """No warning of `verilator --lint-only -Wall`."""
    need_verilator()
    design = expected_of(case).design
    write_design(design, tmp_path)
    lint(find_verilator(), tmp_path, design.sources)


@exhaustive
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_equal(case: SmallCase, tmp_path: Path, runtime: Path) -> None:
    found = checked(case, tmp_path, runtime)
    assert found.passed, str(found.first)
    assert found.ops == found.ops_equal > 50
    assert found.codes == found.codes_equal > 150


@exhaustive
@pytest.mark.parametrize("case", [LSTM, GRU], ids=["lstm", "gru"])
def test_equal_as_synthesis_takes_it(
    case: SmallCase, tmp_path: Path, runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and numbers taken apart, as synthesis has them, are the same machine as the loops of the simulation."""
    monkeypatch.setattr(build, "SMALL_MODEL", (*build.SMALL_MODEL, "-DSYNTHESIS"))
    assert checked(case, tmp_path, runtime).passed


@law
@exhaustive
@pytest.mark.parametrize("number", range(FIRST_IN_CI, FIRST_IN_CI + IN_CI))
def test_random_machine(number: int, tmp_path: Path, runtime: Path) -> None:
    (tmp_path / "runtime").symlink_to(runtime)
    case, found = run(number, tmp_path)
    assert found.passed, f"{found.first}\n{case}"


@exhaustive
@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault.what)
def test_planted_fault(fault: Planted, tmp_path: Path, runtime: Path) -> None:
    assert not checked(fault.case, tmp_path, runtime, (fault.file, fault.text, fault.instead)).passed


@exhaustive
@pytest.mark.parametrize("fault", PLANTED_AHEAD, ids=lambda fault: f"{fault.what}, {fault.case.schedule}")
def test_planted_fault_under_schedules_ahead(fault: Planted, tmp_path: Path, runtime: Path) -> None:
    assert not checked(fault.case, tmp_path, runtime, (fault.file, fault.text, fault.instead)).passed


@exhaustive
@pytest.mark.parametrize("case", list(dict.fromkeys(fault.case for fault in TIMING_FAULTS)), ids=lambda c: c.schedule)
def test_planted_timing_faults(case: SmallCase, tmp_path: Path, runtime: Path) -> None:
    """The RTL stays as it is, and the simulation has a fault: each one shows as a difference."""
    assert _unnoticed(case, case, tmp_path, runtime) == set()


@exhaustive
def test_planted_timing_faults_under_schedules_ahead(tmp_path: Path, runtime: Path) -> None:
    """Each fault shows under one schedule ahead at least; not each costs a cycle under both."""
    unnoticed = [
        fault
        for case in dict.fromkeys(fault.case for fault in TIMING_FAULTS)
        for fault in set.intersection(
            *(_unnoticed(replace(case, schedule=ahead), case, tmp_path, runtime) for ahead in AHEAD)
        )
    ]
    assert unnoticed == []


def _unnoticed(case: SmallCase, faults_of: SmallCase, folder: Path, runtime: Path) -> set[str]:
    """The timing faults of a case that show as no difference in `case`, whose RTL is right."""
    assert checked(case, folder, runtime).passed
    observed = read_events(folder / EVENTS)
    unnoticed = set()
    for fault in TIMING_FAULTS:
        if fault.case == faults_of:
            with pytest.MonkeyPatch.context() as patch:
                fault.plant(patch)
                found = compare(expect(*inputs_of(case), case.schedule), observed, finished=True)
            if found.first is None:
                unnoticed.add(fault.what)
    return unnoticed
