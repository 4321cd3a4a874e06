"""docs/delta.md: its commands run, and what it says of silero_vad's LSTM is what is simulated."""

from __future__ import annotations

import itertools
import re
import shlex
from functools import lru_cache
from pathlib import Path

import pytest

from archsim.api.evaluate import Evaluator
from archsim.api.own_activity import OwnNumbers
from archsim.cli.main import main
from archsim.families.load import load_arch
from archsim.metrics import Stats
from archsim.report.text.figures_as_text import percent
from archsim.workload import load_workload
from tests.docs.delta_chunks import SETTINGS, chunk_cells
from tests.present import present
from tests.rings import exhaustive

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "delta.md").read_text()
WORDS = " ".join(PAGE.split())
STEPS = 310


@lru_cache
def evaluator() -> Evaluator:
    return Evaluator()


def found(threshold: str, pes: int, *sets: str) -> tuple[Stats, OwnNumbers]:
    """The figures of silero_vad with weights in q2.6, and its numbers."""
    workload = load_workload("silero_vad", [f"delta={threshold}"])
    arch = load_arch("edgedrnn", ["formats.weight=q2.6", f"pe_array.pes={pes}", *sets])
    return evaluator().evaluate(arch, workload).stats, present(evaluator().own_numbers(arch, workload))


