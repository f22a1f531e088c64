// The small signs drawn by script: state badge, state bar, sparkline, risk bars. Shapes come from the icon sprite.

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

/** A glyph of the sprite, hidden from screen readers: the word beside it speaks. */
export function glyph(name, size = 16) {
  const use = svg("use", { href: `#g-${name}` });
  return svg("svg", { width: size, height: size, "aria-hidden": "true" }, use);
}

/** Makes `element` the badge of a sign {sign, label}. */
export function badge(element, sign) {
  if (!sign) return;
  const key = `${sign.sign}/${sign.label}`;
  if (element.dataset.drawn === key) return;
  const large = element.classList.contains("large") ? " large" : "";
  element.setAttribute("class", `badge c-${sign.sign}${large}`);
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", sign.label);
  element.title = sign.label;
  element.replaceChildren(glyph(sign.sign));
  element.dataset.drawn = key;
}

/** Makes `element` the chip of a verdict or a state {sign, label, verdict?}. */
export function chip(element, sign) {
  if (!sign) return;
  const verdict = sign.verdict ? ` v-${sign.verdict}` : "";
  element.setAttribute("class", `chip c-${sign.sign}${verdict}`);
  element.replaceChildren(glyph(sign.glyph ?? sign.sign), sign.label);
}

/** Draws the state bar: `segments` is [[sign, count], …] in the order the server gives. */
export function bar(element, segments) {
  const shown = (segments ?? []).filter(([, n]) => n > 0);
  const key = JSON.stringify(shown);
  if (element.dataset.drawn === key) return;
  element.dataset.drawn = key;
  element.classList.add("statebar");
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", shown.map(([sign, n]) => `${n} ${sign}`).join(", ") || "no tasks yet");
  element.replaceChildren(
    ...shown.map(([sign, n]) => {
      const segment = document.createElement("i");
      segment.className = `c-${sign}`;
      segment.style.flexGrow = n;
      return segment;
    }),
  );
}

/** Draws a sparkline of numbers; null is a gap that is skipped. */
export function spark(element, values, width = Number(element.dataset.width ?? 32), height = Number(element.dataset.height ?? 20)) {
  const known = (values ?? []).map((v, i) => [i, v]).filter(([, v]) => v !== null);
  element.classList.add("spark");
  if (known.length < 4) return element.replaceChildren();
  const top = Math.max(1, ...known.map(([, v]) => v));
  const step = width / (values.length - 1);
  const line = known.map(([i, v]) => `${(i * step).toFixed(1)} ${(height - 1 - (v / top) * (height - 3)).toFixed(1)}`);
  const first = (known[0][0] * step).toFixed(1);
  const last = (known.at(-1)[0] * step).toFixed(1);
  return element.replaceChildren(
    svg("svg", { width, height, "aria-hidden": "true" },
      svg("path", { class: "under", d: `M${line.join("L")}L${last} ${height}L${first} ${height}Z` }),
      svg("path", { class: "over", d: `M${line.join("L")}` })),
  );
}

/** Draws the three neutral risk bars. */
export function risk(element, level) {
  const bars = [[1, 11, 4], [6, 8, 7], [11, 5, 10]];
  const drawing = svg("svg", { width: 18, height: 18, class: "risk", "data-level": level ?? "low", role: "img", "aria-label": `${level ?? "unknown"} risk` });
  for (const [x, y, height] of bars) drawing.append(svg("rect", { x, y, width: 3.5, height, rx: 0.5 }));
  element.replaceChildren(drawing);
}
