// New nodes and edges in a picture that is looked at: each takes the nearest free place, nothing that is drawn moves.
// A node stands one layer behind its inputs. An edge that would run backwards goes around below everything.

import { edgeName, GAP_X, GAP_Y, MARGIN, points, SLOT } from "./layout.js";

const WIDE = 204;

const centre = (box) => box.y + box.height / 2;

/** Whether a rectangle keeps its distance from everything in `taken`. */
function free(taken, { x, y, width, height }) {
  return taken.every((box) => x >= box.x + box.width + 4 || box.x >= x + width + 4 || y >= box.y + box.height + GAP_Y || box.y >= y + height + GAP_Y);
}

/** The free place in a column that is nearest to the wished one; below everything there always is one. */
function nearest(made, x, wish, width, height) {
  for (let away = 0; ; away += 4) {
    for (const y of away ? [wish - away, wish + away] : [wish]) {
      const place = { x, y: Math.max(MARGIN, Math.round(y)), width, height };
      if (free(made.taken, place)) return place.y;
    }
  }
}

function column(made, layer) {
  while (made.columns.length <= layer) {
    const last = made.columns.at(-1);
    made.columns.push({ x: last ? last.x + last.width + GAP_X : MARGIN, width: WIDE });
  }
  return made.columns[layer];
}

function addNode(made, node, edges) {
  const inputs = edges.filter((edge) => edge.target === node.id).map((edge) => made.at.get(edge.source)).filter(Boolean);
  const layer = Math.max(-1, ...inputs.map((input) => input.layer)) + 1;
  const { x } = column(made, layer);
  const wish = inputs.length ? inputs.reduce((sum, input) => sum + centre(input), 0) / inputs.length - node.height / 2 : made.height / 2;
  const y = nearest(made, x, wish, node.width, node.height + node.below);
  made.at.set(node.id, { x, y, layer, width: node.width, height: node.height });
  made.taken.push({ x, y, width: node.width, height: node.height + node.below, owner: node.id });
}

function slots(made, from, to) {
  const found = [];
  for (let layer = from.layer + 1; layer < to.layer; layer += 1) {
    const { x, width } = made.columns[layer];
    const along = (layer - from.layer) / (to.layer - from.layer);
    const y = nearest(made, x, centre(from) + along * (centre(to) - centre(from)) - SLOT / 2, width, SLOT);
    made.taken.push({ x, y, width, height: SLOT });
    found.push({ x, y, width: 0, height: SLOT, layer });
  }
  return found;
}

function around(made, from, to) {
  const low = Math.max(...made.taken.map((box) => box.y + box.height)) + GAP_Y;
  const [right, left] = [from.x + Math.max(from.width, made.columns[from.layer].width) + 14, to.x - 14];
  made.taken.push({ x: Math.min(left, right), y: low, width: Math.abs(right - left), height: SLOT });
  return [[from.x + from.width, centre(from)], [right, centre(from)], [right, low], [left, low], [left, centre(to)], [to.x, centre(to)]];
}

/** The picture with what is new in it; what is gone leaves its place free. */
export function grow(made, nodes, edges) {
  const ids = new Set(nodes.map((node) => node.id));
  for (const id of [...made.at.keys()]) if (!ids.has(id)) made.at.delete(id);
  made.taken = made.taken.filter((box) => box.owner === undefined || ids.has(box.owner));
  for (const node of nodes) if (!made.at.has(node.id)) addNode(made, node, edges);
  const names = new Set(edges.map(edgeName));
  for (const name of [...made.routes.keys()]) if (!names.has(name)) made.routes.delete(name);
  for (const edge of edges) {
    const [from, to] = [made.at.get(edge.source), made.at.get(edge.target)];
    if (made.routes.has(edgeName(edge)) || !from || !to) continue;
    made.routes.set(edgeName(edge), from.layer < to.layer ? points(made, [from, ...slots(made, from, to), to]) : around(made, from, to));
  }
  made.width = Math.max(...made.taken.map((box) => box.x + box.width)) + MARGIN;
  made.height = Math.max(...made.taken.map((box) => box.y + box.height)) + MARGIN;
  return made;
}
