// The task page: drawn by the server; here the state bar of its time, and word when there is news.

import { first, get } from "./api.js";
import { fill } from "./fill.js";
import { watch } from "./live.js";
import { bar } from "./marks.js";
import { quoted } from "./query.js";
import { steering } from "./steering.js";
import { tabs } from "./tabs.js";

const page = document.getElementById("task");
const { run, task } = page.dataset;
let held = first("first-task");

fill(document.getElementById("task-badge"), held);
const spans = first("spans");
const shape = document.querySelector("[data-spans]");
if (shape && spans) bar(shape, spans.map((part) => [part.sign, part.width]));

steering(document);
document.querySelectorAll("[data-tabs]").forEach(tabs);

function take(row) {
  if (row.revision <= held.revision) return;
  held = { ...held, ...row };
  fill(document.getElementById("task-badge"), held);
  document.getElementById("changed").hidden = false;
}

watch(`run:${run}`, {
  apply: (rows) => rows.filter((row) => row.kind === "task" && row.id === task).forEach(take),
  refetch: async () => {
    const { items } = await get(`runs/${encodeURIComponent(run)}/tasks`, { query: `task:${quoted(task)}`, limit: 1 });
    items.forEach(take);
  },
});
