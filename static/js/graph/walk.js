// Walking the graph by keys: one tab stop, arrows along edges (left, right) and siblings (up, down), f to the next
// failed node, Enter for details, Space opens a fold, i shows only what leads to a node and what follows from it.

const BAD = ["failed", "dead", "human"];

/** The nearest stop in a direction: edges for left and right; up and down what stands in the same column. */
function next({ edges, at }, id, key) {
  const here = at.get(id);
  const [upright, sign] = [key === "ArrowUp" || key === "ArrowDown", key === "ArrowDown" ? 1 : -1];
  if (upright) {
    const column = [...at].filter(([, place]) => place.layer === here.layer && sign * (place.y - here.y) > 0);
    return column.sort(([, a], [, b]) => sign * (a.y - b.y))[0]?.[0];
  }
  const start = here.fold ?? id;
  if (here.fold && key === "ArrowLeft") return here.fold;
  const [from, to] = key === "ArrowRight" ? ["source", "target"] : ["target", "source"];
  const ends = edges.filter((edge) => edge[from] === start).map((edge) => edge[to]).filter((each) => at.has(each));
  return ends.sort((a, b) => Math.abs(at.get(a).y - here.y) - Math.abs(at.get(b).y - here.y))[0];
}

/** The next stop that failed or needs a person. */
export function nextBad({ at }, id) {
  const bad = [...at].filter(([, place]) => BAD.includes(place.sign)).map(([name]) => name);
  return bad[(bad.indexOf(id) + 1) % bad.length];
}

/** All nodes that lead to one of these or follow from it. */
export function relatives(edges, id) {
  const found = new Set([id]);
  for (const [from, to] of [["source", "target"], ["target", "source"]]) {
    const stack = [id];
    while (stack.length) {
      const here = stack.pop();
      for (const edge of edges) {
        if (edge[from] === here && !found.has(edge[to])) { found.add(edge[to]); stack.push(edge[to]); }
      }
    }
  }
  return found;
}

/** Listens on the stage; `stops()` gives {edges, at}, `acts` are choose(id), open(id), isolate(id), in, out, fit. */
export function walk(stage, stops, acts, go) {
  const zoom = { "+": acts.in, "=": acts.in, "-": acts.out, 0: acts.fit };
  stage.addEventListener("keydown", (event) => {
    const id = event.target.closest?.(".node")?.dataset.id;
    if (!id || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = { Enter: acts.choose, " ": acts.open, i: acts.isolate, ...zoom }[event.key];
    const step = event.key.startsWith("Arrow");
    if (!act && !step && event.key !== "f") return;
    event.preventDefault();
    event.stopPropagation();
    if (act) return void act(id);
    const found = step ? next(stops(), id, event.key) : nextBad(stops(), id);
    if (found) go(found);
  });
}
