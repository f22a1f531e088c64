// The receipt: three stops on the line, and below them what went wrong. Never a tick ahead of the fact; the words
// come from the server, but how long an agent has been silent is counted here.

import { glyph } from "./marks.js";
import { now, paint } from "./clock.js";
import { told } from "./told.js";

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function clock(at) {
  const time = document.createElement("time");
  time.setAttribute("datetime", at);
  time.dataset.decimals = "3";
  return time;
}

function later(at, before) {
  const seconds = (Date.parse(at) - Date.parse(before)) / 1000;
  return seconds >= 0 && seconds < 3600 ? `, ${seconds.toFixed(2)} s later` : "";
}

function stop(found, place, stops) {
  const made = element("div", "stop");
  made.dataset.stop = found.stop;
  made.dataset.next = stops[place + 1] && stops[place + 1].stop !== "done" ? "todo" : "done";
  const disc = element("span", "disc", glyph(found.stop === "bad" ? "failed" : "done", 12));
  const name = element("b", "", found.name);
  if (found.position) {
    const position = document.createElement(found.url ? "a" : "span");
    position.className = found.url ? "mono link" : "mono";
    if (found.url) position.href = found.url;
    position.textContent = found.position;
    name.append(" ", position);
  }
  const detail = element("span", "detail");
  if (found.at) detail.append(clock(found.at), place && stops[place - 1].at ? later(found.at, stops[place - 1].at) : "");
  made.append(disc, name, detail);
  return made;
}

const EMPTY = ["Saved", "Published", "Applied"].map((name) => ({ name, stop: "todo", at: null, position: "", url: null }));
const PATIENCE = 10000;

function link(text, url) {
  const made = element("a", "link", text);
  made.href = url;
  return made;
}

/** "Delivered at 4@9182; no answer from group payer for 90 s; 12 tasks wait before it." */
function silence(found) {
  const age = element("span", "tick");
  age.dataset.since = found.since;
  const waiting = found.waiting ? `; ${found.waiting} task${found.waiting === 1 ? "" : "s"} wait before it` : "";
  const line = element("p", "", `Delivered at ${found.position}; no answer from group ${found.group || "unknown"} for `, age, `${waiting}. `);
  if (found.url) line.append(link("Its lag", found.url));
  const early = PATIENCE - (now() - Date.parse(found.since));
  line.hidden = early > 0;
  if (early > 0) setTimeout(() => { line.hidden = false; }, early);
  return line;
}

function countdown(row) {
  const left = element("span", "tick");
  left.dataset.until = row.valid_until;
  return element("p", "", "It can be sent for ", left, " more.");
}

function words(row) {
  const lines = [];
  if (row?.text) lines.push(element("p", "", ...told(row.text)));
  if (row?.counts_down && row.valid_until) lines.push(countdown(row));
  if (row?.silent) lines.push(silence(row.silent));
  if (row?.revocation) {
    const line = element("p", "", ...told(row.revocation.text), " ");
    if (row.revocation.url) line.append(link(row.revocation.link, row.revocation.url));
    lines.push(line);
  }
  if (row?.mode) lines.push(element("p", "third", `This log has no transactions: delivered ${row.mode}.`));
  return lines;
}

/** Draws a receipt row (or the three hollow stops for null) into `at`, its sentences behind it. */
export function receipt(at, row) {
  const stops = row?.stops?.length ? row.stops : EMPTY;
  at.className = "receipt";
  at.replaceChildren(...stops.map(stop));
  const said = at.nextElementSibling;
  said?.replaceChildren(...words(row));
  paint(at.parentElement);
}
