// What stands out in the graph: what is chosen, the one tab stop, and what is dimmed because somebody looks at a part.

import { relatives } from "./walk.js";

/** Marks what is chosen, keeps the one tab stop, and dims what neither hangs together with a node alone nor fits a line. */
export function mark(graph) {
  const stops = [...graph.drawing.querySelectorAll(".node")];
  const tab = stops.find((stop) => stop.dataset.id === (graph.tab ?? graph.chosen)) ?? stops[0];
  for (const stop of stops) {
    const said = { "aria-pressed": String(stop.dataset.id === graph.chosen), tabindex: stop === tab ? "0" : "-1" };
    for (const [name, value] of Object.entries(said)) if (stop.getAttribute(name) !== value) stop.setAttribute(name, value);
  }
  const kept = graph.alone ? relatives(graph.edges, graph.alone) : null;
  const shown = (id) => (!kept || kept.has(id)) && (!graph.matched || graph.matched.has(id));
  graph.kept = kept || graph.matched ? new Set(graph.nodes.map((node) => node.id).filter(shown)) : null;
  graph.canvas.later();
  for (const node of graph.drawing.querySelectorAll("[data-node]")) node.classList.toggle("dim", !shown(node.dataset.node));
  for (const row of graph.drawing.querySelectorAll(".member")) row.classList.toggle("dim", Boolean(graph.matched) && !graph.matched.has(row.dataset.id));
  for (const way of graph.drawing.querySelectorAll(".way")) way.classList.toggle("dim", !(shown(way.dataset.from) && shown(way.dataset.to)));
}
