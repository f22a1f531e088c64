// Compare: the overlay graph of two runs, the waterfall of the difference, its table.

import { first } from "./api.js";
import { draw } from "./charts.js";
import { Graph } from "./graph/index.js";
import { tools } from "./graph/tools.js";

const at = (id) => document.getElementById(id);
const found = first("first-compare");
const graph = new Graph(at("graph"), async () => found.graph);

tools(graph);
graph.refresh();
at("graph").addEventListener("choose", ({ detail }) => {
  for (const row of at("steps").tBodies[0].rows) row.setAttribute("aria-selected", String(row.cells[0].title === detail.node?.fold_key));
  at("steps").querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
});

const waterfall = () => draw(at("waterfall"), found.figure);
if (window.Plotly) waterfall();
else addEventListener("load", waterfall, { once: true });
document.addEventListener("theme", waterfall);

at("as-table").addEventListener("click", ({ currentTarget }) => {
  const shown = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(shown));
  at("waterfall-table").hidden = !shown;
  at("waterfall").hidden = shown;
});

document.querySelector(".compare-form select")?.addEventListener("change", ({ target }) => target.form.submit());
