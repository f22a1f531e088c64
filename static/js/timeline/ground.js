// What lies under the rows of a timeline: ticks above, lines and cuts through all of it, the critical path.

import { duration } from "../format.js";
import { svg } from "../marks.js";
import { CUT } from "./axis.js";

export const ROW = 22;

export const text = (x, y, words, more = {}) => {
  const element = svg("text", { x, y, ...more });
  element.textContent = words;
  return element;
};

/** The ticks of a timeline, the lengths of its cuts, and now. */
export function ticks(line) {
  // Right of the line where the last stretch is a cut, which has its own word.
  const cut = line.data.cuts.some(([, to]) => line.axis.x(to) > line.axis.right - 24);
  const now = line.data.over ? [] : [text(line.axis.x(line.axis.span) + (cut ? 3 : 0), 17, line.past ? "then" : "now", { class: "strong", "text-anchor": cut ? "start" : "middle" })];
  const cuts = line.data.cuts.map(([from, to]) => text(line.axis.x(from) + CUT / 2, 17, duration((to - from) / 1000, true), { class: "gap", "text-anchor": "middle" }));
  line.marked = line.axis.ticks();
  return [...line.marked.map(({ x, text: words }) => text(x, 17, words, { "text-anchor": "middle" })), ...cuts, ...now];
}

/** Lines through `height` pixels. */
export function grid(line, height) {
  const lines = line.marked.map(({ x }) => `M${x.toFixed(1)} 0V${height}`).join("");
  const gaps = line.data.cuts.map(([from]) => svg("rect", { class: "cut", x: line.axis.x(from), y: 0, width: CUT, height }));
  const now = line.data.over ? [] : [svg("path", { class: "now", d: `M${line.axis.x(line.axis.span)} 0V${height}` })];
  return [svg("path", { class: "grid", d: lines || "M0 0" }), ...gaps, ...now];
}

/** The critical path: along the lower edge of each row it stays in, down or up where it goes on. */
export function critical(line, path) {
  let d = "";
  const seen = new Set();
  for (const { row, from, to } of path) {
    // A coordinator between two of its tasks is a stretch too short to see: the line goes straight on.
    const short = line.axis.x(to) - line.axis.x(from) < 3 && seen.has(row);
    seen.add(row);
    if (short || !line.places.has(row)) continue;
    const y = line.places.get(row) + ROW - 2.5;
    d += `${d ? `H${line.axis.x(from)}V` : `M${line.axis.x(from)} `}${y}H${line.axis.x(to)}`;
  }
  return d ? [svg("path", { class: "path", d })] : [];
}
