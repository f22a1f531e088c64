// A live list: rows out of one <template>, at first load and on every change; newer revision wins.
//
// Nothing moves under the pointer. While somebody points at the list, has the focus in it or has scrolled, new
// rows wait behind a pill ("37 new") and rows that left stay, greyed. What a row says is written at once where it can
// be seen; a list behind another tab is written when it is shown.
//
//   <div id="runs" data-rows="run" data-limit="100"><template>…</template></div>
//   <button data-new-for="runs"> and <… data-empty-for="runs"> are optional.

import { Attention } from "./attention.js";
import { build, fill } from "./fill.js";
import { arrange, compare } from "./ordering.js";

const PATIENCE = 1500;

export class Rows {
  /** `accepts(row)` keeps rows out that the page's filter does not ask for; `headed(entries)` keeps headings. */
  constructor(list, { accepts = () => true, headed = null } = {}) {
    Object.assign(this, { list, accepts, headed, held: new Map(), waiting: new Map(), leaving: new Set(), stale: new Set(), moved: false });
    this.template = list.querySelector(":scope > template");
    this.limit = Number(list.dataset.limit ?? 100);
    this.attention = new Attention(list, list.dataset.rows === "run");
    this.pill = document.querySelector(`[data-new-for="${list.id}"]`);
    this.empty = document.querySelector(`[data-empty-for="${list.id}"]`);
    this.pill?.addEventListener("click", () => this.settle(true));
    document.addEventListener("opened", () => this.shown());
    setInterval(() => this.settle(false), PATIENCE);
  }

  /** Its tab was opened: writes what changed meanwhile. */
  shown() {
    if (this.attention.unseen) return;
    for (const id of this.stale) fill(this.held.get(id).element, this.held.get(id).row);
    this.stale.clear();
    this.settle(false);
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
      const order = known.row.order;
      known.row = { ...known.row, ...row };
      this.moved ||= compare(order, known.row.order) !== 0;
      if (this.attention.unseen) this.stale.add(row.id);
      else fill(known.element, known.row);
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

  /** Lets waiting rows in and leaving rows out, if nobody is looking at that very place or somebody asked. */
  settle(asked) {
    const news = this.moved || this.waiting.size || this.leaving.size || !this.held.size;
    if (!asked && (!news || this.attention.unseen)) return this.spare();
    if (asked || this.held.size === 0 || this.attention.calm) {
      for (const id of this.leaving) this.drop(id);
      this.leaving.clear();
      this.order([...this.waiting.values()]);
      this.waiting.clear();
    }
    for (const id of this.leaving) this.held.get(id)?.element.classList.add("gone");
    return this.tell();
  }

  /** Of what waits no more is kept than a list can show. */
  spare() {
    if (this.waiting.size < 2 * this.limit) return;
    const first = [...this.waiting.values()].sort((a, b) => compare(a.order, b.order)).slice(0, this.limit);
    this.waiting = new Map(first.map((row) => [row.id, row]));
  }

  drop(id) {
    this.held.get(id)?.element.remove();
    this.held.delete(id);
    this.stale.delete(id);
  }

  /** Sorts by the server's `order` (small first), with new rows among them, and cuts the tail before it is drawn. */
  order(fresh = []) {
    this.moved = false;
    const all = [...this.held.values(), ...fresh.map((row) => ({ row }))].sort((a, b) => compare(a.row.order, b.row.order));
    for (const { row, element } of all.splice(this.limit)) if (element) this.drop(row.id);
    for (const { row, element } of all) if (!element) this.place(row);
    const entries = all.map(({ row }) => this.held.get(row.id));
    arrange(this.list, this.template, entries);
    this.headed?.(entries);
  }

  tell() {
    if (this.pill) {
      this.pill.hidden = this.waiting.size === 0 || this.attention.unseen;
      this.pill.textContent = `${this.waiting.size} new`;
    }
    if (this.empty) this.empty.hidden = this.held.size > 0;
    this.list.hidden = this.held.size === 0 && Boolean(this.empty);
  }
}
