// Sentences of the server with instants in them: each instant becomes a clock time in the reader's zone.

import { paint } from "./clock.js";

const INSTANT = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)/;

/** The nodes of a sentence: text, and <time> for every RFC 3339 instant in it. */
export function told(text) {
  return String(text ?? "").split(INSTANT).map((part, place) => {
    if (place % 2 === 0) return document.createTextNode(part);
    const time = document.createElement("time");
    time.setAttribute("datetime", part);
    if (part.includes(".")) time.dataset.decimals = "3";
    return time;
  });
}

/** Writes a sentence into an element. */
export function tell(element, text) {
  element.replaceChildren(...told(text));
  paint(element);
}
