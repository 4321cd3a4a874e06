"""`archsim whatif`: changes of a design, measured; the best one, made, gives the figures that were predicted."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import archsim.api.whatif as search
from archsim.api.change import Change, Setting, lesser_changes, notch_changes
from archsim.api.whatif import what_if
from archsim.config import parse_override
from archsim.families.load import load_arch
from archsim.report.text.whatif_text import _left_out
from archsim.workload import load_workload
from tests.cli.conftest import Cli
from tests.rings import exhaustive, few

TINY = ("tiny_2x2", "lstm_3_2_t4")
KEYS = {"change", "before_cycles", "after_cycles", "after_cycles_per_step", "energy_uj", "area_mm2"}


def asked(cli: Cli, *arguments: str) -> list[dict[str, Any]]:
    outcome = cli("whatif", *arguments, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(outcome.out)
    assert all(set(change) == KEYS for change in found)
    return found


@pytest.mark.parametrize("by", few(["latency", "step", "energy"], 1))
def test_a_change_that_is_made_gives_the_figures_that_were_predicted(cli: Cli, by: str) -> None:
    for change in asked(cli, *TINY, "--by", by)[:3]:
        run = json.loads(cli("run", *TINY, *shlex.split(change["change"]), "--json").out)
        assert run["latency_cycles"] == change["after_cycles"]
        assert run["cycles_per_step"] == change["after_cycles_per_step"]
        assert run["energy"]["total_uj"] == change["energy_uj"]
        assert run["area"]["area_mm2"] == change["area_mm2"]


@exhaustive
def test_the_order_is_what_was_asked_for(cli: Cli) -> None:
    for by, key in (("latency", "after_cycles"), ("step", "after_cycles_per_step"), ("energy", "energy_uj")):
        amounts = [change[key] for change in asked(cli, *TINY, "--by", by)]
        assert amounts == sorted(amounts)


@exhaustive
def test_banks_are_named_where_banks_are_what_binds(cli: Cli) -> None:
    """128 rows behind 64 banks: 31 tiles of 39 cycles and one of 20, and a tail; with 128 banks 32 tiles of 20.

    The tail is that of 128 rows, so u = 8: drain 13, then 2 + (1 + 4) + (1 + 4) + (1 + 4) + (1 + 2) and 5 tokens = 38.
    """
    rows = ("--set", "mac_array.rows=128", "--set", "accumulators.entries=1024")
    best = asked(cli, "edge_64x64", "lstm:200,1000,t=12", *rows, "--by", "step")
    assert best[0]["change"] == "--set weight_sram.banks=128"
    assert best[0]["after_cycles_per_step"] == 32 * 20 + 38
    fused = ("explain", "edge_64x64", "lstm:200,1000,t=12", *rows, "--json")
    assert json.loads(cli(*fused).out)["max_cycle_ratio"] == 31 * 39 + 20 + 38
    split = next(change for change in best if change["change"] == "--schedule split_interleaved")
    assert split["after_cycles_per_step"] > best[0]["after_cycles_per_step"] * 1.5


@pytest.mark.parametrize(
    ("arch", "workload", "capacity", "enough", "short"),
    [
        pytest.param("edge_64x64", "lstm:200,1000,t=12", "4MiB", "5MiB", 4_800_000 - (4 << 20), marks=exhaustive),
        ("edge_16x16", "lstm:16,48,t=12", "10KiB", "12KiB", 2 << 10),
    ],
)
def test_a_little_more_memory_instead_of_streaming(
    cli: Cli, arch: str, workload: str, capacity: str, enough: str, short: int
) -> None:
    """4.8 MB of weights stream through 4 MiB; 5 MiB hold them all, which is worth more than twice DRAM's bandwidth."""
    machine = (arch, workload, "--set", f"weight_sram.capacity_bytes={capacity}")
    found = asked(cli, *machine, "--schedule", "fused_streamed")
    best = found[0]
    assert best["change"] == f"--set weight_sram.capacity_bytes={enough}"
    twice = next(change for change in found if change["change"] == "--set dram.bandwidth_bytes_per_cycle=32")
    assert best["after_cycles"] < twice["after_cycles"] < best["before_cycles"]
    assert best["before_cycles"] > 2 * best["after_cycles"]
    first, *_ = asked(cli, *machine)  # as it is, it does not fit
    assert (first["change"], first["before_cycles"]) == (f"--set weight_sram.capacity_bytes={enough}", None)
    assert first["after_cycles"] == best["after_cycles"]
    outcome = cli("whatif", *machine)
    head, why, *rest = outcome.out.splitlines()
    assert head.endswith("does not fit")
    assert why.endswith(f"{short:,} short")
    assert "short" not in " ".join(rest), "the fault is said once"
    assert "Not possible" not in outcome.out
    assert any(f"weight_sram.capacity_bytes={enough}" in line for line in rest[:4])