def rows(first: str) -> list[list[str]]:
    """The cells of the table whose head begins with `first`."""
    table = re.search(rf"^\| {re.escape(first)}.*\n\|[-|:]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def whole(share: float) -> str:
    """A share in whole percent."""
    return f"{100 * share:.0f} %"


THRESHOLDS, PES = "θ | columns multiplied | us a step", "θ | 8 PEs"
COMMANDS = re.findall(r"^archsim .*$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(
    "row", [pytest.param(r, marks=() if r[0] == "0.125" else exhaustive) for r in rows(THRESHOLDS)]
)
def test_what_a_threshold_brings(row: list[str]) -> None:
    stats, numbers = found(row[0], 8)
    (layer,), task = numbers.activity, present(numbers.accuracy.task)
    columns = layer.columns - 1  # the bias, once
    weights = sum(stats.traffic_bytes["dram"]["read"][kind] for kind in ("W_ih", "W_hh"))
    assert weights == columns * 512
    assert row[1:] == [
        percent(columns / (256 * STEPS)),
        f"{stats.latency_us / STEPS:.1f}",
        f"{weights / 1e6:.1f}",
        f"{present(numbers.accuracy.tensors[0].sqnr_db):.1f} dB",
        f"{task.rms_difference:.3f}",
        str(task.changed_side),
    ]


@pytest.mark.parametrize("row", [pytest.param(r, marks=() if r[0] == "0.125" else exhaustive) for r in rows(PES)])
def test_more_pes(row: list[str]) -> None:
    for pes, cell in zip((8, 32, 128), row[1:], strict=True):
        stats, numbers = found(row[0], pes)
        multiplied = (numbers.activity[0].columns - 1) * 512  # weights of a column: four gates of 128
        us = stats.latency_us / STEPS
        share = multiplied / (pes * stats.latency_cycles)
        assert cell == f"{us:.{2 if us < 8 else 1}f}, {whole(share)}"


def change(new: float, old: float) -> str:
    """A change in whole percent; none has no sign."""
    found = round(100 * (new / old - 1))
    return f"{found:+d} %" if found else "0 %"


def figures_of(*sets: str) -> tuple[float, float, float, float]:
    """Error, latency, energy and area of θ 0.0625 on 16 PEs, with further settings, one of which may be of delta."""
    threshold = next((s.partition("=")[2] for s in sets if s.startswith("delta=")), "0.0625")
    stats, numbers = found(threshold, 16, *(s for s in sets if not s.startswith("delta=")))
    error = present(numbers.accuracy.task).rms_difference
    return error, stats.latency_us, present(stats.energy).total_uj, present(stats.area).area_mm2


@pytest.mark.parametrize(
    "row", [pytest.param(r, marks=() if "pes=32" in r[0] else exhaustive) for r in rows("step | error")]
)
def test_what_each_step_costs(row: list[str]) -> None:
    start, end = figures_of(), figures_of(*re.findall(r"`(.*?)`", row[0]))
    assert "(error {:.4f}, {:,.0f} us, {:,.0f} uJ, {:.1f} mm2;".format(*start) in WORDS
    assert row[1:] == [f"{end[0]:.4f}", *(change(new, old) for new, old in zip(end[1:], start[1:], strict=True))]


@exhaustive
def test_smaller_tables_than_the_space_has() -> None:
    """What DRAM takes, the leakage of tables for each PE, and what smaller ones save: the last findings of the page."""
    stats, numbers = found("0.0625", 16)
    small, small_numbers = found("0.0625", 16, "activation.table.entries=512")
    least, smallest = found("0.0625", 16, "activation.table.entries=64")
    energy, less = present(stats.energy), present(small.energy)
    area, parts = present(stats.area), energy.part_uj
    sqnr = [f"{present(n.accuracy.tensors[0].sqnr_db):.1f}" for n in (numbers, small_numbers, smallest)]
    areas = [f"{present(each.area).area_mm2:.1f}" for each in (stats, small)]
    assert f"takes {less.total_uj:,.0f} instead of {energy.total_uj:,.0f} uJ" in WORDS
    assert f"{areas[1]} instead of {areas[0]} mm2, at {sqnr[1]} instead of {sqnr[0]} dB; with 64 entries" in WORDS
    another = less.total_uj - present(least.energy).total_uj
    assert f"64 entries it is {sqnr[2]} dB, for another {another:.0f} uJ" in WORDS
    assert f"{whole(energy.leakage_share)} of the energy at 0.0625 and 16 PEs is leakage" in WORDS
    units = area.part_leakage_mw["activation"] / area.leakage_mw
    assert f"leakage: {whole(units)} of that the activation units" in WORDS
    bytes_of_dram, standby = (parts["dram"] + parts["dram_phy"]) / energy.total_uj, parts["dram_background"]
    assert f"{whole(bytes_of_dram)} of the energy at 0.0625 and 16 PEs is bytes from DRAM" in WORDS
    assert f"its interface, {whole(standby / energy.total_uj)} its standby" in WORDS
    assert f"The PE array takes {whole(parts['pe_array'] / energy.total_uj)}." in WORDS
    assert energy.part_high_uj["leakage"] / energy.part_low_uj["leakage"] == pytest.approx(90, abs=2)


@exhaustive
def test_pes_against_energy() -> None:
    eight, sixteen, most = (found("0.0625", pes)[0] for pes in (8, 16, 128))
    energies = [present(each.energy) for each in (eight, sixteen, most)]
    background = [f"{each.part_uj['dram_background']:.0f}" for each in energies]
    assert f"({background[0]} to {background[1]} uJ from 8 to 16 at 0.0625)" in WORDS
    quicker, more = sixteen.latency_us / most.latency_us, energies[2].total_uj / energies[1].total_uj - 1
    assert f"a step is {quicker:.1f} times as quick for {whole(more)} more energy" in WORDS
    share = whole(energies[0].total_uj / energies[1].total_uj - 1)
    assert f"8 PEs take {share} more energy than 16 for half the area" in WORDS
    areas = [f"{present(each.area).area_mm2:.1f}" for each in (sixteen, most)]
    assert f"8 times the area ({areas[0]} to {areas[1]} mm2)" in WORDS


@exhaustive
def test_coarse_changes_are_the_same_machine() -> None:
    """The least change of q5.3 is 1/8: thresholds up to that leave nothing out that it does not."""
    coarse = [found(threshold, 16, "formats.hidden=q5.3", "formats.input=q5.3") for threshold in ("0", "0.125")]
    assert coarse[0][1].activity == coarse[1][1].activity
    assert f"{coarse[0][0].latency_us / STEPS:.1f} us a step on 16 PEs at an error of" in WORDS
    assert f"error of {present(coarse[0][1].accuracy.task).rms_difference:.4f}," in WORDS


@pytest.mark.parametrize(
    "line", [pytest.param(c, id=c, marks=() if "--timing-only" in c else exhaustive) for c in COMMANDS]
)
def test_a_command_that_is_shown_runs(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        str(ROOT / word) if word.startswith("arch_configs/") else word for word in shlex.split(line, comments=True)
    ]
    few = ["--budget", "2", "--workers", "1"] if words[1] == "explore" else []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [*words, *few, "--no-plots"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out


CHUNKS = "θ | columns multiplied | 16 columns"


@pytest.mark.parametrize(
    "row", [pytest.param(r, marks=() if r[0] == "ordinary cell" else exhaustive) for r in rows(CHUNKS)]
)
def test_chunks_are_skipped_less_often(row: list[str]) -> None:
    """With the settings that the command below the table has; each array finds the columns in its own arithmetic."""
    assert row[1:] == chunk_cells(row[0], evaluator())


def test_the_command_of_the_chunks_has_their_settings() -> None:
    (line,) = [c for c in COMMANDS if "weight_sram.port_bits=2048" in c]
    sets = [word for flag, word in itertools.pairwise(shlex.split(line)) if flag == "--set"]
    assert set(sets) == {*SETTINGS, "delta=0.125", "mac_array.columns=4"}


@exhaustive
def test_saturated_sums_stay_wrong() -> None:
    """A sum beyond +-8 is cut off by q4.12 for good; q8.14 holds every one of silero_vad's."""
    (line,) = [c for c in COMMANDS if "formats.gate=q8.14" in c and "streaming" not in c]
    sets = [word for flag, word in itertools.pairwise(shlex.split(line)) if flag == "--set"]
    wide = [s for s in sets if not s.startswith("delta=")]
    narrow = [s for s in wide if not s.startswith(("formats.gate", "formats.accumulator"))]
    workload = load_workload("silero_vad", ["delta=0.0625"])
    found_db = []
    for each in (narrow, wide):
        numbers = evaluator().own_numbers(load_arch("edge_16x16", each), workload, "split_interleaved")
        found_db.append(f"{present(present(numbers).accuracy.tensors[0].sqnr_db):.1f} dB")
    assert f"an SQNR of {found_db[0]}, with q8.14 {found_db[1]}" in WORDS
