// The drawing brought up to its nodes and edges: only what changed is made anew, where it stands.

import { paint } from "../clock.js";
import { draw, drawEdge, hanging } from "./draw.js";
import { ink } from "./ink.js";
import { edgeName } from "./layout.js";
import { room } from "./room.js";

/** Draws what changed of a graph, and tells where its stops are. */
export function redraw(graph) {
  const focused = document.activeElement?.closest?.(".drawing .node")?.dataset.id;
  ways(graph);
  const ids = new Set(graph.nodes.map((node) => node.id));
  for (const [id, { element }] of graph.drawn) if (!ids.has(id)) { element.remove(); graph.drawn.delete(id); }
  graph.stops.clear();
  for (const node of graph.nodes) place(graph, node);
  ink(graph.layers.inked, graph);
  graph.mark();
  paint(graph.drawing);
  const also = graph.leftOut ? `, ${graph.leftOut} edges left out that follow from others` : "";
  graph.drawing.setAttribute("aria-label", `Task graph, ${graph.nodes.length} nodes${also}`);
  graph.element.dataset.also = also.slice(2);
  if (focused) graph.focus(focused, false);
}

/** Draws the edges anew where one changed. */
function ways(graph) {
  const drawn = graph.edges.filter((edge) => graph.made.routes.has(edgeName(edge)));
  const key = JSON.stringify(drawn.map((edge) => [edge, graph.made.routes.get(edgeName(edge))]));
  if (key === graph.drawnWays) return;
  graph.drawnWays = key;
  graph.layers.ways.replaceChildren(...drawn.map((edge) => drawEdge(edge, graph.made.routes.get(edgeName(edge)))));
}

function place(graph, node) {
  const at = graph.made.at.get(node.id);
  const kept = { ...node, width: at.width, height: at.height };
  const members = node.kind === "fold" ? hanging(kept, room(graph.made, node.id)) : [];
  graph.stops.set(node.id, { ...at, sign: node.sign.sign });
  for (const row of members) graph.stops.set(`task:${row.task_id}`, { x: at.x, y: at.y + row.y, layer: at.layer, fold: node.id, sign: row.sign.sign });
  const key = JSON.stringify([kept, at.x, at.y, members.length]);
  const known = graph.drawn.get(node.id);
  if (known?.key === key) return;
  const element = draw(kept, at, members);
  if (known) known.element.replaceWith(element);
  else graph.layers.places.append(element);
  graph.drawn.set(node.id, { key, element });
}
