// The scrubber's drawing: what happened when, failures above the line and all other changes below, and the playhead.
// A round head is the present; dragged it follows the pointer, and what it is dragged to is said by `seek`.

import { duration } from "../format.js";
import { svg } from "../marks.js";
import { Axis, CUT } from "../timeline/axis.js";

const [HEIGHT, LINE, ABOVE, BELOW] = [44, 26, 16, 14];
const EDGE = 8;

export class Scrubber {
  /** Draws in `track`, which dispatches `seek` with {at, held} (ms since 1970, null at the end) and `point` with {at}. */
  constructor(track) {
    Object.assign(this, { track, marks: null, axis: null, at: null, held: false });
    this.drawing = track.appendChild(svg("svg", { height: HEIGHT, "aria-hidden": "true" }));
    this.bars = this.drawing.appendChild(svg("g"));
    this.hair = this.drawing.appendChild(svg("g", { class: "hair" }));
    this.head = this.drawing.appendChild(svg("g", { class: "playhead" }));
    track.addEventListener("pointerdown", (event) => this.grab(event));
    track.addEventListener("pointermove", (event) => this.tell("point", this.instant(event)));
    track.addEventListener("pointerleave", () => this.tell("point", null));
    new ResizeObserver(() => this.draw()).observe(track);
  }

  /** Takes the marks of the run: {items, start, span_ms, cuts}. */
  show(marks) {
    this.marks = marks;
    this.draw();
  }

  /** Puts the playhead at an instant (ms since 1970); null is the present. */
  place(at) {
    this.at = at;
    if (!this.axis) return;
    const x = at === null ? this.axis.right : this.axis.x(at - this.axis.start);
    const head = at === null ? svg("circle", { cx: x, cy: 6, r: 4 }) : svg("path", { d: `M${x - 4.5} 1.5h9v6l-4.5 4-4.5-4z` });
    this.head.replaceChildren(svg("path", { class: "stem", d: `M${x} 6V${HEIGHT - 3}` }), head);
  }

  /** Shows the crosshair of the timeline; null takes it away. */
  cross(at) {
    const shown = at !== null && this.axis;
    this.hair.replaceChildren(...(shown ? [svg("path", { d: `M${this.axis.x(at - this.axis.start)} 0V${HEIGHT}` })] : []));
  }

  draw() {
    const width = this.track.clientWidth;
    this.drawing.setAttribute("width", width);
    if (!this.marks?.start || width < 40) return;
    this.axis = new Axis(this.marks, EDGE, width - EDGE);
    this.bars.replaceChildren(...this.cuts(), svg("path", { class: "base", d: `M${this.axis.left} ${LINE + 0.5}H${this.axis.right}` }), ...this.columns());
    this.place(this.at);
  }

  cuts() {
    return this.axis.cuts.map(([from, to]) => {
      const x = this.axis.x(from);
      const words = svg("title", {}, `${duration((to - from) / 1000, true)} without a change`);
      return svg("g", { class: "cut" }, words, svg("rect", { x, y: 0, width: CUT, height: HEIGHT }), svg("path", { d: `M${x + CUT / 2 - 5} ${LINE + 5}l4-9M${x + CUT / 2 + 1} ${LINE + 5}l4-9` }));
    });
  }

  /** Heights by square root, so that a busy minute leaves the others visible. */
  columns() {
    const { items } = this.marks;
    const most = (name) => Math.sqrt(Math.max(1, ...items.map((mark) => mark[name])));
    const [changes, failures] = [most("changed"), most("failed")];
    const each = Math.max(1.5, Math.min(5, (this.axis.right - this.axis.left) / 240 - 1));
    return items.flatMap(({ time, changed, failed }) => {
      const x = Math.min(this.axis.right - each, this.axis.x(Date.parse(time) - this.axis.start));
      const low = Math.max(2, (BELOW * Math.sqrt(changed)) / changes);
      const high = 4 + ((ABOVE - 4) * Math.sqrt(failed)) / failures;
      return [svg("rect", { class: "changes", x, y: LINE + 1, width: each, height: low }), ...(failed ? [svg("rect", { class: "failures", x, y: LINE - high, width: Math.max(2.5, each), height: high })] : [])];
    });
  }

  instant(event) {
    if (!this.axis) return null;
    const x = event.clientX - this.track.getBoundingClientRect().left;
    return x >= this.axis.right - 2 ? null : this.axis.start + this.axis.at(Math.max(this.axis.left, x));
  }

  tell(name, at) {
    this.track.dispatchEvent(new CustomEvent(name, { detail: { at, held: this.held } }));
  }

  grab(event) {
    if (event.button !== 0 || !this.axis) return;
    this.track.setPointerCapture(event.pointerId);
    this.held = true;
    const move = (next) => {
      this.place(this.instant(next));
      this.tell("seek", this.at);
    };
    const drop = (last) => {
      this.track.removeEventListener("pointermove", move);
      this.held = false;
      if (last.type === "pointerup") move(last);
    };
    this.track.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) this.track.addEventListener(kind, drop, { once: true });
    move(event);
  }
}
