// The board: runs, the agents' strip, open approvals, receipts; each list live on its own.

import { first, get } from "./api.js";
import { panel } from "./failure.js";
import { filtered } from "./filtered.js";
import { watch } from "./live.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const SHOWN = 8;

function list(id, options) {
  const element = document.getElementById(id);
  return element ? new Rows(element, options) : null;
}

const query = new URLSearchParams(location.search).get("query") ?? "";
// With a filter only the server knows what fits: a change asks it again.
const runs = list("runs", { accepts: () => query === "" });
const groups = list("groups");
const asks = list("asks", { accepts: (row) => row.open });
const decided = list("decided");

const page = first("first-runs");
runs.load(page.items);
more(runs, "runs", { query }, page.next);
groups?.load(first("first-groups"));
asks?.load(first("first-asks"));
decided?.load(receipts(first("first-decided")));

function receipts(rows) {
  return rows.filter((row) => row.receipt).map((row) => ({ ...row, kind: "decided", order: row.receipt.order }));
}

// How far a failure reaches is counted where it is asked for, not with every change.
const failed = (row) => row.kind === "run" && row.ended_at && row.first_cause;
const again = filtered(runs, query, async () => (await get("runs", { query, limit: 50 })).items);
watch("board", { apply: (rows, gone) => { runs.apply(rows, gone); again(rows.some(failed)); }, refetch: again.now });

if (groups) {
  const refetch = async () => groups.load((await get("agents")).items.slice(0, SHOWN));
  watch("agents", {
    apply: (rows) => (rows.every((row) => row.chip) ? groups.apply(rows) : refetch()),
    refetch,
  });
}

if (asks) {
  watch("approvals", {
    apply: (rows, gone) => {
      const closed = rows.filter((row) => row.kind === "approval" && !row.open).map((row) => row.id);
      asks.apply(rows, [...gone, ...closed]);
      decided.apply(receipts(rows));
      document.querySelector(".decided").hidden = decided.held.size + decided.waiting.size === 0;
    },
    refetch: async () => {
      asks.load((await get("approvals", { state: "pending" })).items.slice(0, SHOWN));
      decided.load(receipts((await get("approvals", { state: "decided", limit: 5 })).items));
    },
  });
}

panel(document.getElementById("runs"));
