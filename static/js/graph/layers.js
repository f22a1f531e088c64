// Which layer a node stands in (the longest path from a root), and in which order a layer has its cells.

/** The height of the slot that an edge passes through a layer in. */
export const SLOT = 8;

/** A node's layer, by its id. */
export function layers(nodes, edges) {
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
export function cells(nodes, edges, layer) {
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

/** The mean of some numbers. */
export const mean = (numbers) => numbers.reduce((sum, n) => sum + n, 0) / numbers.length;

/** Sorts each layer by the mean row of what its cells follow; ties as they were first seen. */
export function order(columns) {
  columns.forEach((column, number) => {
    column.forEach((entry, place) => { entry.first = place; });
    if (number > 0) {
      const wish = (entry) => (entry.before.length ? mean(entry.before.map((each) => each.row)) : Infinity);
      column.sort((a, b) => wish(a) - wish(b) || a.first - b.first);
    }
    column.forEach((entry, place) => { entry.row = column.length > 1 ? place / (column.length - 1) : 0.5; });
  });
}
