// One drawn node per kind: task, fold (two paper edges, the state bar as its middle line), join (arrow-shaped).

import { svg } from "../marks.js";

const SURFACED = 5;
const canvas = document.createElement("canvas").getContext("2d");

/** Text cut to a width in pixels, with an ellipsis. */
function cut(text, width, font = "12px Inter, sans-serif") {
  canvas.font = font;
  if (canvas.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && canvas.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

/** Gives each node its size; `below` is the room that its surfaced members take. */
export function measure(node) {
  if (node.kind === "join") return { ...node, width: 128, height: 72, below: 0 };
  if (node.kind === "task") {
    canvas.font = "600 12px Inter, sans-serif";
    return { ...node, width: Math.round(Math.min(200, Math.max(116, canvas.measureText(node.label).width + 44))), height: 56, below: 0 };
  }
  const surfaced = node.surfaced.slice(0, SURFACED);
  return { ...node, width: 204, height: node.sign.sign === "failed" ? 72 : 64, below: 8 + surfaced.length * 28 };
}

const text = (x, y, words, attributes = {}) => {
  const element = svg("text", { x, y, ...attributes });
  element.textContent = words;
  return element;
};

/** The width that the time of a node takes, with a gap. */
function room(node) {
  if (!node.time && !node.since) return 0;
  canvas.font = "11.5px Inter, sans-serif";
  return 8 + canvas.measureText(node.time || "00 m 00 s").width;
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
    text(27, 17, cut(node.label, width - 36, "600 12px Inter, sans-serif"), { class: "name" }),
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
    text(27, 18, cut(node.label, width - 48 - 7 * node.tally.length, "600 12px Inter, sans-serif"), { class: "name" }),
    ...segments(node, 8, height / 2 - 4, width - 16),
    text(8, height - 9, cut(node.agent_group, 92), { class: "meta" }),
    ...clock(width - 10, height - 9, node, "slowest "),
    ...hanging(node),
  ];
}

function hanging(node) {
  const shown = node.surfaced.slice(0, SURFACED);
  if (!shown.length) return [];
  const rows = shown.flatMap((member, place) => {
    const y = node.height + 14 + place * 28;
    const group = svg("g", { class: `c-${member.sign.sign}`, transform: `translate(28,${y})` },
      svg("rect", { class: "box", x: 0.5, y: 0.5, width: node.width - 29, height: 23, rx: member.sign.sign === "dead" ? 0 : 4 }),
      ...sign(5, 5, member.sign.sign),
      text(25, 16, cut(member.label, node.width - 96), { class: "meta" }),
      text(node.width - 34, 16, member.note ?? "", { class: "meta", "text-anchor": "end" }));
    const link = svg("a", { href: member.url, class: "member", tabindex: -1 }, group);
    return [svg("path", { class: "stem", d: `M14 ${y + 12}h14` }), link];
  });
  return [svg("path", { class: "stem", d: `M14 ${node.height + 7}V${node.height + 26 + (shown.length - 1) * 28}` }), ...rows];
}

function join(node) {
  const { width, height } = node;
  const ports = (node.ports ?? []).slice(0, 5);
  const step = (height - 20) / Math.max(1, ports.length + 1);
  return [
    svg("path", { class: "joint", d: `M.5 4L8 .5H${width - 16}L${width - 0.5} ${height / 2}L${width - 16} ${height - 0.5}H8L.5 ${height - 4}Z` }),
    text(16, 22, cut(node.label, width - 40, "600 12px Inter, sans-serif"), { class: "name" }),
    text(16, height - 14, cut(node.tally, 60), { class: "name" }),
    text(74, height - 14, cut(node.time ?? "", 34), { class: "meta" }),
    ...ports.map((state, place) => svg("circle", { class: `port ${state}`, cx: 0, cy: 10 + step * (place + 1), r: 5 })),
  ];
}

/** The group of one node at its place; it says itself in words to who cannot see it. */
export function draw(node, { x, y }) {
  const parts = node.kind === "join" ? join(node) : node.kind === "task" ? task(node) : fold(node);
  const ring = svg("rect", { class: "ring", x: -4, y: -4, width: node.width + 8, height: node.height + 8, rx: 9 });
  const words = `${node.label}, ${node.sign.label}, ${node.tally}${node.agent_group ? `, ${node.agent_group}` : ""}`;
  return svg("g", { class: `node c-${node.sign.sign}`, transform: `translate(${x},${y})`, tabindex: -1, role: "button", "aria-label": words, "data-id": node.id }, ring, ...parts);
}

/** One edge as curves through its points, with an arrowhead at its end. */
export function drawEdge({ edge, points }) {
  let d = `M${points[0].join(" ")}`;
  for (let i = 1; i < points.length; i += 1) {
    const [[x1, y1], [x2, y2]] = [points[i - 1], points[i]];
    d += y1 === y2 ? `L${x2} ${y2}` : `C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`;
  }
  const [x, y] = points.at(-1);
  const kind = edge.inferred ? " inferred" : edge.missing ? " missing" : "";
  return [svg("path", { class: `edge${kind}`, d }), svg("path", { class: "head", d: `M${x - 7} ${y - 4}L${x} ${y}L${x - 7} ${y + 4}Z` })];
}
