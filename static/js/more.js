// "Show more" under a list: fetches the next page by its cursor and appends it.

import { get } from "./api.js";

/** Wires the button [data-more-for=<list id>]; `path` and `parameters` as for the first page. The function that it
 *  returns takes the cursor that follows another first page. */
export function more(rows, path, parameters, next) {
  const holder = document.querySelector(`[data-more-for="${rows.list.id}"]`);
  if (!holder) return () => {};
  const button = holder.querySelector("button");
  let cursor = next;
  holder.hidden = !cursor;
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const answer = await get(path, { ...parameters, cursor });
      rows.limit = Math.max(rows.limit, rows.held.size + answer.items.length);
      rows.load(answer.items, { append: true });
      cursor = answer.next;
      holder.hidden = !cursor;
    } finally {
      button.disabled = false;
    }
  });
  return (following) => {
    cursor = following;
    holder.hidden = !cursor;
  };
}
