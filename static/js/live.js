// One socket a page. It says what it watches, takes deltas, and acknowledges them; where the chain of revisions
// has a hole (held ≠ from, or a reconnect) the page asks the API again. Hidden tabs pause and catch up.

import { learn } from "./clock.js";
import { wanted } from "./notify.js";

const page = document.documentElement;
const HIDDEN_FOR = 30000;
const REFETCH_EVERY = 1000;

const watches = new Map();
let socket = null;
let failures = 0;
let pausing = 0;

/**
 * Watches `about` ("board", "run:<id>", …). `apply(rows, gone)` takes a delta; `refetch()` loads the whole
 * picture and returns a promise. Call it while the page's module runs: the socket opens right after.
 */
export function watch(about, { apply, refetch }) {
  watches.set(about, { apply, refetch, held: null, asked: 0, asking: null });
  if (socket?.readyState === WebSocket.OPEN) say({ watch: [...watches.keys()] });
}

function say(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function open() {
  if (socket || !page.dataset.live) return;
  const address = new URL(page.dataset.live, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  socket = new WebSocket(address);
  socket.addEventListener("open", () => say({ watch: [...watches.keys()] }));
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => closed(event.code));
}

function closed(code) {
  socket = null;
  if (pausing === -1) return show("paused");
  show("lost");
  // 4401 and 4403: signed out, or no right; asking again would not help.
  if (code === 4401) return void location.reload();
  if (code === 4403) return undefined;
  failures += 1;
  const wait = Math.min(15000, 400 * 2 ** failures) * (0.5 + Math.random());
  return void setTimeout(open, wait);
}

function hear(message) {
  if (message.at) learn(message.at);
  if (message.rows) return delta(message);
  if (message.revision !== undefined) return joined(message);
  return undefined;
}

function joined(message) {
  failures = 0;
  show("live");
  const revisions = typeof message.revision === "object" ? message.revision : null;
  for (const [about, held] of watches) {
    held.held = revisions ? revisions[about] ?? null : null;
    again(held);
  }
}

function delta({ about, from, to, rows, gone }) {
  const held = watches.get(about);
  say({ ack: to, about });
  if (!held) return;
  if (held.held !== null && from !== undefined && held.held !== from) again(held);
  held.held = to;
  held.apply(rows, gone ?? []);
}

/** Loads the whole picture again, at most once a second, and never twice at a time. */
function again(held) {
  if (held.asking) return;
  const wait = Math.max(0, held.asked + REFETCH_EVERY - performance.now());
  held.asking = setTimeout(async () => {
    held.asked = performance.now();
    try {
      await held.refetch?.();
    } catch (error) {
      console.warn("could not refetch", error);
    } finally {
      held.asking = null;
    }
  }, wait);
}

function show(state) {
  page.classList.toggle("lost", state === "lost");
  document.dispatchEvent(new CustomEvent("connection", { detail: state }));
}

function visibility() {
  clearTimeout(pausing);
  if (document.hidden) {
    // Who wants to be told by this browser is told while the page is hidden.
    if (wanted()) return;
    pausing = setTimeout(() => {
      pausing = -1;
      socket?.close(1000);
    }, HIDDEN_FOR);
  } else if (pausing !== 0) {
    pausing = 0;
    open();
  }
}

/** Opens the socket; called once by the frame after the page's own modules have said what they watch. */
export function start() {
  document.addEventListener("visibilitychange", visibility);
  addEventListener("pagehide", () => { pausing = -1; socket?.close(1000); });
  addEventListener("pageshow", (event) => { if (event.persisted) { pausing = 0; open(); } });
  open();
}
