// The run page: header, progress, graph, joins, folds and tasks, live.

import * as api from "./api.js";
import { fill } from "./fill.js";
import { mount } from "./graph/index.js";
import { watch } from "./live.js";
import { bar } from "./marks.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const WORDS = { human: "need a person", dead: "dead letters", unknown: "not seen yet", unready: "not ready" };
const graphAt = document.getElementById("graph");
const runId = graphAt.dataset.run;
const path = `runs/${encodeURIComponent(runId)}`;
const address = new URLSearchParams(location.search);
const query = address.get("query") ?? "";
let fold = address.get("fold");

const tasks = new Rows(document.getElementById("tasks"), { accepts: (row) => query === "" && (!fold || row.fold_key === fold) });
const joins = new Rows(document.getElementById("joins"));
const folds = new Rows(document.getElementById("folds"));
const page = api.first("first-tasks");
tasks.load(page.items);
more(tasks, `${path}/tasks`, { query, fold }, page.next);
let run = api.first("first-run");

function header(row) {
  run = { ...run, ...row };
  for (const id of ["run-badge", "hold", "hold-words"]) {
    const element = document.getElementById(id);
    if (element) fill(element, run);
  }
  bar(document.getElementById("run-bar"), run.bar);
  document.getElementById("tally").textContent = run.tally;
  const elapsed = document.getElementById("elapsed");
  if (!run.since) { delete elapsed.dataset.since; elapsed.textContent = run.took ?? ""; }
  const states = run.bar.map(([name, n]) => ({ text: `${n.toLocaleString("en-GB")} ${WORDS[name] ?? name}`, href: `?query=state:${name}` }));
  fill(document.getElementById("counts"), { states });
}

const graph = mount(graphAt, { runId, api });

graphAt.addEventListener("choose", async ({ detail: node }) => {
  fold = node?.kind === "fold" ? node.fold_key : null;
  const asked = node?.kind === "task" ? { query: `task:${node.task_id}` } : { fold, query };
  show((await api.get(`${path}/tasks`, { ...asked, limit: 50 })).items);
});

function show(items) {
  for (const id of [...tasks.held.keys()]) tasks.drop(id);
  tasks.waiting.clear();
  tasks.load(items);
}

async function loadJoins() {
  const { items } = await api.get(`${path}/joins`);
  document.getElementById("join-part").hidden = items.length === 0;
  joins.load(items);
  const decided = items.filter((row) => row.decided).length;
  allJoins.hidden = decided === 0;
  allJoins.dataset.count = decided;
  label();
}

const allJoins = document.getElementById("joins-all");

function label() {
  const few = joins.list.classList.contains("few");
  allJoins.textContent = few ? `Show ${allJoins.dataset.count} decided` : "Hide decided";
  allJoins.setAttribute("aria-expanded", String(!few));
}

allJoins.addEventListener("click", () => { joins.list.classList.toggle("few"); label(); });

async function loadFolds() {
  folds.load((await api.get(`${path}/folds`)).items);
}

watch(`run:${runId}`, {
  apply: (rows, gone) => {
    rows.filter((row) => row.kind === "run").forEach(header);
    tasks.apply(rows);
    folds.apply(rows, gone);
    graph.touch();
    if (rows.some((row) => row.kind === "join")) joinsLater();
  },
  refetch: async () => {
    header(await api.get(path));
    const answer = await api.get(`${path}/tasks`, { query, fold, limit: 50 });
    for (const row of answer.items) tasks.take(row, false);
    tasks.settle(false);
    graph.touch();
    await Promise.all([loadJoins(), loadFolds()]);
  },
});

let later = null;
function joinsLater() {
  later ??= setTimeout(() => { later = null; loadJoins(); }, 1000);
}

header(run);
loadJoins();
loadFolds();
