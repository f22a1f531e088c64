// The critical path as one ink line through the graph: along the edges and through the middle of tasks and joins.

import { svg } from "../marks.js";
import { drawEdge } from "./draw.js";
import { edgeName } from "./layout.js";

const FAR = 4;

/** The edges from one node of the path to the next; through joins where there is no direct one. */
function between(edges, joins, from, to) {
  let ways = [[from, []]];
  for (let far = 0; far < FAR; far += 1) {
    const on = ways.flatMap(([here, way]) => edges.filter((edge) => edge.source === here).map((edge) => [edge.target, [...way, edge]]));
    const there = on.find(([here]) => here === to);
    if (there) return there[1];
    ways = on.filter(([here]) => joins.has(here));
  }
  return [];
}

/** Draws the path of a graph {nodes, edges, made, path} into a group. */
export function ink(group, { nodes, edges, made, path }) {
  const joins = new Set(nodes.filter((node) => node.kind === "join").map((node) => node.id));
  const once = [...new Set(path)]; // a coordinator is on the path again and again; the line goes on without it
  const ways = once.slice(1).flatMap((id, place) => between(edges, joins, once[place], id)).filter((edge) => made.routes.has(edgeName(edge)));
  const through = new Set([...path, ...ways.flatMap((edge) => [edge.source, edge.target])]);
  const lines = nodes.filter((node) => node.kind !== "fold" && through.has(node.id)).map((node) => {
    const { x, y, width, height } = made.at.get(node.id);
    return svg("path", { class: "path", d: `M${x} ${y + height / 2}h${width}` });
  });
  group.replaceChildren(...ways.map((edge) => drawEdge(edge, made.routes.get(edgeName(edge)))), ...lines);
}
