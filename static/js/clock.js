// Ages and countdowns by the server's clock, one tick a second for the whole page.
//
// [data-since=ISO] counts up, [data-until=ISO] counts down, both as text; [data-until][data-face] as a clock.
// <progress data-from=ISO data-until=ISO> runs empty. The clocks stand still while the connection is lost.

import { clockface, duration, timeOfDay } from "./format.js";

const page = document.documentElement;
let offset = startOffset();
let held = null;

function startOffset() {
  const told = Date.parse(page.dataset.now ?? "");
  return Number.isNaN(told) ? 0 : told - Date.now();
}

/** Milliseconds since 1970 by the server's clock. */
export function now() {
  return Date.now() + offset;
}

/** The instant (ms since 1970) that ages are counted to: that of a page in the past, else now. */
const shown = () => held ?? now();

/** Counts all ages to this instant (ms since 1970) and lets them stand; null lets them go on. */
export function hold(instant) {
  held = instant;
  paint();
}

/** Takes the server's instant out of a message; small jitter does not make the clocks jump. */
export function learn(instant) {
  const heard = Date.parse(instant) - Date.now();
  if (!Number.isNaN(heard) && Math.abs(heard - offset) > 400) offset = heard;
}

function showSince(element) {
  const seconds = (shown() - Date.parse(element.dataset.since)) / 1000;
  write(element, duration(Math.max(0, seconds), true));
}

function showUntil(element) {
  const seconds = (Date.parse(element.dataset.until) - shown()) / 1000;
  const over = seconds < 0;
  if (element instanceof HTMLProgressElement) return drain(element, seconds);
  element.classList.toggle(element.dataset.face === undefined ? "late" : "over", over);
  if (element.dataset.face !== undefined) {
    const word = element.parentElement.querySelector("[data-until-word]");
    if (word) write(word, over ? "over" : "left");
    return write(element, clockface(Math.abs(seconds)));
  }
  return write(element, over ? `${duration(-seconds, true).replace(/^(\d+ \S+).*/, "$1")} over` : duration(seconds, true));
}

function drain(element, seconds) {
  const whole = (Date.parse(element.dataset.until) - Date.parse(element.dataset.from)) / 1000;
  element.value = whole > 0 ? Math.min(1, Math.max(0, seconds / whole)) : 0;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PAINTERS = [["[data-since]", showSince], ["[data-until]", showUntil], ["time[datetime]:not([data-painted])", paintTime]];

/** Writes all clocks in `root`, itself among them, once; also plain <time datetime> elements in the browser's zone. */
export function paint(root = document) {
  for (const [selector, show] of PAINTERS) {
    if (root.matches?.(selector)) show(root);
    for (const element of root.querySelectorAll(selector)) show(element);
  }
}

function paintTime(element) {
  const instant = element.getAttribute("datetime");
  element.textContent = timeOfDay(instant, new Date(now()), Number(element.dataset.decimals ?? 0));
  element.title = instant.replace("T", " ").replace("Z", " UTC");
  element.dataset.painted = "";
}

export function start() {
  paint();
  setInterval(() => {
    if (!document.hidden && !page.classList.contains("lost")) paint();
  }, 1000);
}
