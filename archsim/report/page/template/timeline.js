"use strict";
// Ops as bars, a row a unit: solid while an op holds its unit, pale until its results are visible.
(() => {
  const BAR = 0.56, CHAIN = 0.38;
  const MOST_MARKS = 12; // more names of steps would lie over each other

  archsim.charts.timeline = (host, run) => {
    const chart = run.timeline, ops = chart.ops, places = ops.label.map((_, place) => place);
    const text = (place) => {
      const waited = ops.waited[place], reason = chart.reasons[ops.reason[place]];
      return [
        `<b>${archsim.plain(ops.label[place])}</b> on ${archsim.plain(chart.units[ops.unit[place]])}, step ${archsim.count(ops.step[place])}`,
        `starts ${archsim.count(ops.start[place])}, frees its unit ${archsim.count(ops.free[place])} ` +
          `(${archsim.count(ops.free[place] - ops.start[place])} cycles), done ${archsim.count(ops.done[place])}`,
        ...archsim.plain(chart.operands[ops.operands[place]]).split("; "),
        waited ? `its unit waited ${archsim.count(waited)} ${waited === 1 ? "cycle" : "cycles"}: ${archsim.plain(reason)}` : "its unit did not wait",
      ].join("<br>");
    };
    const traces = [], pale = [];
    chart.kinds.forEach((kind, number) => {
      const mine = places.filter((place) => ops.kind[place] === number);
      const late = mine.filter((place) => ops.done[place] > ops.free[place]);
      const bars = { type: "bar", orientation: "h", width: BAR, legendgroup: kind, name: archsim.plain(kind) };
      pale.push({
        ...bars, y: late.map((place) => ops.unit[place]), base: late.map((place) => ops.free[place]),
        x: late.map((place) => ops.done[place] - ops.free[place]),
        marker: { color: chart.colours[number], opacity: 0.25 }, hoverinfo: "skip", showlegend: false,
      });
      traces.push({
        ...bars, y: mine.map((place) => ops.unit[place]), base: mine.map((place) => ops.start[place]),
        x: mine.map((place) => ops.free[place] - ops.start[place]),
        marker: { color: chart.colours[number], pattern: archsim.pattern(chart.hatches[number]), line: { color: "#333", width: 0.4 } },
        hovertext: mine.map(text), hoverinfo: "text",
      });
    });
    traces.unshift(...pale); // below the ops themselves
    if (chart.chain.length) {
      const x = [], y = [], words = [];
      for (const part of chart.chain) {
        if (x.length && part.start > x[x.length - 1]) { // the path is elsewhere between
          x.push(null);
          y.push(null);
          words.push("");
        }
        x.push(part.start, part.end);
        y.push(part.unit + CHAIN, part.unit + CHAIN);
        const said = `critical path: ${archsim.plain(part.text)}<br>cycles ${archsim.count(part.start)} to ${archsim.count(part.end)}`;
        words.push(said, said);
      }
      traces.push({
        type: "scatter", mode: "lines+markers", name: "critical path", x, y, text: words, hoverinfo: "text",
        line: { color: "#C00000", width: 2 }, marker: { color: "#C00000", size: 3 },
      });
    }
    const single = chart.groups.length === 1, ends = chart.ends;
    const layout = {
      title: `What every unit does in time steps ${archsim.count(chart.steps[0])} to ${archsim.count(chart.steps[1])}, cycle by cycle`,
      barmode: "overlay",
      xaxis: archsim.cycleAxis(`cycle of the run (1 us = ${archsim.count(run.clock_mhz)} cycles)`),
      yaxis: {
        range: [chart.units.length - 0.45, -0.5], fixedrange: true, automargin: true,
        tickvals: chart.units.map((_, row) => row), ticktext: chart.units.map(archsim.plain), gridcolor: "#eee", zeroline: false,
      },
      shapes: single && ends.length <= 4 * MOST_MARKS ? ends.map((end) => ({
        type: "line", xref: "x", yref: "paper", x0: end.cycle, x1: end.cycle, y0: 0, y1: 1, line: { color: "#555", width: 1, dash: "dot" },
      })) : [],
      annotations: single && ends.length <= MOST_MARKS ? ends.map((end) => ({
        text: `step ${archsim.count(end.step)} ends`, x: end.cycle, y: 1, yref: "paper", yanchor: "bottom", showarrow: false, font: { size: 10 },
      })) : [],
      legend: { orientation: "h", x: 0, y: -70 / (46 * chart.units.length + 20), yanchor: "top" },
      dragmode: "zoom",
    };
    const go = (group) => {
      const margin = 0.02 * (group.end - group.start);
      Plotly.relayout(div, { "xaxis.range[0]": group.start - margin, "xaxis.range[1]": group.end + margin });
    };
    const hint = archsim.element("span", "note", "drag to zoom, double click for all; hover an op for operands and waits; click a kind in the legend to hide it");
    const looks = single ? [] : [archsim.select("show", chart.groups.map((group) => group.name), (choice) => go(chart.groups[choice]))];
    archsim.controls(host, ...looks, hint);
    const div = archsim.draw(host, traces, layout, 190 + 46 * chart.units.length);
    if (!single && chart.groups.length) go(chart.groups[0]);
    chart.notes.forEach((note) => archsim.note(host, note));
    archsim.note(host, "Solid: an op holds its unit. Pale: its results are on their way through the pipeline." +
      (ends.length ? ` A step ends: ${chart.ends_mean}.` : ""));
  };
})();
