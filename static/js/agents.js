// Agents: the table live, and below it the chosen group: why this verdict, partitions, members, history.

import { first, get } from "./api.js";
import { lagChart } from "./charts.js";
import { fill } from "./fill.js";
import { duration } from "./format.js";
import { watch } from "./live.js";
import { chip } from "./marks.js";
import { Rows } from "./rows.js";

const at = (id) => document.getElementById(id);
const table = at("groups");
const groups = new Rows(table);
let chosen = first("first-chosen");

groups.load(first("first-groups"));

function current() {
  for (const row of table.querySelectorAll("[data-id]")) {
    if (row.dataset.id === table.dataset.here) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function show(row) {
  chosen = { ...chosen, ...row };
  const heading = `Why ${chosen.verdict.state}?`;
  fill(at("chosen"), { ...chosen, heading, pairs: chosen.verdict.facts });
  chip(at("chosen-chip"), chosen.chip);
  fill(at("partitions"), chosen);
  fill(at("members"), { member_rows: (chosen.member_names ?? []).map((name) => ({ name })) });
  at("member-count").textContent = chosen.members === null ? "unknown" : `${chosen.members}`;
  at("chosen-waiting").textContent = chosen.waiting ?? "unknown";
  at("chosen-oldest").textContent = chosen.oldest;
  at("chosen-eta").textContent = chosen.eta;
  const polled = at("chosen-as-of");
  polled.setAttribute("datetime", chosen.as_of);
  delete polled.dataset.painted;
}

const chart = lagChart(at("lag-chart"), chosen.group);
for (const button of document.querySelectorAll("[data-reach]")) {
  button.addEventListener("click", () => {
    for (const each of document.querySelectorAll("[data-reach]")) each.setAttribute("aria-pressed", String(each === button));
    chart.reach(button.dataset.reach);
  });
}

at("as-table").addEventListener("click", (event) => {
  const shown = event.currentTarget.getAttribute("aria-pressed") !== "true";
  event.currentTarget.setAttribute("aria-pressed", String(shown));
  at("lag-table").hidden = !shown;
  at("lag-chart").hidden = shown;
  const points = chart.points().toReversed().map((point) => ({ ...point, waiting_text: point.waiting ?? "unknown", age_text: duration(point.age_seconds) }));
  fill(at("lag-table"), { points });
});

function take(rows) {
  groups.apply(rows);
  const mine = rows.find((row) => row.id === table.dataset.here);
  if (mine) { show(mine); chart.touch(); }
  current();
}

watch("agents", {
  apply: (rows) => (rows.every((row) => row.chip) ? take(rows) : refetch()),
  refetch,
});

async function refetch() {
  const { items } = await get("agents");
  groups.load(items);
  take(items);
}

show(chosen);
current();
