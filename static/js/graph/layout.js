// Layered layout, left to right: a pure function of nodes and edges in first-seen order, so that every viewer and
// every reload sees the same picture. A layer is the longest path from a root; long edges get slots of their own
// in the layers between, so that no curve passes behind a box. A wide picture wraps: where only few edges cross from
// one layer to the next, the rest goes on in a band below.

import { bandsOf, lane, stack } from "./bands.js";
import { cells, layers, mean, order, SLOT } from "./layers.js";

const GAP_X = 44;
const GAP_Y = 20;
const MARGIN = 24;

function place(columns, band) {
  let x = MARGIN;
  let right = 0;
  columns.forEach((column, number) => {
    if (band[number] !== band[number - 1]) x = MARGIN;
    const width = Math.max(0, ...column.map((entry) => entry.width));
    // What comes out of another band has no row to keep to.
    const before = (entry) => entry.before.filter((each) => band[each.layer] === band[number]);
    let [bottom, slot] = [-Infinity, false];
    for (const entry of column) {
      const gap = slot && !entry.node ? SLOT : GAP_Y;
      const inputs = before(entry);
      const centre = inputs.length ? mean(inputs.map((each) => each.y + each.height / 2)) : (bottom === -Infinity ? 0 : bottom + gap + entry.height / 2);
      entry.x = x;
      entry.y = Math.max(centre - entry.height / 2, bottom === -Infinity ? -Infinity : bottom + gap);
      [bottom, slot] = [entry.y + entry.height + (entry.node?.below ?? 0), !entry.node];
    }
    // What was pushed down shares the room: the column as a whole lies around what it follows.
    const wished = column.filter((entry) => before(entry).length).map((entry) => mean(before(entry).map((each) => each.y + each.height / 2)) - entry.y - entry.height / 2);
    if (wished.length) for (const entry of column) entry.y += mean(wished);
    right = Math.max(right, x + width);
    x += width + GAP_X;
  });
  return right;
}

/**
 * The picture {width, height, at, columns, bands, taken, routes}: `at` maps a node's id to {x, y, layer, width, height},
 * `columns` are {x, width, band}, `bands` {top, bottom, lanes}, `taken` the rectangles that nodes and passing edges
 * hold, `routes` map an edge's name to its points, `right` is where the rightmost box ends.
 */
export function layout(nodes, edges) {
  const made = { width: 0, height: 0, right: 0, at: new Map(), columns: [], bands: [], taken: [], routes: new Map() };
  if (!nodes.length) return made;
  const { columns, routes } = cells(nodes, edges, layers(nodes, edges));
  order(columns);
  const band = bandsOf(columns, GAP_X);
  made.right = place(columns, band);
  made.bands = stack(columns, band, MARGIN);
  made.columns = columns.map((column, layer) => ({ x: column[0]?.x ?? 0, width: Math.max(0, ...column.map((entry) => entry.width)), band: band[layer] }));
  for (const entry of columns.flat()) {
    const size = entry.node ? entry.width : made.columns[entry.layer].width;
    made.taken.push({ x: entry.x, y: entry.y, width: size, height: entry.height + (entry.node?.below ?? 0), owner: entry.node?.id });
    if (entry.node) made.at.set(entry.node.id, { x: entry.x, y: entry.y, layer: entry.layer, width: entry.width, height: entry.height });
  }
  for (const { edge, route } of routes) made.routes.set(edgeName(edge), points(made, route.map(({ node, ...entry }) => ({ ...entry, passing: !node }))));
  return sized(made);
}

/** The size of a picture: all that is drawn, and a margin. */
export function sized(made) {
  const wrapped = made.bands.length > 1 ? MARGIN : 0;
  made.width = Math.max(made.right, ...made.taken.map((box) => box.x + box.width)) + MARGIN + wrapped;
  made.height = Math.max(...made.taken.map((box) => box.y + box.height)) + MARGIN;
  return made;
}

/** How an edge is called: its two ends. */
export const edgeName = (edge) => `${edge.source}\n${edge.target}`;

/**
 * The points of an edge: out of the right side of the first cell, along the slots between, into the left side of the
 * last; around the outside from one band to the next.
 */
export function points(made, route) {
  const middle = (entry) => entry.y + entry.height / 2;
  const right = (entry) => made.columns[entry.layer].x + made.columns[entry.layer].width;
  const band = (entry) => made.columns[entry.layer].band;
  const across = (entry, next) => {
    if (!next || band(entry) === band(next)) return [];
    const { right: outside, between, left } = lane(made, band(entry));
    return [[outside, middle(entry)], [outside, between], [left, between], [left, middle(next)]];
  };
  return route.flatMap((entry, step) => [
    ...(step > 0 ? [[entry.x, middle(entry)]] : []),
    ...(step === 0 && entry.x + entry.width < right(entry) ? [[entry.x + entry.width, middle(entry)]] : []),
    ...(step < route.length - 1 ? [[Math.max(right(entry), entry.x + entry.width), middle(entry)], ...across(entry, route[step + 1])] : []),
  ]);
}

export { GAP_X, GAP_Y, MARGIN };
