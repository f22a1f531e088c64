// The crosshair: one instant through all rows and lanes, with its time above and the lag at that moment beside it.

import { svg } from "../marks.js";
import { LANE, waitingAt } from "./lanes.js";

function framed(x, y, words, name) {
  const text = svg("text", { x: 0, y: 0, "text-anchor": "middle" });
  text.textContent = words;
  const width = Math.max(18, 7 * words.length + 10);
  const group = svg("g", { class: name, transform: `translate(${x},${y})` }, svg("rect", { x: -width / 2, y: -12, width, height: 16, rx: 2 }), text);
  return group;
}

/** Moves the crosshair of a timeline to a pixel; null takes it away. Returns the instant (ms since the start). */
export function cross(line, x) {
  const layers = [line.head, line.body, line.foot].map((drawing) => drawing.querySelector(".crosshair"));
  for (const layer of layers) layer.replaceChildren();
  if (x === null || !line.axis || x < line.axis.left || x > line.axis.right) return null;
  const ms = line.axis.at(x);
  const [head, body, foot] = layers;
  const middle = Math.min(line.axis.right - 30, Math.max(line.axis.left + 30, x));
  head.append(framed(middle, 17, line.axis.label(ms, line.axis.step < 10 ? 1 : 0) || "", "stamp"));
  for (const [layer, height] of [[body, line.body.height.baseVal.value], [foot, line.foot.height.baseVal.value]]) layer.append(svg("path", { class: "hair", d: `M${x} 0V${height}` }));
  line.data.lanes.forEach((row, place) => {
    const value = waitingAt(row, ms);
    if (value !== null) foot.append(framed(x + 18, place * LANE + 18, value.toLocaleString("en-GB"), "value"));
  });
  return ms;
}
