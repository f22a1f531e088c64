// A live list: rows out of one <template>, at first load and on every change; newer revision wins.
//
// Nothing moves under the pointer. While somebody points at the list, has the focus in it or has scrolled, new
// rows wait behind a pill ("37 new") and rows that left stay, greyed. What a row says is always written at once.
//
//   <div id="runs" data-rows="run" data-limit="100"><template>…</template></div>
//   <button data-new-for="runs"> and <… data-empty-for="runs"> are optional.

import { build, fill } from "./fill.js";
import { arrange, compare } from "./ordering.js";

const PATIENCE = 1500;

export class Rows {
  /** `accepts(row)` keeps rows out that the page's filter does not ask for; `headed(entries)` keeps headings. */
  constructor(list, { accepts = () => true, headed = null } = {}) {
    this.list = list;
    this.headed = headed;
    this.accepts = accepts;
    this.template = list.querySelector(":scope > template");
    this.limit = Number(list.dataset.limit ?? 100);
    this.held = new Map();
    this.waiting = new Map();
    this.leaving = new Set();
    this.pill = document.querySelector(`[data-new-for="${list.id}"]`);
    this.empty = document.querySelector(`[data-empty-for="${list.id}"]`);
    this.pill?.addEventListener("click", () => this.settle(true));
    this.touched = 0;
    for (const kind of ["pointermove", "wheel", "touchmove", "keydown"]) {
      list.addEventListener(kind, () => { this.touched = performance.now(); }, { passive: true });
    }
    setInterval(() => this.settle(false), PATIENCE);
  }

  /** The whole first picture, or the picture after a gap: rows in the server's order. */
  load(rows, { append = false } = {}) {
    const told = new Set(rows.map((row) => row.id));
    if (!append) for (const id of this.held.keys()) if (!told.has(id)) this.leaving.add(id);
    const first = this.held.size === 0 || append;
    for (const row of rows) this.take(row, first);
    this.settle(first);
  }

  /** Another picture, of another time: what is here goes, whatever its revision. */
  replace(rows) {
    const told = new Set(rows.map((row) => row.id));
    for (const id of [...this.held.keys()]) if (!told.has(id)) this.drop(id);
    this.waiting.clear();
    this.leaving.clear();
    for (const row of rows) {
      const known = this.held.get(row.id);
      if (known) {
        known.row = row;
        fill(known.element, row);
      } else this.place(row);
    }
    this.order();
    this.tell();
  }

  /** A delta: rows that changed, ids that are gone. */
  apply(rows, gone = []) {
    for (const row of rows) if (this.wants(row)) this.take(row, false);
    for (const id of gone) if (this.held.has(id)) this.leaving.add(id);
    this.settle(false);
  }

  wants(row) {
    return row.kind === this.list.dataset.rows && (this.held.has(row.id) || this.accepts(row));
  }

  take(row, now) {
    const known = this.held.get(row.id);
    this.leaving.delete(row.id);
    if (known) {
      if (row.revision < known.row.revision) return;
      known.row = { ...known.row, ...row };
      fill(known.element, known.row);
    } else if (now) {
      this.place(row);
    } else if ((this.waiting.get(row.id)?.revision ?? -1) <= row.revision) {
      this.waiting.set(row.id, row);
    }
  }

  place(row) {
    const element = build(this.template, row);
    element.dataset.id = row.id;
    this.held.set(row.id, { element, row });
    this.list.append(element);
  }

  calm() {
    const pointed = this.list.matches(":hover") && performance.now() - this.touched < 4 * PATIENCE;
    const focused = this.list.contains(document.activeElement);
    const scroller = this.list.closest(".scroll");
    return document.hidden || !(pointed || focused || (scroller?.scrollTop ?? 0) > 8 || (scrollY > 8 && this.list.dataset.rows === "run"));
  }

  /** Lets waiting rows in and leaving rows out, if nobody is looking at that very place or somebody asked. */
  settle(asked) {
    if (asked || this.held.size === 0 || this.calm()) {
      for (const id of this.leaving) this.drop(id);
      for (const row of this.waiting.values()) this.place(row);
      this.leaving.clear();
      this.waiting.clear();
      this.order();
    }
    for (const id of this.leaving) this.held.get(id)?.element.classList.add("gone");
    this.tell();
  }

  drop(id) {
    this.held.get(id)?.element.remove();
    this.held.delete(id);
  }

  /** Sorts by the server's `order` (small first) and cuts the tail. */
  order() {
    const entries = [...this.held.values()].sort((a, b) => compare(a.row.order, b.row.order));
    for (const { row } of entries.splice(this.limit)) this.drop(row.id);
    arrange(this.list, this.template, entries);
    this.headed?.(entries);
  }

  tell() {
    if (this.pill) {
      this.pill.hidden = this.waiting.size === 0;
      this.pill.textContent = `${this.waiting.size} new`;
    }
    if (this.empty) this.empty.hidden = this.held.size > 0;
    this.list.hidden = this.held.size === 0 && Boolean(this.empty);
  }
}
