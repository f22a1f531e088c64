// The task graph of a run: folded and counted on the server, laid out and drawn here. Changes of state redraw single
// boxes where they are; what is new takes a free place; a new layout is made only on load, on opening and on Tidy.

import { svg } from "../marks.js";
import { Canvas } from "./canvas.js";
import { measure } from "./draw.js";
import { ink } from "./ink.js";
import { layout } from "./layout.js";
import { grow } from "./grow.js";
import { mark } from "./marking.js";
import { Minimap } from "./minimap.js";
import { redraw } from "./redraw.js";
import { View } from "./view.js";
import { nextBad, walk } from "./walk.js";

const EVERY = 1000;

/** The graph in `element`; `load(open)` fetches it. Choosing dispatches `choose` with {id, node} as detail. */
export class Graph {
  constructor(element, load, told = () => {}) {
    Object.assign(this, { element, load, nodes: [], edges: [], made: null, chosen: null, timer: null, asked: 0, took: 0, path: [], past: false });
    this.opened = new Set();
    this.drawn = new Map();
    this.stops = new Map();
    this.stage = element.appendChild(Object.assign(document.createElement("div"), { className: "stage" }));
    this.drawing = svg("svg", { class: "drawing", role: "group", "aria-label": "Task graph" });
    this.layers = Object.fromEntries(["ways", "places", "inked"].map((name) => [name, this.drawing.appendChild(svg("g", { class: name }))]));
    this.view = new View(this.stage, told);
    this.minimap = new Minimap(this.stage);
    this.canvas = new Canvas(this);
    this.stage.addEventListener("focusin", (event) => { this.tab = event.target.closest(".node")?.dataset.id ?? this.tab; this.canvas.upper(); });
    const acts = { choose: (id) => this.choose(id), open: (id) => this.open(id), isolate: (id) => this.isolate(id), in: () => this.view.in(), out: () => this.view.out(), fit: () => this.view.fit() };
    walk(this.stage, () => ({ edges: this.edges, at: this.stops }), acts, (id) => this.focus(id));
    this.stage.addEventListener("click", (event) => this.choose(event.target.closest(".node")?.dataset.id ?? null));
    this.stage.addEventListener("dblclick", (event) => this.open(event.target.closest(".node")?.dataset.id));
  }

  /** The run changed: asks again, at most once a second; what takes long is asked for seldom. */
  touch() {
    const wait = Math.max(0, this.asked + Math.max(EVERY, 5 * this.took) - performance.now());
    this.timer ??= setTimeout(() => { this.timer = null; this.refresh(); }, wait);
  }

  async refresh(tidy = false) {
    this.asked = performance.now();
    try {
      const found = await this.load([...this.opened]);
      this.took = performance.now() - this.asked;
      this.show(found, tidy);
    } catch (error) {
      if (!this.nodes.length) this.note(`The graph cannot be drawn: ${error.message}`);
    }
  }

  note(words) {
    this.stage.replaceChildren(Object.assign(document.createElement("p"), { className: "graph-note", textContent: words }));
  }

  show({ nodes, edges, left_out: leftOut = 0 }, tidy) {
    this.leftOut = leftOut;
    const first = !this.made;
    this.nodes = nodes.map(measure);
    this.edges = edges;
    if (!nodes.length) return this.note(this.element.dataset.over ? "This run ended without asking for a task." : "No task was asked for yet. The graph grows as tasks appear on the log.");
    if (!this.drawing.isConnected) this.stage.replaceChildren(this.drawing);
    if (first || tidy) this.made = layout(this.nodes, edges);
    else if (this.nodes.some((node) => !this.made.at.has(node.id)) || this.nodes.length !== this.made.at.size || edges.length !== this.made.routes.size) this.made = grow(this.made, this.nodes, edges, this.past);
    redraw(this);
    this.view.show(this.drawing, this.made);
    if (first) this.view.begin();
    if (first) this.lead();
    this.minimap.show(this.nodes, this.made);
    return this.element.dispatchEvent(new CustomEvent("drawn"));
  }

  /** On load the first node that is not done stands in view. */
  lead() {
    const front = this.nodes.find((node) => node.sign.sign !== "done") ?? this.nodes[0];
    this.view.bring(this.at(front.id));
  }

  at(id) {
    return this.drawing.querySelector(`.node[data-id="${CSS.escape(id)}"]`);
  }

  mark() {
    mark(this);
  }

  focus(id, bring = true) {
    this.tab = id;
    this.mark();
    const node = this.at(id);
    node?.focus({ preventScroll: true });
    if (node && bring) this.view.bring(node);
  }

  /** Chooses a node or a surfaced member; null lets go. `quiet`: somebody else chose and knows. */
  choose(id, quiet = false) {
    const known = id && this.stops.get(id);
    this.chosen = known ? id : null;
    this.tab = this.chosen ?? this.tab;
    this.mark();
    if (this.chosen && quiet && !this.stage.hidden) this.view.bring(this.at(id));
    if (!quiet) this.element.dispatchEvent(new CustomEvent("choose", { detail: { id: this.chosen, node: this.nodes.find((node) => node.id === this.chosen) ?? null } }));
  }

  /** Opens a fold to one mark a member, or closes it; other nodes are chosen. */
  open(id) {
    const node = this.nodes.find((each) => each.id === id);
    if (node?.kind !== "fold") return id && this.choose(id);
    if (!this.opened.delete(node.fold_key)) this.opened.add(node.fold_key);
    this.choose(id);
    this.element.dispatchEvent(new CustomEvent("opened"));
    return this.refresh(true);
  }

  focusBad() {
    const id = nextBad({ at: this.stops }, this.tab);
    if (id) this.focus(id);
  }

  /** Dims all but what leads to a node and what follows from it; the same node again, or none, shows all. */
  isolate(id = this.tab ?? this.chosen) {
    const node = this.stops.get(id)?.fold ?? id;
    this.alone = !node || this.alone === node ? null : node;
    this.mark();
    this.element.dispatchEvent(new CustomEvent("isolated", { detail: Boolean(this.alone) }));
  }

  /** Dims all but these nodes (a Set of ids), because a query line asks for them; null dims nothing. */
  match(ids) {
    this.matched = ids;
    if (this.made) this.mark();
  }

  /** Draws the critical path through these nodes, first to last. */
  follow(ids) {
    this.path = ids;
    if (this.made) ink(this.layers.inked, this);
    this.canvas.later();
  }

  async tidy() {
    await this.refresh(true);
    this.view.fit();
  }
}