def test_pairs_where_no_single_change_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "HELPS", 0.9)
    monkeypatch.setattr(search, "PAIRED", 4)
    found = what_if(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"))
    faster = set(notch_changes(load_arch("tiny_2x2").config))
    pairs = [
        measured
        for measured in found.changes
        if len(measured.change.settings) == 2 and all(Change((one,)) in faster for one in measured.change.settings)
    ]
    assert len(pairs) == 6
    assert found.changes[0] in pairs
    assert str(found.changes[0].change).count("--set ") == 2


@exhaustive
def test_two_ports_that_both_bind(cli: Cli) -> None:
    """128 tiles of 64 chunks; a chunk's two weights a row take 2 cycles of 32 bits, and so do its two h of 16 bits.

    Neither port alone helps; with both a tile takes its 64 chunks. Behind the last tile 31 cycles follow until the next
    step's first, with the pair 23: of its group's four rows the last sums are there 8 cycles earlier before those ops.
    """
    room = [f"{memory}.capacity_bytes=4KiB" for memory in ("input_buffer", "state_buffer", "bias_buffer")]
    sets = ["weight_sram.capacity_bytes=1MiB", "weight_sram.port_bits=32", "state_buffer.port_bits=16", *room]
    options = [word for setting in sets for word in ("--set", setting)]
    asked_for = ("tiny_2x2", "lstm:64,64,t=12", *options)
    best = asked(cli, *asked_for, "--by", "step")[0]
    assert best["change"] == "--set state_buffer.port_bits=32 --set weight_sram.port_bits=64"
    before = json.loads(cli("run", *asked_for, "--timing-only", "--json").out)
    after = json.loads(cli("run", *asked_for, *shlex.split(best["change"]), "--timing-only", "--json").out)
    assert after["cycles_per_step"] == best["after_cycles_per_step"]
    assert 128 * 64 * 2 < before["cycles_per_step"] < 128 * 64 * 2 * 1.01
    assert 128 * 64 < after["cycles_per_step"] < 128 * 64 * 1.01


def test_less_memory_that_fits_costs_nothing_and_is_said_apart(cli: Cli) -> None:
    """LSTM(3, 2) has 4 x 2 x (3 + 2) x 4 = 160 bytes of weights: 1 KiB of 4 holds them, in as many cycles."""
    found = asked(cli, *TINY)
    less = next(change for change in found if change["change"] == "--set weight_sram.capacity_bytes=1KiB")
    assert less["after_cycles"] == less["before_cycles"]
    before = json.loads(cli("run", *TINY, "--json").out)
    assert less["energy_uj"] < before["energy"]["total_uj"]
    assert less["area_mm2"] < before["area"]["area_mm2"]
    best, apart = cli("whatif", *TINY).out.split("Cheaper, and nothing slower")
    assert "--set weight_sram.capacity_bytes=1KiB" in apart
    assert "weight_sram.capacity_bytes" not in best


def test_what_costs_nothing_is_no_slower_and_saves_something() -> None:
    larger = [parse_override(f"{memory}.capacity_bytes=16KiB") for memory in ("state_buffer", "input_buffer")]
    found = what_if(load_arch("tiny_2x2", larger), load_workload("lstm_3_2_t4"))
    assert found.before is not None
    assert found.cheaper
    halved = {setting.field for measured in found.changes for setting in measured.change.settings}
    assert {"lanes", "rows", "columns", "banks", "bandwidth_bytes_per_cycle"} & halved
    for measured in found.changes:
        mine, before = measured.outcome, found.before
        saves = (
            mine.figures != before.figures and mine.no_worse(before) and mine.latency_cycles == before.latency_cycles
        )
        energy_or_area = (mine.energy_uj, mine.area_mm2) != (before.energy_uj, before.area_mm2)
        assert (measured in found.cheaper) == (saves and energy_or_area)
    slower = [m for m in found.changes if m.outcome.latency_cycles > found.before.latency_cycles]
    assert slower, "half of what binds costs cycles, which is said"
    together = max(found.cheaper, key=lambda measured: len(measured.change.settings))
    changed = {setting.section for setting in together.change.settings}
    assert {"weight_sram", "state_buffer", "input_buffer"} <= changed
    assert together is found.cheaper[0]
    assert together.outcome.area_mm2 == min(m.outcome.area_mm2 or 0.0 for m in found.cheaper)


@exhaustive
def test_the_order_of_what_takes_as_much(cli: Cli) -> None:
    """Least energy first, then least area, then by name; and it is said."""
    keys = [(c["after_cycles"], c["energy_uj"], c["area_mm2"], c["change"]) for c in asked(cli, *TINY)]
    assert keys == sorted(keys)
    assert len({key[0] for key in keys}) < len(keys)
    assert "least energy first, then least area, then by name" in " ".join(cli("whatif", *TINY).out.split())


@exhaustive
def test_two_memories_that_are_too_small(cli: Cli) -> None:
    """160 bytes of weights, and the biases of 8 rows, 32 bytes: each is made large enough."""
    short = ("--set", "weight_sram.capacity_bytes=100", "--set", "bias_buffer.capacity_bytes=20")
    sets = {change["change"] for change in asked(cli, *TINY, *short)}
    assert "--set weight_sram.capacity_bytes=1KiB --set bias_buffer.capacity_bytes=1KiB" in sets


@exhaustive
def test_progress_counts_designs() -> None:
    seen: list[tuple[int, int]] = []
    what_if(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), progress=lambda *counts: seen.append(counts))
    assert all(done < total for done, total in seen)
    assert len(seen) > 40


