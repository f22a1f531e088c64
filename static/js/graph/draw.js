// One drawn node per kind: task, fold (two paper edges, the state bar as its middle line), join (arrow-shaped).

import { now } from "../clock.js";
import { duration } from "../format.js";
import { svg } from "../marks.js";
import { barcode, marksOf, OPEN_WIDTH } from "./barcode.js";
import { cut, META, NAME, wide } from "./text.js";

export const PITCH = 28;
const SURFACED = 5;
/** Gives each node its size; `below` is the room that its surfaced members take, and may take while it is open. */
export function measure(node) {
  if (node.kind === "join") return { ...node, width: Math.round(Math.min(220, Math.max(136, wide(node.tally, NAME) + (node.time ? 76 : 40)))), height: 72, below: 0 };
  if (node.kind === "task") return { ...node, width: Math.round(Math.min(200, Math.max(116, wide(node.label, NAME) + 44, wide(node.agent_group, META) + room(node) + 20))), height: 56, below: 0 };
  const marks = node.open ? marksOf(node) : null;
  const open = node.members > (node.counts.completed ?? 0) + (node.counts.canceled ?? 0);
  const rows = Math.max(node.surfaced.length, open && node.members > SURFACED ? 3 : 0);
  return { ...node, marks, width: marks ? OPEN_WIDTH : 204, height: marks ? 60 + marks.height : node.sign.sign === "failed" ? 72 : 64, below: 8 + Math.min(SURFACED, rows) * PITCH };
}

const text = (x, y, words, attributes = {}) => {
  const element = svg("text", { x, y, ...attributes });
  element.textContent = words;
  return element;
};

/** The width that the time of a node takes, with a gap: of a clock that ticks, what it shows now and a digit more. */
function room(node, before = "") {
  if (!node.time && !node.since) return 0;
  const ticking = () => `0${duration((now() - Date.parse(node.since)) / 1000, true)}`;
  return 8 + wide(before + (node.time || ticking()), META);
}

/** How long it took, or a clock that ticks since it began. */
function clock(x, y, node, before) {
  if (node.time) return [text(x, y, before + node.time, { class: "meta", "text-anchor": "end" })];
  if (!node.since) return [];
  const ticking = svg("tspan", { "data-since": node.since, class: "tick" });
  const element = svg("text", { x, y, class: "meta", "text-anchor": "end" });
  element.append(before, ticking);
  return [element];
}

function sign(x, y, name) {
  const square = name === "dead" ? 0 : 3;
  const disc = name === "human"
    ? svg("path", { class: "disc", d: `M${x} ${y}h9l5 5v9h-14z` })
    : svg("rect", { class: "disc", x, y, width: 14, height: 14, rx: square });
  return [disc, svg("use", { class: "glyph", href: `#g-${name}`, x: x + 1, y: y + 1, width: 12, height: 12 })];
}

function frame(width, height, name) {
  if (name !== "human") return svg("rect", { class: "box", x: 0.5, y: 0.5, width: width - 1, height: height - 1, rx: name === "dead" ? 0 : 5 });
  return svg("path", { class: "box", d: `M5 .5H${width - 12}L${width - 0.5} 12V${height - 5}a4.5 4.5 0 0 1-4.5 4.5H5a4.5 4.5 0 0 1-4.5-4.5V5A4.5 4.5 0 0 1 5 .5Z` });
}

function segments(node, x, y, width) {
  const total = node.bar.reduce((sum, [, n]) => sum + n, 0) || 1;
  const room = width - 3 * node.bar.length - (node.bar.length - 1);
  let left = x;
  return node.bar.map(([name, n]) => {
    const size = 3 + (room * n) / total;
    const rect = svg("rect", { class: `segment c-${name}`, x: left, y, width: size, height: 8 });
    left += size + 1;
    return rect;
  });
}

function task(node) {
  const { width, height } = node;
  return [
    frame(width, height, node.sign.sign), ...sign(8, 6, node.sign.sign),
    text(27, 17, cut(node.label, width - 36, NAME), { class: "name" }),
    text(8, 48, cut(node.agent_group || node.sign.label, width - 16 - room(node)), { class: "meta" }),
    ...clock(width - 8, 48, node, ""),
  ];
}

