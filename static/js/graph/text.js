// Text that fits: measured with the fonts of the page, cut where it does not fit.

const canvas = document.createElement("canvas").getContext("2d");

const family = getComputedStyle(document.documentElement).getPropertyValue("--sans") || "sans-serif";
export const NAME = `600 12px ${family}`;
export const META = `11.5px ${family}`;
const cuts = new Map();

/** The width of a text in pixels. */
export function wide(text, font) {
  canvas.font = font;
  return canvas.measureText(text).width;
}

/** Text cut to a width in pixels: sentences at their end, names without spaces in their middle. */
export function cut(text, width, font = META) {
  const key = `${font}|${Math.round(width)}|${text}`;
  if (!cuts.has(key)) {
    if (cuts.size > 4000) cuts.clear();
    cuts.set(key, shorten(text, width, font));
  }
  return cuts.get(key);
}

function shorten(text, width, font) {
  if (wide(text, font) <= width) return text;
  const tail = /\s/.test(text) ? 0 : 0.6;
  let kept = text.length - 1;
  const made = () => `${text.slice(0, Math.ceil(kept * (1 - tail)))}…${tail ? text.slice(text.length - Math.floor(kept * tail)) : ""}`;
  while (kept > 1 && wide(made(), font) > width) kept -= 1;
  return made();
}
