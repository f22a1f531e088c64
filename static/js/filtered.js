// A list under a query line, live: only the server knows what fits, so a change asks it again, at most every two
// seconds. Rows of the first page that fit no longer leave it.

import { get } from "./api.js";

const EVERY = 2000;

/**
 * What of a run fits the query line: graph and timeline dim and leave out the rest, now and on each call. A line that
 * is not understood, or none, dims nothing.
 */
export function fitting(path, query, graph, timeline, words) {
  const fit = async () => {
    if (!query || document.getElementById("query-wrong")) return;
    const found = await get(`${path}/matches`, { query, open: [...graph.opened].join(",") });
    const ids = new Set(Object.keys(found.nodes));
    graph.match(ids);
    timeline.match(ids);
    words.textContent = `${found.total.toLocaleString("en-GB")} fit the filter`;
  };
  graph.element.addEventListener("drawn", fit, { once: true });
  graph.element.addEventListener("opened", () => setTimeout(fit, 300));
  return fit;
}

/**
 * A function to call when something changed; `now` of it asks at once. `load()` fetches the first page. Without a
 * query the deltas say it all, and nothing is asked unless told to.
 */
export function filtered(rows, query, load) {
  let timer = null;
  let asked = 0;

  async function now() {
    if (document.getElementById("query-wrong")) return undefined;
    asked = performance.now();
    const items = await load();
    // Rows behind the first page were loaded by "Show more" and are left as they are.
    if (query && rows.held.size <= items.length + 1) return rows.load(items);
    for (const row of items) rows.take(row, false);
    return rows.settle(false);
  }

  function changed(anyway = false) {
    if (!query && !anyway) return;
    const wait = Math.max(0, asked + EVERY - performance.now());
    timer ??= setTimeout(() => { timer = null; now().catch((error) => console.warn("could not ask again", error)); }, wait);
  }

  return Object.assign(changed, { now });
}
