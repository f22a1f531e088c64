// The critical path as one ink line through the graph: along the edges and through the middle of tasks and joins.

import { svg } from "../marks.js";
import { drawEdge } from "./draw.js";
import { edgeName } from "./layout.js";

/** The edges from one node of the path to the next, through a join where there is no direct one. */
function between(edges, from, to) {
  const direct = edges.filter((edge) => edge.source === from && edge.target === to);
  if (direct.length) return direct;
  for (const out of edges.filter((edge) => edge.source === from)) {
    const on = edges.find((edge) => edge.source === out.target && edge.target === to);
    if (on) return [out, on];
  }
  return [];
}

/** Draws the path of a graph {nodes, edges, made, path} into a group. */
export function ink(group, { nodes, edges, made, path }) {
  const ways = path.slice(1).flatMap((id, place) => between(edges, path[place], id)).filter((edge) => made.routes.has(edgeName(edge)));
  const through = new Set([...path, ...ways.flatMap((edge) => [edge.source, edge.target])]);
  const lines = nodes.filter((node) => node.kind !== "fold" && through.has(node.id)).map((node) => {
    const { x, y, width, height } = made.at.get(node.id);
    return svg("path", { class: "path", d: `M${x} ${y + height / 2}h${width}` });
  });
  group.replaceChildren(...ways.map((edge) => drawEdge(edge, made.routes.get(edgeName(edge)))), ...lines);
}
