"use strict";
// What all charts share. Plotly takes a little HTML in its texts (<b>, <a href>): names go through plain() first.
const archsim = { charts: {}, runs: JSON.parse(document.getElementById("data").textContent) };

archsim.plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");

archsim.count = (value) => Number(value).toLocaleString("en-US");

// A hatch as plotly draws it; none if there is none.
archsim.pattern = (shape) => ({ shape, fillmode: "overlay", fgcolor: "#333", fgopacity: 0.6, size: 6, solidity: 0.2 });

archsim.element = (kind, className, text) => {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
};

archsim.select = (label, options, changed) => {
  const select = archsim.element("select");
  options.forEach((text, place) => {
    const option = archsim.element("option", "", text);
    option.value = place;
    select.append(option);
  });
  select.addEventListener("change", () => changed(Number(select.value)));
  const box = archsim.element("label", "", label + " ");
  box.append(select);
  return box;
};

archsim.controls = (host, ...items) => {
  const box = archsim.element("div", "controls");
  box.append(...items);
  host.append(box);
};

archsim.note = (host, text) => host.append(archsim.element("p", "note", text));

// Only what works on the page itself: plotly's bar has a button that would send the chart elsewhere.
archsim.BUTTONS = [["toImage", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];
archsim.BRUSH_BUTTONS = [["toImage", "select2d", "lasso2d", "zoom2d", "pan2d", "zoomIn2d", "zoomOut2d", "resetScale2d"]];

archsim.draw = (host, traces, layout, height, buttons = archsim.BUTTONS) => {
  const div = archsim.element("div", "chart");
  div.style.height = height + "px";
  host.append(div);
  const common = {
    font: { size: 12, family: "system-ui, sans-serif" },
    margin: { l: 110, r: 20, t: 40, b: 50 },
    paper_bgcolor: "#fff",
    plot_bgcolor: "#fff",
    hovermode: "closest",
    hoverlabel: { align: "left", bgcolor: "#fff", bordercolor: "#555", font: { color: "#222" } },
    legend: { orientation: "h", x: 0, y: -100 / (height - 90), yanchor: "top", itemwidth: 48 }, // below the title of the axis, also if it has more rows
  };
  const title = layout.title ? { title: { text: layout.title, x: 0, xref: "container", font: { size: 14 } } } : {};
  Plotly.newPlot(div, traces, { ...common, ...layout, ...title }, { responsive: true, displaylogo: false, modeBarButtons: buttons });
  return div;
};

archsim.cycleAxis = (title) => ({ title: { text: title }, tickformat: ",d", exponentformat: "none", gridcolor: "#eee" });
