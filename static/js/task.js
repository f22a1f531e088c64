// The task page: drawn by the server; here the state bar of its time, and word when there is news.

import { asOf, first, get } from "./api.js";
import { hold } from "./clock.js";
import { fill } from "./fill.js";
import { watch } from "./live.js";
import { bar } from "./marks.js";
import { quoted } from "./query.js";
import { steering } from "./steering.js";
import { tabs } from "./tabs.js";
import { carry } from "./travel/carry.js";

const page = document.getElementById("task");
const { run, task, at, then } = page.dataset;
let held = first("first-task");

fill(document.getElementById("task-badge"), held);
const spans = first("spans");
const shape = document.querySelector("[data-spans]");
if (shape && spans) bar(shape, spans.map((part) => [part.sign, part.width]));

if (at) {
  document.documentElement.classList.add("past");
  asOf(`runs/${encodeURIComponent(run)}`, at);
  hold(Date.parse(then));
  carry(run, () => at);
}
steering(document);
document.querySelectorAll("[data-tabs]").forEach(tabs);

function take(row) {
  if (row.revision <= held.revision) return;
  held = { ...held, ...row };
  fill(document.getElementById("task-badge"), held);
  document.getElementById("changed").hidden = false;
}

// What stood at an instant does not change any more.
if (!at) watch(`run:${run}`, {
  apply: (rows) => rows.filter((row) => row.kind === "task" && row.id === task).forEach(take),
  refetch: async () => {
    const { items } = await get(`runs/${encodeURIComponent(run)}/tasks`, { query: `task:${quoted(task)}`, limit: 1 });
    items.forEach(take);
  },
});
