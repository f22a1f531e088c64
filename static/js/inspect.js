// What the inspector says of the chosen node: a task in full, a fold in counts, a join with who is missing.

import { get } from "./api.js";
import { build, fill } from "./fill.js";
import { duration } from "./format.js";
import { quoted } from "./query.js";
import { open } from "./tabs.js";

const EMPTY = { why: "", why_url: null, error: null, bar: null, rows: null, widths: null, attempts: null, inputs: null, outputs: null, url: null };
const OUTCOMES = { completed: "done", failed: "failed", canceled: "canceled", abandoned: "unknown", rejected: "failed", expired: "failed" };

/** Parts as a state bar. */
export const widths = (rows) => rows.map((row) => [row.sign, row.ms]);

function attempt(one) {
  const took = one.started_at && one.ended_at ? ` ${duration((Date.parse(one.ended_at) - Date.parse(one.started_at)) / 1000)}` : "";
  const label = one.outcome || "running";
  return { sign: { sign: OUTCOMES[one.outcome] ?? "running", label }, words: `${one.number}. ${label}${took}`, error_line: one.error ? `${one.error.type.split(".").at(-1)}: ${one.error.message}`.split("\n")[0] : "" };
}

async function task(path, id) {
  const [{ items: [row] }, times] = await Promise.all([get(`${path}/tasks`, { query: `task:${quoted(id)}`, limit: 1 }), get(`${path}/breakdown`, { task: id })]);
  const second = [row.sign.label, row.agent_id || row.agent_group, row.attempt > 1 ? `attempt ${row.attempt}` : ""].filter(Boolean).join(", ");
  return {
    name: row.name, sign: row.sign, second, url: row.url, link: "Open task", why: row.waiting?.text ?? "", why_url: row.waiting?.link ?? null, error: row.error,
    rows: times.rows, widths: widths(times.rows), sums: `${times.wall}, sums exactly`, attempts: row.attempts.length > 1 ? row.attempts.map(attempt).reverse() : null,
  };
}

function fold(node) {
  return { name: node.label, sign: node.sign, second: [node.agent_group, node.inferred ? "folded by type, not stamped" : ""].filter(Boolean).join(", "), bar: node.bar, tally: node.tally, url: node.url, link: "All its tasks" };
}

async function joins(path, node) {
  const rows = await Promise.all(node.fanout_ids.slice(0, 5).map((fanout) => get(`${path}/joins`, { fanout })));
  return rows.flatMap(({ items }) => items);
}

/** Shows what was chosen; `graph` tells what it follows and leads to. Null closes the panel. */
export async function inspect(panel, path, { id, node }, graph) {
  const [tab, place] = [document.getElementById("tab-chosen"), panel.querySelector("#chosen-joins")];
  const was = tab.getAttribute("aria-selected") === "true";
  panel.dataset.id = id ?? "";
  tab.hidden = !id;
  if (!id) return was && open(document.getElementById("tab-about"), false);
  const ends = (from, to) => graph.edges.filter((edge) => edge[from] === id).map((edge) => graph.nodes.find((each) => each.id === edge[to])).filter(Boolean).map((each) => ({ id: each.id, label: each.label }));
  const about = { ...EMPTY, inputs: ends("target", "source"), outputs: ends("source", "target") };
  const shown = node?.kind === "join" ? { ...about, name: node.label, sign: node.sign, second: node.tally } : node?.kind === "fold" ? { ...about, ...fold(node) } : { ...about, ...await task(path, id.replace(/^task:/, "")) };
  const cards = node?.kind === "join" ? await joins(path, node) : [];
  if (panel.dataset.id !== id) return undefined;
  fill(panel, shown);
  const template = place.querySelector(":scope > template");
  place.replaceChildren(template, ...cards.map((row) => build(template, row)));
  return open(tab, false);
}
