// The only module that knows Plotly. Figures are made on the server; here they get the page's colours and a size.

import { get } from "./api.js";

const EVERY = 1000;
const INSTANT = /^\d{4}-\d\d-\d\dT.*Z$/;
const CONFIG = { displayModeBar: false, responsive: true, showSendToCloud: false, displaylogo: false };

function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** A colour of tokens.css as the browser resolves it now (light-dark, color-mix and all). */
function colour(name) {
  const probe = document.createElement("i");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

/** An instant as Plotly wants it: without a zone, so it is told the browser's own time of day. */
function local(instant) {
  const date = new Date(instant);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60000).toISOString().slice(0, 23).replace("T", " ");
}

/** Names of tokens in a figure ("var(--fg)") become colours, instants become local times. */
function coloured(value) {
  if (typeof value === "string") return value.startsWith("var(--") ? colour(value.slice(4, -1)) : INSTANT.test(value) ? local(value) : value;
  if (Array.isArray(value)) return value.map(coloured);
  if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, coloured(each)]));
  return value;
}

/** Draws or updates a figure {data, layout} in `element`. */
export function draw(element, figure) {
  const { data, layout } = coloured(figure);
  layout.font = { family: token("--sans"), size: 11.5, color: colour("--fg-3"), ...layout.font };
  return window.Plotly.react(element, data, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", ...layout }, CONFIG);
}

/** The chart of a group: lag (waiting tasks over the oldest age), flow (in and out), or all groups side by side. */
export function lagChart(element, group) {
  const state = { reach: "1h", of: "lag", figure: null, timer: null, asked: 0 };
  const load = async () => {
    state.asked = performance.now();
    const all = state.of === "groups";
    const path = all ? "agents/history" : `agents/${encodeURIComponent(group)}/history`;
    state.figure = await get(path, { reach: state.reach, of: all ? "" : state.of });
    draw(element, state.figure);
  };
  const touch = () => {
    if (state.timer || document.hidden) return;
    state.timer = setTimeout(() => { state.timer = null; load().catch(() => {}); }, Math.max(0, state.asked + EVERY - performance.now()));
  };
  document.addEventListener("theme", () => state.figure && draw(element, state.figure));
  const begin = () => load().catch((error) => { element.textContent = `No chart: ${error.message}`; });
  if (window.Plotly) begin();
  else addEventListener("load", begin, { once: true });
  return { touch, reach: (reach) => { state.reach = reach; return load(); }, of: (name) => { state.of = name; return load(); }, figure: () => state.figure };
}
