"use strict";
// How busy each unit is: the recorded bins, and a mean over a window of one's choice, computed for the cycles in view.
(() => {
  const POINTS = 1200;
  const LEAST_BINS = 8; // a window of fewer bins shows where their edges lie
  const WINDOWS = [1, 2, 5, 10, 50, 200];

  // Edges of all bins of a unit, and the busy cycles before each.
  const before = (unit) => {
    const edges = [], busy = [];
    let sum = 0;
    for (const part of unit.bins) {
      part.busy.forEach((cycles, bin) => {
        edges.push(part.start + bin * part.bin_cycles);
        busy.push(sum);
        sum += cycles;
      });
      edges.push(part.end);
      busy.push(sum);
    }
    return { edges, busy };
  };

  const at = (cumulated, cycle) => {
    const { edges, busy } = cumulated;
    let low = 0, high = edges.length - 1;
    if (cycle <= edges[0]) return busy[0];
    if (cycle >= edges[high]) return busy[high];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (edges[middle] <= cycle) low = middle; else high = middle;
    }
    const length = edges[high] - edges[low];
    return length ? busy[low] + (busy[high] - busy[low]) * (cycle - edges[low]) / length : busy[high];
  };

  const mean = (cumulated, first, last, window, end) => {
    const x = [], y = [];
    for (let point = 0; point <= POINTS; point++) {
      const cycle = first + (last - first) * point / POINTS;
      const from = Math.max(0, cycle - window / 2), to = Math.min(end, cycle + window / 2);
      x.push(cycle);
      y.push(to > from ? 100 * (at(cumulated, to) - at(cumulated, from)) / (to - from) : 0);
    }
    return { x, y };
  };

  const stairs = (unit) => {
    const x = [], y = [];
    for (const part of unit.bins) {
      part.busy.forEach((cycles, bin) => {
        const start = part.start + bin * part.bin_cycles, stop = Math.min(start + part.bin_cycles, part.end);
        x.push(start);
        y.push(stop > start ? 100 * cycles / (stop - start) : 0);
      });
      x.push(part.end);
      y.push(0);
    }
    return { x, y };
  };

  archsim.charts.utilization = (host, run) => {
    const chart = run.utilization, units = chart.units, end = chart.total_cycles;
    const cumulated = units.map(before);
    const widest = Math.max(1, ...units.flatMap((unit) => unit.bins.map((part) => part.bin_cycles)));
    const fits = WINDOWS.filter((steps) => steps * chart.step_cycles >= (widest > 1 ? LEAST_BINS * widest : 1) && steps <= chart.steps);
    const windows = fits.length ? fits : [Math.min(chart.steps, Math.ceil(LEAST_BINS * widest / Math.max(1, chart.step_cycles)))];
    const words = (steps) => (steps === 1 ? "1 time step" : `${archsim.count(steps)} time steps`) +
      (chart.layers > 1 ? " of a layer" : "") + ` (${archsim.count(Math.round(steps * chart.step_cycles))} cycles)`;
    let window = Math.max(1, windows[0] * chart.step_cycles), view = [0, end];
    const share = 1 / units.length, traces = [], layout = { annotations: [], shapes: [] };
    units.forEach((unit, place) => {
      const axis = place ? `y${place + 1}` : "y", name = archsim.plain(unit.unit);
      layout[place ? `yaxis${place + 1}` : "yaxis"] = {
        domain: [1 - (place + 0.82) * share, 1 - place * share],
        range: [0, 105], tickvals: [0, 50, 100], fixedrange: true, gridcolor: "#ddd",
      };
      layout.annotations.push({
        text: name, xref: "paper", yref: "paper", x: -0.01, y: 1 - (place + 0.41) * share,
        xanchor: "right", yanchor: "middle", showarrow: false, xshift: -24,
      });
      traces.push({
        type: "scatter", mode: "lines", yaxis: axis, xaxis: "x", ...stairs(unit), name: "recorded bins", legendgroup: "bins",
        showlegend: !place, line: { shape: "hv", width: 0 }, fill: "tozeroy", fillcolor: "#9ECAE1", hoverinfo: "skip",
      });
      traces.push({
        type: "scatter", mode: "lines", yaxis: axis, xaxis: "x", ...mean(cumulated[place], 0, end, window, end),
        name: "mean over the window", legendgroup: "mean", showlegend: !place, line: { color: "#08306B", width: 1.3 },
        hovertemplate: `${name}<br>cycle %{x:,.0f}: %{y:.1f} % busy<extra></extra>`,
      });
    });
    layout.xaxis = { ...archsim.cycleAxis(`cycle of the run (1 us = ${archsim.count(run.clock_mhz)} cycles)`), range: [0, end], anchor: `y${units.length > 1 ? units.length : ""}` };
    layout.shapes = chart.phases.slice(1).map((phase) => ({
      type: "line", xref: "x", yref: "paper", x0: phase.start, x1: phase.start, y0: 0, y1: 1, line: { color: "#555", width: 1, dash: "dot" },
    }));
    layout.margin = { l: 50 + 8 * Math.max(...units.map((unit) => unit.unit.length)), r: 20, t: 40, b: 50 };
    layout.title = "Busy cycles of every unit (%), from the first cycle to the last";
    layout.legend = { orientation: "h", x: 0, y: -70 / (units.length * 80), yanchor: "top" };
    const renew = () => {
      const found = cumulated.map((one) => mean(one, view[0], view[1], window, end));
      Plotly.restyle(div, { x: found.map((one) => one.x), y: found.map((one) => one.y) }, units.map((_, place) => 2 * place + 1));
    };
    const go = (first, last) => Plotly.relayout(div, { "xaxis.range[0]": first, "xaxis.range[1]": last });
    const phases = archsim.select("show", ["the whole run", ...chart.phases.map((phase) => phase.name)],
      (choice) => (choice ? go(chart.phases[choice - 1].start, chart.phases[choice - 1].end) : go(0, end)));
    const means = archsim.select("mean over", windows.map(words), (choice) => {
      window = Math.max(1, windows[choice] * chart.step_cycles);
      renew();
    });
    archsim.controls(host, phases, means, archsim.element("span", "note", "drag to zoom, double click for all"));
    const div = archsim.draw(host, traces, layout, 130 + 80 * units.length);
    div.on("plotly_relayout", () => {
      const range = div.layout.xaxis.range.map(Number);
      if (range[0] === view[0] && range[1] === view[1]) return;
      view = range;
      renew();
    });
    const body = chart.phases.find((phase) => phase.body);
    const bin = body ? Math.max(...units.map((unit) => unit.bins[chart.phases.indexOf(body)].bin_cycles)) : 1;
    archsim.note(host, `Recorded in bins of ${archsim.count(bin)} ${bin === 1 ? "cycle" : "cycles"} in the time steps, at most 1,024 a phase: ` +
      "nothing finer is seen here; the timeline has single ops.");
  };
})();
