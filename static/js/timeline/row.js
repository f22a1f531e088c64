// One row of a timeline: its name and tally at the left, its bars, and all that is pointed at and chosen.

import { cut, META } from "../graph/text.js";
import { svg } from "../marks.js";
import { bars, columns } from "./bars.js";
import { ROW, text } from "./ground.js";

const STRONG = META.replace("11.5px", "600 12px");

/** The row at `place`, under the row `before`. */
export function drawRow(line, row, place, before) {
  const y = place * ROW;
  const narrow = line.left < 200;
  const group = narrow || (before?.group === row.group && place > 0) ? "" : row.group;
  const name = row.kind === "member" ? { x: narrow ? 28 : 104, class: "second" } : { x: narrow ? 16 : 96, class: "strong" };
  const tally = row.tally && !narrow ? [text(line.left - 4, y + 15, row.tally, { class: "third", "text-anchor": "end" })] : [];
  const room = line.left - 10 - name.x - (tally.length ? 7 * row.tally.length : 0);
  return svg("g", { class: "row", "data-id": row.id, role: "button", tabindex: -1, "aria-label": `${row.label}, ${row.sign.label}${row.note ? `, ${row.note}` : ""}` },
    svg("rect", { class: "ground", x: 0, y, width: line.width, height: ROW }), svg("rect", { class: "tell", x: 0, y, width: 3, height: ROW }),
    ...(group && !narrow ? [svg("path", { class: "rule", d: `M24 ${y + 0.5}H${line.axis.right}` }), text(24, y + 15, cut(group, 66), { class: "third" })] : []),
    svg("title", {}, row.label), text(name.x, y + 15, cut(row.label, room, name.class === "strong" ? STRONG : META), { class: name.class }), ...tally,
    ...(row.spans ? bars(row, line.axis, y + 3) : columns(row, line.axis, y + 3)));
}

/** The name of a lane of lag. */
export function laneName(line, row, y, first) {
  const narrow = line.left < 200;
  return [...(first && !narrow ? [text(24, y, "waiting", { class: "third" })] : []), text(narrow ? 16 : 96, y, cut(row.group, line.left - (narrow ? 24 : 104)), {})];
}
