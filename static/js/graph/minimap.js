// The whole picture small in a corner, with a frame around what is in view; for pictures of more than 150 nodes.

import { svg } from "../marks.js";

const MANY = 150;
const [WIDTH, HEIGHT] = [168, 104];

export class Minimap {
  constructor(stage) {
    this.stage = stage;
    this.drawing = svg("svg", { class: "minimap", width: WIDTH, height: HEIGHT, "aria-hidden": "true" });
    this.drawing.style.display = "none";
    stage.parentElement.append(this.drawing);
    stage.addEventListener("scroll", () => this.frame(), { passive: true });
    this.drawing.addEventListener("pointerdown", (event) => this.go(event));
  }

  /** Draws the nodes anew; `made` is the layout. */
  show(nodes, made) {
    this.made = made;
    const many = nodes.length > MANY;
    this.drawing.style.display = many ? "" : "none";
    if (!many) return;
    this.drawing.setAttribute("viewBox", `0 0 ${made.width} ${made.height}`);
    const boxes = nodes.map((node) => {
      const { x, y, width, height } = made.at.get(node.id);
      return svg("rect", { class: `c-${node.sign.sign}`, x, y, width, height });
    });
    this.view = svg("rect", { class: "frame" });
    this.drawing.replaceChildren(...boxes, this.view);
    this.frame();
  }

  frame() {
    if (!this.view || !this.made) return;
    const scale = this.stage.querySelector(".drawing").clientWidth / this.made.width;
    const part = { x: this.stage.scrollLeft, y: this.stage.scrollTop, width: this.stage.clientWidth, height: this.stage.clientHeight };
    for (const [name, size] of Object.entries(part)) this.view.setAttribute(name, size / scale);
  }

  go(event) {
    const box = this.drawing.getBoundingClientRect();
    const drawn = Math.min(WIDTH / this.made.width, HEIGHT / this.made.height);
    const [x, y] = [(event.clientX - box.left - (WIDTH - this.made.width * drawn) / 2) / drawn, (event.clientY - box.top - (HEIGHT - this.made.height * drawn) / 2) / drawn];
    const scale = this.stage.querySelector(".drawing").clientWidth / this.made.width;
    this.stage.scrollTo({ left: x * scale - this.stage.clientWidth / 2, top: y * scale - this.stage.clientHeight / 2, behavior: "instant" });
  }
}
