// The list of all runs: the first page, more on demand, and what changes meanwhile.

import { first, get } from "./api.js";
import { panel } from "./failure.js";
import { filtered } from "./filtered.js";
import { watch } from "./live.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const query = new URLSearchParams(location.search).get("query") ?? "";
const rows = new Rows(document.getElementById("runs"), { accepts: (row) => query === "" || rows.held.has(row.id) });
const page = first("first-runs");
rows.load(page.items);
more(rows, "runs", { query }, page.next);

// How far a failure reaches is counted where it is asked for, not with every change.
const failed = (row) => row.kind === "run" && row.ended_at && row.first_cause;
const again = filtered(rows, query, async () => (await get("runs", { query })).items);
watch("board", { apply: (changed, gone) => { rows.apply(changed, gone); again(changed.some(failed)); }, refetch: again.now });

panel(document.getElementById("runs"));
