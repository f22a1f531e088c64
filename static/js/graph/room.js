// How much may hang below a node before it meets what stands there.

import { GAP_Y } from "./layout.js";

/** Pixels between the lower edge of a node and the next thing below it. */
export function room(made, id) {
  const at = made.at.get(id);
  const [bottom, right] = [at.y + at.height, at.x + at.width];
  const below = made.taken.filter((box) => box.owner !== id && box.y >= bottom - 1 && box.x < right && box.x + box.width > at.x);
  return Math.min(made.height, ...below.map((box) => box.y - GAP_Y / 2)) - bottom;
}
