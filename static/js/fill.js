// Fills an element from a row. The markup says what goes where: data-fill="text:name href:url badge:sign".
// One small row in, one element out; the same at first load and on every change.

import { paint } from "./clock.js";
import { count } from "./format.js";
import { badge, bar, chip, glyph, risk, spark } from "./marks.js";

const TAIL = 10;
const FILLERS = {
  text: (element, value) => {
    const text = value === null || value === undefined ? "" : String(value);
    if (element.textContent !== text) element.textContent = text;
  },
  // A name whose end tells it from others: what does not fit is left out of its middle.
  ends: (element, value) => {
    const text = String(value ?? "");
    if (element.textContent === text) return;
    const tail = text.length > 2 * TAIL && !/\s/.test(text) ? TAIL : 0;
    const parts = [text.slice(0, text.length - tail), text.slice(text.length - tail)];
    element.replaceChildren(...parts.map((part) => Object.assign(document.createElement("span"), { textContent: part })));
  },
  count: (element, value) => FILLERS.text(element, value === null || value === undefined ? "unknown" : count(value)),
  href: (element, value) => (value ? element.setAttribute("href", value) : element.removeAttribute("href")),
  title: (element, value) => (value ? element.setAttribute("title", value) : element.removeAttribute("title")),
  label: (element, value) => element.setAttribute("aria-label", value ?? ""),
  value: (element, value) => { element.value = value ?? ""; },
  shown: (element, value) => { element.hidden = !value || (Array.isArray(value) && value.length === 0); },
  hidden: (element, value) => { element.hidden = Boolean(value); },
  open: (element, value) => { element.open = Boolean(value); },
  flag: (element, value) => element.classList.toggle(element.dataset.flag, Boolean(value)),
  tone: (element, value) => { if (value) element.dataset.tone = value; else delete element.dataset.tone; },
  data: (element, value) => { element.dataset.value = value ?? ""; },
  state: (element, value) => {
    for (const name of [...element.classList]) if (name.startsWith("c-")) element.classList.remove(name);
    if (value) element.classList.add(`c-${value.sign ?? value}`);
  },
  badge, bar, chip, risk, spark,
  glyph: (element, value) => element.replaceChildren(...(value ? [glyph(value)] : [])),
  since: (element, value) => clock(element, "since", value),
  until: (element, value) => clock(element, "until", value),
  time: (element, value) => {
    if (element.getAttribute("datetime") === (value ?? "")) return;
    element.setAttribute("datetime", value ?? "");
    delete element.dataset.painted;
    if (!value) element.textContent = "";
  },
  each: (element, rows) => {
    const template = element.querySelector(":scope > template");
    const there = [...element.children].filter((child) => child !== template);
    (rows ?? []).forEach((row, place) => (there[place] ? fill(there[place], row) : element.append(build(template, row))));
    for (const child of there.slice(rows?.length ?? 0)) child.remove();
  },
};

function clock(element, name, value) {
  if (value) { element.dataset[name] = value; return; }
  if (element.dataset[name] === undefined) return;
  delete element.dataset[name];
  element.textContent = "";
}

function read(row, path) {
  return path.split(".").reduce((value, key) => value?.[key], row);
}

function fillOne(element, row) {
  for (const order of element.dataset.fill.trim().split(/\s+/)) {
    const [how, path = ""] = order.split(":");
    FILLERS[how]?.(element, path === "" ? row : read(row, path));
  }
}

/** Fills `root` and everything in it that asks to be filled; nested lists fill their own. */
export function fill(root, row) {
  const wanting = [...(root.matches("[data-fill]") ? [root] : []), ...root.querySelectorAll("[data-fill]")];
  const lists = wanting.filter((element) => element.dataset.fill.includes("each:"));
  const nested = (element) => lists.some((list) => list !== element && list.contains(element));
  for (const element of wanting) if (!nested(element)) fillOne(element, row);
  paint(root);
  return root;
}

/** A new element out of a <template>, filled. */
export function build(template, row) {
  const element = template.content.firstElementChild.cloneNode(true);
  return fill(element, row);
}
