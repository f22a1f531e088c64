// The picture as a table: the same nodes, each with its state, counts and inputs, for whoever reads rather than looks.

import { badge } from "../marks.js";

const HEADS = ["Sign", "Node", "State", "Done", "Agent", "Follows"];
const KINDS = { fold: "alike tasks", join: "join", task: "task" };

function cell(...content) {
  const td = document.createElement("td");
  td.append(...content);
  return td;
}

function line(node, names, edges, choose) {
  const tr = document.createElement("tr");
  const sign = document.createElement("span");
  badge(sign, node.sign);
  const name = document.createElement("button");
  Object.assign(name, { type: "button", className: "plain name", textContent: node.label });
  name.addEventListener("click", () => choose(node.id));
  const kind = document.createElement("span");
  Object.assign(kind, { className: "under", textContent: KINDS[node.kind] });
  const inputs = edges.filter((edge) => edge.target === node.id).map((edge) => names.get(edge.source));
  tr.append(cell(sign), cell(name, kind), cell(node.sign.label), cell(node.kind === "task" ? "" : node.tally), cell(node.agent_group), cell(inputs.join(", ")));
  tr.lastChild.className = "wrap second";
  return tr;
}

/** Shows the same picture as a table, or the drawing again. */
export function table(graph, shown) {
  graph.element.querySelector(".twin")?.remove();
  graph.stage.hidden = shown;
  if (!shown) return;
  const box = Object.assign(document.createElement("div"), { className: "twin", tabIndex: 0 });
  box.append(twin(graph, (id) => graph.choose(id)));
  graph.element.append(box);
}

/** A table of the picture; its names choose their node. */
function twin({ nodes, edges }, choose) {
  const names = new Map(nodes.map((node) => [node.id, node.label]));
  const found = document.createElement("table");
  found.className = "table";
  const head = document.createElement("tr");
  for (const text of HEADS) head.append(Object.assign(document.createElement("th"), { textContent: text, scope: "col" }));
  found.createTHead().append(head);
  found.createTBody().append(...nodes.map((node) => line(node, names, edges, choose)));
  return found;
}
