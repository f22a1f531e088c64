// The flow graph: writers at the left, topics in the middle, readers at the right; the same edges in a table below.

import { first, get } from "./api.js";
import { fill } from "./fill.js";
import { count } from "./format.js";
import { svg } from "./marks.js";

const ROW = 34;
const EVERY = 5000;
const COLUMNS = { writers: 0, topics: 1, readers: 2 };
const canvas = document.getElementById("flow");

/** Rows of each column, those that have most to do with one another near each other. */
function columns(graph) {
  const writers = [...new Set(graph.edges.filter((edge) => edge.way === "writes").map((edge) => edge.group))];
  const readers = [...new Set(graph.edges.filter((edge) => edge.way === "reads").map((edge) => edge.group))];
  const topics = graph.nodes.filter((node) => node.kind === "topic").map((node) => node.name);
  return { writers, topics, readers };
}

function draw(graph) {
  const { writers, topics, readers } = columns(graph);
  const rows = Math.max(writers.length, topics.length, readers.length, 1);
  const style = getComputedStyle(canvas);
  const width = Math.max(720, (canvas.clientWidth || 720) - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 2);
  const height = rows * ROW + 24;
  const box = Math.min(220, width / 4);
  const left = [8, (width - box) / 2, width - box - 8];
  const place = (column, list, name) => {
    const gap = height / (list.length + 1);
    return { x: left[COLUMNS[column]], y: gap * (list.indexOf(name) + 1) };
  };
  const node = Object.fromEntries(graph.nodes.map((each) => [each.kind === "topic" ? `topic/${each.name}` : each.id, each]));
  const edges = graph.edges.map((edge) => {
    const group = edge.way === "writes" ? place("writers", writers, edge.group) : place("readers", readers, edge.group);
    const topic = place("topics", topics, edge.topic);
    const [from, to] = edge.way === "writes" ? [group, topic] : [topic, group];
    const [x1, x2] = [from.x + box, to.x];
    const bend = (x2 - x1) / 2;
    const path = svg("path", { d: `M${x1} ${from.y}C${x1 + bend} ${from.y} ${x2 - bend} ${to.y} ${x2} ${to.y}`, class: `flow-edge ${edge.drift ? `drift ${edge.drift.replace(" ", "-")}` : ""} ${edge.waiting ? "waits" : ""}` });
    path.append(svg("title", {}, words(edge)));
    return [path];
  });
  const boxes = [["writers", writers], ["topics", topics], ["readers", readers]].flatMap(([column, list]) => list.map((name) => {
    const { x, y } = place(column, list, name);
    const each = node[column === "topics" ? `topic/${name}` : `group/${name}`] ?? { label: name };
    const link = svg(each.url ? "a" : "g", each.url ? { href: each.url } : {});
    const state = each.chip ? ` c-${each.chip.sign}` : "";
    const figure = figureOf(graph, column, name);
    link.append(svg("rect", { x, y: y - 12, width: box, height: 24, rx: 4, class: `flow-box ${column === "topics" ? "topic" : "group"}${state}` }), svg("text", { x: x + 8, y: y + 4 }, each.label), svg("text", { x: x + box - 8, y: y + 4, class: "flow-figure" }, figure), svg("title", {}, each.name ?? each.label));
    return link;
  }));
  canvas.replaceChildren(svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "Agents write to topics, topics are read by agents; the same stands in the table below." }, ...edges.flat(), ...boxes));
}

/** What stands in a box: records a minute written, by a group or to a topic; what waits before a reader and its age. */
function figureOf(graph, column, name) {
  const side = column === "topics" ? "topic" : "group";
  const mine = graph.edges.filter((edge) => edge[side] === name && edge.way === (column === "readers" ? "reads" : "writes"));
  if (column !== "readers") {
    const rate = mine.reduce((sum, edge) => sum + (edge.rate ?? 0), 0);
    return rate ? `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/min` : "";
  }
  const waiting = mine.reduce((sum, edge) => sum + (edge.waiting ?? 0), 0);
  const oldest = mine.find((edge) => edge.waiting)?.age;
  return waiting ? `${count(waiting)} wait, ${oldest}` : "";
}

function words(edge) {
  const way = edge.way === "writes" ? `${edge.group} writes to ${edge.topic}` : `${edge.group} reads ${edge.topic}`;
  return [way, edge.rate ? `${edge.rate} a minute` : "", edge.waiting ? `${count(edge.waiting)} wait, the oldest ${edge.age}` : "", edge.drift].filter(Boolean).join(", ");
}

function show(graph) {
  draw(graph);
  const rows = graph.edges.map((edge) => ({ ...edge, rate_text: edge.rate ? `${edge.rate}` : "0", waiting_text: edge.way === "writes" ? "" : edge.waiting === null ? "unknown" : count(edge.waiting), drift_text: edge.drift || "as declared", odd: Boolean(edge.drift) }));
  fill(document.getElementById("edges"), { edges: rows });
}

async function look() {
  if (!document.hidden) show(await get("flow"));
}

show(first("first-flow"));
setInterval(() => look().catch(() => {}), EVERY);
addEventListener("resize", () => look().catch(() => {}));
