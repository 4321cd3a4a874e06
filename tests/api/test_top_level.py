"""What `from archsim import ...` gives: names, paths and objects are taken, results are a line, importing is quick."""

from __future__ import annotations

import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import archsim
from archsim import compare, explore, load_arch, load_workload, simulate
from archsim.explore import Space
from archsim.explore import explore as function


def test_names_paths_and_objects_are_the_same_run(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text((Path(__file__).resolve().parents[2] / "arch_configs" / "tiny_2x2.yaml").read_text())
    objects = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True)
    for arch in ("tiny_2x2", file, str(file)):
        assert (
            simulate(arch, "lstm_3_2_t4", timing_only=True).stats.unit_cycle_stacks == objects.stats.unit_cycle_stacks
        )


@pytest.mark.parametrize(("arch", "workload"), [(3, "lstm_3_2_t4"), ("tiny_2x2", None)])
def test_anything_else_is_a_type_error(arch: object, workload: object) -> None:
    with pytest.raises(TypeError, match="is a preset's name, a path"):
        simulate(arch, workload)  # type: ignore[arg-type]


def test_a_run_is_a_line_and_a_small_table() -> None:
    run = simulate("tiny_2x2", "lstm_3_2_t4")
    cycles = f"{run.stats.latency_cycles:,} cycles"
    assert repr(run).startswith(f"<lstm_3_2_t4 on tiny_2x2, schedule fused_interleaved: {cycles}, ")
    assert repr(run).endswith("; numbers passed>")
    assert "\n" not in repr(run)
    assert f"<td>{cycles}, " in run._repr_html_()


def test_whatever_a_cell_ends_in_is_a_line() -> None:
    """A program, a trace, figures and inputs: thousands of characters each otherwise, of long programs millions."""
    run = simulate("tiny_2x2", load_workload("lstm_3_2_t4"), timing_only=True)
    ends = (run.program, run.trace, run.stats, run.workload, run.arch, run.ops(), load_arch("tiny_2x2"))
    for end in ends:
        assert len(repr(end)) < 250, type(end)
        assert "\n" not in repr(end)
    assert repr(run.arch) == "<architecture tiny_2x2: 2 x 2 MACs, short pipelines, to follow by hand>"
    assert repr(run.program).startswith("<program fused_interleaved: 3 phases, ")


def test_html_in_names_is_text_in_a_notebook() -> None:
    from dataclasses import replace

    run = simulate("tiny_2x2", replace(load_workload("lstm_3_2_t4"), name="<script>"), timing_only=True)
    assert "<script>" not in run._repr_html_()
    assert "&lt;script&gt;" in run._repr_html_()


def test_a_comparison_is_a_line() -> None:
    found = compare([Path("tiny_2x2")], ["lstm:3,2,t=2"])
    assert repr(found).startswith("<1 designs compared; fastest: tiny_2x2, ")


def test_explore_is_the_package_and_the_function() -> None:
    assert explore.Space is Space
    assert explore.explore is function
    assert callable(explore)


def test_help_begins_with_an_example() -> None:
    lines = pydoc.plain(pydoc.render_doc(archsim)).splitlines()
    assert any("from archsim import simulate" in line for line in lines[:12])
    assert set(archsim.__all__) <= set(dir(archsim))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = archsim.nothing


def test_importing_archsim_imports_nothing_else() -> None:
    """So that it takes no time: NumPy alone would take longer than the 0.1 s that it may."""
    slow = ("numpy", "pydantic", "tomllib", "importlib.metadata", "archsim.api")
    code = f"import sys, archsim; print([name for name in {slow} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_was_loaded_is_compared_too() -> None:
    machine, work = load_arch("tiny_2x2"), load_workload("lstm:3,2,t=2")
    found = compare([machine, "edge_16x16"], [work])
    assert [(row.arch, row.workload) for row in found.rows] == [("tiny_2x2", work.name), ("edge_16x16", work.name)]
    assert found.rows == compare(["tiny_2x2", "edge_16x16"], ["lstm:3,2,t=2"]).rows


def test_dir_lists_each_name_once_and_nothing_else() -> None:
    names = [name for name in dir(archsim) if not name.startswith("__")]
    assert names == ["compare", "explore", "load_arch", "load_workload", "simulate"]


def test_a_short_run_loads_nothing_that_only_others_need(tmp_path: Path) -> None:
    """Compiled code times long runs; batches are of explorations, frames of streams; pages and figures are drawn."""
    slow = ("numba", "archsim.api.batch", "archsim.api.frames", "archsim.report.page", "matplotlib")
    code = (
        "import sys\n"
        "sys.argv = ['archsim', 'run', 'tiny_2x2', 'lstm_3_2_t4', '--no-plots']\n"
        "from archsim.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as done:\n"
        "    assert not done.code\n"
        f"print([name for name in {slow} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout.splitlines()[-1] == "[]"
