// The drawer over the foot of a review: words to a decision, edited arguments, the name typed to confirm.

import { post } from "./api.js";

/** The decisions after which something is carried out. */
export const CONSENT = ["approve", "edit"];
const PAUSE = 300;
const at = (id) => document.getElementById(id);

export class Drawer {
  constructor(page, form) {
    this.page = page;
    this.buttons = form.querySelectorAll("button[name=decision]");
    this.chosen = null;
    this.behind = null;
    this.timer = 0;
    at("args")?.addEventListener("input", () => this.compare());
    at("drawer").addEventListener("keydown", (event) => {
      if (event.key === "Escape") at("cancel").click();
      if (event.key === "Enter" && event.ctrlKey) form.requestSubmit();
    });
    document.addEventListener("behind", (event) => { this.behind = event.detail; });
  }

  get dangerous() {
    return this.page.dataset.dangerous === "yes";
  }

  /** Whether a click opens the drawer first: all but a plain approval of what is up to date do. */
  asks(decision) {
    return (decision !== "approve" || this.dangerous || Boolean(this.behind)) && this.chosen !== decision;
  }

  open(decision) {
    this.chosen = decision;
    const consent = CONSENT.includes(decision), confirm = this.dangerous && consent;
    at("drawer").hidden = at("cancel").hidden = false;
    at("args-field").hidden = decision !== "edit";
    at("confirm-field").hidden = !confirm;
    at("behind-field").hidden = !(consent && this.behind);
    at("behind-words").textContent = this.behind ?? "";
    at("comment-label").textContent = decision === "respond" ? "Your answer, which the agent gets" : "Reason, kept with the decision";
    for (const button of this.buttons) button.hidden = button.value !== decision;
    (decision === "edit" ? at("args") : confirm ? at("confirm") : at("comment")).focus();
    if (decision === "edit") this.compare();
  }

  close() {
    this.chosen = null;
    // A field that is hidden keeps the keys until the next frame; what is pressed after "Saved." means the page.
    if (at("drawer").contains(document.activeElement)) document.activeElement.blur();
    at("drawer").hidden = at("cancel").hidden = true;
    for (const button of this.buttons) button.hidden = false;
  }

  /** What is missing before this decision can be sent; empty if nothing is. */
  wrong(decision) {
    const name = this.page.dataset.confirm;
    if (this.dangerous && CONSENT.includes(decision) && at("confirm").value.trim() !== name) return `Type ${name} to go on.`;
    if (decision === "edit" && !at("args").value.trim()) return "Write the arguments that will run; an edit replaces all of them.";
    return decision === "respond" && !at("comment").value.trim() ? "Write the answer that the agent gets." : "";
  }

  /** Asks what the edit changes, a moment after the last key: the server reads the text, as it will when it counts. */
  compare() {
    clearTimeout(this.timer);
    this.timer = setTimeout(async () => {
      const text = at("args").value;
      try {
        this.show(await post(`approvals/${encodeURIComponent(this.page.dataset.id)}/edits`, { args_json: text }));
      } catch (error) {
        this.show({ wrong: error.message, changes: [] });
      }
    }, PAUSE);
  }

  show({ wrong, changes }) {
    at("edit-wrong").hidden = !wrong;
    at("edit-wrong").textContent = wrong;
    at("edit-same").hidden = Boolean(wrong) || changes.length > 0;
    at("edit-changes").hidden = changes.length === 0;
    at("edit-changes").querySelector("tbody").replaceChildren(...changes.map(changed));
  }
}

function changed({ sign, path, old, new: next }) {
  const row = document.createElement("tr");
  row.dataset.sign = sign;
  for (const [name, text] of [["sign", sign], ["", path], ["old", old ?? "absent"], ["new", next ?? "removed"]]) {
    const cell = row.insertCell();
    cell.className = name === "old" ? "" : name;
    if (name === "old") cell.append(Object.assign(document.createElement("span"), { className: old === null ? "absent" : "old", textContent: text }));
    else cell.textContent = text;
  }
  return row;
}
