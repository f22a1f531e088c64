// Agents: the table live, and below it the chosen group (js/group.js).

import { first, get } from "./api.js";
import { Group } from "./group.js";
import { watch } from "./live.js";
import { Rows } from "./rows.js";

const table = document.getElementById("groups");
const groups = new Rows(table);
const group = new Group(first("first-chosen"), first("first-detail"));

groups.load(first("first-groups"));

function current() {
  for (const row of table.querySelectorAll("[data-id]")) {
    if (row.dataset.id === table.dataset.here) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

function take(rows) {
  groups.apply(rows);
  const mine = rows.find((row) => row.id === table.dataset.here);
  if (mine) group.touch(mine);
  current();
}

watch("agents", { apply: take, refetch });

async function refetch() {
  const { items } = await get("agents");
  groups.load(items);
  take(items);
}

current();
