"use strict";
// The roofline, and errors over time: logarithmic axes.
(() => {
  const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#999999", "#56B4E9", "#B8860B"];
  const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
  const MARGIN = 3;
  const SIZE = 10, RING = 9; // of markers; of those in one place each is a ring around the one before

  archsim.charts.roofline = (host, run) => {
    const chart = run.roofline, traces = [];
    const seen = chart.roofs.flatMap((roof) => [chart.peak_gops / roof.bandwidth_gb_per_s, ...[roof.step, roof.run].filter(Boolean).map((point) => point.ops_per_byte)]);
    const low = (seen.length ? Math.min(...seen) : 1) / MARGIN, high = (seen.length ? Math.max(...seen) : 1000) * MARGIN;
    traces.push({
      type: "scatter", mode: "lines", x: [low, high], y: [chart.peak_gops, chart.peak_gops], line: { color: "#000", width: 2 },
      name: `peak ${chart.peak_gops.toPrecision(4)} GOPS`, hovertemplate: "peak of the multipliers: %{y:,.4g} GOPS<extra></extra>",
    });
    const points = [];
    chart.roofs.forEach((roof) => {
      const name = archsim.plain(roof.memory), ridge = chart.peak_gops / roof.bandwidth_gb_per_s;
      const line = { color: roof.colour, dash: roof.dash }, words = `${name} ${roof.bandwidth_gb_per_s.toPrecision(4)} GB/s`;
      traces.push({
        type: "scatter", mode: "lines", x: [low, ridge], y: [low * roof.bandwidth_gb_per_s, chart.peak_gops], line, legendgroup: name,
        showlegend: false, hovertemplate: `${words}<extra></extra>`,
      }, { // for the legend alone: the line with its marker
        type: "scatter", mode: "lines+markers", x: [null], y: [null], line, legendgroup: name, name: words,
        marker: { color: roof.colour, symbol: roof.symbol, size: 8 },
      });
      for (const [point, gops, what, open] of [[roof.step, chart.step_gops, "steady state", ""], [roof.run, chart.run_gops, "whole run", "-open"]]) {
        if (!point) continue;
        points.push({ level: point.level, trace: {
          type: "scatter", mode: "markers", x: [point.ops_per_byte], y: [gops], showlegend: false, legendgroup: name,
          marker: { color: roof.colour, size: SIZE + RING * point.level, symbol: roof.symbol + open, line: { color: open ? roof.colour : "#fff", width: open ? 2 : 1 } },
          hovertemplate: `${name}, ${what}<br>%{x:,.4g} ops/byte, %{y:,.4g} GOPS reached<extra></extra>`,
        } });
      }
    });
    traces.push(...points.sort((one, two) => two.level - one.level).map((point) => point.trace)); // the smaller in front
    const least = Math.min(chart.step_gops, chart.run_gops) / (2 * MARGIN);
    const axis = { type: "log", gridcolor: "#e5e5e5", dtick: 1, tickformat: ",", minor: { ticks: "outside", ticklen: 3 } };
    archsim.draw(host, traces, {
      title: "Roofline: filled points are the steady state, open ones the whole run",
      xaxis: { ...axis, title: { text: "operational intensity at the memory (ops/byte)" }, range: [Math.log10(low), Math.log10(high)] },
      yaxis: { ...axis, title: { text: "performance (GOPS)" }, range: [Math.log10(least), Math.log10(MARGIN * chart.peak_gops)], automargin: true },
    }, 460);
  };

  archsim.charts.accuracy = (host, run) => {
    const chart = run.accuracy;
    if (!chart) return;
    const each = chart.steps_per_point;
    const traces = chart.lines.map((line, place) => ({
      type: "scatter", mode: "lines", name: archsim.plain(line.tensor), x: line.rms.map((_, point) => point * each),
      y: line.rms.map((value) => value || null), line: { color: COLOURS[place % COLOURS.length], dash: DASHES[place % DASHES.length], width: 1.5 },
      hovertemplate: `${archsim.plain(line.tensor)}, step %{x:,d}: RMS error %{y:.3g}<extra></extra>`,
    }));
    archsim.draw(host, traces, {
      title: "RMS error against the golden model, by time step",
      xaxis: { title: { text: "time step" }, tickformat: ",d", gridcolor: "#eee" },
      yaxis: { type: "log", title: { text: "RMS error" }, exponentformat: "power", gridcolor: "#eee", automargin: true },
    }, 400);
    if (each > 1) archsim.note(host, `Each point is the largest of ${archsim.count(each)} time steps; accuracy.csv has all.`);
    if (chart.tensors_left_out) archsim.note(host, `${archsim.count(chart.tensors_left_out)} more tensors are in the table and in accuracy.csv.`);
  };
})();
