// The receipt: three stops on the line. Never a tick ahead of the fact; the words come from the server.

import { glyph } from "./marks.js";
import { paint } from "./clock.js";

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
  if (found.detail) detail.append(found.at ? ". " : "", found.detail);
  made.append(disc, name, detail);
  return made;
}

const EMPTY = ["Saved", "Published", "Applied"].map((name) => ({ name, stop: "todo", at: null, detail: "", position: "", url: null }));

/** Draws a receipt row (or the three hollow stops for null) into `at`. */
export function receipt(at, row) {
  const stops = row?.stops?.length ? row.stops : EMPTY;
  at.className = "receipt";
  at.replaceChildren(...stops.map(stop));
  paint(at);
}
