// Dead letters: the first page, more on demand.

import { first } from "./api.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const query = new URLSearchParams(location.search).get("query") ?? "";
const rows = new Rows(document.getElementById("letters"));
const page = first("first-letters");
rows.load(page.items);
more(rows, "rejected", { query }, page.next);
