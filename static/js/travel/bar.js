// What the scrubber's region says: where the page stands, what came meanwhile, whether it plays.

import { count, timeOfDay } from "../format.js";

/** Says in one sentence what cannot be. */
export function wrong(bar, words) {
  bar.querySelector(".said").textContent = words;
}

/** The buttons of a player. */
export function playing(bar, { playing: on, speed }) {
  const button = bar.querySelector("[data-go=play]");
  button.setAttribute("aria-pressed", String(on));
  button.title = on ? "Pause (p)" : "Play (p)";
  button.querySelector("use").setAttribute("href", on ? "#g-pause" : "#g-play");
  bar.querySelector("[data-go=faster]").textContent = `${speed}×`;
}

/** Says where a travel {past, here, marks, missed, astray} stands. */
export function say(bar, { past, here, marks, missed, astray, track }) {
  const write = (name, words) => { const element = bar.querySelector(name); element.textContent = element.title = words; };
  const { start, end } = marks ?? {};
  const where = here ? timeOfDay(here.time, new Date(here.time), 3) : "";
  const event = here ? `event ${count(here.count)} of ${count(here.events)}` : "";
  const came = missed ? `${count(missed)} change${missed === 1 ? "" : "s"} came meanwhile` : "";
  write(".when", past ? where : "now");
  write(".said", (past ? came || event : astray || (start && `since ${timeOfDay(start, new Date(end))}`)) || "");
  bar.querySelector("[data-go=live].back").hidden = !past;
  track.setAttribute("aria-valuemax", here?.events ?? 1);
  track.setAttribute("aria-valuenow", here?.count ?? 1);
  track.setAttribute("aria-valuetext", here ? `past, ${where}, event ${here.count} of ${here.events}` : "live");
}
