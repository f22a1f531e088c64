// New nodes and edges in a picture that is looked at: each takes the nearest free place, nothing that is drawn moves.
// A node stands one layer behind its inputs; where its band has no room left, in a new column at the end. An edge that
// would run backwards, or from one band to another, goes around through the room between the bands.

import { lane } from "./bands.js";
import { SLOT } from "./layers.js";
import { edgeName, GAP_X, GAP_Y, MARGIN, points, sized } from "./layout.js";

const WIDE = 204;

const centre = (box) => box.y + box.height / 2;

/** Whether a rectangle keeps its distance from everything in `taken`. */
function free(taken, { x, y, width, height }) {
  return taken.every((box) => x >= box.x + box.width + 4 || box.x >= x + width + 4 || y >= box.y + box.height + GAP_Y || box.y >= y + height + GAP_Y);
}

/** The free place in a column that is nearest to the wished one; in the last band there always is one, else null. */
function nearest(made, layer, wish, width, height) {
  const { x, band } = made.columns[layer];
  const { top, bottom } = made.bands[band];
  const end = band === made.bands.length - 1 ? Infinity : bottom;
  const start = Math.min(Math.max(wish, top), end === Infinity ? Infinity : end - height);
  for (let away = 0; start - away >= top || start + away + height <= end; away += 4) {
    for (const y of away ? [start - away, start + away] : [start]) {
      const place = { x, y: Math.max(top, Math.round(y)), width, height };
      if (place.y + height <= end && free(made.taken, place)) return place.y;
    }
  }
  return null;
}

function column(made, layer) {
  while (made.columns.length <= layer) {
    const last = made.columns.at(-1);
    made.columns.push({ x: last ? last.x + last.width + GAP_X : MARGIN, width: WIDE, band: made.bands.length - 1 });
  }
  return made.columns[layer];
}

function addNode(made, node, edges) {
  const inputs = edges.filter((edge) => edge.target === node.id).map((edge) => made.at.get(edge.source)).filter(Boolean);
  let layer = Math.max(-1, ...inputs.map((input) => input.layer)) + 1;
  const { band } = column(made, layer);
  const near = inputs.filter((input) => made.columns[input.layer].band === band);
  const wish = near.length ? near.reduce((sum, input) => sum + centre(input), 0) / near.length - node.height / 2 : made.bands[band].top;
  const height = node.height + node.below;
  let y = nearest(made, layer, wish, node.width, height);
  if (y === null) {
    layer = made.columns.length;
    y = nearest(made, layer, column(made, layer) && made.bands.at(-1).top, node.width, height);
  }
  const { x } = made.columns[layer];
  made.at.set(node.id, { x, y, layer, width: node.width, height: node.height });
  made.taken.push({ x, y, width: node.width, height, owner: node.id });
}

/** The slots of an edge within a band, or null where there is no room for one. */
function slots(made, from, to) {
  const found = [];
  for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
    const { x, width } = made.columns[layer];
    const along = (layer - from.layer) / (to.layer - from.layer);
    const y = nearest(made, layer, centre(from) + along * (centre(to) - centre(from)) - SLOT / 2, width, SLOT);
    if (y === null) return null;
    made.taken.push({ x, y, width, height: SLOT });
    found.push({ x, y, width: 0, height: SLOT, layer });
  }
  return found;
}

/** Down beside the first column to the room below its band, and up or down beside the last into it. */
function around(made, from, to) {
  const [start, end] = [made.columns[from.layer], made.columns[to.layer]];
  const [right, left] = [from.x + Math.max(from.width, start.width) + 14, to.x - 14];
  const out = [[from.x + from.width, centre(from)], [right, centre(from)]];
  const into = [[left, centre(to)], [to.x, centre(to)]];
  if (start.band !== end.band) {
    const [first, second] = [lane(made, start.band), lane(made, Math.max(0, end.band - 1))];
    const high = end.band ? second.between : 8;
    return [...out, [right, first.between], [first.left, first.between], [first.left, high], [left, high], ...into];
  }
  const last = start.band === made.bands.length - 1;
  const low = last ? Math.max(...made.taken.map((box) => box.y + box.height)) + GAP_Y : lane(made, start.band).between;
  if (last) made.taken.push({ x: Math.min(left, right), y: low, width: Math.abs(right - left), height: SLOT });
  return [...out, [right, low], [left, low], ...into];
}

function route(made, from, to) {
  const along = from.layer < to.layer && made.columns[from.layer].band === made.columns[to.layer].band ? slots(made, from, to) : null;
  return along ? points(made, [from, ...along, to]) : around(made, from, to);
}

function clear(made, nodes, edges) {
  const [ids, names] = [new Set(nodes.map((node) => node.id)), new Set(edges.map(edgeName))];
  for (const id of [...made.at.keys()]) if (!ids.has(id)) made.at.delete(id);
  made.taken = made.taken.filter((box) => box.owner === undefined || ids.has(box.owner));
  for (const name of [...made.routes.keys()]) if (!names.has(name)) made.routes.delete(name);
}

/** The picture with what is new in it; what is gone leaves its place free, unless that is `kept` for it. */
export function grow(made, nodes, edges, kept = false) {
  if (!kept) clear(made, nodes, edges);
  for (const node of nodes) if (!made.at.has(node.id)) addNode(made, node, edges);
  for (const edge of edges) {
    const [from, to] = [made.at.get(edge.source), made.at.get(edge.target)];
    if (made.routes.has(edgeName(edge)) || !from || !to) continue;
    made.routes.set(edgeName(edge), route(made, from, to));
  }
  return sized(made);
}
