"""docs/sparsity.md: its tables are what is simulated, and its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archsim.api import simulate
from archsim.api.evaluate import Evaluator
from archsim.cli.main import main
from archsim.families.load import load_arch
from archsim.formats import parse_format
from archsim.program.sparsity import DENSE, Sparsity
from archsim.report.text.figures_as_text import percent
from archsim.workload import load_workload
from tests.present import present
from tests.rings import exhaustive

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "sparsity.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in re.findall(r"^\| (?:all|\d+ of \d+)[^|]* \|.*\| \d\.\d{3} \|$", PAGE, re.MULTILINE)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}


def wide(inputs: int, weight: int) -> tuple[str, ...]:
    """Ports of x and h of `inputs` bytes, and of 64 weights of `weight` bits with their indexes."""
    ports = [f"{memory}.port_bits={8 * inputs}" for memory in ("input_buffer", "state_buffer")]
    return (*ports, f"weight_sram.port_bits={64 * weight}")


def sparsity(kept: str | None) -> Sparsity:
    """What a text as `2:4` says; all weights without one."""
    return DENSE if kept is None else Sparsity(*map(int, kept.split(":")))


def stored_bits(kept: str | None) -> int:
    """The bits of a row of W_ih and W_hh, with indexes."""
    return sum(sparsity(kept).row_bits(size, parse_format("int8")) for size in (200, 1000))


def chunks(kept: str | None) -> int:
    """Chunks of 64 weights: x and h have scales of their own, and are accumulated one after the other."""
    return sum(-(-size // sparsity(kept).chunk_inputs(64)) for size in (200, 1000))


# Bits of an index: log2(m - n + 1), rounded up; a chunk of 64 weights takes 64 m / n inputs.
@pytest.mark.parametrize(
    ("row", "kept", "ports"),
    [
        ("all", None, ()),
        ("2 of 4, ports as they were", "2:4", ()),
        ("2 of 4", "2:4", wide(128, 10)),
        ("4 of 8", "4:8", wide(128, 11)),
        ("1 of 2", "1:2", wide(128, 9)),
        ("1 of 4", "1:4", wide(256, 10)),
    ],
)
def test_what_is_kept(row: str, kept: str | None, ports: tuple[str, ...]) -> None:
    sets = [*([f"mac_array.sparsity={kept}"] if kept else []), *ports]
    stats = Evaluator().evaluate(load_arch("edge_64x64", sets), load_workload("lstm:200,1000,t=70")).stats
    area = present(stats.area)
    cells = ROWS[row]
    bits, tiles = stored_bits(kept), -(-4000 // 64)
    assert cells[2] == f"{4000 * bits / 8192:,.0f}"
    assert cells[1] in ("", f"{tiles} x {chunks(kept)}")
    assert cells[0] == f"{stats.cycles_per_step:,.0f}"
    assert cells[3:] == [
        f"{present(stats.energy).total_uj:.1f}",
        f"{area.area_mm2:.2f}",
        f"{area.part_area_mm2['mac_array']:.3f}",
    ]


PRUNED = {
    cells[0]: cells[1:]
    for line in re.findall(r"^\| (?:all|\d+ of \d+) \|.* dB \| \d+ \|$", PAGE, re.MULTILINE)
    for cells in [[cell.strip() for cell in line.strip("|").split("|")]]
}


@pytest.mark.parametrize("row", [pytest.param(r, marks=() if r == "2 of 4" else exhaustive) for r in PRUNED])
def test_what_pruning_costs(row: str) -> None:
    """On an array of 48 columns, of which every number kept here is a divisor; the numbers do not depend on it."""
    kept = [] if row == "all" else [f"mac_array.sparsity={row.replace(' of ', ':')}"]
    found = simulate(load_arch("edge_64x64", ["mac_array.columns=48", *kept]), "silero_vad")
    accuracy, pruning = present(found.accuracy), None if row == "all" else present(present(found.numbers).pruning)
    lost = ["", "", ""]
    if pruning is not None:
        share = pruning.pruned / pruning.weights
        lost = [f"{100 * share:.0f} %", percent(pruning.square_share), f"{present(pruning.sqnr_db):.1f} dB"]
    machine = f"{present(accuracy.tensors[0].sqnr_db):.1f} dB"
    assert PRUNED[row] == [*lost, machine, str(present(accuracy.task).changed_side)]


@exhaustive
@pytest.mark.parametrize("line", re.findall(r"^archsim .*$", PAGE, re.MULTILINE))
def test_a_command_that_is_shown_runs(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [*shlex.split(line, comments=True), "--no-plots"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 0
    assert capsys.readouterr().out
