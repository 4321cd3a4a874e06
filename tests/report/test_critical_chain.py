"""The critical path in the timeline: one line, in the row of whose cycles it is, without a gap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from archsim.api import simulate
from archsim.api.explain import find
from archsim.families.load import load_arch
from archsim.report.figures.drawing import style
from archsim.report.figures.figure_timeline import _chain, timeline_figure
from archsim.report.figures.gantt import charted_bodies, gantt
from archsim.report.text.steps import longest_body
from archsim.workload import load_workload


def test_it_runs_in_the_row_of_whose_cycles_it_is() -> None:
    """Of the steps 1 to 3 of tiny_2x2: below the array, activation, element-wise, activation, element-wise, and again.

    Step 3 ends at 184 = 198 less the store of h_n (14); the array's last sums of it are there at 166.
    """
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True)
    findings, chart = find(run), gantt(run, charted_bodies(run, 1)[0])
    chain = list(_chain(run, chart, findings.path))
    assert all(end == start for (_, end, _), (start, _, _) in pairwise(chain))
    assert (chain[0][0], chain[-1][1]) == (0, run.stats.latency_cycles)
    last = [chart.units[row] for start, end, row in chain if start >= 149 and end <= 184]
    rows = [unit for place, unit in enumerate(last) if not place or unit != last[place - 1]]
    assert rows == ["mac_array", "activation", "elementwise", "activation", "elementwise"]
    assert sum(end - start for start, end, row in chain if 149 <= start < 184 and chart.units[row] == "mac_array") == 17

    figure = timeline_figure(run, path=findings.path)
    [line] = [line for axes in figure.axes for line in axes.lines if line.get_label() == "critical path"]
    cycles = np.asarray(line.get_xdata(), float).tolist()
    assert cycles == sorted(cycles)
    assert set(np.rint(np.asarray(line.get_ydata(), float)).tolist()) == {0, 1, 2, 3}
    assert "critical path" in [text.get_text() for text in figure.legends[0].get_texts()]


def test_without_a_path_there_is_none() -> None:
    run = simulate(load_arch("tiny_2x2"), load_workload("lstm_3_2_t4"), timing_only=True)
    figure = timeline_figure(run)
    assert "critical path" not in [text.get_text() for text in figure.legends[0].get_texts()]


def test_the_path_ends_where_the_ops_on_record_end() -> None:
    """Of 20 steps three are on record: what the path does in the fourth has no bars that it could go along."""
    run = simulate(load_arch("edge_16x16"), load_workload("gru:8,8,t=20"), timing_only=True)
    last = max(gantt(run, longest_body(run)).step_ends.items())
    assert last[0] < 19
    with style():
        figure = timeline_figure(run, path=find(run).path)
    lines = [line for axes in figure.axes for line in axes.lines if line.get_label() == "critical path"]
    assert lines
    assert max(np.asarray(line.get_xdata(), float).max() for line in lines) <= last[1]
