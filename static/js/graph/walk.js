// Walking the graph by keys: one tab stop, arrows along edges (left, right) and siblings (up, down), f to the
// next failed node, Enter opens, Space opens the fold.

const BAD = ["failed", "dead", "human"];

/** The nearest node in a direction: edges for left and right, the same column for up and down. */
function next(picture, id, key) {
  const { nodes, edges, at } = picture;
  const here = at.get(id);
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const [from, to] = key === "ArrowRight" ? ["source", "target"] : ["target", "source"];
    const ends = edges.filter((edge) => edge[from] === id).map((edge) => edge[to]).filter((each) => at.has(each));
    return ends.sort((a, b) => Math.abs(at.get(a).y - here.y) - Math.abs(at.get(b).y - here.y))[0];
  }
  const sign = key === "ArrowDown" ? 1 : -1;
  const column = nodes.map((node) => node.id).filter((each) => at.get(each).x === here.x && sign * (at.get(each).y - here.y) > 0);
  return column.sort((a, b) => sign * (at.get(a).y - at.get(b).y))[0];
}

function nextBad(picture, id) {
  const bad = picture.nodes.filter((node) => BAD.includes(node.sign.sign)).map((node) => node.id);
  return bad[(bad.indexOf(id) + 1) % bad.length];
}

/** Listens on the drawing; `picture()` gives what is drawn now, `choose(id)` and `open(id)` act. */
export function walk(element, { picture, choose, open }) {
  element.addEventListener("keydown", (event) => {
    const id = event.target.closest?.(".node")?.dataset.id;
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key.startsWith("Arrow") || event.key === "f") {
      const found = event.key === "f" ? nextBad(picture(), id) : next(picture(), id, event.key);
      event.preventDefault();
      if (found) focus(element, found);
    } else if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      if (event.key === "Enter") open(id);
      else choose(id);
    }
  });
}

/** Puts the one tab stop of the drawing on a node and the focus with it. */
export function focus(element, id) {
  for (const node of element.querySelectorAll(".node")) node.setAttribute("tabindex", node.dataset.id === id ? 0 : -1);
  const node = element.querySelector(`.node[data-id="${CSS.escape(id)}"]`);
  node?.focus({ preventScroll: true });
  node?.scrollIntoView({ block: "nearest", inline: "nearest" });
}
