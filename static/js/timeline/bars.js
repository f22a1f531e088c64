// The bars of one row. Each phase has its pattern; hue is the state only. Attempt n is a new segment on the same row.

import { duration } from "../format.js";
import { svg } from "../marks.js";

export const WORDS = {
  in_broker: "in broker", agent_queue: "agent queue", execution: "execution", retry_backoff: "retry back-off",
  human_review: "human review", decision_returning: "decision returning", unattributed: "not attributed",
};
const HIGH = 14;
const LOW = 7;

const box = (x, y, width, height, more) => svg("rect", { x, y, width: Math.max(1, width), height, ...more });
const use = (name, x, y) => svg("use", { href: `#g-${name}`, x, y, width: 12, height: 12 });

const SHAPES = {
  in_broker: (x, y, width) => [box(x, y + 3.5, width, LOW, { class: "broker" })],
  agent_queue: (x, y, width) => [box(x, y + 3.5, width, LOW, { class: "queue" })],
  execution: execution,
  retry_backoff: (x, y, width) => (width > 18
    ? [svg("path", { class: "backoff", d: `M${x} ${y + 7}H${x + width / 2 - 7}M${x + width / 2 + 7} ${y + 7}H${x + width}` }), svg("g", { class: "loop" }, use("retrying", x + width / 2 - 6, y + 1))]
    : [svg("path", { class: "backoff", d: `M${x} ${y + 7}h${width}` })]),
  human_review: (x, y, width) => {
    const notch = Math.min(4, width / 3);
    return [svg("path", { class: "segment c-human", d: `M${x} ${y}h${Math.max(1, width - notch)}l${notch} ${HIGH / 2}l${-notch} ${HIGH / 2}h${-Math.max(1, width - notch)}l${notch} ${-HIGH / 2}z` })];
  },
  decision_returning: (x, y, width) => [svg("path", { class: "returning", d: `M${x} ${y + 4.5}h${Math.max(2, width)}M${x} ${y + 9.5}h${Math.max(2, width)}` })],
  unattributed: (x, y, width) => [box(x + 0.5, y + 0.5, width - 1, HIGH - 1, { class: "unattributed", rx: 2 })],
};

function execution(x, y, width, span) {
  const bar = box(x, y, width, HIGH, { class: `segment c-${span.sign}${span.earlier ? " earlier" : ""}`, rx: Math.min(2, width / 2) });
  const cross = span.failed && span.earlier && width > 14 ? [svg("g", { class: "cross c-failed" }, use("failed", x + width - 13, y + 1))] : [];
  return [bar, ...cross];
}

function titled(words, parts) {
  return svg("g", {}, svg("title", {}, words), ...parts);
}

/** Bars of a task: one group for each span, with what it is and how long on hovering. */
export function bars(row, axis, y) {
  const drawn = row.spans.map((span) => {
    const [x, end] = [axis.x(span.from), axis.x(span.to)];
    const attempt = span.attempt > 1 ? `, attempt ${span.attempt}` : "";
    return titled(`${WORDS[span.part]} ${duration((span.to - span.from) / 1000)}${attempt}`, SHAPES[span.part](x, y, end - x, span));
  });
  return row.mark && row.ended_ms !== null ? [...drawn, ...ending(row, axis.x(row.ended_ms) + 3, y, axis.right)] : drawn;
}

/** The sign of a failed end, and its error where there is room for it. */
function ending(row, x, y, right) {
  const place = Math.min(x, right - HIGH);
  const mark = svg("g", { class: `end c-${row.mark}` }, box(place, y, HIGH, HIGH, { class: "disc", rx: row.mark === "dead" ? 0 : 3 }), svg("g", { class: "glyph" }, use(row.mark, place + 1, y + 1)));
  return [mark, ...noted(row.note, place + HIGH + 6, y, right)];
}

function noted(text, x, y, right) {
  const room = Math.floor((right - x) / 6.4);
  if (!text || room < 10) return [];
  const words = svg("text", { x, y: y + 11, class: "note" });
  words.textContent = text.length > room ? `${text.slice(0, room - 1)}…` : text;
  return [words];
}

/** Columns of a fold: how many members were at work, stacked by how they ended; hatched before the first began. */
export function columns(row, axis, y) {
  const waited = row.waited ? [titled(`in broker ${duration((row.waited[1] - row.waited[0]) / 1000)} until the first began`, SHAPES.in_broker(axis.x(row.waited[0]), y, axis.x(row.waited[1]) - axis.x(row.waited[0])))] : [];
  const stacks = row.columns.map(([from, to, segments]) => {
    const x = axis.x(from);
    const width = Math.max(1, axis.x(to) - x - (axis.x(to) - x > 3 ? 0.75 : 0));
    let top = y + HIGH;
    return segments.flatMap(([sign, n]) => {
      const height = Math.max(1.5, (HIGH * n) / row.most);
      top -= height;
      return [box(x, Math.max(y - 3, top), width, height, { class: `segment c-${sign}` })];
    });
  });
  return [...waited, titled(row.note, stacks.flat())];
}
