// Grows a graph step by step and tells which of the nodes that were drawn before moved.
async () => {
  const graph = (await import('/static/js/graph/index.js')).Graph;
  const node = (id, more = {}) => ({ id, kind: 'task', label: id, agent_group: 'g', members: 1, counts: {}, surfaced: [], bar: [], tally: 'done', sign: { sign: 'done', label: 'done' }, ...more });
  const host = document.createElement('section');
  host.className = 'graph';
  document.body.append(host);
  const steps = [];
  const nodes = [node('a'), node('b'), node('c')];
  const edges = [{ source: 'a', target: 'b', count: 1 }, { source: 'b', target: 'c', count: 1 }];
  const made = new graph(host, async () => ({ nodes: [...nodes], edges: [...edges] }));
  const places = () => Object.fromEntries([...host.querySelectorAll('[data-node]')].map((one) => [one.dataset.node, one.getAttribute('transform')]));
  await made.refresh();
  for (let i = 0; i < 30; i += 1) {
    const before = places();
    const [from, to] = [nodes[(i * 7) % nodes.length].id, `n${i}`];
    nodes.push(node(to, i % 5 ? {} : { kind: 'fold', members: 9, counts: { working: 9 }, bar: [['running', 9]], tally: '0 / 9' }));
    edges.push({ source: from, target: to, count: 1 });
    if (i % 3 === 0) edges.push({ source: nodes[(i * 3) % nodes.length].id, target: to, count: 1 });
    await made.refresh();
    const after = places();
    steps.push(Object.keys(before).filter((id) => before[id] !== after[id]));
  }
  document.querySelectorAll('.drawing').forEach((one) => { if (!host.contains(one)) one.remove(); });
  return steps.flat();
}
