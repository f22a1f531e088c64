// Pictures to take away: an SVG of the page as a file of its own, with the colours it has now, or as a PNG.
//
//   <button data-picture="#graph .drawing" data-name="run-1-graph" data-form="svg|png">: also Plotly's charts.

const KEPT = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin", "opacity", "color", "font-family", "font-size", "font-weight", "text-anchor", "display", "visibility"];
const SHARP = 2;
const LARGEST = 8192;

/** A copy of the drawing that needs no style sheet: each element carries what it looks like. */
function standing(drawing) {
  const copy = drawing.cloneNode(true);
  const [from, to] = [[drawing, ...drawing.querySelectorAll("*")], [copy, ...copy.querySelectorAll("*")]];
  from.forEach((element, place) => {
    const look = getComputedStyle(element);
    for (const name of KEPT) to[place].setAttribute(name, look.getPropertyValue(name));
  });
  const [, , width, height] = drawing.getAttribute("viewBox")?.split(" ").map(Number) ?? [0, 0, drawing.clientWidth, drawing.clientHeight];
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  for (const [name, value] of Object.entries({ width, height, fill: getComputedStyle(document.body).backgroundColor })) ground.setAttribute(name, value);
  copy.prepend(sprite(copy), ground);
  for (const [name, value] of Object.entries({ xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` })) copy.setAttribute(name, value);
  for (const element of copy.querySelectorAll("[tabindex], [role], [class]")) for (const name of ["tabindex", "role", "class"]) element.removeAttribute(name);
  return { text: new XMLSerializer().serializeToString(copy), width, height };
}

/** The glyphs and patterns that the drawing names, so that it finds them in itself. */
function sprite(copy) {
  const defs = document.createElementNS("http://www.w3.org/2000/svg", "defs");
  const named = new Set([...copy.outerHTML.matchAll(/(?:href="|url\((?:&quot;|"|')?)#([\w-]+)/g)].map(([, name]) => name));
  for (const name of named) {
    const part = document.getElementById(name);
    if (!part) continue;
    const kept = part.cloneNode(true);
    const [from, to] = [[part, ...part.querySelectorAll("*")], [kept, ...kept.querySelectorAll("*")]];
    from.forEach((element, place) => {
      const look = getComputedStyle(element);
      const current = element.closest("symbol");
      for (const each of ["fill", "stroke", "stroke-width", "stroke-linecap", "stroke-linejoin"]) if (!current || !["fill", "stroke"].includes(each)) to[place].setAttribute(each, look.getPropertyValue(each));
      if (current && element === current) { to[place].setAttribute("fill", "none"); to[place].setAttribute("stroke", "currentColor"); }
    });
    defs.append(kept);
  }
  return defs;
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** The drawing as a PNG, at twice its size as long as browsers can. */
async function png({ text, width, height }) {
  const image = new Image();
  image.src = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  await image.decode();
  const scale = Math.min(SHARP, LARGEST / width, LARGEST / height);
  const canvas = Object.assign(document.createElement("canvas"), { width: Math.round(width * scale), height: Math.round(height * scale) });
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(image.src);
  return new Promise((done) => { canvas.toBlob(done, "image/png"); });
}

async function take(button) {
  const { picture, name, form } = button.dataset;
  const found = document.querySelector(picture);
  if (!found) return;
  if (found.classList.contains("js-plotly-plot")) return void window.Plotly.downloadImage(found, { format: form, filename: name, scale: SHARP, width: found.clientWidth, height: found.clientHeight });
  const drawn = standing(found);
  save(form === "png" ? await png(drawn) : new Blob([drawn.text], { type: "image/svg+xml" }), `${name}.${form}`);
}

/** Wires every button of the page that takes a picture. */
export function pictures() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-picture]");
    if (button) take(button);
  });
}
