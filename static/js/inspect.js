// What the inspector says of the chosen node: a task in full, a fold in counts, a join with who is missing.

import { get } from "./api.js";
import { showFailure } from "./failure.js";
import { build, fill } from "./fill.js";
import { quoted } from "./query.js";
import { open } from "./tabs.js";

const EMPTY = { why: "", why_url: null, bar: null, rows: null, widths: null, page: null, inputs: null, outputs: null, url: null };
/** Parts as a state bar. */
export const widths = (rows) => rows.map((row) => [row.sign, row.ms]);

async function task(path, id) {
  const [{ items: [row] }, times] = await Promise.all([get(`${path}/tasks`, { query: `task:${quoted(id)}`, limit: 1 }), get(`${path}/breakdown`, { task: id })]);
  const second = [row.sign.label, row.agent_id || row.agent_group, row.attempt > 1 ? `attempt ${row.attempt}` : ""].filter(Boolean).join(", ");
  return {
    name: row.name, sign: row.sign, second, url: row.url, link: "Open task", why: row.waiting?.text ?? "", why_url: row.waiting?.link ?? null,
    rows: times.rows, widths: widths(times.rows), sums: `${times.wall}, sums exactly`, page: row.url,
  };
}

function fold(node) {
  return { name: node.label, sign: node.sign, second: [node.agent_group, node.inferred ? "folded by type, not stamped" : ""].filter(Boolean).join(", "), bar: node.bar, tally: node.tally, url: node.url, link: "All its tasks" };
}

async function joins(path, node) {
  const rows = await Promise.all(node.fanout_ids.slice(0, 5).map((fanout) => get(`${path}/joins`, { fanout })));
  return rows.flatMap(({ items }) => items);
}

/** Attempts, error, chain, raw records and acts of a task: its part of the task page. */
async function detail(panel, page, id) {
  const place = panel.querySelector("#chosen-failure");
  if (place.dataset.id !== id) place.replaceChildren();
  place.dataset.id = id;
  if (page) await showFailure(place, page).catch((error) => { place.textContent = error.message; });
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
  open(tab, false);
  return detail(panel, shown.page, id);
}
