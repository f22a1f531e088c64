// Headings in a live list: one before the first row of each group, with how many rows it has.

/** A function for `Rows` that keeps the headings of `list` in place; rows name their group in `group`. */
export function headings(list, className) {
  const made = new Map();
  return (entries) => {
    const counts = new Map();
    for (const { row } of entries) counts.set(row.group, (counts.get(row.group) ?? 0) + 1);
    for (const [name, element] of made) if (!counts.has(name)) { element.remove(); made.delete(name); }
    let before = null;
    for (const { row, element } of entries) {
      if (row.group !== before) place(heading(row.group), element);
      before = row.group;
    }
    for (const [name, element] of made) element.lastElementChild.textContent = counts.get(name);
  };

  function heading(name) {
    if (!made.has(name)) {
      const element = document.createElement("div");
      element.className = className;
      element.append(Object.assign(document.createElement("span"), { textContent: name }), document.createElement("span"));
      made.set(name, element);
    }
    return made.get(name);
  }

  function place(element, row) {
    if (row.previousElementSibling !== element) row.before(element);
  }
}
