// Layered layout, left to right: a pure function of nodes and edges in first-seen order, so that every viewer and
// every reload sees the same picture. A layer is the longest path from a root; long edges get slots of their own
// in the layers between, so that no curve passes behind a box.

const GAP_X = 44;
const GAP_Y = 20;
const MARGIN = 24;
const SLOT = 8;

function layers(nodes, edges) {
  const into = new Map(nodes.map((node) => [node.id, []]));
  const seen = new Map(nodes.map((node, place) => [node.id, place]));
  for (const { source, target } of edges) if (into.has(target) && into.has(source)) into.get(target).push(source);
  const layer = new Map();
  const busy = new Set();
  const find = (id) => {
    if (layer.has(id)) return layer.get(id);
    if (busy.has(id)) return -1; // a cycle: this edge is drawn backwards and does not count
    busy.add(id);
    const found = 1 + Math.max(-1, ...into.get(id).map(find));
    busy.delete(id);
    layer.set(id, found);
    return found;
  };
  // Roots first and in first-seen order; deep chains are walked without recursion trouble up to a few thousand.
  for (const node of [...nodes].sort((a, b) => seen.get(a.id) - seen.get(b.id))) find(node.id);
  return layer;
}

/** Cells by layer: nodes, and slots for edges that pass through. Each edge becomes a list of cells. */
function cells(nodes, edges, layer) {
  const columns = [];
  const cell = new Map();
  const put = (entry) => { (columns[entry.layer] ??= []).push(entry); return entry; };
  for (const node of nodes) cell.set(node.id, put({ node, layer: layer.get(node.id), width: node.width, height: node.height, before: [] }));
  const routes = [];
  for (const edge of edges) {
    const [from, to] = [cell.get(edge.source), cell.get(edge.target)];
    if (!from || !to) continue;
    const route = [from];
    for (let between = from.layer + 1; between < to.layer; between += 1) {
      const slot = put({ layer: between, width: 0, height: SLOT, before: [route.at(-1)] });
      route.push(slot);
    }
    to.before.push(route.at(-1));
    route.push(to);
    routes.push({ edge, route });
  }
  return { columns: Array.from(columns, (column) => column ?? []), routes };
}

const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

function order(columns) {
  columns.forEach((column, number) => {
    column.forEach((entry, place) => { entry.first = place; });
    if (number > 0) {
      const wish = (entry) => (entry.before.length ? mean(entry.before.map((each) => each.row)) : Infinity);
      column.sort((a, b) => wish(a) - wish(b) || a.first - b.first);
    }
    column.forEach((entry, place) => { entry.row = column.length > 1 ? place / (column.length - 1) : 0.5; });
  });
}

function place(columns) {
  let x = MARGIN;
  for (const column of columns) {
    const width = Math.max(0, ...column.map((entry) => entry.width));
    let bottom = -Infinity;
    for (const entry of column) {
      const centre = entry.before.length ? mean(entry.before.map((each) => each.y + each.height / 2)) : (bottom === -Infinity ? 0 : bottom + GAP_Y + entry.height / 2);
      entry.x = x;
      entry.y = Math.max(centre - entry.height / 2, bottom === -Infinity ? -Infinity : bottom + GAP_Y);
      bottom = entry.y + entry.height + (entry.node?.below ?? 0);
    }
    // What was pushed down shares the room: the column as a whole lies around what it follows.
    const wished = column.filter((entry) => entry.before.length).map((entry) => mean(entry.before.map((each) => each.y + each.height / 2)) - entry.y - entry.height / 2);
    if (wished.length) for (const entry of column) entry.y += mean(wished);
    x += width + GAP_X;
  }
  return x - GAP_X + MARGIN;
}

/**
 * The picture {width, height, at, columns, taken, routes}: `at` maps a node's id to {x, y, layer, width, height, room}
 * (`room`: how much may hang below it), `columns` are {x, width}, `taken` the rectangles that nodes and passing edges
 * hold, `routes` map an edge's name to its points.
 */
export function layout(nodes, edges) {
  const made = { width: 0, height: 0, at: new Map(), columns: [], taken: [], routes: new Map() };
  if (!nodes.length) return made;
  const { columns, routes } = cells(nodes, edges, layers(nodes, edges));
  order(columns);
  made.width = place(columns);
  const all = columns.flat();
  const top = Math.min(...all.map((entry) => entry.y)) - MARGIN;
  for (const entry of all) entry.y = Math.round(entry.y - top);
  made.height = Math.max(...all.map((entry) => entry.y + entry.height + (entry.node?.below ?? 0))) + MARGIN;
  made.columns = columns.map((column) => ({ x: column[0]?.x ?? 0, width: Math.max(0, ...column.map((entry) => entry.width)) }));
  for (const entry of all) {
    const size = entry.node ? entry.width : made.columns[entry.layer].width;
    made.taken.push({ x: entry.x, y: entry.y, width: size, height: entry.height + (entry.node?.below ?? 0), owner: entry.node?.id });
    if (entry.node) made.at.set(entry.node.id, { x: entry.x, y: entry.y, layer: entry.layer, width: entry.width, height: entry.height });
  }
  for (const { edge, route } of routes) made.routes.set(edgeName(edge), points(made, route.map(({ node, ...entry }) => ({ ...entry, passing: !node }))));
  return made;
}

/** How an edge is called: its two ends. */
export const edgeName = (edge) => `${edge.source}\n${edge.target}`;

/** The points of an edge: out of the right side of the first cell, along the slots between, into the left side of the last. */
export function points(made, route) {
  const middle = (entry) => entry.y + entry.height / 2;
  const right = (entry) => made.columns[entry.layer].x + made.columns[entry.layer].width;
  return route.flatMap((entry, step) => [
    ...(step > 0 ? [[entry.x, middle(entry)]] : []),
    ...(step === 0 && entry.x + entry.width < right(entry) ? [[entry.x + entry.width, middle(entry)]] : []),
    ...(step < route.length - 1 ? [[Math.max(right(entry), entry.x + entry.width), middle(entry)]] : []),
  ]);
}

export { GAP_X, GAP_Y, MARGIN, SLOT };
