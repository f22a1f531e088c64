// The members of an opened fold as marks, the worst first: one mark a member, or one for several where there are many.

import { svg } from "../marks.js";

export const OPEN_WIDTH = 404;
const WIDTH = OPEN_WIDTH - 16;
const ROWS = 6;
const ROW = 12;
const ORDER = ["dead", "failed", "blocked", "human", "retrying", "running", "waiting", "unknown", "unready", "canceled", "done"];

/** {each, pitch, height, marks: [[sign, count]…]}: how many tasks one mark stands for, and how many marks each sign has. */
export function marksOf(node) {
  const most = ROWS * Math.floor(WIDTH / 4);
  const each = Math.max(1, Math.ceil(node.members / (most - node.bar.length)));
  const marks = [...node.bar].sort(([a], [b]) => ORDER.indexOf(a) - ORDER.indexOf(b)).map(([sign, n]) => [sign, Math.ceil(n / each)]);
  const total = marks.reduce((sum, [, n]) => sum + n, 0);
  const pitch = total > WIDTH / 8 ? 4 : 8;
  return { each, pitch, marks, height: Math.ceil(total / Math.floor(WIDTH / pitch)) * ROW };
}

/** One path for each sign, so that a thousand marks are a handful of elements. */
export function barcode({ pitch, marks }, left, top) {
  const across = Math.floor(WIDTH / pitch);
  let place = 0;
  return marks.map(([sign, n]) => {
    let d = "";
    for (let i = 0; i < n; i += 1, place += 1) {
      d += `M${left + (place % across) * pitch} ${top + Math.floor(place / across) * ROW}h${pitch - 1}v${ROW - 2}h${1 - pitch}z`;
    }
    return svg("path", { class: `segment c-${sign}`, d });
  });
}
