"""Rows by machine: how many, how their errors are spread, and how they are printed."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from archsim.cli.main import main
from archsim.fidelity import live
from archsim.fidelity.groups import INFERRED, by_machine
from archsim.fidelity.live import Live
from archsim.fidelity.peers.missing import PeerMissingError, module
from archsim.fidelity.row import Row
from archsim.report.text.fidelity_text import fidelity_summary, fidelity_text

GIVEN = Row("a", "w", "cycles", "cycles", 100, 101, 3.0, "s", "i", "p")
ROWS = (
    GIVEN,
    replace(GIVEN, simulated=97),
    replace(GIVEN, simulated=102, drawn=True),
    replace(GIVEN, machine="b", second_hand=True, tolerance=None),
)


def test_errors_of_a_machine_by_hand() -> None:
    """1 % and -3 % given: 2 % in the mean, -3 % the worst; one drawn row of 2 %."""
    first, second = by_machine(ROWS)
    assert (first.machine, second.machine) == ("a", "b")
    assert (first.given.count, round(first.given.mean, 9)) == (2, 2.0)
    assert first.given.worst is ROWS[1]
    assert (first.drawn.count, round(first.drawn.mean, 9), first.drawn.worst) == (1, 2.0, ROWS[2])
    assert (second.drawn.count, second.drawn.mean, second.drawn.worst) == (0, 0.0, None)


def test_what_is_printed_of_it() -> None:
    printed = fidelity_text(ROWS)
    assert "  2 rows given: mean error 2.00 %, worst -3.00 %\n" in printed
    assert "  1 row from drawn runs of its own tool: mean error 2.00 %, worst +2.00 %\n" in printed
    assert printed.count("drawn\n") == 1
    assert "shown only" in printed
    assert "| a | 2 | 2.00 % | -3.00 % (w, cycles) | 1 | 2.00 % | +2.00 % (w, cycles) | not said |" in fidelity_summary(
        ROWS
    )


def test_long_words_are_cut_to_100_columns() -> None:
    long = replace(GIVEN, workload="600 x 600 matrix, array of 512 x 512", figure="speed-up with memory bandwidth x 4")
    printed = fidelity_text((replace(long, tolerance=None),))
    assert max(map(len, printed.splitlines())) <= 100
    assert "..." in printed


def test_every_machine_says_what_is_inferred() -> None:
    assert {
        "koios_lstm",
        "edgedrnn",
        "npu_s10nx",
        "elasticai_lstm",
        "ethos_u55_128",
        "tpu_v1",
        "brainwave_s10",
    } <= INFERRED.keys()


def test_live_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = Live((replace(GIVEN, drawn=True),), ("b: needs the package nowhere",))
    monkeypatch.setattr(live, "run_live", lambda seed: found)
    monkeypatch.setattr(sys, "argv", ["archsim", "fidelity", "--live"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    printed = capsys.readouterr()
    assert "1 row from drawn runs" in printed.out
    assert printed.err == "not run: b: needs the package nowhere\n"


def test_a_tool_that_is_missing_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_random: object) -> Row:
        raise PeerMissingError("needs the program nothing")

    monkeypatch.setattr(live, "TOOLS", {"a": lambda _random: GIVEN, "b": none})
    assert live.run_live(0, runs=2) == Live((GIVEN, GIVEN), ("b: needs the program nothing",))


def test_a_missing_package_is_named() -> None:
    with pytest.raises(PeerMissingError, match="^needs the package some-package$"):
        module("no_such_module_at_all", "some-package")


def test_a_drawn_network_is_the_same_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Vela estimates is an LSTM of the inputs and units of the row, over as many steps."""
    asked: list[tuple[int, int, int]] = []

    def estimated(inputs: int, units: int, steps: int, *, seed: int) -> list[SimpleNamespace]:
        asked.append((inputs, units, steps))
        return [SimpleNamespace(cycles=40), SimpleNamespace(cycles=2)]

    monkeypatch.setattr(live, "vela_operators", estimated)
    row = live.TOOLS["ethos_u55_128"](np.random.default_rng(3))
    [(inputs, units, steps)] = asked
    assert (row.workload, row.published, row.drawn) == (f"lstm:{inputs},{units},t={steps}", 42, True)
    assert steps == live.STEPS
