// Saved views beside the query line: those that are there, the line that is shown now under a name.

import { get, post, remove } from "./api.js";
import { fill } from "./fill.js";

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

class Views {
  constructor(details) {
    this.details = details;
    this.page = details.dataset.views;
    this.sheet = details.querySelector(".sheet-over");
    this.sheet.append(this.saving());
    details.addEventListener("toggle", () => details.open && this.load());
    details.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    details.addEventListener("focusout", ({ relatedTarget }) => { if (relatedTarget && !details.contains(relatedTarget)) details.open = false; });
    document.addEventListener("pointerdown", ({ target }) => { if (!details.contains(target)) details.open = false; });
    this.sheet.addEventListener("click", ({ target }) => { const id = target.closest("[data-value]")?.dataset.value; if (id) this.remove(id); });
  }

  /** The fields that save: no form of their own, because they stand in that of the query line. */
  saving() {
    this.name = element("input", { className: "input", maxLength: 60, autocomplete: "off" });
    this.name.setAttribute("aria-label", "Name of the view");
    this.name.placeholder = "Name for this filter";
    this.shared = element("input", { type: "checkbox" });
    this.told = element("p", { className: "told small", hidden: true });
    this.told.setAttribute("role", "alert");
    const save = element("button", { className: "button small primary", type: "button", textContent: "Save this filter" });
    save.addEventListener("click", () => this.save());
    this.name.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.save(); } });
    const box = element("div", { className: "keep" }, this.name, element("label", { className: "check small" }, this.shared, "Share with everybody who sees this page"), save);
    return element("div", {}, box, this.told);
  }

  line() {
    return this.details.closest("form").querySelector("input[name=query]").value;
  }

  async load() {
    const { items } = await get("views", { page: this.page });
    const rows = items.map((row) => ({ ...row, drop: `Delete ${row.name}`, whose: row.mine ? (row.shared ? "shared by you" : "") : `shared by ${row.owner}` }));
    fill(this.sheet.querySelector("ul"), { items: rows });
    this.sheet.querySelector(".none").hidden = rows.length > 0;
  }

  async act(what) {
    this.told.hidden = true;
    try {
      await what();
      await this.load();
    } catch (error) {
      this.told.textContent = error.message;
      this.told.hidden = false;
    }
  }

  save() {
    return this.act(async () => {
      await post("views", { page: this.page, name: this.name.value, query: this.line(), shared: this.shared.checked });
      this.name.value = "";
    });
  }

  remove(id) {
    return this.act(() => remove(`views/${id}`));
  }

  close() {
    this.details.open = false;
    this.details.querySelector("summary").focus();
  }
}

export function start() {
  for (const details of document.querySelectorAll("details[data-views]")) new Views(details);
}
