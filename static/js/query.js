// The query line: completions out of the grammar and of what is there, as the combobox pattern has it.

import { get } from "./api.js";

const PATIENCE = 120;

class QueryLine {
  constructor(form) {
    this.form = form;
    this.field = form.querySelector("input[name=query]");
    this.list = form.querySelector(".choices");
    this.answer = { items: [] };
    this.chosen = -1;
    this.asked = 0;
    this.field.addEventListener("input", () => this.later());
    this.field.addEventListener("click", () => this.later());
    this.field.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.field.addEventListener("keydown", (event) => this.press(event));
    this.list.addEventListener("mousedown", (event) => this.pick(event));
    const at = this.field.dataset.at;
    // What is not understood is pointed at: the caret stands before it, and no list covers the words about it.
    if (at) { this.field.focus(); this.field.setSelectionRange(Number(at), Number(at)); }
    this.field.addEventListener("focus", () => this.later());
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), PATIENCE);
  }

  async ask() {
    if (document.activeElement !== this.field) return;
    const mine = (this.asked += 1);
    const { queryOn: on, run } = this.form.dataset;
    try {
      const answer = await get("completions", { on, run, query: this.field.value, caret: String(this.field.selectionStart) });
      if (mine === this.asked) this.show(answer);
    } catch (error) {
      console.warn("no completions", error);
    }
  }

  show(answer) {
    this.answer = answer;
    this.chosen = -1;
    const written = this.field.value.slice(answer.from, answer.to);
    const items = answer.items.filter((item) => item.text !== written);
    this.answer.items = items;
    this.list.replaceChildren(...items.map((item, place) => this.option(item, place)));
    const open = items.length > 0 && document.activeElement === this.field;
    this.list.hidden = !open;
    this.field.setAttribute("aria-expanded", String(open));
    this.field.removeAttribute("aria-activedescendant");
  }

  option({ text, note }, place) {
    const option = Object.assign(document.createElement("li"), { id: `choice-${place}` });
    option.setAttribute("role", "option");
    option.setAttribute("aria-selected", "false");
    option.append(Object.assign(document.createElement("span"), { className: "mono", textContent: text }));
    option.append(Object.assign(document.createElement("span"), { className: "note", textContent: note }));
    return option;
  }

  press(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.list.hidden) return void this.later();
    if (step) this.mark(this.chosen + step);
    else if (event.key === "Escape" && !this.list.hidden) this.close();
    else if (event.key === "Enter" && this.chosen >= 0) this.take(this.chosen);
    // The fields of saved views stand in the same form, so a browser would not submit it by itself.
    else if (event.key === "Enter") this.form.requestSubmit();
    else if (event.key === "Tab" && !event.shiftKey && this.chosen >= 0) this.take(this.chosen);
    else return undefined;
    event.preventDefault();
    return event.stopPropagation();
  }

  mark(place) {
    const options = [...this.list.children];
    this.chosen = (place + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.chosen)));
    options[this.chosen].scrollIntoView({ block: "nearest" });
    this.field.setAttribute("aria-activedescendant", options[this.chosen].id);
  }

  pick(event) {
    const option = event.target.closest("[role=option]");
    if (!option) return;
    event.preventDefault();
    this.take([...this.list.children].indexOf(option));
  }

  take(place) {
    const { from, to, items } = this.answer;
    const { text } = items[place];
    const goesOn = /[:<>]$/.test(text);
    const after = this.field.value.slice(to);
    const written = text + (goesOn || /^[\s,]/.test(after) ? "" : " ");
    this.field.setRangeText(written, from, to, "end");
    this.close();
    if (goesOn) this.later();
  }

  close() {
    clearTimeout(this.timer);
    this.asked += 1;
    this.list.hidden = true;
    this.chosen = -1;
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }
}

export function start() {
  for (const form of document.querySelectorAll("form[data-query-on]")) new QueryLine(form);
}

/** A value as it is written in a line: in quotes where it needs them. */
export function quoted(value) {
  return /^[^\s,"-][^\s,"]*$/.test(value) ? value : `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
