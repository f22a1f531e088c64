// The buttons of the graph: its table, Tidy, zoom; and the keys of the page that reach into it.

import { onKey } from "../keys.js";
import { table } from "./twin.js";

const at = (id) => document.getElementById(id);

/** Wires the toolbar to a graph. */
export function tools(graph) {
  const button = at("graph-table");
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    table(graph, shown);
  });
  const acts = { tidy: () => graph.tidy(), out: () => graph.view.out(), in: () => graph.view.in(), fit: () => graph.view.fit() };
  for (const [name, act] of Object.entries(acts)) at(`graph-${name}`).addEventListener("click", act);
  const alone = at("graph-alone");
  alone.addEventListener("click", () => graph.isolate(graph.alone ? null : undefined));
  graph.element.addEventListener("isolated", ({ detail }) => alone.setAttribute("aria-pressed", String(detail)));
  graph.view.told = (scale) => { at("graph-fit").textContent = `${Math.round(100 * scale)} %`; };
  onKey("f", () => graph.focusBad());
  onKey("+", acts.in);
  onKey("-", acts.out);
  onKey("0", acts.fit);
}
