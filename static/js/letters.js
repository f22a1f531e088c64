// Dead letters: by error and one by one; what was chosen goes back or is given up, after a dry run.

import { first } from "./api.js";
import { Choice } from "./choice.js";
import { fill } from "./fill.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const query = new URLSearchParams(location.search).get("query") ?? "";
const errors = document.getElementById("errors");
if (errors) {
  const told = first("first-errors").map((row) => ({
    ...row,
    url: `?query=${encodeURIComponent(row.query)}`,
    choosable: row.open > 0 && Boolean(document.getElementById("plan")),
  }));
  fill(errors, { errors: told });
}
const rows = new Rows(document.getElementById("letters"));
const page = first("first-letters");
rows.load(page.items);
more(rows, "rejected", { query }, page.next);
if (document.getElementById("plan")) new Choice(query);