function fold(node) {
  const { width, height } = node;
  const bottom = height + 0.5;
  return [
    svg("path", { class: "edge-paper third", d: `M8 ${bottom + 6}H${width - 8}` }),
    svg("path", { class: "edge-paper second", d: `M5 ${bottom + 3}H${width - 5}` }),
    frame(width, height, node.sign.sign === "human" ? "" : node.sign.sign), ...sign(8, 7, node.sign.sign),
    text(width - 10, 18, node.tally.replaceAll(" ", ""), { class: "name", "text-anchor": "end" }),
    text(27, 18, cut(node.label, width - 44 - wide(node.tally.replaceAll(" ", ""), NAME), NAME), { class: "name" }),
    ...(node.marks ? barcode(node.marks, 8, 28) : segments(node, 8, height / 2 - 4, width - 16)),
    text(8, height - 9, cut(`${node.agent_group}${node.folded_by ? `, ${node.folded_by}` : ""}`, width - 18 - (node.marks?.each > 1 ? 130 : room(node, node.status ? "" : "slowest "))), { class: "meta" }),
    ...(node.marks?.each > 1 ? [text(width - 10, height - 9, `one mark is ${node.marks.each} tasks`, { class: "meta", "text-anchor": "end" })] : clock(width - 10, height - 9, node, node.status ? "" : "slowest ")),
  ];
}

/** As many surfaced members as there is room for below a fold, the rest as a number. */
export function hanging(node, room) {
  const all = node.surfaced.slice(0, SURFACED);
  const fitting = Math.max(0, Math.floor((room - 8) / PITCH));
  return all.slice(0, fitting).map((member, place) => ({ ...member, y: node.height + 14 + place * PITCH, width: node.width - 28 }));
}

function stem(node, members) {
  const d = members.map(({ y }) => `M14 ${node.height + 7}V${y + 12}H28`).join("");
  return d ? [svg("path", { class: "stem", d })] : [];
}

function member(row) {
  const note = row.note ?? "";
  return svg("g", { class: `node member c-${row.sign.sign}`, transform: `translate(28,${row.y})`, tabindex: -1, role: "button", "aria-label": `${row.label}, ${row.sign.label}${note ? `, ${note}` : ""}`, "data-id": `task:${row.task_id}` },
    svg("title", {}, row.label),
    svg("rect", { class: "ring", x: -3, y: -3, width: row.width + 6, height: 30, rx: 6 }),
    svg("rect", { class: "box", x: 0.5, y: 0.5, width: row.width - 1, height: 23, rx: row.sign.sign === "dead" ? 0 : 4 }),
    ...sign(5, 5, row.sign.sign),
    text(25, 16, cut(row.label, row.width - 34 - (note ? wide(note, META) + 8 : 0)), { class: "meta" }),
    text(row.width - 8, 16, note, { class: "meta", "text-anchor": "end" }));
}

function join(node) {
  const { width, height } = node;
  const ports = (node.ports ?? []).slice(0, 5);
  const step = (height - 20) / Math.max(1, ports.length + 1);
  return [
    svg("path", { class: "joint", d: `M.5 4L8 .5H${width - 16}L${width - 0.5} ${height / 2}L${width - 16} ${height - 0.5}H8L.5 ${height - 4}Z` }),
    text(16, 22, cut(node.label, width - 36, NAME), { class: "name" }),
    text(16, height - 14, cut(node.tally, width - (node.time ? 72 : 36), NAME), { class: "name" }),
    text(width - 22, height - 14, cut(node.time ?? "", 30), { class: "meta", "text-anchor": "end" }),
    ...ports.map((state, place) => svg("circle", { class: `port ${state}`, cx: 0, cy: 10 + step * (place + 1), r: 5 })),
  ];
}

const PARTS = { join, task, fold };

/** The group of one node at its place; it says itself in words to who cannot see it. */
export function draw(node, { x, y }, members = []) {
  const words = `${node.label}, ${node.sign.label}, ${node.tally}${node.agent_group ? `, ${node.agent_group}` : ""}`;
  const body = svg("g", { class: `node c-${node.sign.sign}`, tabindex: -1, role: "button", "aria-label": words, "data-id": node.id },
    svg("title", {}, node.label),
    svg("rect", { class: "ring", x: -4, y: -4, width: node.width + 8, height: node.height + 8, rx: 9 }), ...PARTS[node.kind](node));
  if (node.kind === "fold") body.setAttribute("aria-expanded", String(Boolean(node.open)));
  return svg("g", { class: `place c-${node.sign.sign}`, transform: `translate(${x},${y})`, "data-node": node.id }, ...stem(node, members), body, ...members.map(member));
}

/** One edge as curves through its points. */
export function drawEdge(edge, points) {
  let d = `M${points[0].join(" ")}`;
  for (let i = 1; i < points.length; i += 1) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
    d += y1 === y2 || x1 === x2 ? `L${x2} ${y2}` : `C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  }
  const [x, y] = points.at(-1);
  const kind = edge.inferred ? " inferred" : edge.missing ? " missing" : edge.change ? ` ${edge.change}` : "";
  return svg("g", { class: "way", "data-from": edge.source, "data-to": edge.target },
    svg("path", { class: `edge${kind}`, d }), svg("path", { class: "head", d: `M${x - 7} ${y - 4}L${x} ${y}L${x - 7} ${y + 4}Z` }));
}
