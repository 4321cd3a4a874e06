"use strict";
// Tabs, and the charts of a tab when it is first seen.
(() => {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  let ready = false;

  const draw = (section) => {
    if (!ready) return;
    for (const host of section.querySelectorAll(".charts")) {
      const chart = archsim.charts[host.dataset.section];
      if (!chart || host.childNodes.length) continue;
      chart(host, archsim.runs[Number(host.dataset.run)]);
    }
  };

  const show = (name) => {
    for (const tab of tabs) {
      const mine = tab.getAttribute("aria-controls") === name;
      tab.setAttribute("aria-selected", String(mine));
      const section = document.getElementById(tab.getAttribute("aria-controls"));
      section.classList.toggle("shown", mine);
      if (mine) draw(section);
    }
  };

  // plotly.js comes compressed, as it would take 4.8 MB otherwise.
  const load = async () => {
    if (!window.DecompressionStream) throw new Error("this browser cannot inflate gzip (DecompressionStream)");
    const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (letter) => letter.charCodeAt(0));
    const text = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
    const script = document.createElement("script");
    script.textContent = text;
    document.head.append(script);
    ready = true;
  };

  const asked = () => {
    const name = location.hash.slice(1);
    return tabs.some((tab) => tab.getAttribute("aria-controls") === name) ? name : tabs[0].getAttribute("aria-controls");
  };

  document.body.classList.add("tabs");
  for (const tab of tabs) tab.addEventListener("click", () => { location.hash = tab.getAttribute("aria-controls"); });
  window.addEventListener("hashchange", () => { show(asked()); window.scrollTo(0, 0); });
  show(asked());
  load().then(() => {
    show(asked());
    document.body.dataset.state = "ready";
  }).catch((error) => {
    document.body.dataset.state = "failed";
    const trouble = document.getElementById("trouble");
    trouble.hidden = false;
    trouble.textContent = `The charts cannot be drawn: ${error.message}. Tables and text are all here.`;
  });
})();
