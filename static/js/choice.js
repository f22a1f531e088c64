// Choosing dead letters, and the dialog that shows what would happen to them before anything does.

import { post } from "./api.js";
import { fill } from "./fill.js";
import { count } from "./format.js";

const at = (id) => document.getElementById(id);
const letters = (n) => `${count(n)} letter${n === 1 ? "" : "s"}`;
const WORDS = {
  redrive: { title: "Redrive", go: "Put back", done: "They go back byte for byte, without the headers about the error, and each is followed to its result." },
  discard: { title: "Discard", go: "Give up", done: "They stay stored and readable, and nobody is reminded of them any more." },
};

export class Choice {
  constructor(query) {
    this.query = query;
    this.list = at("letters");
    this.list.addEventListener("change", () => this.paint());
    at("choose-all").addEventListener("change", (event) => {
      for (const box of this.boxes()) box.checked = event.target.checked;
      this.paint();
    });
    for (const button of at("chosen-bar").querySelectorAll("[data-act]")) {
      button.addEventListener("click", () => this.open(button.dataset.act, this.chosen()));
    }
    for (const button of document.querySelectorAll("[data-redrive-query]")) {
      button.addEventListener("click", () => this.open("redrive", { query: button.value }));
    }
    at("plan-go").addEventListener("click", () => this.go());
  }

  boxes() {
    return [...this.list.querySelectorAll("[data-choose]")].filter((box) => !box.hidden);
  }

  /** The letters with a tick; without any, all that the page's filter asks for. */
  chosen() {
    const ids = this.boxes().filter((box) => box.checked).map((box) => box.value);
    return ids.length ? { ids } : this.query ? { query: this.query } : { all: true };
  }

  paint() {
    const n = this.boxes().filter((box) => box.checked).length;
    at("chosen-count").textContent = n ? `${letters(n)} chosen` : "Choose letters, or take all that match.";
  }

  async open(act, chosen) {
    this.order = { act, ...chosen };
    await this.look();
    at("plan").showModal();
  }

  /** The dry run; what it says is exactly what will be done. */
  async look() {
    this.wrong("");
    try {
      this.show(await post("redrives", { ...this.order, dry_run: true }));
    } catch (error) {
      this.show({ letters: 0, targets: [], groups: [], left_out: [], warnings: [] });
      this.wrong(error.message);
    }
  }

  show(plan) {
    this.plan = plan;
    const words = WORDS[this.order.act];
    const counted = (rows) => rows.map((row) => ({ ...row, letters_text: letters(row.letters) }));
    fill(at("plan"), {
      title: `${words.title} ${letters(plan.letters)}?`,
      sentence: plan.letters ? words.done : "There is nothing that could be done with these.",
      targets: this.order.act === "discard" ? [] : counted(plan.targets).map((row) => ({ ...row, place: `${row.topic}-${row.partition}` })),
      groups: plan.groups.map((row) => ({ ...row, words: row.acts_on ? `acts on ${count(row.acts_on)}${row.skips ? `, skips ${count(row.skips)}` : ""}` : `skips ${count(row.skips)}` })),
      left_out: counted(plan.left_out),
      warnings: counted(plan.warnings),
      go: `${words.go} ${letters(plan.letters)}`,
    });
    at("plan-go").disabled = plan.letters === 0;
  }

  wrong(words) {
    at("plan-wrong").hidden = !words;
    at("plan-wrong").textContent = words;
  }

  async go() {
    at("plan-go").disabled = true;
    const { plan, redrive_id } = this.plan;
    try {
      const made = await post("redrives", { ...this.order, dry_run: false, plan, redrive_id, reason: at("plan-reason").value });
      location.assign(made.url ?? location.href);
    } catch (error) {
      // The letters changed meanwhile: the new dry run is in the answer. Else the same order may be sent again.
      if (error.body?.plan) this.show({ ...this.plan, ...error.body });
      else at("plan-go").disabled = false;
      this.wrong(error.message);
    }
  }
}
