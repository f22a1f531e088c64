// Workflow: the trend of its runs as four small charts; a click on a run's mark opens the run.

import { first } from "./api.js";
import { draw } from "./charts.js";

const figures = first("figures");
const charts = [...document.querySelectorAll("[data-figure]")];
const at = (id) => document.getElementById(id);

function show() {
  for (const chart of charts) draw(chart, figures[chart.dataset.figure]);
}

function begin() {
  show();
  for (const chart of charts) {
    chart.on("plotly_click", ({ points: [point] }) => {
      if (point?.customdata) location.assign(`/runs/${encodeURIComponent(point.customdata[2])}/`);
    });
  }
}

if (window.Plotly) begin();
else addEventListener("load", begin, { once: true });
document.addEventListener("theme", show);

at("as-table").addEventListener("click", ({ currentTarget }) => {
  const shown = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(shown));
  at("trend-table").hidden = !shown;
  at("trends").hidden = shown;
});
