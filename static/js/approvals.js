// The queue of approvals, live; the receipts of what was decided below it.

import { first, get } from "./api.js";
import { Bulk } from "./bulk.js";
import { filtered } from "./filtered.js";
import { headings } from "./grouping.js";
import { onKey } from "./keys.js";
import { watch } from "./live.js";
import { Rows } from "./rows.js";

const list = document.getElementById("asks");
const query = new URLSearchParams(location.search).get("query") ?? "";
const asks = new Rows(list, { accepts: (row) => row.open && !query, headed: headings(list, "queue-group") });
const decided = new Rows(document.getElementById("decided"));

export function receipts(rows) {
  return rows.filter((row) => row.receipt).map((row) => ({ ...row, kind: "decided", order: row.receipt.order }));
}

const bulk = new Bulk(list, asks);
const again = filtered(asks, query, async () => (await get("approvals", { state: "pending", query, limit: 200 })).items);

asks.load(first("first-asks"));
bulk.paint();
onKey("x", () => document.activeElement?.closest?.(".ask-row")?.querySelector(".pick:not([hidden])")?.click());
decided.load(receipts(first("first-decided")));

watch("approvals", {
  apply: (rows, gone) => {
    asks.apply(rows, [...gone, ...rows.filter((row) => row.kind === "approval" && !row.open).map((row) => row.id)]);
    if (query) again();
    else decided.apply(receipts(rows));
    bulk.paint();
  },
  refetch: async () => {
    await again.now();
    bulk.paint();
    if (!query) decided.load(receipts((await get("approvals", { state: "decided", limit: 20 })).items));
  },
});
