// The picture from afar, or a very full one: two canvases over the drawing. The lower one has boxes and edges and is
// painted when they change or move; the upper one has what is chosen, focused or critical. The drawing below stays as
// it is, unseen: it is what pointer, keys and screen readers meet.

import { cut } from "./text.js";

const MANY = 400;
const FAR = 0.4;
const LETTERS = "600 10px system-ui, sans-serif";

/** Whether a picture of so many drawn elements at this scale is painted rather than drawn. */
export const painted = (elements, scale) => elements > MANY || scale < FAR;

/** How many elements a picture has: nodes, surfaced members, edges. */
export const size = ({ nodes, edges }) => nodes.length + edges.length + nodes.reduce((sum, node) => sum + (node.surfaced?.length ?? 0), 0);

export class Canvas {
  constructor(graph) {
    this.graph = graph;
    this.colours = new Map();
    this.layers = ["lower", "upper"].map((name) => Object.assign(document.createElement("canvas"), { className: `far ${name}`, hidden: true }));
    for (const layer of this.layers) layer.setAttribute("aria-hidden", "true");
    graph.element.append(...this.layers);
    graph.stage.addEventListener("scroll", () => this.later(), { passive: true });
    graph.stage.addEventListener("scaled", () => this.later());
    document.addEventListener("theme", () => { this.colours.clear(); this.later(); });
    new ResizeObserver(() => this.later()).observe(graph.stage);
  }

  /** Paints both layers at the next frame, once. */
  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.paint(); });
  }

  /** Paints, or steps back and lets the drawing be seen. */
  paint() {
    const { graph } = this;
    const on = Boolean(graph.made) && !graph.stage.hidden && painted(size(graph), graph.view.scale);
    graph.drawing.classList.toggle("far", on);
    for (const layer of this.layers) layer.hidden = !on;
    if (!on) return;
    this.lower(this.ready(this.layers[0]));
    this.upper();
  }

  /** Paints the upper layer alone. */
  upper() {
    if (this.layers[1].hidden) return;
    const { graph } = this;
    const pen = this.ready(this.layers[1]);
    const line = 1 / graph.view.scale;
    pen.lineWidth = 3 * line;
    pen.strokeStyle = this.colour("", "--fg");
    for (const way of graph.layers.inked.querySelectorAll("path.edge, path.path")) pen.stroke(new Path2D(way.getAttribute("d")));
    pen.lineWidth = 2 * line;
    pen.strokeStyle = this.colour("", "--accent");
    for (const id of new Set([graph.chosen, document.activeElement?.closest?.(".drawing .node")?.dataset.id])) {
      const box = this.box(id);
      if (box) pen.strokeRect(box.x - 4 * line, box.y - 4 * line, box.width + 8 * line, box.height + 8 * line);
    }
  }

  /** A canvas as large as the stage, cleared, with a pen that draws in the picture's own measure. */
  ready(layer) {
    const { stage, drawing, made } = this.graph;
    const dense = devicePixelRatio || 1;
    const [width, height] = [stage.clientWidth, stage.clientHeight];
    Object.assign(layer.style, { left: `${stage.offsetLeft}px`, top: `${stage.offsetTop}px`, width: `${width}px`, height: `${height}px` });
    Object.assign(layer, { width: Math.round(width * dense), height: Math.round(height * dense) });
    const [at, frame] = [drawing.getBoundingClientRect(), stage.getBoundingClientRect()];
    const scale = at.width / made.width;
    const pen = layer.getContext("2d");
    pen.setTransform(dense * scale, 0, 0, dense * scale, dense * (at.left - frame.left), dense * (at.top - frame.top));
    return pen;
  }

  lower(pen) {
    const { edges, nodes, made, kept } = this.graph;
    const scale = this.graph.view.scale;
    pen.strokeStyle = this.colour("", "--line-2");
    pen.lineWidth = 1 / scale;
    for (const edge of edges) {
      const points = made.routes.get(`${edge.source}\n${edge.target}`);
      if (!points) continue;
      pen.globalAlpha = kept && !(kept.has(edge.source) && kept.has(edge.target)) ? 0.2 : 1;
      pen.beginPath();
      points.forEach(([x, y], place) => (place ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
    }
    for (const node of nodes) this.node(pen, node, kept && !kept.has(node.id) ? 0.2 : 1, scale);
    pen.globalAlpha = 1;
  }

  node(pen, node, alpha, scale) {
    const { x, y, width, height } = this.graph.made.at.get(node.id);
    pen.globalAlpha = alpha;
    pen.fillStyle = this.colour("", "--bg");
    pen.fillRect(x, y, width, height);
    pen.fillStyle = this.colour(node.sign.sign, "--c");
    pen.globalAlpha = 0.2 * alpha;
    pen.fillRect(x, y, width, height);
    pen.globalAlpha = alpha;
    this.bar(pen, node, { x, y: y + height - 14, width, height: 14 });
    pen.strokeStyle = this.colour(node.sign.sign, "--c");
    pen.lineWidth = (node.sign.sign === "failed" ? 2 : 1) / scale;
    pen.strokeRect(x, y, width, height);
    for (const row of node.surfaced ?? []) {
      const member = this.box(`task:${row.task_id}`);
      pen.fillStyle = this.colour(row.sign.sign, "--c");
      if (member) pen.fillRect(member.x, member.y, member.width, member.height);
    }
    this.label(pen, node, { x, y, width }, scale);
  }

  /** The state bar, each state with at least two pixels. */
  bar(pen, node, { x, y, width, height }) {
    const total = (node.bar ?? []).reduce((sum, [, n]) => sum + n, 0);
    let left = x;
    for (const [sign, n] of total ? node.bar : []) {
      const part = Math.max(2 / this.graph.view.scale, (width * n) / total);
      pen.fillStyle = this.colour(sign, "--c");
      pen.fillRect(left, y, Math.min(part, x + width - left), height);
      left += part;
    }
  }

  /** The name at ten pixels of the screen, whatever the scale. */
  label(pen, node, { x, y, width }, scale) {
    if (width * scale < 28) return;
    pen.save();
    pen.font = LETTERS;
    pen.fillStyle = this.colour("", "--fg");
    pen.translate(x, y);
    pen.scale(1 / scale, 1 / scale);
    pen.fillText(cut(node.label, width * scale - 6, LETTERS), 3, 11);
    pen.restore();
  }

  box(id) {
    const stop = id && this.graph.stops.get(id);
    if (!stop) return null;
    return stop.fold ? { x: stop.x + 28, y: stop.y, width: this.graph.made.at.get(stop.fold).width - 28, height: 24 } : stop;
  }

  /** A token's colour on elements of a sign, as the browser resolves it now. */
  colour(sign, token) {
    const name = `${sign} ${token}`;
    if (!this.colours.has(name)) {
      const probe = Object.assign(document.createElement("i"), { className: sign ? `c-${sign}` : "" });
      probe.style.color = `var(${token})`;
      this.graph.element.append(probe);
      this.colours.set(name, getComputedStyle(probe).color);
      probe.remove();
    }
    return this.colours.get(name);
  }
}
