// The freshness stamp, the LIVE pill, the counts in the rail, banners: what every page says about itself.

import { get } from "./api.js";
import { now } from "./clock.js";
import { duration, timeOfDay } from "./format.js";
import { watch } from "./live.js";
import { waiting } from "./notify.js";
import { tell } from "./told.js";

const AMBER = 5;
const WORDS = { live: "LIVE", paused: "PAUSED", past: "PAST" };
let health = null;
let lostSince = null;
let last = "live";
let past = false;

function level(row) {
  if (!row || row.behind_seconds === null) return "unknown";
  if (row.standing_still) return "red";
  return row.behind_seconds >= AMBER ? "amber" : "fresh";
}

function write(element, selector, text) {
  const part = element.querySelector(selector);
  if (part && part.textContent !== text) part.textContent = text;
}

/** Seconds between what the log holds and what is shown, growing while nothing new is heard. */
function behind(row) {
  const silence = Math.max(0, (now() - Date.parse(row.as_of)) / 1000 - row.every_seconds);
  return row.behind_seconds === null ? null : row.behind_seconds + (row.behind_records > 0 || silence > AMBER ? silence : 0);
}

function paint() {
  for (const stamp of document.querySelectorAll("[data-fresh]")) {
    const seconds = health ? behind(health) : null;
    stamp.dataset.level = level(health && { ...health, behind_seconds: seconds });
    if (!health) continue;
    write(stamp, ".log-end b", health.log_end_at ? timeOfDay(health.log_end_at, new Date(now()), 1) : "none");
    write(stamp, ".shown b", health.shown_at ? timeOfDay(health.shown_at, new Date(now()), 1) : "none");
    write(stamp, ".behind b", seconds === null ? "unknown" : duration(seconds));
  }
  tellBehind();
}

/** Whoever decides is told how old what they see is; a banner says the same. */
function tellBehind() {
  const seconds = health ? behind(health) : null;
  const old = health && (health.standing_still || (seconds ?? 0) >= AMBER);
  const words = old ? `What you see is ${seconds === null ? "of unknown age" : `${duration(seconds, true)} behind the log`}.` : null;
  const banner = document.getElementById("behind");
  if (banner) {
    banner.hidden = !old;
    if (old) banner.querySelector("b").textContent = words;
  }
  document.dispatchEvent(new CustomEvent("behind", { detail: words }));
}

function counts(row) {
  for (const [name, value] of Object.entries(row.counts ?? {})) {
    for (const element of document.querySelectorAll(`[data-count="${name}"]`)) element.textContent = value >= 1000 ? "999+" : value || "";
  }
  waiting(row.counts?.approvals ?? 0);
  const banner = document.getElementById("trouble");
  if (!banner) return;
  banner.hidden = !row.trouble;
  if (row.trouble) tell(banner.querySelector(".grow"), row.trouble);
}

function take(row) {
  health = row;
  counts(row);
  paint();
}

function connection(state) {
  last = state;
  lostSince = state === "lost" ? lostSince ?? now() : null;
  for (const pill of document.querySelectorAll("[data-live-pill]")) {
    pill.dataset.live = past ? "past" : state;
    pill.textContent = past ? WORDS.past : lostSince ? `reconnecting, data from ${timeOfDay(lostSince)}` : WORDS[state] ?? state;
  }
}

export function start(row) {
  if (row) take(row);
  document.addEventListener("connection", (event) => connection(event.detail));
  document.addEventListener("travel", (event) => { past = Boolean(event.detail); connection(last); });
  watch("health", {
    apply: (rows) => rows.filter((each) => each.kind === "health").forEach(take),
    refetch: async () => take(await get("health")),
  });
  setInterval(() => { if (!document.hidden) paint(); }, 1000);
  past = document.documentElement.classList.contains("past");
  connection("live");
}