def test_what_cannot_be_changed_is_said(cli: Cli) -> None:
    """Twice the two element-wise units that a machine may have at most."""
    outcome = cli("whatif", *TINY, "--set", "elementwise.units=2", "--all")
    assert outcome.code == 0
    assert "Not possible" in outcome.out
    assert "--set elementwise.units=4" in outcome.out.split("Not possible")[1]
    assert "Value error" not in outcome.out


def test_what_has_the_same_reason_is_said_once(cli: Cli) -> None:
    """Of four hoisted schedules no one takes frames."""
    outcome = cli("whatif", "tiny_2x2", "lstm:3,2,t=4,streaming=1")
    said = " ".join(outcome.out.split("Not possible")[1].split())
    assert said.count("takes no frames one at a time") == 1
    assert said.count("--schedule") == 1
    assert len(set(re.findall(r"hoisted_\w+", said))) == 4


@pytest.mark.parametrize("machine", ["ethos_u55_128", "elasticai_lstm", "edgedrnn"])
def test_constants_of_a_rule_are_no_choices_of_a_design(machine: str) -> None:
    """Not doubled, not halved: cycles of a compiler's model, bits of a code. A duration gets one cycle less, to one."""
    config = load_arch(machine).config
    offered = {str(change)[6:] for change in (*notch_changes(config), *lesser_changes(config))}
    fields = {text.partition("=")[0].partition(".")[2] for text in offered}
    assert not fields & {
        *("weight_cycles", "pool_cycles", "single_delay_cycles", "add_cycles", "multiply_cycles", "pass_cycles"),
        *(
            "product_cycles",
            "command_share",
            "burst_bytes",
            "weight_bits",
            "header_bits",
            "slice_weights",
            "zero_ratio",
        ),
    }
    for text in offered:
        path, _, value = text.partition("=")
        section, field = path.split(".")
        if field.endswith("_cycles") and not field.endswith("per_cycle"):
            assert getattr(getattr(config, section), field) - int(value) == 1
    kept = {"ethos_u55_128": "engine.unit_outputs=16", "elasticai_lstm": "elementwise.gate_cycles=3"}
    assert kept.get(machine, "pe_array.pes=16") in offered
    assert "elementwise.cell_cycles=0" not in offered, "it takes one at least"


def test_the_text_of_a_change() -> None:
    sizes = Setting("weight_sram", "capacity_bytes", 9 << 20, is_size=True), Setting("x", "bytes", 1536, is_size=True)
    assert str(Change(sizes)) == "--set weight_sram.capacity_bytes=9MiB --set x.bytes=1536"
    assert str(Change((Setting("dram", "bandwidth", 32.0),), "split")) == "--set dram.bandwidth=32 --schedule split"
    assert str(Change((Setting("dram", "bandwidth", 0.5),))) == "--set dram.bandwidth=0.5"


@pytest.mark.parametrize("options", few([((),), (("--all",),), (("--json",),)], 1))
def test_the_same_bytes_every_time_and_in_a_file(cli: Cli, options: tuple[str, ...]) -> None:
    first = cli("whatif", *TINY, *options)
    assert first.code == 0
    assert cli("whatif", *TINY, *options).out == first.out
    assert cli("whatif", *TINY, *options, "--out", "found").out == ""
    assert Path("found").read_text(encoding="utf-8") == first.out
    if not options:
        assert "changes that bring less or cost cycles (--all)" in first.out


def test_four_memories_that_are_too_small_are_one_change(cli: Cli) -> None:
    """Each holds some bytes, so that 1 KiB suffices; the weights of W_ih and W_hh are 160 bytes."""
    memories = ("weight_sram", "bias_buffer", "input_buffer", "state_buffer")
    small = [word for name in memories for word in ("--set", f"{name}.capacity_bytes=1")]
    ran = cli("whatif", "tiny_2x2", "lstm_3_2_t4", "--schedule", "fused", "--json", *small)
    enough = {f"{name}.capacity_bytes=1KiB" for name in memories}
    changes = [set(one["change"].removeprefix("--set ").split(" --set ")) for one in json.loads(ran.out)]
    assert enough in changes


def test_a_change_of_schedule_and_settings_is_named_once_as_a_whole() -> None:
    """Schedules with nothing else stand together behind one option; others are what a command line adds."""
    setting = Setting("mac_array", "rows", 4)
    changes = [Change((), "split"), Change((setting,), "fused"), Change((), "eager"), Change((setting,))]
    found = replace(
        what_if(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4")),
        left_out=tuple((change, "no") for change in changes),
    )
    assert _left_out(found) == [
        ("--schedule split, eager; --set mac_array.rows=4 --schedule fused; --set mac_array.rows=4", "no")
    ]
