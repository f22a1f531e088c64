// The order of rows: by the server's key, moving only elements that are out of place.

/** Puts the elements of sorted entries in order behind `template`; headings between rows stay out of it. */
export function arrange(list, template, entries) {
  let before = null;
  for (const { element } of entries) {
    const there = before ? follows(before, element) : list.querySelector(":scope > [data-id]") === element;
    if (!there) (before ?? template).after(element);
    before = element;
  }
}

/** Whether `element` is the next row behind `before`, headings between them aside. */
function follows(before, element) {
  let next = before.nextElementSibling;
  while (next && next.dataset.id === undefined) next = next.nextElementSibling;
  return next === element;
}

/** Compares two keys: numbers, text, or lists of them. */
export function compare(a, b) {
  if (!Array.isArray(a)) return a < b ? -1 : Number(a > b);
  const place = a.findIndex((part, index) => part !== b[index]);
  return place < 0 ? 0 : compare(a[place], b[place]);
}
