// The run page: header, graph, timeline, tasks, joins and inspector, live; one selection through all of them.

import * as api from "./api.js";
import { fill } from "./fill.js";
import { filtered, fitting } from "./filtered.js";
import { Graph } from "./graph/index.js";
import { inspect, widths } from "./inspect.js";
import { watch } from "./live.js";
import { bar } from "./marks.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";
import { splitter } from "./splitter.js";
import { open, tabs } from "./tabs.js";
import { Timeline } from "./timeline/index.js";
import { tools } from "./graph/tools.js";
import { carry } from "./travel/carry.js";
import { Travel } from "./travel/travel.js";

const WORDS = { human: "need a person", dead: "dead letters", unknown: "not seen yet", unready: "not ready" };
const at = (id) => document.getElementById(id);
const runId = at("graph").dataset.run;
const path = `runs/${encodeURIComponent(runId)}`;
const address = new URLSearchParams(location.search);
const query = address.get("query") ?? "";
let fold = address.get("fold");

const tasks = new Rows(at("tasks"), { accepts: (row) => query === "" && (!fold || row.fold_key === fold) });
const joins = new Rows(at("joins"));
const folds = new Rows(at("folds"));
const page = api.first("first-tasks");
tasks.load(page.items);
const follow = more(tasks, `${path}/tasks`, { query, fold }, page.next);
let run = api.first("first-run");

function header(row) {
  run = { ...run, ...row };
  at("graph").dataset.over = run.ended_at ?? "";
  for (const id of ["run-badge", "hold", "held", "facts"]) if (at(id)) fill(at(id), run);
  bar(at("run-bar"), run.bar);
  at("tally").textContent = run.tally;
  const elapsed = at("elapsed");
  if (run.since) elapsed.dataset.since = run.since;
  else { delete elapsed.dataset.since; elapsed.textContent = run.took ?? ""; }
  const states = run.bar.map(([name, n]) => ({ text: `${n.toLocaleString("en-GB")} ${WORDS[name] ?? name}`, href: `?query=state:${name}` }));
  fill(at("counts"), { states });
}

const graph = new Graph(at("graph"), (opened) => api.get(`${path}/graph`, { open: opened.join(",") }));
const timeline = new Timeline(at("timeline"), () => api.get(`${path}/timeline`));
tools(graph);
splitter(at("splitter"), at("graph"));
document.querySelectorAll("[data-tabs]").forEach(tabs);
if (query || fold !== null) open(at("tab-tasks"), false);

at("graph").addEventListener("choose", ({ detail }) => { timeline.choose(detail.id); chosen(detail); });
at("timeline").addEventListener("choose", ({ detail: { id } }) => {
  graph.choose(id, true);
  chosen({ id, node: graph.nodes.find((node) => node.id === id) ?? null });
});
at("timeline").addEventListener("drawn", ({ detail }) => graph.follow(detail.path.map((stretch) => stretch.row)));
at("chosen").addEventListener("click", (event) => {
  const id = event.target.closest("[data-value]")?.dataset.value;
  if (id) graph.choose(id);
});

at("timeline").addEventListener("cross", ({ detail }) => travel.scrubber.cross(detail.at));
at("travel-track").addEventListener("point", ({ detail }) => timeline.cross(detail.at));

async function chosen(detail) {
  const keep = new URL(location.href);
  if (detail.id) keep.hash = `node=${encodeURIComponent(detail.id)}`;
  else keep.hash = "";
  history.replaceState(null, "", keep);
  await inspect(at("chosen"), path, detail, graph);
  if (detail.node?.kind !== "fold") return;
  fold = detail.node.fold_key;
  await loadTasks();
  at("tasks-words").textContent = `of ${detail.node.label}, failed first`;
}

at("graph").addEventListener("opened", () => open(at("tab-tasks")));
at("graph").addEventListener("drawn", () => {
  const id = decodeURIComponent(location.hash.match(/node=([^&]*)/)?.[1] ?? "");
  if (id && graph.stops.has(id)) graph.choose(id);
}, { once: true });

at("tab-time").closest("aside").addEventListener("opened", (event) => { if (event.target.id === "tab-time") loadTime(); });

async function loadTime() {
  const found = await api.get(`${path}/breakdown`);
  const whatif = found.whatif.map((row) => ({ ...row, lower: row.label.toLowerCase(), outcome: row.saved_ms ? `${row.text} shorter` : "no shorter" }));
  fill(at("time"), { ...found, whatif, widths: widths(found.rows), sums: `${found.wall}, sums exactly` });
}

async function loadTasks() {
  const answer = await api.get(`${path}/tasks`, { fold, query, limit: 50 });
  tasks.replace(answer.items);
  follow(answer.next);
}

/** Joins cost the server more than all else of a large run, so they are asked for while somebody looks at them. */
async function loadJoins() {
  if (at("tab-joins").getAttribute("aria-selected") !== "true") return;
  const { items } = await api.get(`${path}/joins`);
  joins.replace(items);
  allJoins.dataset.count = items.filter((row) => row.decided).length;
  allJoins.hidden = allJoins.dataset.count === "0";
  label();
}

const allJoins = at("joins-all");

function label() {
  const few = joins.list.classList.contains("few");
  allJoins.textContent = few ? `Show ${allJoins.dataset.count} decided` : "Hide decided";
  allJoins.setAttribute("aria-expanded", String(!few));
}

at("tab-joins").addEventListener("opened", loadJoins);
allJoins.addEventListener("click", () => { joins.list.classList.toggle("few"); label(); });

async function loadFolds() {
  folds.replace((await api.get(`${path}/folds`)).items);
}

/** Every picture anew: the page is at another moment of the run. */
async function redraw(row) {
  header(row);
  graph.past = timeline.past = travel.past;
  const node = graph.chosen && { id: graph.chosen, node: graph.nodes.find((each) => each.id === graph.chosen) ?? null };
  const open = at("tab-time").getAttribute("aria-selected") === "true";
  await Promise.all([graph.refresh(), timeline.refresh(), loadTasks(), loadJoins(), loadFolds(), open && loadTime()]);
  if (node && graph.stops.has(node.id)) await inspect(at("chosen"), path, { ...node, node: graph.nodes.find((each) => each.id === node.id) ?? null }, graph);
}

const travel = new Travel(at("scrubber"), path, { draw: redraw, live: async () => redraw(await api.get(path)) });
graph.past = timeline.past = travel.past;
carry(runId, api.position);

function touch() {
  graph.touch();
  timeline.touch();
}

const again = filtered(tasks, query, async () => {
  await fit();
  return (await api.get(`${path}/tasks`, { query, fold, limit: 50 })).items;
});
const fit = fitting(path, query, graph, timeline, at("tasks-words"));

watch(`run:${runId}`, {
  apply: (rows, gone) => {
    travel.touch(rows.length + gone.length);
    if (travel.past) return;
    rows.filter((row) => row.kind === "run").forEach(header);
    tasks.apply(rows);
    again();
    folds.apply(rows, gone);
    touch();
    if (!rows.some((row) => row.kind === "join")) return;
    at("tab-joins").hidden = false;
    later ??= setTimeout(() => { later = null; loadJoins(); }, 1000);
  },
  refetch: async () => {
    if (travel.past) return;
    header(await api.get(path));
    await again.now();
    touch();
    await Promise.all([loadJoins(), loadFolds()]);
  },
});

let later = null;
header(run);
// The graph first: it is what people come for.
graph.refresh().then(() => Promise.all([timeline.refresh(), loadJoins(), loadFolds()]));
