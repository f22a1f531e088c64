// Looking at a picture that is larger than its region: fit, zoom, pan. Fitting never goes below 0.6 of the size; what
// is larger begins at 0.8, where small letters are still read with ease, and scrolls with the running front in view.

const READABLE = 0.8;
const SMALLEST = 0.6;
const RANGE = [0.25, 2];
const STEP = 1.25;

export class View {
  /** `stage` scrolls; `told(scale)` is called whenever the scale changed. */
  constructor(stage, told) {
    this.stage = stage;
    this.told = told;
    this.scale = 1;
    this.size = { width: 1, height: 1 };
    this.drawing = null;
    stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    stage.addEventListener("pointerdown", (event) => this.grab(event));
  }

  /** Takes a drawing of this size; the scale stays. */
  show(drawing, size) {
    const box = `0 0 ${size.width} ${size.height}`;
    if (this.drawing === drawing && drawing.getAttribute("viewBox") === box) return;
    Object.assign(this, { drawing, size });
    drawing.setAttribute("viewBox", box);
    this.apply();
  }

  apply() {
    this.drawing.setAttribute("width", Math.round(this.size.width * this.scale));
    this.drawing.setAttribute("height", Math.round(this.size.height * this.scale));
    this.told(this.scale);
    this.stage.dispatchEvent(new CustomEvent("scaled"));
  }

  /** Everything in view, as far as it stays readable. */
  fit(least = SMALLEST) {
    const most = this.stage.parentElement.dataset.height ? this.stage.clientHeight : Math.max(260, innerHeight * 0.42);
    this.scale = Math.min(1, Math.max(least, Math.min(this.stage.clientWidth / this.size.width, most / this.size.height)));
    this.apply();
  }

  /** How a picture is first seen. */
  begin() {
    this.fit(READABLE);
  }

  zoom(factor, at = null) {
    const frame = this.stage.getBoundingClientRect();
    const [x, y] = at ?? [frame.width / 2, frame.height / 2];
    const before = this.scale;
    this.scale = Math.min(RANGE[1], Math.max(RANGE[0], before * factor));
    const grown = this.scale / before;
    const [left, top] = [(this.stage.scrollLeft + x) * grown - x, (this.stage.scrollTop + y) * grown - y];
    this.apply();
    this.stage.scrollTo({ left, top, behavior: "instant" });
  }

  in() { this.zoom(STEP); }

  out() { this.zoom(1 / STEP); }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const frame = this.stage.getBoundingClientRect();
    this.zoom(2 ** (-event.deltaY / 200), [event.clientX - frame.left, event.clientY - frame.top]);
  }

  /** Drags the picture by its ground; a click on a node stays a click. */
  grab(event) {
    if (event.button !== 0 || event.pointerType === "touch" || event.target.closest(".node")) return;
    const from = { x: event.clientX + this.stage.scrollLeft, y: event.clientY + this.stage.scrollTop };
    const move = (next) => this.stage.scrollTo({ left: from.x - next.clientX, top: from.y - next.clientY, behavior: "instant" });
    const end = () => { this.stage.removeEventListener("pointermove", move); this.stage.classList.remove("grabbed"); };
    this.stage.setPointerCapture(event.pointerId);
    this.stage.classList.add("grabbed");
    this.stage.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) this.stage.addEventListener(kind, end, { once: true });
  }

  /** Scrolls as little as brings an element into view, with some room around it. */
  bring(element) {
    const [box, frame] = [element.getBoundingClientRect(), this.stage.getBoundingClientRect()];
    const by = (low, high, start, end) => (low < start ? low - start - 24 : high > end ? high - end + 24 : 0);
    this.stage.scrollBy({ left: by(box.left, box.right, frame.left, frame.right), top: by(box.top, box.bottom, frame.top, frame.bottom), behavior: "instant" });
  }
}
