// A wide picture wraps: where only few edges cross from one layer to the next, the rest goes on in a band below. Edges
// from band to band run around the outside: right of all boxes, between the bands, left of all boxes.

const WRAP = 1150;
const CROSSING = 3;
const BAND_GAP = 56;

/** For each layer the band it stands in: a new one begins where the width is used up and few edges cross. */
export function bandsOf(columns, gap) {
  const widths = columns.map((column) => Math.max(0, ...column.map((entry) => entry.width)));
  if (widths.reduce((sum, width) => sum + width + gap, 0) <= WRAP) return columns.map(() => 0);
  const thin = (number) => columns[number].reduce((sum, entry) => sum + entry.before.length, 0) <= CROSSING;
  const found = [];
  let [first, band] = [0, 0];
  while (first < columns.length) {
    let [width, last] = [widths[first], first];
    while (last + 1 < columns.length && width + gap + widths[last + 1] <= WRAP) { last += 1; width += gap + widths[last]; }
    let end = last + 1;
    while (end < columns.length && end > first + 1 && !thin(end)) end -= 1;
    if (end === first + 1 && end < columns.length && !thin(end)) { end = last + 1; while (end < columns.length && !thin(end)) end += 1; }
    for (; first < end; first += 1) found.push(band);
    band += 1;
  }
  return found;
}

/** Stacks the bands: each {top, bottom} below the one before, with room for the edges that cross. */
export function stack(columns, band, margin) {
  const bands = [];
  let low = margin;
  for (let number = 0; number <= band.at(-1); number += 1) {
    const inside = columns.filter((_, layer) => band[layer] === number).flat();
    const top = Math.min(...inside.map((entry) => entry.y));
    for (const entry of inside) entry.y = Math.round(entry.y - top + low);
    const bottom = Math.max(...inside.map((entry) => entry.y + entry.height + (entry.node?.below ?? 0)));
    bands.push({ top: low, bottom, lanes: 0 });
    low = bottom + BAND_GAP;
  }
  return bands;
}

/** Where the next edge that crosses from a band to the one below runs: right of all, between the two, left of all. */
export function lane(made, band) {
  const place = made.bands[band].lanes;
  made.bands[band].lanes += 1;
  return { right: made.right + 12 + 6 * (place % 5), between: made.bands[band].bottom + 20 + 6 * (place % 5), left: 4 + 4 * (place % 4) };
}
