// The lag of the run's agent groups under the same axis: hatched like everything that waits, the value now at the right.

import { svg } from "../marks.js";

export const LANE = 28;
const HIGH = 20;

function area(points, axis, bottom, most) {
  const y = (value) => bottom - (HIGH * value) / most;
  const known = points.filter(([, value]) => value !== null);
  if (!known.length) return null;
  let d = `M${axis.x(known[0][0])} ${bottom}V${y(known[0][1])}`;
  for (const [at, value] of known.slice(1)) d += `H${axis.x(at).toFixed(1)}V${y(value).toFixed(1)}`;
  return { line: `${d}H${axis.x(axis.span)}`, under: `${d}H${axis.x(axis.span)}V${bottom}Z` };
}

const text = (x, y, words, more = {}) => {
  const element = svg("text", { x, y, ...more });
  element.textContent = words;
  return element;
};

/** Where members came, went or exchanged partitions: a bar from the poll before to the poll that saw it. */
function changes(row, axis, top, bottom) {
  return row.changes.map(([from, to, words]) => {
    const x = axis.x(from);
    return svg("g", { class: "change" }, svg("rect", { x, y: top + 3, width: Math.max(2, axis.x(to) - x), height: bottom - top - 3 }), svg("title", {}, words));
  });
}

/** One lane from `top` on; `label(x, y, lane, first)` writes its name. */
export function lane(row, axis, top, label, first) {
  const bottom = top + LANE - 4;
  const drawn = area(row.points, axis, bottom, Math.max(1, row.most));
  const now = row.points.at(-1)?.[1];
  return svg("g", { class: "lane", "data-group": row.group },
    ...label(row, top + 18, first),
    svg("path", { class: "rule", d: `M${axis.left} ${bottom + 0.5}H${axis.right}` }),
    ...(drawn ? [svg("path", { class: "lag-under", d: drawn.under }), svg("path", { class: "lag-over", d: drawn.line })] : []),
    ...changes(row, axis, top, bottom),
    text(axis.right + 40, top + 18, now === null || now === undefined ? "?" : now.toLocaleString("en-GB"), { class: "strong", "text-anchor": "end" }));
}

/** How many waited at an instant: the last poll before it; null where nothing is known. */
export function waitingAt(row, ms) {
  let found = null;
  for (const [at, value] of row.points) {
    if (at > ms) break;
    found = value;
  }
  return found;
}
