// Every way to go through a run's past by hand: the playhead, keys on it, the buttons beside it, keys of the page.

import { onKey } from "../keys.js";

const KEYS = { ",": "previous", ".": "next", "[": "previous_failure", "]": "next_failure" };
const ON_TRACK = { ArrowLeft: "previous", ArrowRight: "next", Home: "first", PageDown: "previous_failure", PageUp: "next_failure" };

/** Wires them to a travel. */
export function controls(travel) {
  const { bar, track, player } = travel;
  track.addEventListener("seek", ({ detail: { at, held } }) => {
    player.stop();
    if (at !== null) travel.go(new Date(at).toISOString());
    else if (!held) travel.live();
  });
  track.addEventListener("keydown", (event) => {
    const which = ON_TRACK[event.key];
    if (!which && event.key !== "End") return;
    event.preventDefault();
    if (which) travel.step(which);
    else travel.live();
  });
  bar.addEventListener("click", (event) => {
    const { go, act } = event.target.closest("button")?.dataset ?? {};
    const acts = { live: () => travel.live(), play: () => travel.toggle(), faster: () => player.faster() };
    if (go && !act) (acts[go] ?? (() => travel.step(go)))();
  });
  for (const [key, which] of Object.entries(KEYS)) onKey(key, () => travel.step(which));
  onKey("p", () => travel.toggle());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && travel.past && !event.defaultPrevented) travel.live(); });
}
