// The queue of approvals, live; the receipts of what was decided below it.

import { first, get } from "./api.js";
import { headings } from "./grouping.js";
import { watch } from "./live.js";
import { Rows } from "./rows.js";

const list = document.getElementById("asks");
const asks = new Rows(list, { accepts: (row) => row.open, headed: headings(list, "queue-group") });
const decided = new Rows(document.getElementById("decided"));

export function receipts(rows) {
  return rows.filter((row) => row.receipt).map((row) => ({ ...row, kind: "decided", order: row.receipt.order }));
}

asks.load(first("first-asks"));
decided.load(receipts(first("first-decided")));

watch("approvals", {
  apply: (rows, gone) => {
    asks.apply(rows, [...gone, ...rows.filter((row) => row.kind === "approval" && !row.open).map((row) => row.id)]);
    decided.apply(receipts(rows));
  },
  refetch: async () => {
    asks.load((await get("approvals", { state: "pending", limit: 200 })).items);
    decided.load(receipts((await get("approvals", { state: "decided", limit: 20 })).items));
  },
});
