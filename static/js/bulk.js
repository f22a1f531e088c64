// Deciding several requests of the queue together: chosen by box or by x, each with its whole payload on the screen
// before anything can be approved, each with its own answer afterwards.

import { get, post } from "./api.js";
import { tell } from "./told.js";

const MOST = 50;
const WORDS = { won: "Saved", lost: "Lost", changed: "Changed", forbidden: "Not allowed" };
const at = (id) => document.getElementById(id);

export class Bulk {
  constructor(list, rows) {
    this.list = list;
    this.rows = rows;
    this.chosen = new Map();
    this.opened = 0;
    list.addEventListener("change", (event) => this.toggled(event.target));
    for (const button of document.querySelectorAll("[data-bulk]")) button.addEventListener("click", () => this.decide(button.dataset.bulk));
    at("bulk-look").addEventListener("click", () => this.look());
    at("bulk-none").addEventListener("click", () => this.clear());
    at("bulk-list").addEventListener("scroll", () => this.paint(), { passive: true });
  }

  row(id) {
    return this.rows.held.get(id)?.row;
  }

  toggled(box) {
    const id = box.closest("[data-id]")?.dataset.id, row = id && this.row(id);
    if (!row || box.type !== "checkbox") return;
    if (box.checked) this.chosen.set(id, row);
    else this.chosen.delete(id);
    this.opened = 0;
    this.paint();
  }

  /** The key of the first chosen row rules: only rows with the same may join it. */
  paint() {
    const key = this.chosen.values().next().value?.bulk ?? null;
    for (const box of this.list.querySelectorAll("input[type=checkbox]")) {
      const row = this.row(box.closest("[data-id]")?.dataset.id);
      box.hidden = !row?.bulk;
      box.disabled = !row?.bulk || (key !== null && row.bulk !== key) || (this.chosen.size >= MOST && !box.checked);
    }
    at("bulk").hidden = this.chosen.size === 0;
    at("bulk-count").textContent = `${this.chosen.size} chosen`;
    const list = at("bulk-list");
    const seen = this.opened && list.scrollTop + list.clientHeight >= list.scrollHeight - 8;
    if (seen) this.seen = true;
    for (const button of document.querySelectorAll("[data-bulk]")) button.disabled = !this.opened || (button.dataset.bulk === "approve" && !this.seen);
    at("bulk-hint").textContent = !this.opened ? "Look at what will run first." : this.seen ? "" : "Approve opens at the end of the list.";
  }

  clear() {
    this.chosen.clear();
    this.opened = 0;
    for (const box of this.list.querySelectorAll("input:checked")) box.checked = false;
    at("bulk-list").hidden = true;
    this.paint();
  }

  /** Shows what each would run: the payload is read from the server now, with the hash that will be decided on. */
  async look() {
    const ids = [...this.chosen.keys()];
    try {
      const found = await Promise.all(ids.map((id) => get(`approvals/${encodeURIComponent(id)}`)));
      at("bulk-list").replaceChildren(...found.map(shown));
      for (const row of found) this.chosen.set(row.approval_id, { ...this.chosen.get(row.approval_id), ...row });
      at("bulk-list").hidden = false;
      this.opened = performance.now();
      this.seen = false;
    } catch (error) {
      at("bulk-hint").textContent = error.message;
    }
    this.paint();
  }

  async decide(decision) {
    const items = [...this.chosen.values()].map((row) => ({ approval_id: row.approval_id, request_version: row.request_version, content_hash: row.content_hash }));
    const body = { decision, items, comment: at("bulk-comment").value, opened_payload: Boolean(this.seen), dwell_ms: Math.round(performance.now() - this.opened) };
    for (const button of document.querySelectorAll("[data-bulk]")) button.disabled = true;
    try {
      this.answered((await post("decisions", body, crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}`)).items);
    } catch (error) {
      at("bulk-hint").textContent = error.message;
    }
  }

  answered(items) {
    const count = items.filter((item) => item.outcome === "won").length;
    at("bulk-answers").replaceChildren(...items.map((item) => answer(item, this.chosen.get(item.approval_id))));
    at("bulk-answers").hidden = false;
    this.clear();
    at("spoken").textContent = `${count} of ${items.length} saved.`;
  }
}

function shown(row) {
  const item = document.createElement("li");
  const name = Object.assign(document.createElement("b"), { textContent: row.title });
  const text = Object.assign(document.createElement("pre"), { className: "mono", textContent: row.shown });
  item.append(name, text);
  for (const warning of row.warnings ?? []) item.append(Object.assign(document.createElement("p"), { className: "wrong", textContent: warning }));
  return item;
}

function answer(item, row) {
  const line = document.createElement("li");
  line.dataset.outcome = item.outcome;
  const link = Object.assign(document.createElement("a"), { className: "link", href: row?.url ?? "#", textContent: row?.title ?? item.approval_id });
  const words = document.createElement("span");
  tell(words, item.detail);
  line.append(Object.assign(document.createElement("b"), { textContent: WORDS[item.outcome] }), " ", link, " ", words);
  return line;
}
