// The timeline of a run: a row for each node of the graph, bars by phase, the critical path under them, the lag of its
// agent groups below, one time axis over all. Selection is shared with graph and table.

import { svg } from "../marks.js";
import { Axis } from "./axis.js";
import { cross } from "./cross.js";
import { critical, grid, ROW, ticks } from "./ground.js";
import { lane, LANE } from "./lanes.js";
import { legend } from "./legend.js";
import { drawRow, laneName } from "./row.js";

const EVERY = 6000;
const HEAD = 26;

export class Timeline {
  /** `load()` fetches the data. Choosing a row dispatches `choose` with {id}; `drawn` follows each drawing. */
  constructor(element, load) {
    Object.assign(this, { element, load, data: null, chosen: null, timer: null, asked: 0, took: 0, width: 0, past: false });
    this.head = svg("svg", { class: "axis", "aria-hidden": "true" });
    this.body = svg("svg", { class: "rows", role: "group", "aria-label": "Timeline" });
    this.foot = svg("svg", { class: "lags", role: "img" });
    this.note = Object.assign(document.createElement("p"), { className: "graph-note" });
    this.key = Object.assign(document.createElement("div"), { className: "legend" });
    const below = Object.assign(document.createElement("div"), { className: "below" });
    below.append(this.foot, this.key);
    element.replaceChildren(this.head, this.body, this.note, below);
    this.say("Loading…");
    this.body.addEventListener("click", (event) => this.pick(event.target.closest(".row")?.dataset.id));
    this.body.addEventListener("keydown", (event) => this.press(event));
    element.addEventListener("pointermove", (event) => this.point(event.clientX - this.head.getBoundingClientRect().left));
    element.addEventListener("pointerleave", () => this.point(null));
    new ResizeObserver(() => this.data && this.element.clientWidth !== this.width && this.draw()).observe(element);
  }

  /** Moves the crosshair to a pixel, and says in `cross` which instant (ms since 1970) that is; null takes it away. */
  point(x) {
    const ms = cross(this, x);
    this.element.dispatchEvent(new CustomEvent("cross", { detail: { at: ms === null ? null : this.axis.start + ms } }));
  }

  /** Shows the crosshair at an instant that is pointed at elsewhere. */
  cross(at) {
    if (this.axis) cross(this, at === null ? null : this.axis.x(at - this.axis.start));
  }

  /** The run changed: asks again after a while; what takes long is asked for seldom. */
  touch() {
    const wait = Math.max(0, this.asked + Math.max(EVERY, 20 * this.took) - performance.now());
    this.timer ??= setTimeout(() => { this.timer = null; if (this.element.offsetParent) this.refresh(); else this.stale = true; }, wait);
  }

  async refresh() {
    this.asked = performance.now();
    this.stale = false;
    try {
      this.data = await this.load();
      this.took = performance.now() - this.asked;
      this.draw();
    } catch (error) {
      if (!this.data) this.say(`The timeline cannot be drawn: ${error.message}`);
    }
  }

  say(words) {
    this.note.textContent = words;
    this.note.hidden = !words;
    for (const part of [this.head, this.body, this.foot.parentElement]) part.style.display = words ? "none" : "";
  }

  draw() {
    const { lanes, path } = this.data;
    const rows = this.data.rows.filter((row) => !this.only || this.only.has(row.id));
    if (!rows.length) return this.say(this.only && this.data.rows.length ? "No row of the timeline fits this filter." : "Nothing has happened yet that takes time.");
    this.say("");
    this.width = this.element.clientWidth;
    const narrow = this.width < 640;
    this.left = narrow ? 132 : 232;
    this.axis = new Axis(this.data, this.left + 8, this.width - (lanes.length || narrow ? 56 : 32));
    this.places = new Map(rows.map((row, place) => [row.id, place * ROW]));
    const focused = document.activeElement?.closest?.(".row")?.dataset.id;
    this.sizes(this.head, HEAD).append(...ticks(this));
    const height = rows.length * ROW + 8;
    this.sizes(this.body, height).append(...grid(this, height), ...critical(this, path), ...rows.map((row, place) => drawRow(this, row, place, rows[place - 1])), svg("g", { class: "crosshair" }));
    this.head.append(svg("g", { class: "crosshair" }));
    this.sizes(this.foot, lanes.length * LANE + (lanes.length ? 4 : 0)).append(...grid(this, lanes.length * LANE), ...lanes.map((row, place) => lane(row, this.axis, place * LANE, (...given) => laneName(this, ...given), place === 0)), svg("g", { class: "crosshair" }));
    this.foot.setAttribute("aria-label", `Waiting tasks: ${lanes.map((row) => `${row.group} at most ${row.most}${row.changes.length ? `, members changed ${row.changes.length} times` : ""}`).join(", ") || "not polled"}`);
    this.key.replaceChildren(...legend(rows, path.length > 0, lanes.some((row) => row.changes.length)));
    this.mark();
    if (focused) this.find(focused)?.focus({ preventScroll: true });
    return this.element.dispatchEvent(new CustomEvent("drawn", { detail: this.data }));
  }

  sizes(drawing, height) {
    drawing.setAttribute("width", this.width);
    drawing.setAttribute("height", height);
    drawing.replaceChildren();
    return drawing;
  }

  find(id) {
    return this.body.querySelector(`.row[data-id="${CSS.escape(id)}"]`);
  }

  mark() {
    const rows = [...this.body.querySelectorAll(".row")];
    const tab = rows.find((row) => row.dataset.id === this.chosen) ?? rows[0];
    for (const row of rows) {
      row.setAttribute("aria-pressed", String(row.dataset.id === this.chosen));
      row.setAttribute("tabindex", row === tab ? 0 : -1);
    }
  }

  /** Shows these rows alone (a Set of ids), because a query line asks for them; null shows all. */
  match(ids) {
    this.only = ids;
    if (this.data) this.draw();
  }

  /** Marks a row that was chosen elsewhere. */
  choose(id) {
    this.chosen = id;
    this.mark();
    if (id) this.find(id)?.scrollIntoView({ block: "nearest" });
  }

  pick(id) {
    if (!id) return;
    this.chosen = this.chosen === id ? null : id;
    this.mark();
    this.element.dispatchEvent(new CustomEvent("choose", { detail: { id: this.chosen } }));
  }

  press(event) {
    const row = event.target.closest(".row");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.body.querySelectorAll(".row")];
    const to = { ArrowDown: rows.indexOf(row) + 1, ArrowUp: rows.indexOf(row) - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.pick(row.dataset.id);
    else if (to === undefined) return;
    else rows[to]?.focus();
    event.preventDefault();
  }
}
