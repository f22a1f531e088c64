// Faults of a drawn graph: boxes that overlap, labels that leave their box, edges that run through one.
() => {
  const drawing = document.querySelector('.drawing');
  const rect = (element) => element.getBoundingClientRect();
  const boxes = [...drawing.querySelectorAll('.node')].map((node) => {
    const box = node.querySelector('.box, .joint');
    const place = node.closest('[data-node]').dataset.node;
    return { node, id: node.dataset.id, place, rect: rect(box) };
  });
  const faults = [];
  const apart = (a, b) => a.right <= b.left + 1 || b.right <= a.left + 1 || a.bottom <= b.top + 1 || b.bottom <= a.top + 1;
  boxes.forEach((one, i) => boxes.slice(i + 1).forEach((other) => {
    if (!apart(one.rect, other.rect)) faults.push(`${one.id} overlaps ${other.id}`);
  }));
  for (const { node, id, rect: box } of boxes) for (const text of node.querySelectorAll('text')) {
    const words = rect(text);
    if (words.width && (words.left < box.left - 1 || words.right > box.right + 1 || words.top < box.top - 1 || words.bottom > box.bottom + 1)) faults.push(`${text.textContent} leaves ${id}`);
    for (const other of node.querySelectorAll('text')) if (other !== text && words.width && rect(other).width && !apart(words, rect(other))) faults.push(`${text.textContent} lies on ${other.textContent}`);
  }
  const edges = drawing.querySelectorAll('.ways .way');
  for (const way of edges) {
    const path = way.querySelector('.edge');
    const [matrix, length] = [path.getScreenCTM(), path.getTotalLength()];
    for (let at = 0; at < length; at += 5) {
      const { x, y } = path.getPointAtLength(at).matrixTransform(matrix);
      const hit = boxes.find(({ place, rect: box }) => place !== way.dataset.from && place !== way.dataset.to && x > box.left + 2 && x < box.right - 2 && y > box.top + 2 && y < box.bottom - 2);
      if (hit) { faults.push(`${way.dataset.from} -> ${way.dataset.to} runs through ${hit.id}`); break; }
    }
  }
  return { faults: faults.slice(0, 20), boxes: boxes.length, edges: edges.length, elements: boxes.length + edges.length };
}
