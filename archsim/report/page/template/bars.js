"use strict";
// Stacks of cycles, and amounts by part: horizontal bars.
(() => {
  const HEIGHT = 34;

  const layout = (title, axis, rows, legend) => ({
    title,
    barmode: "stack",
    bargap: 0.3,
    xaxis: axis,
    yaxis: { autorange: "reversed", automargin: true, tickvals: rows.map((_, row) => row), ticktext: rows.map(archsim.plain) },
    showlegend: legend,
    legend: { orientation: "h", x: 0, y: -70 / (rows.length * HEIGHT + 20), yanchor: "top", traceorder: "normal" },
  });

  const stack = (host, chart) => {
    const rows = chart.units;
    const traces = chart.parts.map((part) => ({
      type: "bar",
      orientation: "h",
      name: archsim.plain(part.name),
      y: rows.map((_, row) => row),
      x: part.cycles,
      marker: { color: part.colour, pattern: archsim.pattern(part.hatch), line: { color: "#333", width: 0.5 } },
      text: part.cycles.map((cycles) => (100 * cycles >= 6 * chart.total_cycles ? (100 * cycles / chart.total_cycles).toFixed(1) + " %" : "")),
      textposition: "inside",
      insidetextfont: { color: "#111" }, // with a light rim, see page.css: it is read on every colour and hatch
      insidetextanchor: "middle",
      hovertext: part.cycles.map((cycles, row) =>
        `${archsim.plain(rows[row])}: ${archsim.plain(part.name)}<br>${archsim.count(cycles)} cycles, ` +
        `${(100 * cycles / chart.total_cycles).toFixed(2)} % of ${archsim.count(chart.total_cycles)}`),
      hoverinfo: "text",
    }));
    return archsim.draw(host, traces, layout(chart.title, archsim.cycleAxis("cycles"), rows, true), 180 + rows.length * HEIGHT);
  };

  const costs = (host, chart) => {
    const rows = chart.parts;
    const sum = chart.amounts.reduce((total, one) => total + one.amount, 0);
    const seen = new Set();
    const traces = chart.amounts.map((one) => {
      const use = chart.uses[one.use], first = !seen.has(one.use);
      seen.add(one.use);
      return {
        type: "bar",
        orientation: "h",
        name: archsim.plain(use.words),
        legendgroup: String(one.use),
        showlegend: first,
        y: [rows.indexOf(one.part)],
        x: [one.amount],
        marker: { color: use.colour, pattern: archsim.pattern(use.hatch), line: { color: "#333", width: 0.5 } },
        hovertext: `${archsim.plain(one.part)}: ${archsim.plain(one.kind)}<br>${one.amount.toPrecision(4)} ${chart.unit}, ` +
          `${(100 * one.amount / sum).toFixed(2)} % of all`,
        hoverinfo: "text",
      };
    });
    const axis = { title: { text: chart.unit }, gridcolor: "#eee", exponentformat: "SI" };
    const legend = chart.uses.length > 1;
    return archsim.draw(host, traces, layout(chart.title, axis, rows, legend), (legend ? 180 : 110) + rows.length * HEIGHT);
  };

  archsim.charts.latency = (host, run) => {
    if (run.latency) stack(host, run.latency);
    else archsim.note(host, "The critical path is found of runs of up to 200,000 ops; this one has more.");
  };
  archsim.charts.cycles = (host, run) => run.cycles.forEach((chart) => stack(host, chart));
  archsim.charts.traffic = (host, run) => costs(host, run.traffic);
  archsim.charts.energy = (host, run) => run.energy.forEach((chart) => costs(host, chart));
})();
