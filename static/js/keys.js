// Keys of the whole page. A key acts only while nobody types, and never together with Ctrl, Alt or Meta.
// Elements name their key: data-key="a" clicks a button, data-key="/" focuses a field. j and k walk [data-walk].

const bound = new Map();

/** Calls `act(event)` when `key` is pressed outside of fields; the first to ask for a key has it. */
export function onKey(key, act) {
  if (!bound.has(key)) bound.set(key, act);
}

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

function walk(step) {
  const stops = [...document.querySelectorAll("[data-walk] [data-stop], [data-walk] > a")].filter((stop) => stop.offsetParent);
  if (!stops.length) return;
  const here = stops.findIndex((stop) => stop === document.activeElement || stop.hasAttribute("aria-current"));
  const focused = stops.indexOf(document.activeElement);
  const from = focused >= 0 ? focused : here;
  const next = stops[Math.min(stops.length - 1, Math.max(0, from + step))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  if (next.closest("[data-walk]").dataset.walk === "open") next.click();
}

function named(key) {
  return [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((element) => element.offsetParent);
}

function press(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
  if (typing(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const act = bound.get(event.key);
  if (act) return act(event);
  const element = named(event.key);
  if (!element || element.disabled) return;
  event.preventDefault();
  if (typing(element)) element.focus();
  else element.click();
}

export function start() {
  onKey("j", () => walk(1));
  onKey("k", () => walk(-1));
  document.addEventListener("keydown", press);
}
