"use strict";
// Designs as points of two axes and as lines across all axes. What is chosen in one chart stands out in the other, and
// is listed below: a drag over points, ranges on the axes of the lines, or both.
(() => {
  const LISTED = 50; // designs in the list below
  const FEWER = 2000; // points that a browser without WebGL draws
  const FRONT = "#D55E00", PLAIN = "#0072B2", FAINT = "#DDDDDD";

  const webgl = () => {
    try { return Boolean(document.createElement("canvas").getContext("webgl")); } catch { return false; }
  };

  // All that can be an axis: objectives by value, parameters by the place of their value.
  const axesOf = (data) => [
    ...data.objectives.map((one, place) => ({ ...one, place, title: `${archsim.plain(one.name)}, ${one.direction}` })),
    ...data.inputs.map((one) => ({ name: one.name, values: one.places, texts: one.texts, title: archsim.plain(one.name) })),
  ];

  const axis = (one) => one.texts
    ? { title: { text: one.title }, tickvals: one.texts.map((_, place) => place), ticktext: one.texts.map(archsim.plain), gridcolor: "#eee", automargin: true }
    : { title: { text: one.title }, type: one.log ? "log" : "linear", gridcolor: "#eee", automargin: true };

  // Lines know no logarithmic axes: logarithms, with the values written beside them.
  const logTicks = (values) => {
    const low = Math.min(...values), high = Math.max(...values), found = [];
    for (let decade = Math.floor(Math.log10(low)); decade <= Math.log10(high); decade++) {
      for (const digit of [1, 2, 5]) {
        const value = digit * 10 ** decade;
        if (low <= value && value <= high) found.push(value);
      }
    }
    return { tickvals: found.map(Math.log10), ticktext: found.map((value) => Number(value.toPrecision(1)).toLocaleString("en-US", { maximumFractionDigits: 9 })) };
  };

  const shownValue = (one, design) => one.texts ? one.texts[one.values[design]] : one.values[design].toPrecision(6);

  const within = (value, ranges) => {
    if (!ranges) return true;
    return (Array.isArray(ranges[0]) ? ranges : [ranges]).some(([low, high]) => low <= value && value <= high);
  };

  archsim.charts.designs = (host, data) => {
    const axes = axesOf(data), designs = data.numbers.map((_, design) => design), fast = webgl();
    if (!designs.length) return;
    const drawn = fast ? designs : designs.slice(0, FEWER);
    const chosen = { x: 0, y: Math.min(1, axes.length - 1), colour: -1, brushed: null, ranges: axes.map(() => null) };
    const hover = (design) => [
      `<b>point ${archsim.count(data.numbers[design])}</b>${design < data.front ? ", of the front" : ""}`,
      ...axes.map((one) => `${archsim.plain(one.name)} = ${archsim.plain(shownValue(one, design))}`),
    ].join("<br>");
    const hovers = drawn.map(hover);

    const density = () => {
      const found = data.densities.find((one) => one.x === chosen.x && one.y === chosen.y) ||
        data.densities.find((one) => one.x === chosen.y && one.y === chosen.x);
      if (!found) return [];
      const turned = found.x !== chosen.x;
      const counts = turned ? found.counts[0].map((_, x) => found.counts.map((row) => row[x])) : found.counts;
      return [{
        type: "heatmap", x: turned ? found.y_edges : found.x_edges, y: turned ? found.x_edges : found.y_edges,
        z: counts.map((row) => row.map((count) => count || null)), colorscale: [[0, "#f2f2f2"], [1, "#888888"]], showscale: false,
        hovertemplate: "%{z:,} designs<extra></extra>",
      }];
    };

    const points = () => {
      const colour = axes[chosen.colour];
      const marker = {
        size: drawn.map((design) => design < data.front ? 9 : 5), symbol: drawn.map((design) => design < data.front ? "diamond" : "circle"),
        color: colour ? drawn.map((design) => colour.values[design]) : drawn.map((design) => design < data.front ? FRONT : PLAIN),
      };
      if (colour) {
        marker.colorscale = "Viridis";
        marker.colorbar = { title: { text: colour.title, side: "right" } };
        if (colour.texts) Object.assign(marker.colorbar, { tickvals: colour.texts.map((_, place) => place), ticktext: colour.texts.map(archsim.plain) });
      }
      return {
        type: fast ? "scattergl" : "scatter", mode: "markers", marker, text: hovers, hoverinfo: "text",
        x: drawn.map((design) => axes[chosen.x].values[design]), y: drawn.map((design) => axes[chosen.y].values[design]),
        unselected: { marker: { opacity: 0.08 } }, selectedpoints: selection(),
      };
    };

    const kept = (design) =>
      (!chosen.brushed || chosen.brushed.has(design)) && axes.every((one, place) => within(one.values[design], chosen.ranges[place]));
    const filtered = () => chosen.brushed !== null || chosen.ranges.some(Boolean);
    const selection = () => filtered() ? drawn.filter(kept) : null;

    const scatterLayout = () => ({
      xaxis: axis(axes[chosen.x]), yaxis: axis(axes[chosen.y]), dragmode: "select", showlegend: false, margin: { l: 70, r: 20, t: 20, b: 60 },
      title: "",
    });
    const select = (label, what, first) => {
      const box = archsim.select(label, [...first, ...axes.map((one) => one.name)], (choice) => {
        chosen[what] = choice - first.length;
        Plotly.react(scatter, [...density(), points()], { ...scatter.layout, ...scatterLayout() });
      });
      box.querySelector("select").value = chosen[what] + first.length;
      return box;
    };
    const clear = archsim.element("button", "", "show all");
    archsim.controls(host, select("x", "x", []), select("y", "y", []), select("colour", "colour", ["front"]), clear,
      archsim.element("span", "note", "drag over points to choose designs; below, drag along an axis to choose a range"));
    const scatter = archsim.draw(host, [...density(), points()], scatterLayout(), 480, archsim.BRUSH_BUTTONS);

    const lines = () => ({ color: designs.map((design) => !chosen.brushed || chosen.brushed.has(design) ? (design < data.front ? 2 : 1) : 0) });
    let parallel = null;
    if (fast) {
      const dimension = (one) => one.texts
        ? { label: one.title, values: one.values, tickvals: one.texts.map((_, place) => place), ticktext: one.texts.map(archsim.plain), range: [0, Math.max(1, one.texts.length - 1)] }
        : one.log
          ? { label: one.title, values: one.values.map(Math.log10), ...logTicks(one.values) }
          : { label: one.title, values: one.values };
      parallel = archsim.draw(host, [{
        type: "parcoords", dimensions: axes.map(dimension), labelangle: -15, labelfont: { size: 11 }, tickfont: { size: 10 }, rangefont: { color: "rgba(0, 0, 0, 0)" },
        line: { ...lines(), colorscale: [[0, FAINT], [0.5, PLAIN], [1, FRONT]], cmin: 0, cmax: 2 }, unselected: { line: { opacity: 0.04 } },
      }], { title: "", margin: { l: 110, r: 110, t: 110, b: 30 } }, 460);
    } else {
      archsim.note(host, `This browser draws without WebGL: ${archsim.count(drawn.length)} designs are drawn, and lines across all axes are not.`);
    }
    const list = archsim.element("div", "table");
    host.append(list);

    const refresh = () => {
      const found = designs.filter(kept);
      const table = archsim.element("table"), head = archsim.element("tr");
      ["point", ...axes.map((one) => one.texts ? one.name : `${one.name}, ${one.direction}`), "full report"].forEach((name) => head.append(archsim.element("th", "", name)));
      table.append(head);
      found.slice(0, LISTED).forEach((design) => {
        const row = archsim.element("tr", design < data.front ? "strong" : "");
        [archsim.count(data.numbers[design]), ...axes.map((one) => shownValue(one, design))].forEach((text) => row.append(archsim.element("td", "right", text)));
        const cell = archsim.element("td"), command = archsim.element("code", "", data.commands[design]);
        cell.append(command);
        row.append(cell);
        table.append(row);
      });
      const more = found.length > LISTED ? `; the first ${LISTED} are listed` : "";
      list.replaceChildren(
        archsim.element("p", "chosen", `${archsim.count(found.length)} of ${archsim.count(designs.length)} designs chosen${more}; those of the front stand out and come first.`), table);
    };
    const update = () => {
      const last = scatter.data.length - 1;
      Plotly.restyle(scatter, { selectedpoints: [selection()] }, [last]);
      refresh();
    };
    const brush = (event) => {
      const last = scatter.data.length - 1;
      chosen.brushed = event && event.points ? new Set(event.points.filter((one) => one.curveNumber === last).map((one) => one.pointIndex)) : null;
      if (parallel) Plotly.restyle(parallel, { "line.color": [lines().color] }, [0]);
      update();
    };
    scatter.on("plotly_selected", brush);
    scatter.on("plotly_deselect", () => brush(null));
    const ranges = () => {
      parallel.data[0].dimensions.forEach((one, place) => {
        const range = one.constraintrange;
        const back = (value) => axes[place].log ? 10 ** value : value;
        chosen.ranges[place] = !range || !range.length ? null : (Array.isArray(range[0]) ? range : [range]).map((pair) => pair.map(back));
      });
      update();
    };
    if (parallel) parallel.on("plotly_restyle", (event) => { if (Object.keys(event[0]).some((name) => name.includes("constraintrange"))) ranges(); });
    clear.addEventListener("click", () => {
      chosen.ranges = axes.map(() => null);
      if (parallel) {
        const none = Object.fromEntries(axes.map((_, place) => [`dimensions[${place}].constraintrange`, [null]]));
        Plotly.restyle(parallel, none, [0]);
      }
      Plotly.relayout(scatter, { selections: [] });
      brush(null);
    });
    refresh();
  };
})();
