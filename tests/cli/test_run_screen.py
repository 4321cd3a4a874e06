"""`archsim run` on one screen: the reference, and a model that does not fit."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli
from tests.rings import exhaustive


def test_a_model_that_does_not_fit_is_measured_where_it_does(cli: Cli) -> None:
    machine = ("edge_16x16", "lstm:20,24,t=12", "--set", "weight_sram.capacity_bytes=3KiB")
    refused = cli("run", *machine, "--no-plots")
    assert (refused.code, refused.out) == (2, "")
    larger, streamed = refused.err.split("; measured: ")[1].rstrip().split("; ")
    change, _, cycles = larger.partition(": ")
    assert change == "--set weight_sram.capacity_bytes=5KiB"
    again = cli("run", *machine[:2], *change.split(), "--json")
    assert f"{json.loads(again.out)['latency_cycles']:,} cycles" == cycles
    change, _, cycles = streamed.partition(": ")
    assert change == "--schedule fused_interleaved_streamed"
    assert f"{json.loads(cli('run', *machine, *change.split(), '--json').out)['latency_cycles']:,} cycles" == cycles
    assert not Path("results").exists() or list(Path("results").iterdir()) == []


@exhaustive
def test_the_reference_on_a_screen(cli: Cli) -> None:
    """Of a step's 1,298 cycles 1,171 are useful: docs/microarchitecture has the sum."""
    run = cli("run", "--timing-only", "--no-plots")
    assert len(run.out.splitlines()) <= 25
    assert "latency      412,008 cycles, 515 us" in run.out
    assert "recurrence binds: 1,171 mac_array useful" in run.out
