// The task graph of a run: folded and counted on the server, laid out and drawn here. Changes of state redraw
// boxes where they are; a new layout is made only when nodes or edges are new.

import { paint } from "../clock.js";
import { svg } from "../marks.js";
import { draw, drawEdge, measure } from "./draw.js";
import { layout } from "./layout.js";
import { walk } from "./walk.js";

const EVERY = 1000;

/**
 * Mounts the graph in `element`. `api.get(path)` fetches, `live.watch` is not needed: call `touch()` of the
 * returned handle when the run changed. Choosing a node dispatches `choose` with its row as detail.
 */
export function mount(element, { runId, api, live = null }) {
  const state = { picture: { nodes: [], edges: [], at: new Map() }, shape: "", chosen: null, timer: null, asked: 0 };
  const refresh = () => load(element, state, runId, api);
  walk(element, {
    picture: () => state.picture,
    choose: (id) => choose(element, state, id),
    open: (id) => open(state, id),
  });
  element.addEventListener("click", (event) => {
    const id = event.target.closest(".node")?.dataset.id;
    if (id && !event.target.closest("a")) choose(element, state, id);
  });
  element.addEventListener("dblclick", (event) => {
    const id = event.target.closest(".node")?.dataset.id;
    if (id) open(state, id);
  });
  const touch = () => {
    if (state.timer) return;
    const wait = Math.max(0, state.asked + EVERY - performance.now());
    state.timer = setTimeout(() => { state.timer = null; refresh(); }, wait);
  };
  live?.onChange?.(touch);
  refresh();
  return { touch, choose: (id) => choose(element, state, id) };
}

async function load(element, state, runId, api) {
  state.asked = performance.now();
  try {
    show(element, state, await api.get(`runs/${encodeURIComponent(runId)}/graph`));
  } catch (error) {
    if (!state.picture.nodes.length) note(element, `The graph cannot be drawn: ${error.message}`);
  }
}

function note(element, words) {
  const paragraph = document.createElement("p");
  paragraph.className = "graph-note";
  paragraph.textContent = words;
  element.replaceChildren(paragraph);
}

function show(element, state, graph) {
  if (!graph.nodes.length) return note(element, "No task was asked for yet. The graph grows as tasks appear on the log.");
  const nodes = graph.nodes.map(measure);
  const shape = JSON.stringify([nodes.map((node) => [node.id, node.kind]), graph.edges.map((edge) => [edge.source, edge.target])]);
  const fresh = state.shape === "";
  if (shape !== state.shape) {
    state.made = layout(nodes, graph.edges);
    state.shape = shape;
  }
  const { at, routes, width, height } = state.made;
  state.picture = { nodes, edges: graph.edges, at };
  const scale = fitting(element, width, height);
  const drawing = svg("svg", { class: "drawing", width: width * scale, height: height * scale, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Task graph, ${nodes.length} nodes` },
    svg("g", {}, ...routes.flatMap(drawEdge)),
    svg("g", {}, ...nodes.map((node) => draw(node, at.get(node.id)))));
  const focused = document.activeElement?.closest?.(".node")?.dataset.id;
  element.querySelector(".drawing, .graph-note")?.remove();
  element.prepend(drawing);
  mark(element, state);
  paint(drawing);
  if (fresh) lead(element, drawing);
  const first = drawing.querySelector(".node");
  if (first && !drawing.querySelector('.node[tabindex="0"]')) first.setAttribute("tabindex", 0);
  if (focused) drawing.querySelector(`.node[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  return undefined;
}

/** Everything in view as far as it stays readable: down to 0.6 of its size; what is larger scrolls. */
function fitting(element, width, height) {
  const room = Math.max(260, innerHeight * 0.42);
  return Math.min(1, Math.max(0.6, Math.min(element.clientWidth / width, room / height)));
}

/** On load, the first node that is not done stands in view. */
function lead(element, drawing) {
  const front = drawing.querySelector(".node:not(.c-done)") ?? drawing.querySelector(".node");
  const [box, frame] = [front.getBoundingClientRect(), element.getBoundingClientRect()];
  if (box.right > frame.right) element.scrollLeft = box.left - frame.left - frame.width / 3;
  if (box.bottom > frame.bottom) element.scrollTop = box.top - frame.top - frame.height / 3;
}

function mark(element, state) {
  for (const node of element.querySelectorAll(".node")) node.setAttribute("aria-selected", String(node.dataset.id === state.chosen));
}

function choose(element, state, id) {
  state.chosen = state.chosen === id ? null : id;
  mark(element, state);
  const node = state.picture.nodes.find((each) => each.id === state.chosen) ?? null;
  element.dispatchEvent(new CustomEvent("choose", { detail: node }));
}

function open(state, id) {
  const node = state.picture.nodes.find((each) => each.id === id);
  if (node?.url) location.assign(node.url);
}
