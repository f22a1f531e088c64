// One redrive: how its letters stand, asked again until each has its result.

import { first, get } from "./api.js";
import { fill } from "./fill.js";
import { more } from "./more.js";
import { Rows } from "./rows.js";

const EVERY = 2000;
const order = first("first-order");
const page = first("first-items");
const rows = new Rows(document.getElementById("items"));
const dressed = (items) => items.map((item) => ({ ...item, since: item.result_at ?? item.published_at }));

fill(document.getElementById("order"), order);
rows.load(dressed(page.items));
more(rows, `redrives/${order.redrive_id}/items`, {}, page.next);

async function look() {
  if (!document.hidden) {
    const now = await get(`redrives/${order.redrive_id}`);
    fill(document.getElementById("order"), now);
    const items = await get(`redrives/${order.redrive_id}/items`, { limit: 200 });
    rows.apply(dressed(items.items));
    if (now.open === 0) return;
  }
  setTimeout(() => look().catch(() => setTimeout(look, 5 * EVERY)), EVERY);
}

if (order.open) setTimeout(() => look().catch(() => setTimeout(look, EVERY)), EVERY);
